"""What sessions and processes share beside the mail: notices."""
