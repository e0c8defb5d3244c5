"""Makes ``twistd mailkit`` known to Twisted; all else lives in ``mailkit.app``."""

from twisted.application.service import ServiceMaker

mailkit = ServiceMaker(
    "mailkit",
    "mailkit.app.tap",
    "Mail for a domain: SMTP, submission, LMTP, IMAP4 and POP3.",
    "mailkit",
)
