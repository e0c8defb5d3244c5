"""A mail store and a directory that live as long as their process."""
