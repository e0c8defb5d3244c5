"""The SQLite index of one account: derived from the files, and fast."""
