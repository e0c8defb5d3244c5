"""The queue on disk."""
