"""A collection made anew in another form while it goes on answering."""
