"""What belongs to one person beside the mail, in ``account.sqlite``."""
