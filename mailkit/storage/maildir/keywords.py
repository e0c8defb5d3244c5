"""Keywords of one mailbox: letters in file names, and what lies beyond 26 of them."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from mailkit.errors import TooMany
from mailkit.model.flags import SYSTEM_FLAGS, Flags
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow, joined
from mailkit.storage.maildir import numbers
from mailkit.storage.maildir.home import Home


@define(eq=False)
class Keywords:
    """
    Spelling and letter of each keyword, read when the first one is asked for.

    New ones are durable in ``mailkit-keywords`` after `keep`, and in the index with
    the transaction in which that was called.
    """

    _home: Home
    _index: Index
    _row: MailboxRow
    _known: dict[str, tuple[str, str]] | None = field(init=False, default=None)
    _new: list[str] = field(init=False, factory=list)
    _beyond: dict[int, str] = field(init=False, factory=dict)

    @property
    def known(self) -> dict[str, tuple[str, str]]:
        """Folded keyword → spelling and letter, "" beyond 26."""
        if self._known is None:
            self._known = self._index.keywords(self._row.id)
        return self._known

    @property
    def has_beyond(self) -> bool:
        """Whether there are more keywords than letters."""
        return len(self.known) > len(numbers.LETTERS)

    def are_new(self, flags: Flags) -> bool:
        """Whether one of them was never used in this mailbox, or has no letter."""
        return not flags <= SYSTEM_FLAGS and any(
            not self.known.get(keyword.lower(), ("", ""))[1]
            for keyword in flags - SYSTEM_FLAGS
        )

    def check(self, flags: Flags) -> None:
        """:raises TooMany: if they would be more than one mailbox has."""
        if flags <= SYSTEM_FLAGS:
            return
        new = {keyword.lower() for keyword in flags - SYSTEM_FLAGS} - self.known.keys()
        if new and len(self.known) + len(new) > self._home.house.settings.keywords:
            raise TooMany("keywords")

    def spelt(self, flags: Flags) -> frozenset[str]:
        """The keywords among ``flags`` as they first came; new ones are noted."""
        if flags <= SYSTEM_FLAGS:
            return frozenset()
        return frozenset(self._spelling(keyword) for keyword in flags - SYSTEM_FLAGS)

    def known_of(self, flags: Flags) -> frozenset[str]:
        """Those of ``flags`` that were ever used here, as they were spelt."""
        if flags <= SYSTEM_FLAGS:
            return frozenset()
        known = (self.known.get(keyword.lower()) for keyword in flags - SYSTEM_FLAGS)
        return frozenset(found[0] for found in known if found is not None)

    def take(self, flags: Flags, uid: int) -> tuple[str, str]:
        """For a message that gets ``flags``: its row's text, its name's letters."""
        if flags <= SYSTEM_FLAGS:
            return "", ""
        keywords = joined(self.spelt(flags))
        return keywords, self.letters(keywords, uid)

    def letters(self, keywords: str, uid: int) -> str:
        """
        The letters for a row's text, sorted; the rest is noted for ``uid``.

        `keep` makes it durable; it has to come before the name.
        """
        if not keywords and not self.has_beyond:
            return ""
        letters = []
        beyond = []
        for spelling in keywords.split():
            letter = self.known[spelling.lower()][1]
            if letter:
                letters.append(letter)
            else:
                beyond.append(spelling)
        if beyond or self.has_beyond:
            # Nothing beyond takes away what may be noted of an earlier state.
            self._beyond[uid] = " ".join(beyond)
        return "".join(sorted(letters))

    def of_letters(self, letters: Iterable[str]) -> frozenset[str]:
        """Keywords that a name carries, each spelt as here; others mean nothing."""
        by_letter = {letter: spelling for spelling, letter in self.known.values()}
        return frozenset(by_letter[one] for one in letters if by_letter.get(one))

    def learn(self) -> None:
        """Take over what the file has and the index has not."""
        for letter, spelling in self._file().items():
            if self.known.get(spelling.lower(), ("", ""))[1] != letter:
                self.known[spelling.lower()] = spelling, letter
                self._index.add_keyword(self._row.id, spelling, letter)

    def learn_beyond(self) -> dict[int, str]:
        """UID → keywords without letters, as ``account.sqlite`` has them."""
        beyond = self._home.aside.keywords(self._row.mailbox_id)
        for keywords in beyond.values():
            for spelling in keywords.split():
                if spelling.lower() not in self.known:
                    self.known[spelling.lower()] = spelling, ""
                    self._index.add_keyword(self._row.id, spelling, "")
        return beyond

    def keep(self) -> None:
        """Make new letters, and what has none, durable; within a transaction."""
        if self._new:
            self._give_letters()
            self._new.clear()
        if self._beyond:
            self._home.aside.set_keywords(self._row.mailbox_id, self._beyond)
            self._beyond.clear()

    def _spelling(self, keyword: str) -> str:
        folded = keyword.lower()
        found = self.known.get(folded)
        if found is None:
            letter = self._free_letter()
            found = self.known[folded] = keyword, letter
            self._new.append(folded)
        return found[0]

    def _free_letter(self) -> str:
        if not self._new:
            self.learn()
        taken = {letter for _, letter in self.known.values()}
        return next((one for one in numbers.LETTERS if one not in taken), "")

    def _give_letters(self) -> None:
        in_file = self._file()
        for folded in self._new:
            spelling, letter = self.known[folded]
            if letter:
                in_file[letter] = spelling
            self._index.add_keyword(self._row.id, spelling, letter)
        folder = self._home.folder(self._row.folder)
        numbers.write_keywords(self._home.house.files, folder, in_file)

    def _file(self) -> dict[str, str]:
        return numbers.read_keywords(self._home.folder(self._row.folder))
