"""The IMAP session and its parts."""
