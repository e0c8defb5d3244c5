"""A real server process, and programs that nobody of this project wrote."""
