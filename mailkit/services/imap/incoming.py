"""The message that one APPEND sends, on its way into the spool."""

from __future__ import annotations

from attrs import define

from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.interfaces.storage import ISpoolFile
from mailkit.protocols.imap.events import AppendBegins


@define(eq=False)
class Incoming:
    """A message that is being sent."""

    command: AppendBegins
    spooled: ISpoolFile
    problem: MailkitError | None = None
    """Why it cannot be kept; what still comes is thrown away."""
    ends_in_cr: bool = False

    async def write(self, octets: bytes) -> None:
        """Take a piece; line ends become CRLF, but not those of a literal8."""
        if self.problem is not None:
            return
        if not self.command.is_binary:
            octets = self._with_crlf(octets)
        try:
            await self.spooled.write(octets)
        except (Refused, Unavailable) as problem:
            self.problem = problem
            self.spooled.discard()

    def _with_crlf(self, octets: bytes) -> bytes:
        """Some clients send LF alone; in our files CRLF ends a line (STORE.md §1)."""
        starts_in_lf = self.ends_in_cr and octets.startswith(b"\n")
        self.ends_in_cr = octets.endswith(b"\r")
        lines = octets.count(b"\n")
        if octets.count(b"\r\n") + starts_in_lf == lines:
            return octets
        if starts_in_lf:
            return b"\n" + _crlf(octets[1:])
        return _crlf(octets)


def _crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
