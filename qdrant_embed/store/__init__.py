"""Where points live: locations, engines, the layout of a collection, and filters.

Files, in reading order: engine, metadata, payload_values, points, client, quantization, scroll, filters, edge,
attachments, collection_codec, layout, copies, create, location, own_points, listing, stored_vectors, code_export.
"""
