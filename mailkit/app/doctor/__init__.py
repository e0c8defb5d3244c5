"""What `mailkit doctor` looks at on this machine and from it."""
