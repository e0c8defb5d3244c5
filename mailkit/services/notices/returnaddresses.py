"""Reverse-paths of ours that lead back to somebody: of forwarded mail, and of bulk."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.formats import srs, verp
from mailkit.formats.signedaddress import Keys
from mailkit.model.address import a_labels, fold_domain
from mailkit.model.path import Path


@define(eq=False)
class ReturnAddresses:
    """Writes them for mail that leaves, and reads them when something comes back."""

    _domain: str
    """Ours, in which forwarded senders are: its SPF has to name this server."""
    _keys: Keys = field(repr=False)
    """The first signs, all are believed."""
    _clock: IReactorTime

    def rewrite(self, sender: Path) -> Path:
        """
        The reverse-path with which mail of ``sender`` is passed on, so that SPF holds.

        A sender for which there is no room in an address stays as it is.
        """
        domain = a_labels(fold_domain(self._domain)) or self._domain
        return srs.forward(sender, domain, self._keys, self._clock.seconds()) or sender

    def original(self, path: Path) -> Path | None:
        """Whose mail we passed on with that reverse-path; ``None``: nobody's."""
        if path.local_part[:3].lower() != "srs":
            return None
        return srs.backward(path, self._keys, self._clock.seconds())

    def bulk(self, id: str, domain: str) -> Path:
        """
        The reverse-path of one message of a bulk sending.

        :param id: the transaction's id, or what begins with it and a full stop.
        :raises CannotName: if the id cannot stand in an address.
        """
        return verp.write(id, domain, self._keys)

    def bulk_id(self, path: Path) -> str | None:
        """Which message of a bulk sending it is; ``None``: none."""
        if path.local_part[:6].lower() != verp.LOCAL_PART:
            return None
        return verp.read(path, self._keys)
