"""The IMAP session over any mail store: IMAP4rev1 and IMAP4rev2 (RFC 3501, 9051)."""
