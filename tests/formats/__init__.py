"""Tests of `mailkit.formats`."""
