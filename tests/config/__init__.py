"""Tests of mailkit's config."""
