"""How good a search is: exact answers, metrics and questions.

Files, in reading order: exact_search, metrics, questions.
"""
