"""`python -m qdrant_embed`: the command line."""

from qdrant_embed.cli import main

if __name__ == "__main__":
    main()
