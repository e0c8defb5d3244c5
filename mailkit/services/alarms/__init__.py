"""Telling administrators what cannot wait."""
