"""How well the way to the next host has to be protected, and what is told of it."""
