"""Tests of `mailkit.trust.tls`."""
