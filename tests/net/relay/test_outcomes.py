"""Every sort of answer at every stage, and what is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.python.failure import Failure

from mailkit.errors import Unreachable
from mailkit.model.queueitem import Fate
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import (
    BREAK,
    CHUNKING,
    CUT,
    DRIP,
    HANG,
    HELLO,
    PLAIN_HELLO,
    Answers,
)
from tests.net.relay.world import SINK, TEXT, OnDisk, World, item, lmtp, told

W = "mx.sink.test [192.0.2.1]:25: "
CLOSED = "it closed the connection"

UNREACHABLE: list[tuple[str, Answers, str, str]] = [
    ("554", {"greeting": "554 5.7.1 Go away"}, "4.7.1",
     "it greeted with 554 5.7.1 Go away"),
    ("421", {"greeting": "421 Too many"}, "4.3.2", "it greeted with 421 Too many"),
    ("450", {"greeting": "450 Later"}, "4.3.2", "it greeted with 450 Later"),
    ("354", {"greeting": "354 Later"}, "4.3.2", "it greeted with 354 Later"),
    ("no SMTP", {"greeting": "SSH-2.0-OpenSSH_9"}, "4.4.1",
     "it answered with not a reply of SMTP, before its greeting"),
    ("two codes", {"greeting": "220-a\n250 b"}, "4.4.1",
     "it answered with a reply of two codes, before its greeting"),
    ("endless", {"greeting": "220-a\n" * 200 + "220 b"}, "4.4.1",
     "it answered with a reply without end, before its greeting"),
    ("long line", {"greeting": "220 " + "a" * 5000}, "4.4.1",
     "it answered with Line too long, before its greeting"),
    ("hang", {"greeting": HANG}, "4.4.1",
     "no reply within 300 s, before its greeting"),
    ("line without end", {"greeting": "220 " + "a" * 9000 + "|"}, "4.4.1",
     "no reply within 300 s, before its greeting"),
    ("drip", {"greeting": f"{DRIP} 220 this takes longer than anybody has"}, "4.4.1",
     "no reply within 300 s, before its greeting"),
    ("cut", {"greeting": CUT}, "4.4.1", f"{CLOSED}, before its greeting"),
    ("two greetings", {"greeting": "220 a\n220 b", "EHLO": HANG}, "4.3.2",
     "it answered our hello with 220 b"),
    ("hello refused", {"EHLO": "550 No", "HELO": "550 5.7.1 Not you"}, "4.7.1",
     "it answered our hello with 550 5.7.1 Not you"),
    ("hello later", {"EHLO": "451 4.3.0 Later"}, "4.3.0",
     "it answered our hello with 451 4.3.0 Later"),
    ("hello 421", {"EHLO": "421 4.3.2 Closing"}, "4.3.2",
     "it answered our hello with 421 4.3.2 Closing"),
    ("hello hang", {"EHLO": HANG}, "4.4.1",
     "no reply within 300 s, before its reply to EHLO"),
    ("hello cut", {"EHLO": CUT}, "4.4.1", f"{CLOSED}, before its reply to EHLO"),
    ("helo cut", {"EHLO": "500 What?", "HELO": CUT}, "4.4.1",
     f"{CLOSED}, before its reply to HELO"),
    ("mail hang", {"MAIL": HANG}, "4.4.2",
     "no reply within 300 s, before its reply to MAIL"),
    ("mail cut", {"MAIL": CUT}, "4.4.2", f"{CLOSED}, before its reply to MAIL"),
    ("mail garbage", {"MAIL": "ok"}, "4.4.2",
     "it answered with not a reply of SMTP, before its reply to MAIL"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [row[1:] for row in UNREACHABLE],
    ids=[row[0] for row in UNREACHABLE],
)
def test_not_as_far_as_a_sender(answers: Answers, status: str, words: str) -> None:
    world = World(answers)
    with pytest.raises(Unreachable) as caught:
        world.carry(item())
    assert str(caught.value) == W + words
    assert caught.value.status == status
    world.pass_time(30)
    assert not world.net.wires  # nothing is left open


OK = "250 2.0.0 Taken"
RCPT = "before its reply to RCPT"

CARRIED: list[tuple[str, Answers, list[str], str]] = [
    ("all is well", {}, [f"a sent 2.0.0 {OK}", f"b sent 2.0.0 {OK}"], ""),
    ("no DSN", {"EHLO": PLAIN_HELLO},
     [f"a relayed 2.0.0 {OK}", f"b relayed 2.0.0 {OK}"], ""),
    ("HELO", {"EHLO": "502 5.5.1 What?"},
     [f"a relayed 2.0.0 {OK}", f"b relayed 2.0.0 {OK}"], ""),
    ("many lines", {"text": "250-2.0.0 Taken\n250 2.0.0 as\x07 1"},
     ["a sent 2.0.0 250 2.0.0 Taken as? 1", "b sent 2.0.0 250 2.0.0 Taken as? 1"], ""),
    ("bare code", {"text": "250"}, ["a sent 2.0.0 250", "b sent 2.0.0 250"], ""),
    ("odd line", {"RCPT": "250-\n250-\n250"},
     [f"a sent 2.0.0 {OK}", f"b sent 2.0.0 {OK}"], ""),
    ("sender never", {"MAIL": "550 5.7.1 Not you", "RCPT": "503 No", "DATA": "503 No"},
     ["a failed 5.7.1 550 5.7.1 Not you", "b failed 5.7.1 550 5.7.1 Not you"], ""),
    ("sender later", {"MAIL": "451 4.7.1 Slowly", "RCPT": "503 No", "DATA": "503 No"},
     ["a waiting 4.7.1 451 4.7.1 Slowly", "b waiting 4.7.1 451 4.7.1 Slowly"], "busy"),
    ("sender 421", {"MAIL": f"{BREAK} 421 4.3.2 Bye"},
     ["a waiting 4.3.2 421 4.3.2 Bye", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
    ("sender odd", {"MAIL": "354 Go"},
     ["a waiting 4.5.0 354 Go", "b waiting 4.5.0 354 Go"], ""),
    ("sender never, but DATA", {"MAIL": "550 No", "RCPT": "503 No"},
     ["a failed 5.0.0 550 No", "b failed 5.0.0 550 No"], ""),
    ("one never", {"RCPT": ["250 ok", "550 5.1.1 Who?"]},
     [f"a sent 2.0.0 {OK}", "b failed 5.1.1 550 5.1.1 Who?"], ""),
    ("one later", {"RCPT": ["450 4.2.1 Greylisted", "250 ok"]},
     ["a waiting 4.2.1 450 4.2.1 Greylisted", f"b sent 2.0.0 {OK}"], ""),
    ("all never", {"RCPT": "553 Bad name"},
     ["a failed 5.1.3 553 Bad name", "b failed 5.1.3 553 Bad name"], ""),
    ("all never, no DATA", {"RCPT": "550 No", "DATA": "554 5.5.1 Nobody"},
     ["a failed 5.0.0 550 No", "b failed 5.0.0 550 No"], ""),
    ("odd recipient", {"RCPT": ["333 Hm", "250 ok"]},
     ["a waiting 4.5.0 333 Hm", f"b sent 2.0.0 {OK}"], ""),
    ("rcpt 421", {"RCPT": ["250 ok", f"{BREAK} 421 4.3.2 Bye"]},
     ["a waiting 4.3.2 421 4.3.2 Bye", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
    ("rcpt 421 after no", {"RCPT": ["550 5.1.1 No", f"{BREAK} 421 4.3.2 Bye"]},
     ["a failed 5.1.1 550 5.1.1 No", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
    ("rcpt hang", {"RCPT": ["550 5.1.1 No", HANG]},
     ["a failed 5.1.1 550 5.1.1 No",
      f"b waiting 4.4.2 no reply within 300 s, {RCPT}"], ""),
    ("rcpt drip", {"RCPT": f"{DRIP} 250 this takes longer than anybody has"},
     [f"a waiting 4.4.2 no reply within 300 s, {RCPT}",
      f"b waiting 4.4.2 no reply within 300 s, {RCPT}"], ""),
    ("rcpt cut", {"RCPT": CUT},
     [f"a waiting 4.4.2 {CLOSED}, {RCPT}", f"b waiting 4.4.2 {CLOSED}, {RCPT}"], ""),
    ("data never", {"DATA": "554 5.7.0 No"},
     ["a failed 5.7.0 554 5.7.0 No", "b failed 5.7.0 554 5.7.0 No"], ""),
    ("data later", {"DATA": "451 Later"},
     ["a waiting 4.3.0 451 Later", "b waiting 4.3.0 451 Later"], ""),
    ("data 250", {"DATA": "250 ok"},
     ["a waiting 4.4.2 it answered 250 to DATA, before its reply to DATA",
      "b waiting 4.4.2 it answered 250 to DATA, before its reply to DATA"], ""),
    ("data 421", {"DATA": f"{BREAK} 421 4.3.2 Bye"},
     ["a waiting 4.3.2 421 4.3.2 Bye", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
    ("data hang", {"DATA": HANG},
     ["a waiting 4.4.2 no reply within 120 s, before its reply to DATA",
      "b waiting 4.4.2 no reply within 120 s, before its reply to DATA"], ""),
    ("data cut", {"DATA": CUT},
     [f"a waiting 4.4.2 {CLOSED}, before its reply to DATA",
      f"b waiting 4.4.2 {CLOSED}, before its reply to DATA"], ""),
    ("text never", {"text": "550 5.7.1 Spam"},
     ["a failed 5.7.1 550 5.7.1 Spam", "b failed 5.7.1 550 5.7.1 Spam"], ""),
    ("text full", {"text": "552 Too much"},
     ["a failed 5.2.2 552 Too much", "b failed 5.2.2 552 Too much"], ""),
    ("text later", {"text": "450 4.3.2 Not now"},
     ["a waiting 4.3.2 450 4.3.2 Not now", "b waiting 4.3.2 450 4.3.2 Not now"],
     "busy"),
    ("text 421", {"text": f"{BREAK} 421 4.3.2 Bye"},
     ["a waiting 4.3.2 421 4.3.2 Bye", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
    ("text odd", {"text": "354 More"},
     ["a waiting 4.5.0 354 More", "b waiting 4.5.0 354 More"], ""),
    ("text hang", {"text": HANG},
     ["a waiting 4.4.2 no reply within 600 s, before its reply to the message",
      "b waiting 4.4.2 no reply within 600 s, before its reply to the message"],
     "doubtful"),
    ("250 after a cut", {"text": CUT},
     [f"a waiting 4.4.2 {CLOSED}, before its reply to the message",
      f"b waiting 4.4.2 {CLOSED}, before its reply to the message"], "doubtful"),
    ("text garbage", {"text": "Thanks!"},
     ["a waiting 4.4.2 it answered with not a reply of SMTP, "
      "before its reply to the message",
      "b waiting 4.4.2 it answered with not a reply of SMTP, "
      "before its reply to the message"], "doubtful"),
    ("250, then gone", {"text": f"{BREAK} 250 2.0.0 Taken"},
     [f"a sent 2.0.0 {OK}", f"b sent 2.0.0 {OK}"], ""),
]  # fmt: skip

HOSTS: dict[str, Answers] = {
    "pipelining": {},
    "one by one": {"EHLO": HELLO.replace("250-PIPELINING\n", "")},
    "chunks": {"EHLO": CHUNKING},
}


@pytest.mark.parametrize(
    ("kind", "answers", "reports", "notes"),
    [
        pytest.param(kind, *row[1:], id=f"{row[0]}, {kind}")
        for kind in HOSTS
        for row in CARRIED
        if kind != "chunks" or not row[0].startswith("data")  # it is not said then
    ],
)
def test_outcome(kind: str, answers: Answers, reports: list[str], notes: str) -> None:
    world = World(HOSTS[kind] | answers)
    carried = world.carry(item("a@sink.test", "b@sink.test"))
    assert told(carried) == reports
    found = "busy" * carried.is_busy + "doubtful" * carried.is_doubtful
    assert found == notes
    world.pass_time(30)
    assert not world.net.wires


LMTP_ROWS: list[tuple[str, Answers, list[str], str]] = [
    ("all is well", {}, [f"a sent 2.0.0 {OK}", f"b sent 2.0.0 {OK}"], ""),
    ("each its own", {"text": ["250 2.0.0 ok", "452 4.2.2 Full"]},
     ["a sent 2.0.0 250 2.0.0 ok", "b waiting 4.2.2 452 4.2.2 Full"], ""),
    ("one was refused before", {"RCPT": ["550 5.1.1 No", "250 ok"]},
     ["a failed 5.1.1 550 5.1.1 No", f"b sent 2.0.0 {OK}"], ""),
    ("all refused", {"RCPT": "550 5.1.1 No", "DATA": "503 5.5.1 Nobody"},
     ["a failed 5.1.1 550 5.1.1 No", "b failed 5.1.1 550 5.1.1 No"], ""),
    ("cut between", {"text": ["250 2.0.0 ok", CUT]},
     ["a sent 2.0.0 250 2.0.0 ok",
      f"b waiting 4.4.2 {CLOSED}, before its reply to the message"], "doubtful"),
    ("421 between", {"text": ["250 2.0.0 ok", f"{BREAK} 421 4.3.2 Bye"]},
     ["a sent 2.0.0 250 2.0.0 ok", "b waiting 4.3.2 421 4.3.2 Bye"], "busy"),
]  # fmt: skip


@pytest.mark.parametrize("offers", [HELLO, CHUNKING])
@pytest.mark.parametrize(
    ("answers", "reports", "notes"),
    [row[1:] for row in LMTP_ROWS],
    ids=[row[0] for row in LMTP_ROWS],
)
def test_lmtp(answers: Answers, reports: list[str], notes: str, offers: str) -> None:
    world = World({"LHLO": offers, **answers}, is_lmtp=True)
    carried = world.carry(item("a@sink.test", "b@sink.test"), host=lmtp())
    assert told(carried) == reports
    found = "busy" * carried.is_busy + "doubtful" * carried.is_doubtful
    assert found == notes


SAID = st.one_of(
    st.sampled_from(
        [
            "220 a", "250 ok", "250 2.1.5 ok", "354 go", "334 YQ==", "221 bye",
            "421 4.3.2 bye", "450 later", "550 5.1.1 no", "999 x", "250-a\n250 b",
            CHUNKING, HELLO, PLAIN_HELLO, CUT, HANG, f"{BREAK} 250 ok",
            "250 a\n250 b", "",
        ]
    ),
    st.binary(max_size=40).map(lambda octets: octets.decode("latin-1")),
)  # fmt: skip
VERBS = ("greeting", "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "text",
         "RSET", "QUIT", "STARTTLS")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(VERBS), st.lists(SAID, min_size=1, max_size=3)),
    st.booleans(),
    st.sampled_from([7, 65_536]),
)
def test_whatever_a_host_says(
    answers: dict[str, list[str]], is_lmtp: bool, piece: int
) -> None:
    """Everybody has an outcome, or the host was not reached; nothing stays open."""
    answers.pop("STARTTLS", None)
    world = World({**answers}, RelaySettings(piece=piece), is_lmtp=is_lmtp)
    letter = item("a@sink.test", "b@sink.test", "c@sink.test")
    for _ in range(2):
        found = world.begin(letter, OnDisk(TEXT), lmtp() if is_lmtp else SINK)
        world.pass_time(6000, 100)
        (came,) = found
        if isinstance(came, Failure):
            assert came.check(Unreachable), came
            continue
        assert sorted(each.path.local_part for each in came.reports) == ["a", "b", "c"]
        for each in came.reports:
            assert each.words
            assert each.status[0] == {
                Fate.WAITING: "4", Fate.FAILED: "5",
            }.get(each.fate, "2")  # fmt: skip
    world.pass_time(100, 1)
    assert not world.net.wires
