"""PDF as plain text, page by page.

Files, in reading order: annotations, columns, paragraphs, document.
"""
