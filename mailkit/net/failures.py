"""Why there is no connection, in words."""

from __future__ import annotations

import os


def words_of(error: BaseException) -> str:
    """What the system says of an error, once: ``connection refused``."""
    said = getattr(error, "osError", None)
    number = said if isinstance(said, int) else getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        words = os.strerror(number)
    else:
        words = getattr(said or error, "strerror", None) or " ".join(str(error).split())
    words = words.rstrip(".") or type(error).__name__
    return f"{words[0].lower()}{words[1:]}"
