"""Texts that every converted model is tried on: some to find the range of its numbers, others to compare it with torch.

No text is for both: a quantized model is good at what its ranges were read from.
"""

from __future__ import annotations

SHORT = (
    "a",
    "Yes.",
    "2024-03-17",
    "???",
    "harbour",
    "A man is playing a guitar.",
    "Two dogs run through the snow.",
    "how do I rotate the master keys?",
    "who wrote the report on turbine blades",
    "IMPORTANT: READ BEFORE USE!!!",
    "The stock fell 3.7% to $41.20 on Tuesday.",
    "no",
    "lift, drag and pitching moment of a thin wing",
    "pip install 'package[extra]>=1.0,<2'",
)
"""Words, questions, numbers, commands."""

SCRIPTS = (
    "Die Größe der Wärmeströme hängt vom Übergang ab.",
    "L'été dernier, nous avons visité le château près de la rivière.",
    "El niño pequeño corrió hacia el océano sin mirar atrás.",
    "Москва является столицей России и крупнейшим городом страны.",
    "東京は日本の首都であり、世界最大級の都市の一つである。",
    "机器学习模型将文本转换为向量，以便进行相似度搜索。",
    "서울은 대한민국의 수도이며 한강을 끼고 있다.",
    "القاهرة هي عاصمة جمهورية مصر العربية وأكبر مدنها.",
    "दिल्ली भारत की राजधानी है और यहाँ बहुत से लोग रहते हैं।",
    "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "🧪 résumé naïve ﷽ ½ → ∞ ≠ ∅",
)
"""Other languages, other scripts, signs."""

PARAGRAPHS = (
    "The boundary layer on a flat plate grows with the square root of the distance from its leading edge as long as "
    "the flow stays laminar. Once it becomes turbulent, the velocity profile fills out, friction at the wall rises "
    "several times, and the layer thickens almost linearly. Heat transfer follows the same pattern.",
    "To open a dispute, send the invoice number, a short account of what went wrong, and photographs if goods arrived "
    "damaged. We answer within two working days. Refunds are made to the card that was charged; bank transfers can "
    "take up to a week, depending on the country and on public holidays.",
    'def mean(values: list[float]) -> float:\n    """Return the average."""\n    if not values:\n        raise '
    "ValueError('empty')\n    return sum(values) / len(values)\n\nclass Node:\n    def __init__(self, key, left=None, "
    "right=None):\n        self.key = key\n        self.left, self.right = left, right\n",
    "| port | depth (m) | cranes | opened |\n|---|---|---|---|\n| North | 14.5 | 6 | 1931 |\n| South | 9.0 | 2 | 1978 "
    "|\n| Old quay | 4.2 | 0 | 1804 |\n\nDepths are given at mean low water; add the tide of the day.",
    "She had not expected the letter. It lay on the table between the bread and the lamp, and for a while she only "
    "looked at it, at the slanted hand she had known for thirty years. Then she put it, unopened, into the drawer "
    "where she kept the things that could wait, and went out to feed the hens.",
    "Patients were assigned at random to 40 mg daily or placebo for twelve weeks. The primary end point was the change "
    "in systolic pressure from baseline. Of 412 participants, 389 completed the study; adverse events were mild and "
    "did not differ between groups (p = 0.41).",
    "The committee met at nine. After the minutes had been approved, the chair reported on the budget, which had been "
    "cut by a tenth, and asked for proposals. It was agreed that travel should be reduced first, that no post should "
    "be left vacant for longer than a quarter, and that the library's opening hours would be discussed anew in May.",
    'GET /v1/collections/{name}/points HTTP/1.1\nHost: localhost:6333\nAccept: application/json\n\n{"limit": 10, '
    '"with_payload": true, "filter": {"must": [{"key": "page", "match": {"value": 3}}]}}\n\nThe answer has '
    "status 200 and a list of points, or 404 when there is no such collection.",
    "Volcanic soils are young, rich in minerals and hold water well, which is why the slopes are farmed in spite of "
    "the danger. Vines and olives grow up to six hundred metres; above them stand chestnut woods, then broom, then "
    "bare lava. After an eruption it takes lichens about ten years to return, and trees at least fifty.",
    "supersonic flow past slender bodies of revolution at small angles of incidence is treated by linearised theory . "
    "the pressure distribution , the normal force and the center of pressure are found in closed form , and are "
    "compared with wind tunnel measurements at mach numbers of 1.5 , 2.0 and 3.1 . agreement is good up to 6 degrees .",
    "It was the best season in the club's history: twenty-two wins, five draws and three defeats. The captain scored "
    "nineteen goals, the goalkeeper kept a clean sheet in fourteen games, and the youth team won its own league. The "
    "coach, who had been doubted by nearly everyone in August, was carried around the pitch.",
    "Melt the butter slowly, stir in the flour and let it foam without taking color. Add the milk a little at a time, "
    "beating well, then salt, nutmeg and a bay leaf. Simmer for ten minutes. If lumps remain, press the sauce through "
    "a sieve. It keeps for two days in a cold place and freezes badly.",
)
"""Prose, code, tables, requests: what documents are made of."""

