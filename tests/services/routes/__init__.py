"""Tests of routes: whom they mean."""
