"""Domains, accounts, aliases and credentials in one SQLite file."""
