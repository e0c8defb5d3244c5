"""Our store as twisted.mail sees mailboxes, for programs that are built on it."""
