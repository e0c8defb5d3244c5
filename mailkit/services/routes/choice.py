"""What routes make of one recipient."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import TurnedAway, TurnedAwayForNow
from mailkit.interfaces.delivery import ForeignRecipient
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop
from mailkit.model.target import ToError
from mailkit.services.routes.matcher import Match


@frozen
class Choice:
    """What is done with mail for one address."""

    instead: Match | None = None
    """Decides where it goes; ``None``: the directory does, or DNS."""
    also: tuple[Match, ...] = ()

    def check(self) -> None:
        """:raises TurnedAway: :raises TurnedAwayForNow: if the route says so."""
        if self.instead is None:
            return
        match self.instead.route.target:
            case ToError(code=code, status=status, text=text):
                kind = TurnedAway if code >= 500 else TurnedAwayForNow
                raise kind(text, code, status)

    @property
    def is_turned_away(self) -> bool:
        """Whether nobody gets it."""
        return self.instead is not None and isinstance(
            self.instead.route.target, ToError
        )

    def leaving(self, path: Path, alias: str = "") -> ForeignRecipient:
        """
        Somebody to whom mail leaves, by the route that decides or as DNS says.

        :param alias: the address of ours that leads there; empty: none.
        """
        domain = path.address.domain
        if self.instead is None:
            return ForeignRecipient(path, NextHop(domain), alias)
        route = self.instead.route
        # Only who sends on to others is judged by SPF there.
        alias = alias if route.passes_on else ""
        return ForeignRecipient(path, NextHop(domain, route.hop_name), alias)

    def copies(self, path: Path) -> list[ForeignRecipient]:
        """What leaves besides; nobody is told of its fate."""
        return [
            ForeignRecipient(
                path, NextHop(path.address.domain, match.route.hop_name), is_quiet=True
            )
            for match in self.also
        ]


NO_CHOICE = Choice()


def choose(matches: Sequence[Match], *, is_ours: bool, is_open: bool) -> Choice:
    """
    What of all that match is done.

    :param matches: most exact first.
    :param is_ours: whether the domain is one of ours. A route for everybody takes
        nothing from our own people: it is for mail that leaves.
    :param is_open: whether mail leaves for the recipient anyway. Otherwise a stranger
        asks, and only a route that names the domain lets it in.
    """
    also = tuple(match for match in matches if match.route.is_also)
    for match in matches:
        if match.route.is_also:
            continue
        if match.names_recipient if is_ours else is_open or match.opens:
            return Choice(match, also)
    return Choice(None, also)
