"""Tests of `mailkit.trust`."""
