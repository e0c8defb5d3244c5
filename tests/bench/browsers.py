"""Browsers that cost little: what they ask is what pages and scripts would ask."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
from collections.abc import Mapping
from html import unescape
from urllib.parse import urlencode

from attrs import define, field

from tests.bench.senders import AnswerError

FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Site": "same-origin",
}


@define(eq=False)
class Browser:
    """Somebody's, over one connection that stays open."""

    port: int
    cookies: dict[str, str] = field(factory=dict)
    token: str = field(init=False, default="")
    """Lets it send forms that sort mail."""
    _connection: http.client.HTTPConnection = field(init=False)
    _undo: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("localhost", self.port, 60)

    def sign_in(self, address: str, password: str) -> None:
        """Through the form."""
        page = self.get("/login")
        form = {"username": address, "password": password, "t": _token(page)}
        self._ask("POST", "/login", urlencode(form), FORM, 303)
        page = self.get("/mail/inbox")
        found = re.search('name="csrf-act" content="([^"]+)"', page)
        self.token = unescape(found[1]) if found else ""

    def get(self, path: str, swap: str = "", dest: str = "") -> str:
        """A page, or one element of it as scripts ask for it."""
        headers = {"X-Mailkit-Swap": swap} if swap else {}
        if dest:
            headers |= {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": dest}
        return self._ask("GET", path, "", headers, 200)

    def act(self, **form: str) -> str:
        """Do something with mail, as scripts do; the token that undoes it."""
        words = urlencode({**form, "t": self.token, "quiet": "1"})
        self._ask("POST", "/act", words, FORM, 204)
        return self._undo

    def undo(self, token: str) -> None:
        """The way back."""
        words = urlencode({"t": self.token, "quiet": "1"})
        self._ask("POST", f"/undo/{token}", words, FORM, 204)

    def listen(self) -> socket.socket:
        """A stream of events that is open, and has said hello."""
        connection = socket.create_connection(("localhost", self.port), 60)
        connection.sendall(
            f"GET /events HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Cookie: {self._cookie}\r\nSec-Fetch-Site: same-origin\r\n"
            "Sec-Fetch-Dest: empty\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        heard = b""
        while b"event: hello" not in heard:
            octets = connection.recv(4096)
            if not octets:
                raise AnswerError(f"no stream: {heard[:200]!r}")
            heard += octets
        return connection

    def close(self) -> None:
        """Until it asks for something more."""
        self._connection.close()

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _ask(
        self, verb: str, path: str, body: str, headers: Mapping[str, str], status: int
    ) -> str:
        lines = {"Cookie": self._cookie, "Accept-Encoding": "gzip", **headers}
        self._connection.request(verb, path, body or None, lines)
        answer = self._connection.getresponse()
        octets = answer.read()
        if answer.status != status:
            raise AnswerError(f"{verb} {path}: {answer.status}")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self._undo = answer.headers.get("X-Mailkit-Undo", "")
        if answer.headers.get("Content-Encoding") == "gzip":
            octets = gzip.decompress(octets)
        return octets.decode()


def threads(page: str) -> list[str]:
    """Conversations of a list, as it has them."""
    return re.findall(r'data-c="([^"]+)"', page)


def _token(page: str) -> str:
    found = re.search(r'name="t" value="([^"]+)"', page)
    if found is None:
        raise AnswerError("a form without a token")
    return unescape(found[1])
