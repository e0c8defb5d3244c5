"""Tests of the IMAP machine, its readers and writers."""
