"""Whether what the documents say is so."""
