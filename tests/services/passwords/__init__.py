"""Passwords as the directory keeps them."""
