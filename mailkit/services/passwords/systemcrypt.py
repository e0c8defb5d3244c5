"""The C library's ``crypt``, for hashes that only it knows (yescrypt, DES …)."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable

_Crypt = Callable[[bytes, bytes, object, int], bytes | None]


class SystemCrypt:
    """
    Asks the system's ``crypt_rn``; where there is none, it knows no hash at all.

    Safe in threads; the GIL is released meanwhile.
    """

    def __init__(self, name: str | None = ctypes.util.find_library("crypt")) -> None:
        self._crypt: _Crypt | None = None
        if name is None:
            return
        try:
            function = ctypes.CDLL(name).crypt_rn
        except (OSError, AttributeError):
            return
        function.restype = ctypes.c_char_p
        function.argtypes = [
            ctypes.c_char_p,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_int,
        ]
        self._crypt = function

    def crypt(self, password: bytes, kept: str) -> str | None:
        """What ``kept`` is if that is the password; ``None``: it is not known here."""
        if self._crypt is None or b"\0" in password:
            return None
        # struct crypt_data of libxcrypt; too small a room makes it answer NULL.
        room = ctypes.create_string_buffer(32768)
        answer = self._crypt(password, kept.encode(), room, len(room))
        # A text that begins with * says that the hash is not known.
        if answer is None or answer.startswith(b"*"):
            return None
        return answer.decode("ascii", "replace")
