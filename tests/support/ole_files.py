"""A writer of OLE files, and of Outlook's messages, which are such."""

import itertools
import struct

END, FREE, SECTOR, SMALL = 0xFFFFFFFE, 0xFFFFFFFF, 512, 64


def chain(count, start, table):
    """Write a chain of sectors, one after the other, into a table of them."""
    for place in range(start, start + count):
        table[place] = place + 1 if place < start + count - 1 else END
    return start + count


def entries(tree):
    """Return the entries of a tree, name → bytes or tree: name, kind, right, child, content."""
    found = [["Root Entry", 5, FREE, FREE, b""]]

    def add(inside):
        places = []
        for name, content in inside.items():
            places.append(len(found))
            found.append([name, 1 if isinstance(content, dict) else 2, FREE, FREE, content])
            if isinstance(content, dict):
                found[places[-1]][3:] = [add(content), b""]
        for place, following in itertools.pairwise(places):
            found[place][2] = following
        return places[0] if places else FREE

    found[0][3] = add(tree)
    return found


def ole(tree):
    """Return an OLE file of small streams."""
    found, small, table = entries(tree), b"", [FREE] * 128
    directory, small_table = b"", {}
    for entry in found:
        if entry[1] == 2:
            start, content = len(small) // SMALL, entry[4]
            small += content + b"\0" * (-len(content) % SMALL)
            chain(len(small) // SMALL - start, start, small_table)
            entry.append(start if content else END)
    table[0] = 0xFFFFFFFD
    sectors = [-(-len(found) * 128 // SECTOR), -(-len(small_table) * 4 // SECTOR), -(-len(small) // SECTOR)]
    first_small_table = chain(sectors[0], 1, table)
    first_small = chain(sectors[1], first_small_table, table)
    chain(sectors[2], first_small, table)
    for name, kind, right, child, content, *start in found:
        place, size = (first_small, len(small)) if kind == 5 else (start[0] if start else 0, len(content))
        written = name.encode("utf-16-le") + b"\0\0"
        directory += written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written), kind, 1, FREE, right, child)
        directory += bytes(36) + struct.pack("<IQ", place, size)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, first_small_table, sectors[1], END, 0, 0)
    rest = struct.pack("<128I", *table), directory, struct.pack(f"<{len(small_table)}I", *small_table.values()), small
    return head + b"\xff" * (SECTOR - len(head)) + b"".join(part + bytes(-len(part) % SECTOR) for part in rest)


def outlook_message(properties):
    """Return an Outlook message of its properties, tag and type → text or bytes or tree."""
    return ole(_tree(properties, 32))


def _tree(properties, head):
    numbers = b"".join(
        struct.pack("<HHIQ", int(tag[4:], 16), int(tag[:4], 16), 6, value)
        for tag, value in properties.items()
        if isinstance(value, int)
    )
    found = {"__properties_version1.0": bytes(head) + numbers}
    for tag, value in properties.items():
        if isinstance(value, list):
            found |= {f"__attach_version1.0_#{place:08X}": _tree(each, 8) for place, each in enumerate(value)}
        elif isinstance(value, dict):
            found[f"__substg1.0_{tag}"] = _tree(value, 24)
        elif not isinstance(value, int):
            found[f"__substg1.0_{tag}"] = value.encode("utf-16-le") if isinstance(value, str) else value
    return found
