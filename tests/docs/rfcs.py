"""The RFC index: what it says, and who cites what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parent.parent.parent
INDEX = ROOT / "docs" / "reference" / "rfcs.toml"
CITATION = re.compile(r"\bRFC (\d{3,5})\b")
LOOSE = re.compile(
    # RFC822 is what IMAP calls some of its items.
    r"\brfc[-_ ]\d{3,5}\b|\bRFC[-_]?(?!822\b)\d{3,5}\b"
    r"|\bRFC \d+,? [Ss]ect|\bRFC \d+ S\."
)
DONE = ("yes", "partial")
STATUSES = (*DONE, "planned", "no", "cited")


@frozen
class Row:
    """One RFC as the index has it."""

    number: int
    title: str
    status: str
    note: str = ""


def rows() -> list[Row]:
    """The index, by number."""
    tree = tomllib.loads(INDEX.read_text(encoding="utf-8"))
    return [Row(**row) for row in tree["rfc"]]


def sources() -> Iterator[Path]:
    """Everything under ``mailkit/``."""
    return iter(sorted((ROOT / "mailkit").rglob("*.py")))


def proofs() -> Iterator[Path]:
    """Tests and transcripts, but not the ones of this folder."""
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix in (".py", ".txt") and "docs" not in path.parts:
            yield path


def citations(paths: Iterator[Path]) -> dict[int, list[str]]:
    """Which files cite each RFC, by their path from the root."""
    found: dict[int, list[str]] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number in sorted({int(number) for number in CITATION.findall(text)}):
            found.setdefault(number, []).append(path.relative_to(ROOT).as_posix())
    return found


def page() -> str:
    """``docs/reference/rfcs.md`` below its title."""
    where = citations(sources())
    lines = ["| RFC | Title | Status | Where | Notes |", "|---|---|---|---|---|"]
    for row in rows():
        link = f"[{row.number}](https://www.rfc-editor.org/rfc/rfc{row.number})"
        files = ", ".join(f"`{room}`" for room in _rooms(where.get(row.number, [])))
        lines.append(f"| {link} | {row.title} | {row.status} | {files} | {row.note} |")
    return "\n".join(lines) + "\n"


def _rooms(files: list[str]) -> list[str]:
    """The rooms that files are in: ``formats``, ``protocols/imap``, ``metrics``."""
    rooms = {"/".join(file.removesuffix(".py").split("/")[1:3]) for file in files}
    folders = {path.name for path in (ROOT / "mailkit").iterdir() if path.is_dir()}
    deep = {"protocols", "services", "storage"}
    return sorted(
        {
            room if room.split("/")[0] in deep else room.split("/")[0]
            for room in rooms
            if room.split("/")[0] in folders or "/" not in room
        }
    )
