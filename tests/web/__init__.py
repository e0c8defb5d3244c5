"""Tests of `mailkit.web`."""
