"""Bulk sendings: a template and a list of people become messages in the queue."""
