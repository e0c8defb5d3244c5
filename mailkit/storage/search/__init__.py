"""An index of words for each account (SQLite FTS5), derived from its messages."""
