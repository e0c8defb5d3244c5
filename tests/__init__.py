"""Tests; the folders mirror mailkit."""
