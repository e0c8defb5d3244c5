"""Tests of local delivery."""
