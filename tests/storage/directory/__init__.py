"""The directory in SQLite."""
