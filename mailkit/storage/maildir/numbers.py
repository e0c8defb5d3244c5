"""The small files that hold what no index may lose: UIDs, MODSEQs, keywords."""

from __future__ import annotations

from hashlib import blake2b

from attrs import evolve, frozen

from mailkit.errors import StorageBroken
from mailkit.model.address import AccountName
from mailkit.storage.safefile import Files

UID_FILE = "mailkit-uid"
MOD_SEQ_FILE = "mailkit-modseq"
KEYWORD_FILE = "mailkit-keywords"

UID_STEP = 1024
"""By how much the mark above all UIDs is raised at a time."""

MOD_SEQ_AHEAD = 3600 * 1_000_000
"""By how much the MODSEQ floor is ahead of need: an hour."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@frozen
class UIDFile:
    """``mailkit-uid``: who the mailbox is, and a mark above every UID given out."""

    uid_validity: int
    mailbox_id: str
    mark: int = 1

    @classmethod
    def new(cls, account: AccountName, uid_validity: int) -> UIDFile:
        """Of a mailbox that is made now; its id follows from its UIDVALIDITY."""
        seed = f"{account}/{uid_validity}".encode()
        return cls(uid_validity, "F" + blake2b(seed, digest_size=8).hexdigest())

    @classmethod
    def read(cls, folder: str) -> UIDFile | None:
        """
        Of the mailbox in ``folder``; ``None`` if it has none yet.

        :raises StorageBroken: if there is one that is not ours.
        """
        try:
            with open(f"{folder}/{UID_FILE}", encoding="ascii") as file:
                text = file.read(200)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise StorageBroken(f"{folder}/{UID_FILE} is damaged") from None
        words = text.split()
        match words:
            case ["1", uid_validity, mailbox_id, mark] if (
                uid_validity.isdigit() and mark.isdigit()
            ):
                return cls(int(uid_validity), mailbox_id, int(mark))
        raise StorageBroken(f"{folder}/{UID_FILE} is damaged")

    def write(self, files: Files, folder: str) -> None:
        """Keep it durably."""
        text = f"1 {self.uid_validity} {self.mailbox_id} {self.mark}\n"
        files.replace(f"{folder}/{UID_FILE}", text.encode())

    def raised(self, above: int) -> UIDFile:
        """With a mark that leaves room above UID ``above - 1``."""
        return evolve(self, mark=max(self.mark, above) + UID_STEP)


def read_mod_seq_floor(maildir: str) -> int:
    """
    The MODSEQ that none was given above; 0 for a new account.

    :raises StorageBroken: if the file is not ours.
    """
    try:
        with open(f"{maildir}/{MOD_SEQ_FILE}", "rb") as file:
            text = file.read(40)
    except FileNotFoundError:
        return 0
    if not text.strip().isdigit():
        raise StorageBroken(f"{maildir}/{MOD_SEQ_FILE} is damaged")
    return int(text)


def write_mod_seq_floor(files: Files, maildir: str, floor: int) -> None:
    """Keep it durably."""
    files.replace(f"{maildir}/{MOD_SEQ_FILE}", b"%d\n" % floor)


def read_keywords(folder: str) -> dict[str, str]:
    """Letter → keyword of one mailbox; lines that are not ours are passed over."""
    try:
        with open(f"{folder}/{KEYWORD_FILE}", encoding="utf-8", errors="replace") as f:
            lines = f.read(1 << 20).splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        letter, _, keyword = line.partition(" ")
        if letter in LETTERS and len(letter) == 1 and keyword:
            found.setdefault(letter, keyword)
    return found


def write_keywords(files: Files, folder: str, keywords: dict[str, str]) -> None:
    """Keep them durably, before a name carries a new one's letter."""
    text = "".join(f"{letter} {keyword}\n" for letter, keyword in keywords.items())
    files.replace(f"{folder}/{KEYWORD_FILE}", text.encode())
