"""Local delivery: from an envelope to the mailboxes of accounts."""
