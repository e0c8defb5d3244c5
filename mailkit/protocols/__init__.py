"""Wire machines: octets in, events out, octets out."""
