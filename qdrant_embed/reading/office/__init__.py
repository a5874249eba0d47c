"""DOCX, PPTX and EPUB as Markdown; what their converters leave out is found in the parts of the file and added."""
