"""Finding mail."""
