"""What a model is given: prompts, windows and padded batches of tokens."""
