"""Finding mail: what a person types, asked of the index."""
