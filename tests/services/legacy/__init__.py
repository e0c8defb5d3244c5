"""Tests of mailkit.services.legacy."""
