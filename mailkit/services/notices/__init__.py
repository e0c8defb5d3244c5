"""Tell senders what became of their mail, and hear what others tell of ours."""
