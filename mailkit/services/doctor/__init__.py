"""``mailkit doctor``: whether others find us, believe us, and can reach us."""
