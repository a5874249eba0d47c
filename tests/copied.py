"""A copy of a folder of collections, whose files are long and mostly holes."""

import errno
import os
import shutil
from pathlib import Path


def copy_collections(source, target):
    """Copy a folder, leaving out holes, which take most of the time otherwise; return where the copy is."""
    return shutil.copytree(source, target, copy_function=_without_holes if hasattr(os, "SEEK_DATA") else shutil.copy2)


def _without_holes(source, target):
    with Path(source).open("rb") as given, Path(target).open("wb") as made:
        size, place = os.fstat(given.fileno()).st_size, 0
        made.truncate(size)
        while place < size:
            try:
                place = os.lseek(given.fileno(), place, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nothing but a hole is left
                    raise
                break
            end = os.lseek(given.fileno(), place, os.SEEK_HOLE)
            os.pwrite(made.fileno(), os.pread(given.fileno(), end - place, place), place)
            place = end
    return target
