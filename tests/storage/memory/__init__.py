"""Tests of the store and the directory that forget."""
