"""
Puts new words of the pages into the catalogues: ``python -m tests.web.catalogues``.

Words are what stands in ``_()``, ``ngettext()`` and ``{% trans %}`` of templates, and
in ``_()``, ``say()``, ``gettext()`` and ``ngettext()`` of ``mailkit/web``.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
WEB = ROOT / "mailkit" / "web"
LOCALE = WEB / "locale"

_KEYWORDS = {"_": None, "say": None, "gettext": None, "ngettext": (1, 2)}
_NOT_KEPT = tuple(
    f'"{name}'
    for name in (
        "POT-Creation-Date", "PO-Revision-Date", "Report-Msgid", "Last-Translator",
        "Language-Team", "Generated-By", "Project-Id",
    )
)  # fmt: skip
_OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}


def extracted() -> Catalog:
    """All words, and where they stand."""
    catalog = Catalog(project="mailkit", charset="utf-8", fuzzy=False)
    for path in sorted(WEB.rglob("*.html")):
        _add(catalog, "jinja2", path)
    for path in sorted(WEB.rglob("*.py")):
        _add(catalog, "python", path)
    return catalog


def read(path: Path) -> Catalog:
    """One catalogue."""
    locale = path.stem.replace("-", "_")
    return read_po(BytesIO(path.read_bytes()), locale=locale)


def update(path: Path) -> None:
    """Put what is new into a catalogue, and take out what is not used any more."""
    catalog = read(path)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in catalog:
        message.locations = []
    written = BytesIO()
    write_po(written, catalog, width=88, sort_output=True, omit_header=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    # What changes with each run says nothing.
    kept = (line for line in lines if not line.startswith(_NOT_KEPT))
    path.write_text("".join(kept), encoding="utf-8")


def _add(catalog: Catalog, method: str, path: Path) -> None:
    place = str(path.relative_to(ROOT))
    found = extract_from_file(method, path, keywords=_KEYWORDS, options=_OPTIONS)
    for line, message, comments, context in found:
        catalog.add(message, None, [(place, line)], auto_comments=comments,
                    context=context)  # fmt: skip


if __name__ == "__main__":
    for path in sorted(LOCALE.glob("*.po")):
        update(path)
