"""The first station: folders, files and globs as a stream of documents; what cannot be read is named, with a reason."""
