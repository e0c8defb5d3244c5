"""SASL mechanisms, their framing, and how passwords are prepared."""
