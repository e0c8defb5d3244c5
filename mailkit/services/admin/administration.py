"""All administrative services together."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.audit import AuditLine
from mailkit.services.admin.accounts import Accounts
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.aliases import Aliases
from mailkit.services.admin.domains import Domains
from mailkit.services.admin.mailboxes import Mailboxes
from mailkit.services.admin.names import address, domain_name
from mailkit.services.admin.office import Office
from mailkit.services.admin.routes import Routes
from mailkit.services.admin.suppressions import Suppressions
from mailkit.services.routing import Routing


@define(eq=False)
class Administration:
    """
    The one way to change who there is; what the command and the web call.

    Every method takes the `Actor` first, asks whether it may, and leaves a line in
    the audit for whatever it changed.
    """

    _office: Office
    _routing: Routing
    _suppression: ISuppressionList
    domains: Domains = field(init=False)
    accounts: Accounts = field(init=False)
    aliases: Aliases = field(init=False)
    mailboxes: Mailboxes = field(init=False)
    routes: Routes = field(init=False)
    suppressions: Suppressions = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.domains = Domains(self._office)
        self.accounts = Accounts(self._office)
        self.aliases = Aliases(self._office, self._routing)
        self.mailboxes = Mailboxes(self._office)
        self.routes = Routes(self._office, self._routing)
        self.suppressions = Suppressions(self._office, self._suppression)

    async def audit(
        self, actor: Actor, subject: str = "", limit: int = 1000
    ) -> Sequence[AuditLine]:
        """
        Who changed what, the newest ``limit`` lines, oldest first.

        :param subject: an address, or a domain for all that is in it; empty: all,
            which only a server administrator may see.
        :raises NotAllowed:
        """
        if not subject:
            actor.check_server()
            return await self._office.audit.lines("", limit)
        if "@" in subject.strip()[1:]:
            found = address(subject)
            actor.check_domain(found.domain)
            return await self._office.audit.lines(str(found), limit)
        domain = domain_name(subject.strip().lstrip("@"))
        actor.check_domain(domain)
        return await self._office.audit.lines(domain, limit)
