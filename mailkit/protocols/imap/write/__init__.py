"""Writers of responses, one file a command family (RFC 9051 §7)."""
