"""One benchmark; see README.md."""