LONG = tuple(" ".join(PARAGRAPHS[start : start + 5]) for start in range(0, 10, 2))
"""Texts that fill a window of 256 tokens, and more."""

CALIBRATION = (*SHORT, *SCRIPTS, *PARAGRAPHS, *LONG)
"""What the range of a quantized model's numbers is read from."""

_PROBED_SHORT = (
    "",
    " \n\t ",
    "I",
    "Thanks!",
    "17:45 CET",
    "...",
    "lighthouse",
    "yes",
    "A woman slices an onion.",
    "The children are asleep in the back of the car.",
    "why does my query return no points after a restart?",
    "what is the capital of the smallest canton",
    "FINAL NOTICE - PAYMENT OVERDUE",
    "Revenue rose 12.4% to €1.08bn in Q3.",
    "heat conduction through composite slabs with a moving boundary",
    "SELECT name, max(depth) FROM wells GROUP BY name;",
)

_PROBED_SCRIPTS = (
    "Die Fähre fährt täglich um halb sieben über den Bodensee.",
    "Le conseil municipal a voté la rénovation de l'école à l'unanimité.",
    "La cosecha de aceitunas empezó tarde porque llovió sin parar.",
    "Зимой реки покрываются льдом, и поезда идут медленнее.",
    "図書館は月曜日に休館し、その他の日は午後八時まで開いている。",
    "这座桥建于十九世纪，至今仍有火车通过。",
    "내일은 전국에 비가 오고 바람이 강하게 불겠습니다.",
    "يفتح المتحف أبوابه في التاسعة صباحا ما عدا يوم الاثنين.",
    "किसान सुबह खेत में पानी देते हैं और शाम को लौटते हैं।",
    "Το πλοίο φεύγει από το λιμάνι κάθε πρωί.",
    "ตลาดน้ำเปิดทุกวันเสาร์และอาทิตย์",
    "🚲 coöperate Ångström ß ⅔ ← ≈ ∂",
)

_PROBED_PARAGRAPHS = (
    "Glaciers move because ice under its own weight creeps, and because meltwater lets the sole slide over its bed. In "
    "summer the second part dominates: a moulin can carry a lake's worth of water to the bottom within an hour, and "
    "the surface speeds up the same afternoon. Markers drilled into the tongue show it to the centimetre.",
    "To reset the pump, switch it off at the wall, wait until the green lamp is dark, and hold the lower button while "
    "you switch it on again. If error E4 comes back, the filter is blocked: rinse it under cold water, never with "
    "soap. Parts are listed on page 31; the guarantee covers the motor for five years.",
    "for (size_t i = 0; i < rows; ++i) {\n    double sum = 0.0;\n    for (size_t j = 0; j < cols; ++j) {\n        "
    "sum += matrix[i * cols + j] * vector[j];  // row-major\n    }\n    result[i] = sum;\n}\nif (!out.write(result)) { "
    'throw std::runtime_error("cannot write"); }\n',
    "date,station,rain_mm,wind_ms\n2021-11-03,Kamp,12.4,7.1\n2021-11-04,Kamp,0.0,3.3\n2021-11-04,Ridge,31.9,18.2\n"
    "\nMissing values are left empty; gusts above 25 m/s are reported separately.",
    "My grandfather kept bees behind the railway embankment, eleven hives painted in whatever the signalmen had left "
    "over. He talked to them in a language none of us had been taught, and in August, when the lime trees were done, "
    "he let me turn the handle of the extractor until my arms shook.",
    "The tenant shall return the premises in the state in which they were received, ordinary wear excepted. Any "
    "alteration requires the landlord's consent in writing. Where rent is more than thirty days in arrears, the "
    "landlord may terminate this agreement by notice of fourteen days (§ 9, paragraph 2).",
    "We trained the network on 1.2 million pairs with a contrastive loss and a temperature of 0.05. Hard negatives "
    "mined with BM25 gained 2.3 points of nDCG@10 over random ones; a second round gained another 0.4. Longer "
    "training helped the small model more than the large one, which began to overfit after three epochs.",
    "an experimental study of a wing in a propeller slipstream was made in order to determine the spanwise "
    "distribution of the lift increase due to slipstream at different angles of attack of the wing and at different "
    "free stream to slipstream velocity ratios . the results were intended as an evaluation basis for theory .",
)

_PROBED_LONG = tuple(" ".join(_PROBED_PARAGRAPHS[start : start + 5]) for start in (0, 3))

PROBES = (*_PROBED_SHORT, *_PROBED_SCRIPTS, *_PROBED_PARAGRAPHS, *_PROBED_LONG)
"""What a converted model is compared on: texts of the same kinds."""
