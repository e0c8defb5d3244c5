"""Tests of what routes lead to."""
