"""Tests of routes: whom they mean, and what is made of them."""
