"""E-mail: its headers, its body in whatever parts it stands, what is attached."""
