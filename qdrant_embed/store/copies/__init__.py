"""A copy of a collection that takes its name over: aliases, leases, and what the copy keeps.

Files, in reading order: aliases, copy_lease, kept_settings, revision.
"""
