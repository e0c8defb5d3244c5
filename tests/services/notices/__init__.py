"""Notices to senders, and reports that come in."""
