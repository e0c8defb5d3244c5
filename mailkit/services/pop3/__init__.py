"""What a POP3 client may do here."""
