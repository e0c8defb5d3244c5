"""What an administrator may do: the one way in, for the command and the web."""
