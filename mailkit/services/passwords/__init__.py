"""What the directory keeps of passwords: made, checked, taken over from others."""
