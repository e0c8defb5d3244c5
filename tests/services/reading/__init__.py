"""Reading: what services do before a page shows anything."""
