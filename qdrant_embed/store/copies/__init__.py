"""A copy of a collection that takes its name over: aliases, leases, and what the copy keeps."""
