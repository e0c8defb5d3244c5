"""Tests of mailkit.storage.index."""
