"""PDF as plain text, page by page."""
