"""Families with rotary positions.

Files, in reading order: rope, angles, masks, decoder_parts, decoder, eurobert, phi, gemma3, modernbert, rotary_bert,
nomic_bert, gte, jina.
"""
