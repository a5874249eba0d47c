"""Several lists of one question made one: by scores behind a gate, with feedback, or by ranks.

Files, in reading order: score_fusion, gate_signals, feedback, fused_ranking.
"""
