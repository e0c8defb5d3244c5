"""What every `IPersonal` has to do."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.errors import AlreadyExists, TooMany
from mailkit.interfaces.personal import IPersonal
from mailkit.model.conversation import Person
from mailkit.model.correspondent import DAY
from mailkit.model.identity import Identity
from mailkit.model.label import Label
from mailkit.model.mailbox import INBOX
from mailkit.model.preferences import DEFAULTS, Images, Preferences, Theme
from mailkit.model.savedsearch import SavedSearch
from mailkit.model.snooze import Snooze, Woken
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import ALICE, BOB, coroutine, raises

WORK = Label("$l_work", "Work", 2, 0)
HOME = Label("$l_home", "Home", 3, 1)
CAROL = Person("Carol Größe", "Carol@Example.net")
DAVE = Person("Dave", "dave.jones@other.example")


class PersonalContract:
    """What was kept is there, for this account alone."""

    personal: IPersonal

    def make_personal(self) -> IPersonal:
        """New ones, of which nothing is known."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.personal = self.make_personal()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.personal.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IPersonal, self.personal)

    # --- choices ---

    @coroutine
    async def test_preferences_are_kept_whole(self) -> None:
        assert await self.personal.preferences(ALICE) == DEFAULTS
        chosen = Preferences(
            language="he",
            time_zone="Europe/Oslo",
            density=44,
            theme=Theme.DARK,
            grouped=False,
            images=Images.ALWAYS,
            undo_seconds=20,
        )
        await self.personal.change(ALICE, chosen)
        assert await self.personal.preferences(ALICE) == chosen
        assert await self.personal.preferences(BOB) == DEFAULTS
        await self.personal.change(ALICE, DEFAULTS)
        assert await self.personal.preferences(ALICE) == DEFAULTS

    @coroutine
    async def test_labels_come_in_their_order(self) -> None:
        last = Label("$l_a", "Ärger", 1, 2)
        await self.personal.put_labels(ALICE, [last, HOME, WORK])
        assert list(await self.personal.labels(ALICE)) == [WORK, HOME, last]
        assert list(await self.personal.labels(BOB)) == []
        await self.personal.put_labels(ALICE, [evolve(WORK, position=9)])
        assert list(await self.personal.labels(ALICE))[-1].keyword == WORK.keyword

    @coroutine
    async def test_labels_are_known_by_their_keywords_whatever_the_case(self) -> None:
        await self.personal.put_labels(ALICE, [WORK])
        other = evolve(WORK, keyword="$L_WORK", name="Office")
        await self.personal.put_labels(ALICE, [other])
        assert list(await self.personal.labels(ALICE)) == [other]
        await self.personal.drop_label(ALICE, "$l_Work")
        await self.personal.drop_label(ALICE, "$l_Work")
        assert list(await self.personal.labels(ALICE)) == []

    @coroutine
    async def test_no_two_labels_have_the_same_name(self) -> None:
        await self.personal.put_labels(ALICE, [WORK, HOME])
        same = evolve(HOME, name="WORK")
        await raises(AlreadyExists, self.personal.put_labels(ALICE, [same]))
        assert list(await self.personal.labels(ALICE)) == [WORK, HOME]

    @coroutine
    async def test_two_labels_may_change_their_names(self) -> None:
        await self.personal.put_labels(ALICE, [WORK, HOME])
        changed = [evolve(WORK, name="Home"), evolve(HOME, name="Work")]
        await self.personal.put_labels(ALICE, changed)
        assert list(await self.personal.labels(ALICE)) == changed

    @coroutine
    async def test_labels_have_an_end(self) -> None:
        many = [Label(f"$l_{n}", f"Label {n}", 1, n) for n in range(500)]
        await self.personal.put_labels(ALICE, many)
        await raises(TooMany, self.personal.put_labels(ALICE, [WORK]))
        assert len(await self.personal.labels(ALICE)) == 500

    @coroutine
    async def test_searches_are_kept_by_name(self) -> None:
        bills = SavedSearch("1", "Rechnungen", "invoice larger:1M")
        await self.personal.put_search(ALICE, bills)
        unread = SavedSearch("2", "alles neue", "is:unread")
        await self.personal.put_search(ALICE, unread)
        assert list(await self.personal.searches(ALICE)) == [unread, bills]
        assert list(await self.personal.searches(BOB)) == []
        changed = evolve(bills, name="A", words="from:shop")
        await self.personal.put_search(ALICE, changed)
        found = list(await self.personal.searches(ALICE))
        assert found == [changed, unread]
        await self.personal.drop_search(ALICE, "1")
        await self.personal.drop_search(ALICE, "1")
        assert list(await self.personal.searches(ALICE)) == [unread]

    @coroutine
    async def test_no_two_searches_have_the_same_name(self) -> None:
        first = SavedSearch("1", "Größe", "one")
        await self.personal.put_search(ALICE, first)
        other = SavedSearch("2", "GRÖSSE", "two")
        await raises(AlreadyExists, self.personal.put_search(ALICE, other))
        await self.personal.put_search(ALICE, evolve(first, name="größe"))
        await self.personal.put_search(BOB, other)
        assert len(await self.personal.searches(ALICE)) == 1

    @coroutine
    async def test_searches_have_an_end(self) -> None:
        for number in range(100):
            one = SavedSearch(f"{number}", f"S{number}", "x")
            await self.personal.put_search(ALICE, one)
        one = SavedSearch("more", "More", "x")
        await raises(TooMany, self.personal.put_search(ALICE, one))
        await self.personal.put_search(ALICE, SavedSearch("7", "Seven", "y"))
        assert len(await self.personal.searches(ALICE)) == 100

    @coroutine
    async def test_one_identity_is_the_default(self) -> None:
        one = Identity("1", "Alice", "alice@example.test", "-- \nA", "", True)
        two = Identity("2", "", "sales@example.test", "", "<b>Sales</b>", True)
        await self.personal.put_identity(ALICE, one)
        assert list(await self.personal.identities(ALICE)) == [one]
        await self.personal.put_identity(ALICE, two)
        other = evolve(one, is_default=False)
        assert list(await self.personal.identities(ALICE)) == [two, other]
        assert list(await self.personal.identities(BOB)) == []
        await self.personal.drop_identity(ALICE, "2")
        await self.personal.drop_identity(ALICE, "2")
        assert list(await self.personal.identities(ALICE)) == [other]

    @coroutine
    async def test_identities_have_an_end(self) -> None:
        for number in range(100):
            await self.personal.put_identity(ALICE, Identity(f"{number}", "A", "a@b"))
        await raises(
            TooMany, self.personal.put_identity(ALICE, Identity("one", "A", "a@b"))
        )
        await self.personal.put_identity(ALICE, Identity("7", "Seven", "a@b"))
        assert len(await self.personal.identities(ALICE)) == 100

    @coroutine
    async def test_trust(self) -> None:
        await self.personal.trust(ALICE, "Carol@EXAMPLE.net")
        assert await self.personal.is_trusted(ALICE, "carol@example.net")
        assert not await self.personal.is_trusted(BOB, "carol@example.net")
        assert list(await self.personal.trusted(ALICE)) == ["carol@example.net"]
        await self.personal.distrust(ALICE, "CAROL@example.net")
        assert not await self.personal.is_trusted(ALICE, "carol@example.net")

    # --- people ---

    async def suggested(self, prefix: str, most: int = 10) -> list[str]:
        found = await self.personal.suggest(ALICE, prefix, most, NEW_YEAR)
        return [one.address for one in found]

    @coroutine
    async def test_people_are_found_by_the_beginning_of_any_word(self) -> None:
        await self.personal.note(ALICE, [CAROL, DAVE], NEW_YEAR, is_sent=True)
        assert await self.suggested("car") == [CAROL.address]
        assert await self.suggested("GROSSE") == [CAROL.address]
        assert await self.suggested("gro") == [CAROL.address]
        assert await self.suggested("jon") == [DAVE.address]
        assert await self.suggested("@oth") == [DAVE.address]
        assert await self.suggested("dave.jones@o") == [DAVE.address]
        assert await self.suggested("carol gröss") == [CAROL.address]
        assert await self.suggested("carol dave") == []
        assert await self.suggested("arol") == []
        assert set(await self.suggested("")) == {CAROL.address, DAVE.address}
        assert len(await self.suggested("", most=1)) == 1
        assert list(await self.personal.suggest(BOB, "car", 9, NEW_YEAR)) == []

    @coroutine
    async def test_who_is_written_to_often_and_of_late_comes_first(self) -> None:
        note = self.personal.note
        await note(ALICE, [CAROL], NEW_YEAR - 700 * DAY, is_sent=True)
        await note(ALICE, [CAROL], NEW_YEAR - 700 * DAY, is_sent=True)
        await note(ALICE, [DAVE], NEW_YEAR, is_sent=False)
        assert await self.suggested("") == [DAVE.address, CAROL.address]
        await note(ALICE, [CAROL], NEW_YEAR, is_sent=True)
        assert await self.suggested("") == [CAROL.address, DAVE.address]

    @coroutine
    async def test_what_is_known_of_people(self) -> None:
        note = self.personal.note
        await note(ALICE, [CAROL], NEW_YEAR, is_sent=True)
        nameless = Person("", "carol@example.net")
        await note(ALICE, [nameless], NEW_YEAR - 9, is_sent=False)
        found = await self.personal.known(ALICE, ["CAROL@example.net", "x@y"])
        assert list(found) == ["CAROL@example.net"]
        known = found["CAROL@example.net"]
        assert known.name == CAROL.name
        assert (known.sent, known.received) == (1, 1)
        assert (known.first, known.last) == (NEW_YEAR - 9, NEW_YEAR)

    @coroutine
    async def test_a_new_name_is_found_and_the_old_is_not(self) -> None:
        await self.personal.note(ALICE, [CAROL], NEW_YEAR, is_sent=True)
        renamed = Person("Karin", CAROL.address)
        await self.personal.note(ALICE, [renamed], NEW_YEAR, is_sent=True)
        assert await self.suggested("kar") == [CAROL.address]
        assert await self.suggested("gro") == []

    @coroutine
    async def test_who_is_hidden_stays_so(self) -> None:
        await self.personal.note(ALICE, [CAROL], NEW_YEAR, is_sent=True)
        await self.personal.hide(ALICE, "carol@example.net")
        await self.personal.hide(ALICE, DAVE.address)
        for _ in range(3):
            await self.personal.note(ALICE, [CAROL, DAVE], NEW_YEAR, is_sent=True)
        assert await self.suggested("") == []
        assert len(await self.personal.known(ALICE, [CAROL.address])) == 1

    @coroutine
    async def test_who_is_only_hidden_is_not_known(self) -> None:
        await self.personal.hide(ALICE, DAVE.address)
        assert not await self.personal.known(ALICE, [DAVE.address])

    @coroutine
    async def test_what_is_no_address_is_not_noted(self) -> None:
        odd = [Person("Group", ""), Person("Long", "a" * 400 + "@b")]
        await self.personal.note(ALICE, odd, NEW_YEAR, is_sent=True)
        await self.personal.note(ALICE, [], NEW_YEAR, is_sent=True)
        assert await self.suggested("") == []

    @coroutine
    async def test_octets_that_are_no_characters(self) -> None:
        odd = Person("\udc80 Odd", "odd\udc80@example.net")
        await self.personal.note(ALICE, [odd], NEW_YEAR, is_sent=True)
        assert len(await self.suggested("odd")) == 1

    # --- messages that are put off ---

    @coroutine
    async def test_a_message_is_put_off_until_it_is_not(self) -> None:
        soon = Snooze("M1", NEW_YEAR + 10, INBOX)
        later = Snooze("M2", NEW_YEAR + 20, INBOX)
        await self.personal.snooze(ALICE, [later, soon])
        await self.personal.snooze(ALICE, [])
        assert list(await self.personal.snoozes(ALICE)) == [soon, later]
        assert list(await self.personal.snoozes(BOB)) == []
        earlier = evolve(later, until=NEW_YEAR + 5)
        await self.personal.snooze(ALICE, [earlier])
        assert list(await self.personal.snoozes(ALICE)) == [earlier, soon]
        await self.personal.unsnooze(ALICE, ["M1", "M3"])
        assert list(await self.personal.snoozes(ALICE)) == [earlier]

    @coroutine
    async def test_whose_messages_are_due(self) -> None:
        assert await self.personal.next_due() is None
        await self.personal.snooze(ALICE, [Snooze("M1", NEW_YEAR + 10, INBOX)])
        await self.personal.snooze(ALICE, [Snooze("M2", NEW_YEAR + 30, INBOX)])
        await self.personal.snooze(BOB, [Snooze("M1", NEW_YEAR + 5, INBOX)])
        due = self.personal.due
        assert await self.personal.next_due() == NEW_YEAR + 5
        assert list(await due(NEW_YEAR, 9)) == []
        assert list(await due(NEW_YEAR + 10, 9)) == [BOB, ALICE]
        assert list(await due(NEW_YEAR + 10, 1)) == [BOB]
        await self.personal.unsnooze(ALICE, ["M1"])
        await self.personal.unsnooze(BOB, ["M1"])
        await self.personal.settle(ALICE)
        await self.personal.settle(BOB)
        assert list(await due(NEW_YEAR + 10, 9)) == []
        assert await self.personal.next_due() == NEW_YEAR + 30

    @coroutine
    async def test_accounts_are_settled_once(self) -> None:
        await self.personal.note_settled()
        await self.personal.note_settled()
        assert await self.personal.is_settled()

    @coroutine
    async def test_what_came_back_is_remembered_for_a_while(self) -> None:
        old = Woken("M0", "T0", NEW_YEAR - 15 * DAY)
        one = Woken("M1", "T1", NEW_YEAR - 1)
        two = Woken("M2", "T2", NEW_YEAR)
        await self.personal.woke(ALICE, [old])
        await self.personal.woke(ALICE, [one, two])
        assert list(await self.personal.woken(ALICE)) == [two, one]
        await self.personal.forget_woken(ALICE, ["T1", "T9"])
        await self.personal.forget_woken(ALICE, ["T9"])
        assert list(await self.personal.woken(ALICE)) == [two]

    @coroutine
    async def test_what_is_put_off_again_did_not_come_back(self) -> None:
        await self.personal.woke(ALICE, [Woken("M1", "T1", NEW_YEAR)])
        await self.personal.snooze(ALICE, [Snooze("M1", NEW_YEAR + 10, INBOX)])
        assert list(await self.personal.woken(ALICE)) == []

    # --- conversations that are kept out of the inbox ---

    @coroutine
    async def test_messages_are_muted_until_they_are_not(self) -> None:
        assert not await self.personal.muted(ALICE)
        await self.personal.mute(ALICE, ["<1@x>", "<2@x>"])
        await self.personal.mute(ALICE, ["<2@x>"])
        assert set(await self.personal.muted(ALICE)) == {"<1@x>", "<2@x>"}
        assert not await self.personal.muted(BOB)
        await self.personal.unmute(ALICE, ["<1@x>", "<3@x>"])
        assert set(await self.personal.muted(ALICE)) == {"<2@x>"}

    @coroutine
    async def test_the_oldest_of_too_many_are_forgotten(self) -> None:
        await self.personal.mute(ALICE, [f"<{number}@x>" for number in range(5002)])
        muted = await self.personal.muted(ALICE)
        assert len(muted) == 5000
        assert "<1@x>" not in muted
        assert "<2@x>" in muted

    # --- ways back ---

    @coroutine
    async def test_a_way_back_is_kept_until_its_time_is_over(self) -> None:
        keep, steps = self.personal.keep_undo, self.personal.undo_steps
        await keep(ALICE, "t1", "one", NEW_YEAR + 10, NEW_YEAR)
        assert await steps(ALICE, "t1", NEW_YEAR + 9) == "one"
        assert await steps(ALICE, "t1", NEW_YEAR + 10) is None
        assert await steps(BOB, "t1", NEW_YEAR) is None
        assert await steps(ALICE, "t2", NEW_YEAR) is None
        await keep(ALICE, "t2", "two", NEW_YEAR + 30, NEW_YEAR + 10)
        assert await steps(ALICE, "t1", NEW_YEAR) is None

    @coroutine
    async def test_a_way_back_is_gone_once(self) -> None:
        await self.personal.keep_undo(ALICE, "t1", "one", NEW_YEAR + 10, NEW_YEAR)
        assert not await self.personal.drop_undo(BOB, "t1")
        assert await self.personal.drop_undo(ALICE, "t1")
        assert not await self.personal.drop_undo(ALICE, "t1")
        assert await self.personal.undo_steps(ALICE, "t1", NEW_YEAR) is None
