"""What went wrong, in words for people: one table."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from mailkit.errors import (
    Busy,
    LoginNeeded,
    MailkitError,
    Malformed,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    NoSuchDraft,
    NoSuchItem,
    NoSuchMailbox,
    NoSuchMessage,
    NoSuchPart,
    NotAllowed,
    OverQuota,
    Refused,
    StorageFull,
    TooLarge,
    Unavailable,
)

Say = Callable[[str], str]  # gettext


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


@frozen
class Wrong:
    """A page that says what happened."""

    status: int
    headline: str
    text: str


NOT_FOUND = Wrong(
    404,
    _("There is nothing here"),
    _("The address is wrong, or what was here has been moved or deleted."),
)
FORBIDDEN = Wrong(
    403,
    _("That was not done"),
    _(
        "The form did not come from a page of ours, or it was too old. Go back, "
        "reload the page and try again."
    ),
)
NOT_HERE = Wrong(
    421,
    _("This is not the right address"),
    _("This server does not answer under that name."),
)
NEEDS_TLS = Wrong(
    403,
    _("This page needs a secure connection"),
    _("Open it with https:// in front."),
)
SIGNED_OUT = Wrong(
    401,
    _("Please sign in again"),
    _("You were signed out. What you wrote is kept."),
)
BROKEN = Wrong(
    500,
    _("Something went wrong on the server"),
    _(
        "Your mail is safe. Try again; if it happens again, tell the postmaster the "
        "reference below."
    ),
)

WRONGS: dict[type[MailkitError], Wrong] = {  # the nearest class in the MRO wins
    NoSuchMailbox: NOT_FOUND,
    NoSuchMessage: NOT_FOUND,
    NoSuchPart: NOT_FOUND,
    NoSuchItem: NOT_FOUND,
    NoSuchAccount: NOT_FOUND,
    NoSuchAddress: NOT_FOUND,
    NoSuchDomain: NOT_FOUND,
    NoSuchDraft: NOT_FOUND,
    LoginNeeded: SIGNED_OUT,
    TooLarge: Wrong(
        413,
        _("That is too large"),
        _("The server takes less at once. Nothing was changed."),
    ),
    NotAllowed: Wrong(403, _("You may not do that"), _("Nothing was changed.")),
    Refused: Wrong(
        403, _("That cannot be done"), _("The server refused. Nothing was changed.")
    ),
    Malformed: Wrong(
        400,
        _("That was not understood"),
        _("The address or the form is damaged. Nothing was changed."),
    ),
    OverQuota: Wrong(
        507,
        _("Your mailbox is full"),
        _(
            "Nothing was lost, but nothing more fits in. Empty the Trash, or delete "
            "large messages, and try again."
        ),
    ),
    StorageFull: Wrong(
        507,
        _("The server's disk is full"),
        _("Your mail is safe. The postmaster has to make room first."),
    ),
    Busy: Wrong(
        503,
        _("The server is busy"),
        _("Wait a moment and try again."),
    ),
    Unavailable: Wrong(
        503,
        _("The server cannot do that just now"),
        _("Your mail is safe. It may be restarting: try again in a moment."),
    ),
    MailkitError: BROKEN,
}


def wrong_of(error: MailkitError) -> Wrong:
    """The page for an error."""
    return next(WRONGS[kind] for kind in type(error).__mro__ if kind in WRONGS)
