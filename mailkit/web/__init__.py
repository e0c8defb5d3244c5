"""What browsers and other programs see over HTTP."""
