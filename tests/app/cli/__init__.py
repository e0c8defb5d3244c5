"""Tests of the `mailkit` command."""
