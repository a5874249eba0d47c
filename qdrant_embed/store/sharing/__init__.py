"""Several programs on one folder: the process that holds it answers those of the same user over a Unix domain socket.

    socket_place.py    where the socket lies, and whether it and the other end are this user's
    wire_values.py     values as JSON and raw numbers; no pickle
    wire_frames.py     what is sent, with its length, bounded
    holder_answers.py  the holder's side of one connection
    folder_server.py   a thread that listens, and one for each connection
    holder_link.py     the other side: one connection, on which one call is made after the other
    shared_engine.py   the engine of a process that found the folder held; it takes over when the holder is gone

Nothing of it is used before a second process comes, but for the socket and the thread that listens on it.

Files, in reading order: socket_place, wire_values, wire_frames, holder_answers, folder_server, holder_link,
shared_engine, folder_opening.
"""

from qdrant_embed.store.sharing.folder_opening import open_folder

__all__ = ["open_folder"]
