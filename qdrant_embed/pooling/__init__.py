"""One vector from the vectors of tokens."""
