"""Where mail, accounts and events are kept."""
