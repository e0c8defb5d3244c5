"""The queue at work: mail that leaves, host by host, until it is taken or returned."""
