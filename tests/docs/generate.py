"""Writes the generated pages: ``python -m tests.docs.generate``.

`tests.docs.test_generated` says whether they are current.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import click
from zope.interface import Attribute, Interface
from zope.interface.interface import InterfaceClass, Method

import mailkit.interfaces
from mailkit.app.cli.late import LateGroup
from mailkit.app.cli.main import mailkit as mailkit_command
from mailkit.app.find import TRY_IT
from mailkit.app.settings import Settings
from mailkit.app.tryit import DOMAIN, SCREEN
from mailkit.config.reference import describe, markdown
from mailkit.formats.received import HOPS
from mailkit.formats.validation import CHECKS
from mailkit.metrics import TABLE
from tests.docs import rfcs

FOLDER = rfcs.ROOT / "docs" / "reference"
NOTICE = "<!-- Written by `python -m tests.docs.generate`; change its sources. -->"


def config_page() -> str:
    """All settings, from their classes."""
    words = (
        "`mailkit.toml` is looked for as `--config FILE`, `$MAILKIT_CONFIG`, "
        "`./mailkit.toml`, `/etc/mailkit/mailkit.toml`. Every setting can be given as "
        "an environment variable too, its value written as in the file, a bare word "
        "being a text. `mailkit config check` says whether a file is good."
    )
    tables = describe(Settings)
    return f"{words}\n\n{tables[0].meaning}\n\n{markdown(tables)}"


def metrics_page() -> str:
    """All metrics, from their table."""
    lines = [
        "`[listen] metrics` serves `/metrics` for Prometheus (with several workers the "
        "sums of all), and `/healthz`, which answers 200 or, while there should be no "
        "new work, 503.",
        "",
        "| Name | Kind | Labels | Meaning |",
        "|---|---|---|---|",
    ]
    for row in TABLE:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """The command, from what it says about itself."""
    context = click.Context(mailkit_command, info_name="mailkit")
    return "\n".join(_command(context))


def _command(context: click.Context) -> list[str]:
    command = context.command
    lines = [f"## `{context.command_path}`", "", f"    {_usage(context)}", ""]
    lines += [inspect.cleandoc(command.help or ""), ""]
    options = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context))
        and record[1]
        and "--help" not in record[0]
    ]
    lines += [f"* `{names}`: {words}" for names, words in options]
    lines += [""] if options else []
    if isinstance(command, click.Group):
        for name in _names(command):
            below = command.get_command(context, name)
            assert below is not None
            inner = click.Context(below, parent=context, info_name=name)
            lines += _command(inner)
    return lines


def _names(group: click.Group) -> list[str]:
    """As they were written; click itself sorts them."""
    return [*group.commands, *(group.late if isinstance(group, LateGroup) else ())]


def _usage(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    return " ".join([context.command_path, *pieces])


def interfaces_page() -> str:
    """All seams, from `mailkit.interfaces`."""
    lines: list[str] = []
    for module in pkgutil.iter_modules(mailkit.interfaces.__path__):
        room = importlib.import_module(f"mailkit.interfaces.{module.name}")
        lines += [f"## `{room.__name__}`", "", inspect.getdoc(room) or "", ""]
        for interface in vars(room).values():
            if _is_seam(interface, room.__name__):
                lines += _interface(interface)
    return "\n".join(lines)


def headers_page() -> str:
    """What is wrong with a header, and what is done about it."""
    lines = [
        "What is looked for in the header of each message, and what becomes of it. "
        "*Refuse*: 554 5.6.0 with these words (550 5.6.7 where SMTPUTF8 is missing). "
        "*Repair*: mended as RFC 6409 §8 allows: Date and Message-ID are added, Bcc "
        "and Resent-Bcc taken out. *Note*: kept as it is; `mailkit trace` names it.",
        "",
        "| Check | What it finds | By submission | On port 25, by LMTP |",
        "|---|---|---|---|",
    ]
    for check in CHECKS:
        lines.append(
            f"| `{check.name}` | {check.text} | {check.submission.value} "
            f"| {check.arrival.value} |"
        )
    lines += [
        "",
        "On port 25, Authentication-Results fields in this server's name, and fields "
        "whose names begin with X-Spam, are taken out: nobody but us may write them "
        "(RFC 8601 §5). Of submissions each mailbox in From, or in the newest "
        "Resent-From, has to be the sender's: by account, alias, catch-all or grant. "
        f"{HOPS} Received fields, or the Delivered-To that is about to be written, are "
        "a loop: 554 5.4.6.",
    ]
    return "\n".join(lines)


def _is_seam(thing: object, module: str) -> bool:
    return (
        isinstance(thing, InterfaceClass)
        and thing is not Interface
        and thing.__module__ == module
    )


def _interface(interface: InterfaceClass) -> list[str]:
    lines = [f"### `{interface.__name__}`", "", _doc(interface.__doc__), ""]
    for name, thing in interface.namesAndDescriptions():
        if isinstance(thing, Method):
            lines += [f"* `{name}{thing.getSignatureString()}`", ""]
        elif isinstance(thing, Attribute):
            lines += [f"* `{name}`", ""]
        words = _doc(thing.__doc__)
        if words:
            lines += [*(f"  {line}".rstrip() for line in words.split("\n")), ""]
    return lines


def _doc(text: str | None) -> str:
    return inspect.cleandoc(text or "")


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "cli.md": ("The mailkit command", cli_page),
    "config.md": ("Settings", config_page),
    "headers.md": ("Headers", headers_page),
    "interfaces.md": ("Interfaces", interfaces_page),
    "metrics.md": ("Metrics", metrics_page),
    "rfcs.md": ("RFCs", rfcs.page),
}


def screen_picture() -> str:
    """What the first start shows, as a picture for the README."""
    ports = {
        service: re.findall(r"tcp:(\d+)", " ".join(endpoints))[0]
        for service, endpoints in tomllib.loads(TRY_IT)["listen"].items()
    }
    text = SCREEN.format(
        domain=DOMAIN,
        folder="mailkit-data",
        certificate="mailkit-data/tls/certificate.pem",
        alice="k7pq-x2mv-nd8s-hw3z",
        bob="w9tn-4rbe-c6ug-yjm2",
        **ports,
    )
    lines = ["$ .venv/bin/twistd -n mailkit", *text.strip().splitlines()]
    height = 20 * len(lines) + 32
    rows = "".join(
        f'<text x="20" y="{36 + 20 * row}" xml:space="preserve">{escape(line)}</text>\n'
        for row, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" '
        f'viewBox="0 0 760 {height}" role="img" aria-label="the first start">\n'
        '<rect width="100%" height="100%" rx="8" fill="#1e2430"/>\n'
        '<g fill="#e6e9ef" font-size="14" '
        'font-family="ui-monospace, DejaVu Sans Mono, Menlo, monospace">\n'
        f"{rows}</g>\n</svg>\n"
    )


def pages() -> dict[Path, str]:
    """Every generated page with what it has to say."""
    return {rfcs.ROOT / "docs" / "try-it.svg": screen_picture()} | {
        FOLDER / name: f"# {title}\n\n{NOTICE}\n\n{make().strip()}\n"
        for name, (title, make) in PAGES.items()
    }


def main() -> None:
    """Write what is not current."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
