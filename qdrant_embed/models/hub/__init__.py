"""Model folders from the hub: the local copy first, the network only when there is none, or only a part of one.

Files, in reading order: hub_names, needed_files, local_copies, checksums, transfer, download_bar, hub_errors,
downloads, machine_models.
"""
