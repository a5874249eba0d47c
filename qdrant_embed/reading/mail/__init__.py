"""E-mail: its headers, its body in whatever parts it stands, what is attached; and web archives, which are made alike.

Files, in reading order: headers, body, mhtml, outlook, letter.
"""
