"""Tests of mailkit.protocols.pop3."""
