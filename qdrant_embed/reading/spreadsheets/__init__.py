"""Workbooks as text: a heading for each sheet, a paragraph for each row.

Files, in reading order: sheet_rows, cell_formats, xls, xlsx.
"""
