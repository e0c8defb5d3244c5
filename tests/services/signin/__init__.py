"""Tests of how people sign in, and become somebody who may."""
