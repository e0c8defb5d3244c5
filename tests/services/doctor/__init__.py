"""Tests of what `mailkit doctor` makes of what it sees."""
