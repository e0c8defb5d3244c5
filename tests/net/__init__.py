"""Tests of mailkit.net."""
