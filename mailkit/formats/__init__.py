"""What octets mean: header fields, dates, MIME and what IMAP shows of them."""
