"""Messages that mean harm, and who judges what becomes of them."""
