"""Answers questions of DNS about our own domains, with authority."""
