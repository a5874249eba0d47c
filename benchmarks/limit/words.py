"""Words of which people and what they like are made. No two things share a word, so that a word names one thing."""

_FIRST = """
Ada Adele Agnes Alba Alma Amara Amos Anders Anita Anton Arlo Arne Astrid August Axel Basil Beata Bella Benno Bertha
Bjorn Blanche Boris Brenda Bruno Calla Camilo Carina Caspar Cecil Celia Chester Clara Claude Clement Cleo Conrad Cora
Cosima Cyril Dagny Dalia Damian Daphne Dario Delia Desmond Dora Duncan Edgar Edith Edmund Elena Elias Elmer Elsa Emil
Enid Enzo Erna Esme Esther Ethel Eugene Evelyn Fabian Fanny Felix Fergus Fidel Flora Floyd Frida Gail Gaston Gemma
Gerda Gideon Gilda Giles Gloria Goran Greta Gustav Gwen Hannah Harald Hattie Hector Hedda Heidi Helga Henrik Hilda
Homer Hugo Ida Igor Ilona Imogen Ines Ingrid Irene Isaac Ivan Ivo Jakob Janna Jelena Jerome Joan Jonas Josefa Judith
Julius June Kaspar Keira Kirsten Klara Knut Lars Laura Leda Leif Lena Leopold Liam Lidia Linus Livia Lorenz Louisa
Lucas Lucia Ludwig Luna Mabel Magda Malcolm Mara Marcel Margot Marius Martha Matilda Maud Maxim Mercy Milan Milo Minna
Miriam Mona Moritz Muriel Nadia Naomi Nelson Nestor Nina Noel Nora Norbert Odette Olaf Olga Orla Oscar Osman Otto
Pablo Paula Percy Petra Philip Phoebe Piers Quentin Rafael Ramona Regina Remy Rhoda Roland Romy Rosa Rufus Runa Sabine
Samson Saskia Selma Serge Sibyl Sigrid Simon Sofia Stella Sven Talia Tamar Teresa Theo Thora Tilda Tobias Tristan Ulla
Ulrich Una Ursula Valda Vera Victor Viggo Vito Walda Wanda Werner Wilma Winston Xaver Yara Ylva Yusuf Zelda Zeno
Zoltan
"""
_STEMS = (
    "Ald Ash Birk Bram Cald Corn Dall Elm Fair Gren Hart Holm Kel Lang Marl Nor Oak Pres Rad Sten Thorn Wal Wes Whit"
)
_ENDINGS = "beck berg bourne bury combe croft dale ford gate ham hurst ley man more wick wood"
_THINGS = """
Aardvarks Abacuses Accordions Acorns Acrobatics Acrylics Admirals Aerobics Agates Airships Albatrosses Alchemy Algae
Algebra Alligators Almanacs Almonds Alpacas Amber Amethysts Ammonites Amphitheaters Anagrams Anchors Anchovies
Anemones Angling Anteaters Antelopes Anthems Ants Anvils Apples Apricots Aprons Aquariums Aqueducts Arachnids Archery
Architecture Arias Armadillos Armchairs Artichokes Asparagus Aspens Asteroids Asters Astrolabes Astronomy Atlases
Atolls Attics Auctions Auroras Avocados Axolotls Azaleas Baboons Backgammon Badgers Badminton Bagels Bagpipes Ballads
Ballet Balloons Bamboo Bananas Bandanas Banjos Banners Barges Barley Barnacles Barometers Barrels Basalt Baseball
Basements Basketball Bassoons Bathhouses Batteries Bazaars Beaches Beads Beagles Beans Bears Beavers Beech Beekeeping
Beetles Beets Begonias Bells Belts Berets Bicycles Billiards Binoculars Biscuits Bison Blackberries Blankets Blimps
Bluebells Blueberries Bobsleighs Bonfires Bongos Bonsai Bookbinding Boomerangs Boots Botany Boulders Bowling Boxing
Bracelets Brambles Bread Breweries Bricks Bridges Broccoli Bronze Brooches Brooms Brownies Bubbles Buckets Buckwheat
Buffaloes Bugles Bungalows Buoys Burritos Buses Butter Buttercups Butterflies Buttons Cabbages Cabins Cacao Cacti
Cakes Calculus Calendars Calligraphy Camels Cameos Cameras Campfires Camping Canals Canaries Candles Candy Canoes
Canyons Capers Capybaras Caramel Caravans Cardamom Cardinals Caribou Caricatures Carnations Carnivals Carousels
Carpets Carrots Cartography Cartoons Carving Cashews Castanets Castles Caterpillars Cathedrals Cats Cauliflower Caves
Cedars Celery Cellars Cellos Cement Centipedes Ceramics Chalk Chameleons Chandeliers Chapels Charades Chariots Cheese
Cheetahs Chemistry Cherries Chess Chestnuts Chickadees Chickens Chimneys Chimpanzees Chinchillas Chives Chocolate
Choirs Chopsticks Chorales Chrysanthemums Chutney Cicadas Cider Cinema Cinnamon Circuses Clams Clarinets Clay Cliffs
Cloaks Clocks Clouds Clover Cloves Clowns Coal Cobblestones Cobras Cockatoos Coconuts Codes Coffee Coins Collages
Comedies Comets Comics Compasses Composting Concertinas Concertos Condors Conifers Constellations Cookies Copper Coral
Coriander Corks Cormorants Cornflowers Corridors Cosmology Cottages Cotton Couscous Coyotes Crabs Cranberries Cranes
Crayons Cream Crepes Cress Crickets Crocheting Crocodiles Crocuses Croissants Croquet Crosswords Crows Cruises
Crystals Cuckoos Cucumbers Cumin Cupcakes Curlews Curling Currants Curry Curtains Cushions Custard Cycling Cymbals
Cypresses Daffodils Dahlias Daisies Damsons Dandelions Darts Dates Deer Deserts Diamonds Diaries Dice Dictionaries
Dill Dinosaurs Diving Docks Dodgeball Dogs Dolls Dolphins Domes Dominoes Donkeys Doughnuts Doves Dragonflies Dragons
Dramas Drawings Drums Ducks Dulcimers Dumplings Dunes Eagles Earrings Earthworms Easels Echidnas Echoes Eclipses Eels
Eggplants Elderberries Elephants Elevators Elks Embroidery Emeralds Emus Encyclopedias Endives Engraving Envelopes
Epics Ermines Escalators Essays Etching Etymology Eucalyptus Excavations Fables Factories Falcons Fans Farms Fashion
Feathers Felt Fencing Fennel Ferns Ferrets Ferries Fiddles Figs Figurines Filigree Finches Fireflies Fireplaces
Fireworks Fjords Flags Flamenco Flamingos Flax Fleas Flint Flounder Flutes Foghorns Folklore Fondue Football Forests
Forges Fortresses Fossils Fountains Foxes Foxgloves Fractals Frescoes Frogs Frost Fudge Fugues Fungi Furniture
Galaxies Galleries Gardenias Gardens Gargoyles Garlic Garnets Gazelles Gazettes Geckos Geese Gemstones Genealogy
Geodes Geography Geology Geometry Geraniums Gerbils Geysers Gibbons Ginger Giraffes Glaciers Gladioli Glass Gliders
Globes Glockenspiels Gloves Gnats Gnomes Goats Gold Goldfish Golf Gondolas Gongs Gooseberries Gophers Gorges Gorillas
Gospel Gourds Graffiti Grammar Granite Grapefruit Grapes Grasshoppers Gravity Greenhouses Griffins Grouse Guavas
Guitars Gulls Gymnastics Gyroscopes Haikus Halibut Hammers Hammocks Hamsters Handball Handkerchiefs Harbors Hares
Harmonicas Harps Harpsichords Hats Hawks Hawthorn Hazelnuts Heather Hedgehogs Hedges Helicopters Helmets Hemlock Herbs
Hermits Herons Herring Hibiscus Hieroglyphs Highways Hiking Hippopotamuses Hockey Holly Honey Honeysuckle Hopscotch
Horizons Hornets Hornpipes Horoscopes Horseradish Horses Hotels Hourglasses Hovercrafts Hummingbirds Hummus Hurdles
Hurricanes Hyacinths Hydrangeas Hyenas Hymns Ibises Icebergs Icicles Igloos Iguanas Impalas Incense Ink Inns Insects
Irises Iron Islands Ivory Ivy Jackals Jackdaws Jackets Jade Jaguars Jam Jars Jasmine Jasper Javelins Jazz Jeans
Jellyfish Jewelry Jigsaws Joinery Journals Judo Juggling Jukeboxes Jungles Juniper Kale Kaleidoscopes Kangaroos
Karaoke Karate Kayaks Kelp Ketchup Kettles Keyboards Keys Kilts Kimonos Kingfishers Kiosks Kitchens Kites Kiwis
Knights Knitting Knots Koalas Labyrinths Lace Lacquer Lacrosse Ladders Ladles Ladybugs Lagoons Lakes Lamps Language
Lanterns Larches Larks Lasagna Lasers Latin Lavender Lawns Leather Leeks Legends Lemonade Lemons Lemurs Lenses Lentils
Leopards Letters Lettuce Levers Libraries Lichens Licorice Lighthouses Lilacs Lilies Limericks Limes Limestone Linden
Linen Lions Lizards Llamas Lobsters Locks Locomotives Locusts Logic Looms Lotuses Lullabies Lupins Lutes Lynxes Lyres
Macadamias Macaroni Macaws Machines Mackerel Magazines Magic Magnets Magnolias Magpies Mahogany Maize Mammoths
Manatees Mandolins Mangoes Mangroves Mansions Manuscripts Maples Maps Maracas Marathons Marble Marigolds Marimbas
Marionettes Markets Marmalade Marmots Marshes Marshmallows Marzipan Masks Masonry Mathematics Mazes Mazurkas Meadows
Medals Melodies Melons Menus Meringues Mermaids Metaphors Meteors Metronomes Mice Microscopes Milk Millet Millipedes
Mills Mimes Minerals Mines Minnows Mint Mirrors Missives Mistletoe Moats Mobiles Moccasins Mocha Molasses Moles
Mollusks Monasteries Mongooses Monkeys Monsoons Monuments Moons Moose Mosaics Mosques Moss Moths Motorcycles Mountains
Mousse Muffins Mulberries Mules Murals Museums Mushrooms Musicals Muslin Mussels Mustard Myrtles Mysteries Mythology
Napkins Narwhals Nasturtiums Nebulas Necklaces Needles Nettles Newspapers Newsreels Newts Nightingales Nocturnes
Noodles Nougat Novels Nuggets Numismatics Nutmeg Oaks Oases Oatmeal Oboes Observatories Obsidian Oceans Ocelots
Octopuses Odysseys Oilcloth Okapis Okra Oleanders Olives Omelets Onions Onyx Opals Operas Optics Oranges Orangutans
Orchards Orchestras Orchids Oregano Organs Origami Orioles Osprey Ostriches Otters Ottomans Ovens Owls Oxen Oysters
Paddles Pagodas Paintings Palaces Palms Pancakes Pandas Pangolins Pansies Panthers Pantomimes Papayas Paper Paprika
Papyrus Parachutes Parades Paradoxes Parakeets Parasols Parchment Parks Parrots Parsley Parsnips Partridges Pasta
Pastels Patchwork Patios Peaches Peacocks Peanuts Pearls Pears Peas Pebbles Pecans Pelicans Pencils Pendulums Penguins
Pennants Peonies Peppermint Peppers Perch Perfumes Pergolas Persimmons Pesto Petunias Pewter Pheasants Philately
Philosophy Phlox Phonographs Photography Physics Pianos Piccolos Pickles Picnics Pies Pigeons Pigs Pike Pilgrimages
Pillows Pinatas Pineapples Pines Pinwheels Pirates Pistachios Pizza Planets Plankton Plantains Plaster Platinum
Platypuses Plays Plums Plywood Poetry Pogo Polenta Polkas Polo Pomegranates Ponchos Ponds Ponies Poodles Popcorn
Poplars Poppies Porcelain Porcupines Porridge Portraits Postcards Posters Potatoes Pottery Prairies Pralines Prawns
Pretzels Primroses Printing Prisms Privet Proverbs Prunes Psalms Psychology Puddings Puddles Puffins Pulleys Pumas
Pumpkins Puppets Puzzles Pyramids Pythons Quails Quarries Quartz Quiches Quills Quilts Quinces Quinoa Quizzes Quokkas
Rabbits Raccoons Radios Radishes Rafts Ragtime Railways Rain Rainbows Raisins Ramen Ranches Raspberries Rattlesnakes
Ravens Ravioli Razors Recipes Recorders Reefs Reggae Reindeer Relics Reptiles Rhinoceroses Rhododendrons Rhubarb
Rhymes Ribbons Rice Riddles Risotto Rituals Rivers Robins Robots Rockets Rodeos Roosters Ropes Rosemary Roses Roulette
Rowing Rubies Rugby Rugs Ruins Rumba Runes Rye Saddles Saffron Sagas Sailing Salads Salamanders Salmon Salsa Salt
Sambas Sandals Sandcastles Sandpipers Sandstone Sandwiches Sapphires Sardines Satellites Satin Saturn Sauerkraut
Saunas Sausages Savannas Saxophones Scallops Scarecrows Scarves Schooners Scissors Scones Scooters Scorpions
Screenplays Screws Scrolls Sculptures Seahorses Seals Seashells Seaweed Sequoias Serenades Sesame Sewing Shadows
Shamrocks Sharks Shawls Sheep Shelves Sherbet Ships Shrimp Shutters Silhouettes Silk Silver Sitars Skateboards Skating
Skeletons Sketches Skiing Skunks Skyscrapers Sleds Slippers Sloths Snails Snapdragons Snooker Snorkels Snow Snowflakes
Soap Soccer Sofas Softball Solstices Sonatas Sonnets Sorbet Soup Souvenirs Soybeans Spaghetti Sparrows Spearmint
Spheres Spices Spiders Spinach Spirals Sponges Spoons Spruce Squash Squids Squirrels Stadiums Stalactites Stamps
Starfish Starlings Stars Statues Steamboats Stencils Stilts Stoats Storks Stoves Strawberries Streams Submarines
Subways Sudoku Sugar Sundials Sunflowers Sunsets Surfing Sushi Swallows Swamps Swans Sweaters Swimming Swings Swords
Sycamores Symphonies Syrup Tacos Tadpoles Tambourines Tandems Tangerines Tango Tapestries Tapioca Tapirs Tarantulas
Tarragon Taxidermy Tea Teak Teapots Telegrams Telescopes Temples Tennis Tents Termites Terns Terraces Terrariums
Terriers Textiles Theaters Thermometers Thimbles Thistles Thrillers Thunder Thyme Tiaras Tides Tigers Tiles Timpani
Tinsel Toads Toast Toboggans Toffee Tofu Tomatoes Topaz Topiary Tornadoes Tortoises Totems Toucans Tours Towers Toys
Tractors Trains Trampolines Trams Treasure Treehouses Triangles Tricycles Trifle Trilobites Trombones Trophies
Trousers Trout Truffles Trumpets Tubas Tugboats Tulips Tuna Tundra Tunnels Turbans Turbines Turkeys Turmeric Turnips
Turquoise Turtles Tuxedos Typewriters Typhoons Ukuleles Umbrellas Unicorns Unicycles Universes Urns Vacuums Valleys
Vampires Vanilla Vases Vaults Velvet Veneers Verandas Vests Viaducts Video Villas Vinegar Vineyards Violas Violets
Violins Volcanoes Volleyball Voyages Vultures Waffles Wagons Walking Wallpaper Walnuts Walruses Waltzes Warblers
Wardrobes Wasps Watches Watercress Waterfalls Watermelons Waterwheels Waves Wax Weasels Weather Weaving Weddings Weirs
Wells Whales Wheat Wheelbarrows Whiskers Whistles Wildebeests Willows Windmills Wine Wisteria Wizards Wolves Wombats
Woodcuts Woodpeckers Wool Wreaths Wrens Wrestling Xylophones Yachts Yaks Yams Yarn Yarrow Yeast Yodeling Yoga Yogurt
Yurts Zebras Zeppelins Zinc Zinnias Zithers Zoos Zucchini
"""
FIRST_NAMES = tuple(_FIRST.split())
SURNAMES = tuple(stem + ending for stem in _STEMS.split() for ending in _ENDINGS.split())
THINGS = tuple(_THINGS.split())
