"""Asks DNS for what other people's domains say."""
