"""Telling administrators."""
