"""IMAP4rev1 and IMAP4rev2 as machines without I/O (RFC 3501, RFC 9051)."""
