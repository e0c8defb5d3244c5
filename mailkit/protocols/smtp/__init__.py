"""SMTP and LMTP as machines without I/O: the server's side and the client's."""
