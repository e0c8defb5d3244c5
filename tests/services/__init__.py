"""What mailkit does, over doubles of the seams."""
