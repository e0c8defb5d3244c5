"""What templates are told beside what a page says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, frozen

from mailkit.errors import NoSuchDraft
from mailkit.model.draft import DraftId, DraftState
from mailkit.model.preferences import Preferences
from mailkit.web.asking import Asked
from mailkit.web.brand import Brand
from mailkit.web.webmail.house import Undone
from mailkit.web.webmail.people import colour_of, initials
from mailkit.web.webmail.shortcuts import key_map
from mailkit.web.webmail.sidebar import make_sidebar
from mailkit.web.words import Language


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


SETTINGS = (
    (_("General"), "/settings/general"),
    (_("Labels"), "/settings/labels"),
    (_("Identities"), "/settings/identities"),
    (_("Addresses"), "/settings/addresses"),
    (_("Shortcuts"), "/settings/shortcuts"),
    (_("Security"), "/settings/security"),
)
"""Pages of settings, in the order of their tabs."""

KEY_MAP = key_map()

CURRENT = "current"
"""The fact by which a page says where in the navigation it is: a box's slug."""

SIDEBAR = "sidebar"
"""The fact by which a page brings the navigation, where it has looked at it itself."""


@frozen
class Toast:
    """What was just done, and the way back."""

    text: str
    token: str
    back: str
    """Where to be afterwards."""
    action: str = ""
    """Where its form goes, if not to `token`'s way back."""


@define(eq=False)
class Facts:
    """Puts them together."""

    _brand: Brand
    _tabs: tuple[tuple[str, str], ...]
    _scripts: tuple[str, ...]
    _undone: Undone | None

    def plain(
        self,
        language: Language,
        preferences: Preferences,
        csrf: Callable[[str], str],
    ) -> dict[str, object]:
        """For every page, whoever asks."""
        return {
            "brand": self._brand.name,
            "login_text": self._brand.login_text,
            "preferences": preferences,
            "csrf": csrf,
            "scripts": self._scripts,
        }

    def of(self, asked: Asked) -> dict[str, object]:
        """For a page that somebody asked for."""
        dates = asked.dates
        return {
            **self.plain(asked.language, asked.preferences, asked.csrf),
            "path": asked.path,
            "when": dates.short,
            "when_medium": dates.medium,
            "when_long": dates.long,
            "day": dates.group,
            "iso": dates.iso,
        }

    async def shell(
        self, asked: Asked, said: Mapping[str, object], *, is_fragment: bool
    ) -> dict[str, object]:
        """
        For pages with navigation; a fragment of one has none.

        :param said: what the page says itself.
        """
        facts: dict[str, object] = {
            "query_text": asked.query.text("q"),
            "settings_tabs": self._tabs,
            "toast": None,
            "key_map": KEY_MAP,
            CURRENT: "",
        }
        if is_fragment or not asked.is_signed_in:
            return facts
        name = asked.name
        facts["me"] = {
            "address": str(name),
            "initials": initials("", str(name)),
            "colour": colour_of(str(name)),
        }
        if SIDEBAR not in said:
            facts[SIDEBAR] = await make_sidebar(asked)
        facts["toast"] = await self.toast(asked)
        return facts

    async def toast(self, asked: Asked) -> Toast | None:
        """What was just done, as the address says (``done=``, ``sent=``)."""
        if not asked.is_signed_in:
            return None
        token = asked.query.text("done")
        if token and self._undone is not None:
            said = await self._undone(asked.name, token, asked.language.words)
            if said:
                return Toast(said, token, asked.path)
        return await _sent(asked) if asked.query.text("sent") else None


async def _sent(asked: Asked) -> Toast | None:
    """A message was just sent, and may be called back for some seconds."""
    composing = asked.house.composing
    try:
        draft = await composing.drafts.open(
            asked.name, DraftId(asked.query.text("sent"))
        )
    except NoSuchDraft:
        return None
    left = draft.hold_until - composing.house.settings.slack
    if draft.state is DraftState.WRITING or asked.house.now() >= left:
        return None
    text = asked.say("Sent")
    if draft.is_later:
        when = asked.dates.long(draft.hold_until)
        text = asked.say("Leaves %(time)s") % {"time": when}
    return Toast(text, "", asked.path, f"/compose/{draft.id}/unsend")
