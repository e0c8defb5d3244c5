"""Bulk sendings."""
