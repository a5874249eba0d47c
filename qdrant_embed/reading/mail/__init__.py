"""E-mail: its headers, its body in whatever parts it stands, what is attached.

Files, in reading order: headers, body, outlook, letter.
"""
