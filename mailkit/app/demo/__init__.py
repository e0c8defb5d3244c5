"""``mailkit demo``: two whole servers on this machine, and a story about them."""
