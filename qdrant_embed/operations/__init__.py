"""What `Collection` delegates to: an opened collection, what is asked of it, what changes it, what tunes it.

Files, in reading order: collection_handle, attached_handle, reranked_search, collection_queries, attachable,
collection_changes, collection_tuning.
"""
