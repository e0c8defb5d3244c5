"""What an administrator may do."""
