"""Doubles, contracts and a throw-away server, for any test suite."""
