"""Tests of what keeps mail."""
