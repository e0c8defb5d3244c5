"""Mail that leaves, over a scripted way out and a clock that tests move."""
