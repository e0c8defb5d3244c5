"""SASL mechanisms as pure machines, and how protocols carry them."""
