"""Tests of mailkit's app."""
