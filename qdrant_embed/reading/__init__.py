"""The first station: folders, files and globs as a stream of documents; what cannot be read is named, with a reason.

Files, in reading order: charset, contents, growth, ignore_patterns, marks, page, parsed, archives, markup,
text_encoding, pdf, records, signature, tables, text, formats, files, html, mail, notebook, office, spreadsheets, feed,
worker, reader, read_documents.
"""
