"""A conversation on paper: all of its words and its pictures, nothing else."""

from __future__ import annotations

from functools import partial

from mailkit.errors import NoSuchMailbox, NoSuchMessage, Unavailable
from mailkit.services.reading.message import Body
from mailkit.services.reading.sheets import Sheet, Words, write_sheets
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.conversation import messages_of, subject_of, viewpoint
from mailkit.web.webmail.documents import shown
from mailkit.web.webmail.messageview import MessageView, Views
from mailkit.web.webmail.rooms import Room

room = Room()

MOST_PRINTED = 100
"""Messages that are printed at once: the newest."""

LARGEST = 20 * 1024 * 1024
"""Characters of them together, from which on older ones are left out."""


@room.get("/mail/<slug:box>/c/<cid>/print")
async def print_page(asked: Asked, box: str, cid: str) -> Answer:
    """
    All of a conversation, for paper.

    Pictures on other servers are shown as the conversation's own page shows them, and
    for messages that are named (``pictures``).
    """
    point = await viewpoint(asked, box)
    summaries = await messages_of(asked, point, cid)
    wanted = frozenset(asked.query.all("pictures"))
    views = Views(asked, "", point.own, point.domains, wanted)
    sheets: list[Sheet] = []
    size = 0
    shows_pictures = False
    for one in reversed(summaries[-MOST_PRINTED:]):
        if size > LARGEST:
            break
        row = views.head(one)
        body, error = None, ""
        try:
            message = await asked.house.reading.open_known(asked.name, one)
            body, shows = await views.body(row, message)
        except (NoSuchMessage, NoSuchMailbox):
            error = asked.say("This message is not there any more.")
        except Unavailable:
            error = asked.say("This message cannot be read just now. Try again.")
        else:
            size += body.size
            shows_pictures = shows_pictures or (shows and body.pictures > 0)
        sheets.insert(0, _sheet(asked, row, body, error))
    left_out = len(summaries) - len(sheets)
    words = Words(
        asked.language.tag,
        asked.language.direction,
        subject_of(summaries) or asked.say("(no subject)"),
        _left_out(asked, left_out) if left_out else "",
        asked.say("Attachments:"),
    )
    document = await asked.house.reading.in_thread(partial(write_sheets, sheets, words))
    return shown(asked, document, shows_pictures=shows_pictures)


def _sheet(asked: Asked, row: MessageView, body: Body | None, error: str) -> Sheet:
    author = row.author
    lines = [
        asked.say("to %(names)s") % {"names": row.to_line},
        asked.dates.long(row.summary.internal_date),
    ]
    if error:
        lines.append(error)
    if body is not None and body.is_cut:
        lines.append(
            asked.say("This message is very long, and only its beginning is shown.")
        )
    return Sheet(
        author.name or author.address,
        author.address if author.name else "",
        tuple(lines),
        body,
        tuple(one.name for one in body.files) if body is not None else (),
    )


def _left_out(asked: Asked, number: int) -> str:
    words = asked.language.words.ngettext(
        "%(num)s earlier message is left out.",
        "%(num)s earlier messages are left out.",
        number,
    )
    return words % {"num": number}
