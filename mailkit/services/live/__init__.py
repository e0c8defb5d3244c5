"""What pages are told while they are open: new mail, changes, drafts, what was sent."""
