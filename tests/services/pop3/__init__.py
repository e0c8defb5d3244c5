"""Tests of mailkit.services.pop3."""
