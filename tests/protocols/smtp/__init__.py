"""Tests of the machines of SMTP."""
