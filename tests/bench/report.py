"""What was measured, beside what it should have been."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen


@frozen
class Aim:
    """What mailkit wants to reach in one row of the table."""

    times: float | None = None
    """As many times as good as Postfix and Dovecot."""
    at_most: float | None = None
    """In the unit of the row; of a rate, ``at_least`` instead."""
    at_least: float | None = None
    cpu: float | None = None
    """Milliseconds of the server's CPU for one message."""


@frozen
class Row:
    """One kind of work."""

    title: str
    unit: str
    aim: Aim = Aim()

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")


@frozen
class Figure:
    """What one server reached in one row."""

    value: float | None
    """``None``: it failed, and ``note`` says why."""
    cpu: float | None = None
    """Milliseconds of the server's CPU for one piece of the work."""
    note: str = ""


@define(eq=False)
class Report:
    """All figures of a run, by row and by server."""

    versions: dict[str, str] = field(factory=dict)
    rows: dict[str, Row] = field(factory=dict)
    figures: dict[str, dict[str, Figure]] = field(factory=dict)
    more: dict[str, Any] = field(factory=dict)
    """Facts that are no row: the turns of the reactor, counted syncs."""

    def add(self, server: str, row: Row, figure: Figure) -> None:
        """Take a figure and say it."""
        self.rows[row.title] = row
        self.figures.setdefault(row.title, {})[server] = figure
        said = "failed" if figure.value is None else f"{figure.value:,.2f} {row.unit}"
        cpu = "" if figure.cpu is None else f", {figure.cpu:.3f} ms CPU each"
        print(f"  {server}: {row.title}: {said}{cpu} {figure.note}", flush=True)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {
                    "versions": self.versions,
                    "rows": {
                        title: {
                            "unit": row.unit,
                            "aim": asdict(row.aim),
                            "figures": {
                                server: asdict(figure)
                                for server, figure in self.figures[title].items()
                            },
                        }
                        for title, row in self.rows.items()
                    },
                    "more": self.more,
                },
                indent=1,
            )
        )

    def table(self, ours: str = "mailkit") -> str:
        """For a terminal: every server a column, ours last with its ratios."""
        others = [name for name in self.versions if name != ours]
        widths = [12] * len(others)
        heads = [f"{name:>{width}}" for name, width in zip(others, widths, strict=True)]
        lines = [
            f"{'':46}{'':7}{''.join(heads)}{ours:>12}{'times':>14}{'CPU ms':>9}  aim"
        ]
        for title, row in self.rows.items():
            figures = self.figures[title]
            cells = [f"{_said(figures.get(name)):>12}" for name in others]
            own = figures.get(ours)
            ratios = [_ratio(row, own, figures.get(name)) for name in others]
            times = " / ".join("-" if r is None else f"{r:.1f}" for r in ratios)
            cpu = "" if own is None or own.cpu is None else f"{own.cpu:.2f}"
            lines.append(
                f"{title:46}{row.unit:>7}{''.join(cells)}{_said(own):>12}"
                f"{times:>14}{cpu:>9}  {_verdict(row, own, ratios)}"
            )
        return "\n".join(lines)


def _said(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    if figure.value is None:
        return "failed"
    return f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.2f}"


def _ratio(row: Row, own: Figure | None, other: Figure | None) -> float | None:
    if own is None or other is None or not own.value or not other.value:
        return None
    return own.value / other.value if row.is_rate else other.value / own.value


def _verdict(row: Row, own: Figure | None, ratios: list[float | None]) -> str:
    """The aim, and ``SHORT`` where it was missed against the better of the others."""
    aim, words, is_met = row.aim, [], True
    known = [ratio for ratio in ratios if ratio is not None]
    value = None if own is None else own.value
    if aim.times is not None:
        words.append(f"{aim.times:g} times")
        is_met &= not known or min(known) >= aim.times
    if aim.at_most is not None:
        words.append(f"<= {aim.at_most:g} {row.unit}")
        is_met &= value is None or value <= aim.at_most
    if aim.at_least is not None:
        words.append(f">= {aim.at_least:g} {row.unit}")
        is_met &= value is None or value >= aim.at_least
    if aim.cpu is not None:
        words.append(f"<= {aim.cpu:g} ms CPU")
        is_met &= own is None or own.cpu is None or own.cpu <= aim.cpu
    if own is not None and own.value is None:
        is_met = False
    text = ", ".join(words)
    return text if is_met or own is None else f"{text}  SHORT {own.note}".rstrip()
