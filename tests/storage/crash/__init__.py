"""Stopped anywhere, by kill or by loss of power: what was promised is there."""
