"""Records by columns are a sequence of records."""

from __future__ import annotations

from mailkit.model.mailbox import MessageRecord, Records

ONE = MessageRecord(1, 7, frozenset({"a"}), 9, 8, 0, "M", "T", b"e", b"", b"", b"", b"")
TWO = ONE._replace(uid=2, size=10)


def test_what_went_in_comes_out() -> None:
    records = Records.of([ONE, TWO])
    assert records == [ONE, TWO]
    assert records != [ONE] and records != 5
    assert list(records) == [ONE, TWO]
    assert (records[0], records[-1], records[1:]) == (ONE, TWO, [TWO])
    assert len(records) == 2
    assert Records.of([]) == []


def test_columns_are_made_once_and_only_if_asked_for() -> None:
    made: list[str] = []

    def make(name: str) -> list[int]:
        made.append(name)
        return [4, 5]

    records = Records(2, {"uid": lambda: make("uid"), "size": lambda: make("size")})
    assert records.column("uid") == records.column("uid") == [4, 5]
    assert made == ["uid"]
    assert records.column("envelope") == [b"", b""]
    assert records.column("flags") == [frozenset()] * 2
    assert records.decimals("size") == [b"4", b"5"]


def test_numbers_that_are_text_are_not_read_to_be_written() -> None:
    records = Records(1, {"uid": lambda: [1 // 0]}, {"uid": lambda: [b"12"]})
    assert records.decimals("uid") == [b"12"]
