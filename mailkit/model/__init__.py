"""Values: built whole, never changed."""
