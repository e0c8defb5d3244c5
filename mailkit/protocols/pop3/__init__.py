"""POP3 on the wire (RFC 1939 and its extensions)."""
