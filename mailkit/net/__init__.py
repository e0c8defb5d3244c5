"""Twisted and the outside."""
