"""How good a search is: exact answers, metrics and questions."""
