"""Whom one message is for: what each recipient leads to, and what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import define, field

from mailkit.errors import MailkitError, MailLoop, Refused, Unavailable
from mailkit.formats import received
from mailkit.formats.limits import Limits
from mailkit.interfaces.delivery import Filed, ForeignRecipient
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.envelope import Notify, Recipient
from mailkit.model.outcome import Failed, Kept, Outcome, Thrown
from mailkit.model.path import Path
from mailkit.services.delivery.onward import Onward, as_account, without_success


@define(eq=False)
class Copy:
    """The one copy of the message that an account gets."""

    account: Account
    address: str
    """What the first RCPT that led here named."""
    detail: str
    recipients: list[Recipient] = field(factory=list)
    filed: Filed = field(factory=Filed)
    error: MailkitError | None = None

    @property
    def delivered_to(self) -> str:
        """Empty, where the account's own address was named."""
        return "" if self.address == self.account.name else self.address


@define(eq=False)
class Recipients:
    """All of one message, by their forward-paths, in the order they were added."""

    is_split: bool
    """Whether they may fare differently though there is one reply."""
    _limits: Limits
    _copies: dict[AccountName, Copy] = field(factory=dict, init=False)
    _recipients: dict[Path, Recipient] = field(factory=dict, init=False)
    _accounts_of: dict[Path, tuple[AccountName, ...]] = field(factory=dict, init=False)
    _foreign_of: dict[Path, tuple[ForeignRecipient, ...]] = field(
        factory=dict, init=False
    )
    _waiting: set[Path] = field(factory=set, init=False)
    """Those of ours who were put off while others are kept."""
    _outcomes: dict[Path, Outcome] = field(factory=dict, init=False)
    _is_held: bool = field(default=False, init=False)
    """Nobody of ours is to have it yet."""

    def add(
        self,
        recipient: Recipient,
        copies: Sequence[Copy],
        foreign: tuple[ForeignRecipient, ...],
    ) -> None:
        """Take one more, with all whom it leads to."""
        for copy in copies:
            self._copies.setdefault(copy.account.name, copy)
            self._copies[copy.account.name].recipients.append(recipient)
        self._recipients.setdefault(recipient.path, recipient)
        names = tuple(copy.account.name for copy in copies)
        self._accounts_of[recipient.path] = names
        self._foreign_of[recipient.path] = foreign

    @property
    def paths(self) -> Collection[Path]:
        """All that were added."""
        return self._accounts_of

    @property
    def copies(self) -> Iterable[Copy]:
        """Of all accounts, each once."""
        return self._copies.values()

    @property
    def outcomes(self) -> Mapping[Path, Outcome]:
        """What becomes of those that were settled."""
        return self._outcomes

    @property
    def kept(self) -> Sequence[Path]:
        """Those whose sender is told that the message is taken."""
        return [
            path
            for path, outcome in self._outcomes.items()
            if not isinstance(outcome, Failed)
        ]

    def copy_of(self, account: AccountName) -> Copy | None:
        """That of an account, if anybody leads to it."""
        return self._copies.get(account)

    def copies_of(self, path: Path) -> list[Copy]:
        """Those of the accounts that a recipient leads to."""
        return [self._copies[name] for name in self._accounts_of[path]]

    # -- what becomes of each

    def settle(self, path: Path, header: bytes) -> Outcome:
        """Find out, once it is known what became of each copy."""
        self._outcomes[path] = outcome = self._outcome(path, header)
        return outcome

    def let_wait(self) -> None:
        """What fails for a time only is tried again by the queue, if any is kept."""
        if not self.is_split or not self.kept:
            return
        for path, outcome in self._outcomes.items():
            if isinstance(outcome, Failed) and isinstance(outcome.error, Unavailable):
                self._put_off(path)

    def hold(self) -> None:
        """What is for our own people waits in the queue, where it can be dropped."""
        self._is_held = True
        for path in self.kept:
            if not self._foreign_of[path]:
                self._put_off(path)

    def is_wanted(self, copy: Copy) -> bool:
        """Whether somebody who leads here was told that the message is kept."""
        return (
            not self._is_held
            and copy.error is None
            and any(
                not isinstance(self._outcomes[recipient.path], Failed)
                and recipient.path not in self._waiting
                for recipient in copy.recipients
            )
        )

    def _put_off(self, path: Path) -> None:
        self._waiting.add(path)
        self._outcomes[path] = Kept(("queue",))

    def _outcome(self, path: Path, header: bytes) -> Outcome:
        for foreign in self._foreign_of[path]:
            # Aliases that lead to each other and to several make many of one message.
            if foreign.alias and received.was_delivered_to(
                header, foreign.alias, self._limits
            ):
                return Failed(MailLoop(foreign.alias))
        copies, foreign_ones = self.copies_of(path), self._foreign_of[path]
        errors = [copy.error for copy in copies if copy.error is not None]
        others = len(copies) - len(errors) + count_others(foreign_ones)
        if errors and not (others and self.is_split):
            return Failed(errors[0])
        where = [
            f"{copy.account.name}/{mailbox}"
            for copy in copies
            if copy.error is None
            for mailbox in copy.filed.mailboxes
        ]
        where += ["queue" for error in errors if isinstance(error, Unavailable)]
        where += [f"queue for {foreign.hop}" for foreign in foreign_ones]
        return Kept(tuple(where)) if where else Thrown()

    # -- what goes on, or has to wait

    def send_on(self, onward: Onward) -> list[tuple[Recipient, MailkitError]]:
        """Say what the queue is to keep; those whom we refused."""
        refused: list[tuple[Recipient, MailkitError]] = []
        for path, outcome in self._outcomes.items():
            recipient = self._recipients[path]
            if isinstance(outcome, Failed):
                refused.append((recipient, outcome.error))
                continue
            if path in self._waiting and len(self._accounts_of[path]) == 1:
                onward.wait(recipient)  # all that is said of it is asked again then
                continue
            if self._is_expanded(path):
                recipient = without_success(recipient)
            late: set[Path] = set()
            for copy in self.copies_of(path):
                one = as_account(recipient, copy.account.name, copy.detail)
                if isinstance(copy.error, Refused):
                    refused.append((one, copy.error))
                elif self._is_held or copy.error is not None:
                    onward.wait(one)
                    late.add(one.path)
            for foreign in self._foreign_of[path]:
                # Who waits has his own copies made when it is his turn.
                if not (foreign.is_quiet and foreign.path in late):
                    onward.add(recipient, foreign)
        return refused

    def told_of_success(self) -> tuple[list[Recipient], list[Recipient]]:
        """
        Those of whose success the sender wants to hear: all our people have it, and
        it went on to several, of whom not all have it.
        """
        wished = [
            path
            for path in self.kept
            if path not in self._waiting
            and Notify.SUCCESS in (self._recipients[path].parameters.notify or ())
        ]
        kept = [
            self._recipients[path]
            for path in wished
            if not count_others(self._foreign_of[path]) and not self._has_late(path)
        ]
        expanded = [
            self._recipients[path] for path in wished if self._is_expanded(path)
        ]
        return kept, expanded

    def _is_expanded(self, path: Path) -> bool:
        """
        Whether it leads to several, and not all have it (RFC 3461 §5.2.7.3): some are
        elsewhere, or wait.
        """
        others = count_others(self._foreign_of[path])
        is_late = self._has_late(path) and path not in self._waiting
        several = others + len(self._accounts_of[path]) > 1
        return several and bool(others or is_late)

    def _has_late(self, path: Path) -> bool:
        return any(copy.error is not None for copy in self.copies_of(path))


def count_others(foreign: Sequence[ForeignRecipient]) -> int:
    """How many are elsewhere; copies that routes make are beside."""
    return sum(not one.is_quiet for one in foreign)
