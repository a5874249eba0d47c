"""Workbooks as text: a heading for each sheet, a paragraph for each row."""
