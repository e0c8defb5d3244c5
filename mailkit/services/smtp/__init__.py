"""What SMTP, submission and LMTP clients may do here."""
