"""Mail to other hosts: SMTP and LMTP as a client (RFC 5321, RFC 2033)."""
