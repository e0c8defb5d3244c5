"""The relay against a scripted host, in memory."""
