"""Texts that every converted model is tried on: to compare it with torch, and to find the range of its numbers."""

from __future__ import annotations

SHORT = (
    "",
    " \n\t ",
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
"""Nothing, words, questions, numbers, commands."""

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
    "the pressure distribution , the normal force and the centre of pressure are found in closed form , and are "
    "compared with wind tunnel measurements at mach numbers of 1.5 , 2.0 and 3.1 . agreement is good up to 6 degrees .",
    "It was the best season in the club's history: twenty-two wins, five draws and three defeats. The captain scored "
    "nineteen goals, the goalkeeper kept a clean sheet in fourteen games, and the youth team won its own league. The "
    "coach, who had been doubted by nearly everyone in August, was carried around the pitch.",
    "Melt the butter slowly, stir in the flour and let it foam without taking colour. Add the milk a little at a time, "
    "beating well, then salt, nutmeg and a bay leaf. Simmer for ten minutes. If lumps remain, press the sauce through "
    "a sieve. It keeps for two days in a cold place and freezes badly.",
)
"""Prose, code, tables, requests: what documents are made of."""

LONG = tuple(" ".join(PARAGRAPHS[start : start + 5]) for start in range(0, 10, 2))
"""Texts that fill a window of 256 tokens, and more."""

PROBES = (*SHORT, *SCRIPTS, *PARAGRAPHS[:4], *LONG[:2])
"""What a converted model is compared on."""

CALIBRATION = (*SHORT, *SCRIPTS, *PARAGRAPHS, *LONG)
"""What the range of a quantised model's numbers is read from."""
