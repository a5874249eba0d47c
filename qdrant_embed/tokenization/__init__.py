"""What a model is given: prompts, windows and padded batches of tokens.

Files, in reading order: batch, document_tokens, model_counters, prompt_boundary, sequences, text_windows.
"""
