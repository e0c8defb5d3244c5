"""A TOML file turned into settings classes."""
