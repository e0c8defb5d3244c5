"""Fuzzing: every server is sent dialogues that were spoiled."""
