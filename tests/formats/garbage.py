"""Octets that look like mail and are none, for the properties of this folder."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

anything = settings(max_examples=200, deadline=None)
"""How often a property is tried."""

_FRAGMENTS = [
    *(
        bytes((octet,))
        for octet in b"\r\n\0\t \"\\()<>[]:;@,.=?*'%-/{}aZ09\x7f\x80\xff"
    ),
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"\n\n",
    b"From: ",
    b"To: a@example.org",
    b"Subject: =?utf-8?Q?=C3=A9?= =?iso-8859-1?B?6Q==?=",
    b"Date: Fri, 20 Nov 2026 10:59:57 +0100",
    b"Message-ID: <1@example.org>",
    b"References: <0@example.org> <1@example.org>",
    b"Content-Type: multipart/mixed; boundary=b",
    b'Content-Type: multipart/digest; boundary="b"',
    b"Content-Type: message/rfc822",
    b"Content-Type: text/html; charset*0*=utf-8''%41; charset*1=x",
    b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b'Content-Disposition: attachment; filename="x',
    b"Content-Language: de, en",
    b"Received: from a by b; Fri, 20 Nov 2026 10:59:57 +0100",
    b"\r\n--b\r\n",
    b"\n--b\n",
    b"\r\n--b--\r\n",
    b"<p>&eacute;<!--",
    b"undisclosed-recipients:;",
    b'"Joe" <joe@example.org>, ',
    "Zo\u00eb \u674e".encode(),
    b"=3D=\r\n=E",
    b"aGVsbG8=",
]

octets = st.lists(st.sampled_from(_FRAGMENTS) | st.binary(max_size=8), max_size=40).map(
    b"".join
)
"""Any octets at all, with much of what readers look for."""


def message(*lines: str) -> bytes:
    """Make a message of lines: each gets its CRLF."""
    return "".join(line + "\r\n" for line in lines).encode()
