"""Tests of sorting mail."""
