"""Model folders that a core installation loads anywhere, without torch and without a network.

Files, in reading order: bf16_weights, folder_files, folder_graphs, prepare.
"""
