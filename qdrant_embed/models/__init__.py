"""Which model, and what its files and its preset say of it."""
