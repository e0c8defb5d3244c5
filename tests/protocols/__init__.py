"""Tests of mailkit.protocols."""
