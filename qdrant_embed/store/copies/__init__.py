"""A copy of a collection that takes its name over: aliases, leases, and what the copy keeps.

Files, in reading order: generations, aliases, copy_lease, settling, kept_settings, revision.
"""
