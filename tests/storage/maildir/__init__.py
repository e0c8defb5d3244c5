"""Tests of mailkit.storage.maildir."""
