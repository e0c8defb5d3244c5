"""Tests of SMTP, submission and LMTP over memory stores."""
