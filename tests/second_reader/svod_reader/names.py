"""Participant codes and names of packets (FORMAT.md, «Participants» and «Names»)."""

import datetime
import re
from dataclasses import dataclass

from .errors import require

NUMBERED = ("DT", "SN", "KY")
ANSWERS = ("KV", "PR")
KINDS = NUMBERED + ANSWERS + ("RQ",)
_NAME = re.compile(
    rf"SVOD1_({'|'.join(KINDS)})_([0-9]{{7}})_([0-9]{{7}})_([0-9]{{4}})_([0-9]{{8}})_([0-9]{{8}})_([0-9A-F]{{16}})\.zip(\.age)?"
)


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = 2 * total % 11
    return str((11 - product) % 10)


def is_code(text: str) -> bool:
    """A participant code: seven digits, the last one the check digit."""
    return re.fullmatch("[0-9]{7}", text) is not None and check_digit(text[:6]) == text[6]


def is_date(text: str) -> bool:
    """A day of the calendar as YYYY-MM-DD."""
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Name:
    """The parts of a packet's name; `digest` is its sixteen digits, in lower case."""

    kind: str
    to: str
    sender: str
    epoch: int
    seq: int
    date: str
    digest: str
    sealed: bool
    stem: str


def parse_name(text: str) -> Name:
    """The parts of a name, or Refused [BAD_NAME]."""
    found = _NAME.fullmatch(text)
    require(found and len(text) <= 80, "BAD_NAME", "not of the form SVOD1_kind_to_from_epoch_seq_date_digest.zip[.age]")
    kind, to, sender, epoch, seq, date, digest, age = found.groups()
    require(is_code(to), "BAD_NAME", "`to` has a wrong check digit")
    require(is_code(sender), "BAD_NAME", "`from` has a wrong check digit")
    require(int(epoch) > 0, "BAD_NAME", "epoch 0000")
    require(int(seq) > 0, "BAD_NAME", "seq 00000000")
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    require(is_date(day), "BAD_NAME", "no such date")
    return Name(kind, to, sender, int(epoch), int(seq), day, digest.lower(), age is not None, text.partition(".")[0])


def is_instant(text: str, fractions: bool = True) -> bool:
    """An instant in UTC: RFC 3339 with `Z`; fractions of a second have up to nine digits and do not end in a zero."""
    found = re.fullmatch(r"([0-9-]{10})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{0,8}[1-9])?Z", text)
    return found is not None and is_date(found[1]) and (fractions or found[3] is None)
