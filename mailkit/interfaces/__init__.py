"""The seams: what one room promises another."""
