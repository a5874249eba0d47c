"""Compression: how few bytes give the same answers."""
