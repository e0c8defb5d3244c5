"""Readers of commands, one file a command family (RFC 9051 §6)."""
