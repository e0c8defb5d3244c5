"""Mail that waits to leave: octets in files, all else in one SQLite database."""
