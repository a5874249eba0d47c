"""DOCX, PPTX and EPUB as Markdown; what their converters leave out is found in the parts of the file and added.

Files, in reading order: package, epub, formulas, inventory, drawings, slides, pptx, tracked_changes, docx.
"""
