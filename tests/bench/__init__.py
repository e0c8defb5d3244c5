"""The benchmark: the same work for mailkit and for Postfix with Dovecot."""
