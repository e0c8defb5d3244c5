"""May we believe it, and why should others believe us."""
