"""A check that knows beforehand what it thinks: of each sending domain the same."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.checks import Checked, ICheck
from mailkit.model.verdict import Verdict

PASS = Verdict(spf="pass", dkim="pass", dmarc="pass", words="as it should be")
FAIL = Verdict(spf="fail", dkim="none", dmarc="fail", words="not from there")
NOTHING = Verdict(spf="none", dkim="none", dmarc="none", words="nothing to go by")


@implementer(ICheck)
@define(eq=False)
class KnownCheck:
    """
    Says what was laid down for the domain of MAIL FROM; of others nothing.

    Where a verdict says pass, and no domain, that domain is the aligned one.
    """

    verdicts: Mapping[str, Verdict] = field(factory=dict)
    asked: list[Checked] = field(init=False, factory=list)

    async def check(self, checked: Checked) -> Verdict | None:
        self.asked.append(checked)
        domain = str(checked.envelope.reverse_path.domain)
        verdict = self.verdicts.get(domain)
        if verdict is not None and verdict.dmarc == "pass" and not verdict.aligned:
            return Verdict(
                verdict.spf,
                verdict.dkim,
                verdict.dmarc,
                domain,
                verdict.tls or checked.origin.tls,
                verdict.words,
            )
        return verdict
