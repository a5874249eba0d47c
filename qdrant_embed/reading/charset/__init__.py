"""Which encoding bytes are in that no mark and no declaration names.

Files, in reading order: codepages, letters, detection, iso_2022, repair, wide.
"""
