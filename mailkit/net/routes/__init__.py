"""Ends of routes that are reached over a network, or are programs."""
