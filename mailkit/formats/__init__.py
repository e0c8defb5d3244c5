"""What octets mean: pure functions over messages and their parts."""
