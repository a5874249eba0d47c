"""What `Collection` delegates to: an opened collection, what is asked of it, and what changes it.

Files, in reading order: collection_handle, collection_queries, collection_changes.
"""
