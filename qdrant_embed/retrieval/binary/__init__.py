"""Search over binary codes that are held in memory.

Files, in reading order: adaptive_rescoring, codes_in_memory, candidates, index, shortlist.
"""
