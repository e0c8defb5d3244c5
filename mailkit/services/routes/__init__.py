"""Which mail takes another way than DNS and the directory would give it."""
