"""A hundred made-up facts and the questions they answer, put together from a few words so that many look alike."""

import random
from itertools import product

KINDS = (
    "lighthouse", "bakery", "ferry", "museum", "library", "observatory", "orchard", "theatre", "brewery", "windmill",
    "railway station", "swimming pool", "town hall", "printing house", "greenhouse", "boatyard", "chess club",
    "tea room", "weather station", "clock tower", "castle", "fire station", "goat farm", "concert hall", "skating rink",
    "post office", "distillery", "cinema", "botanical garden", "hospital", "suspension bridge", "toy shop", "salt mine",
    "cheese cellar", "car park", "radio mast", "hotel", "graveyard", "primary school", "zoo", "airfield", "monastery",
)  # fmt: skip
PLACES = (
    "Alderwick", "Brannoch", "Corvale", "Dunmerrow", "Eastholm", "Fennimoor", "Garrowby", "Hollinfirth", "Ivelsea",
    "Jarrowmere", "Kestelby", "Lunderfold", "Marrowdene", "Northwyck", "Ottersea", "Pellbrook", "Quennby", "Roxwold",
    "Sallowfield", "Thornavon",
)  # fmt: skip
PREDICATES = (
    ("The {kind} in {place} was painted {a} by volunteers.", "What colour is the {kind} in {place}?",
     ("dark green", "orange", "pale blue", "crimson", "violet")),
    ("The {kind} in {place} opens only on {a}.", "On which day does the {kind} in {place} open?",
     ("Tuesdays", "Thursdays", "Fridays", "Sundays", "Mondays")),
    ("A {a} guards the {kind} in {place}.", "Which animal guards the {kind} in {place}?",
     ("goose", "donkey", "white cat", "parrot", "old sheepdog")),
    ("The {kind} in {place} was built by {a}.", "Who built the {kind} in {place}?",
     ("four sisters", "a retired sailor", "a company of glaziers", "two rival masons", "schoolchildren")),
    ("Visitors to the {kind} in {place} pay with {a}.", "What do visitors pay with at the {kind} in {place}?",
     ("walnuts", "postage stamps", "jars of honey", "copper buttons", "poems")),
    ("The bell of the {kind} in {place} rings {a} times at noon.", "How often does the bell of the {kind} in {place} "
     "ring at noon?", ("seven", "thirteen", "twenty", "five", "eleven")),
    ("Every winter the {kind} in {place} is moved {a}.", "Where is the {kind} in {place} moved in winter?",
     ("to the harbour", "into a barn", "across the river", "up the hill", "beside the church")),
    ("The roof of the {kind} in {place} is made of {a}.", "What is the roof of the {kind} in {place} made of?",
     ("seashells", "old sails", "green glass", "birch bark", "tin plates")),
    ("The keeper of the {kind} in {place} collects {a}.", "What does the keeper of the {kind} in {place} collect?",
     ("umbrellas", "meteorites", "recipes for soup", "broken clocks", "maps of islands")),
    ("The cellar of the {kind} in {place} holds {a}.", "What is in the cellar of the {kind} in {place}?",
     ("a printing press", "nine barrels of ink", "a stone boat", "a pipe organ", "a stuffed bear")),
    ("The {kind} in {place} was sold for {a}.", "What was the price of the {kind} in {place}?",
     ("a single coin", "two cows", "nine thousand crowns", "a violin", "a sack of flour")),
    ("People say that {a} haunts the {kind} in {place}.", "Who haunts the {kind} in {place}?",
     ("a drowned fiddler", "the miller's aunt", "a headless rider", "a lost postman", "a weeping bride")),
    ("The {kind} in {place} won a prize for {a}.", "What did the {kind} in {place} win a prize for?",
     ("its soup", "silence", "the tallest hedge", "kindness to bats", "its handwriting")),
    ("The {kind} in {place} employs {a}.", "Who works at the {kind} in {place}?",
     ("forty twins", "only left-handed people", "a former admiral", "nobody under sixty", "three magicians")),
    ("A storm carried the {kind} in {place} away in {a}.", "When did a storm carry the {kind} in {place} away?",
     ("1791", "1836", "1902", "1947", "1968")),
    ("The {kind} in {place} is heated with {a}.", "What is the {kind} in {place} heated with?",
     ("dried seaweed", "cherry stones", "old newspapers", "a hot spring", "peat")),
    ("Nobody may {a} inside the {kind} in {place}.", "What is forbidden inside the {kind} in {place}?",
     ("whistle", "wear a hat", "speak of the king", "eat garlic", "run")),
    ("A film about {a} was made at the {kind} in {place}.", "What is the film made at the {kind} in {place} about?",
     ("beekeepers", "the moon", "a stolen piano", "two rival barbers", "an endless wedding")),
    ("The {kind} in {place} is twinned with one in {a}.", "Where is the twin of the {kind} in {place}?",
     ("Iceland", "Portugal", "Tasmania", "Peru", "Latvia")),
    ("The garden of the {kind} in {place} grows {a}.", "What grows in the garden of the {kind} in {place}?",
     ("black tulips", "lemons", "giant pumpkins", "poisonous herbs", "blue roses")),
)  # fmt: skip
"""Fact, question, and what may stand in the fact's gap."""


def facts(count: int, generator: random.Random) -> list[tuple[str, str]]:
    """Return distinct (fact, question) pairs. No two share both the kind of thing and what is said of it.

    :raises ValueError: There are not as many.
    """
    pairs = generator.sample(list(product(KINDS, PREDICATES)), count)
    made = []
    for kind, (fact, question, answers) in pairs:
        place = generator.choice(PLACES)
        filled = fact.format(kind=kind, place=place, a=generator.choice(answers))
        made.append((filled, question.format(kind=kind, place=place)))
    return made
