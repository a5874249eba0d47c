"""Several lists of one question made one: by scores behind a gate, with feedback, or by ranks.

Files, in reading order: score_fusion, word_signals, feedback, gate_signals, fused_ranking.
"""
