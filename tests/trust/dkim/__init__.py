"""Tests of `mailkit.trust.dkim`."""
