"""The tables of records, read from FORMAT.md itself: this reader knows no field that the document does not name."""

import base64
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from .names import is_date, is_instant

FORMAT = Path(__file__).resolve().parents[3] / "docs" / "FORMAT.md"
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def is_record_id(text: str) -> bool:
    """A lower-case hyphenated UUID: a reader does not judge its version bits."""
    return re.fullmatch(UUID, text) is not None


def is_snils(text: str) -> bool:
    """Eleven digits, of which the last two check the first nine when the number is above 001-001-998."""
    if not re.fullmatch("[0-9]{11}", text) or not int(text):
        return False
    number, total = int(text[:9]), sum(int(digit) * (9 - i) for i, digit in enumerate(text[:9]))
    return number <= 1001998 or total % 101 % 100 == int(text[9:])


def is_base64(text: str, most: int) -> bool:
    """Base64 with padding of at most so many bytes."""
    try:
        return len(base64.b64decode(text, validate=True)) <= most
    except ValueError:
        return False


@dataclass(frozen=True)
class Field:
    """A field, or a field of a line."""

    name: str
    required: bool
    type: str
    words: tuple

    def holds(self, value: str) -> bool:
        """Whether a value is of the field's type."""
        word, _, limit = self.type.partition(" ")
        match word:
            case "text":
                return 0 < len(value) <= int(limit)
            case "token":
                return re.fullmatch("[a-z0-9_.-]{1,60}", value) is not None
            case "code":
                return value in self.words
            case "codes":
                return all(part in self.words for part in value.split(" "))
            case "date":
                return is_date(value)
            case "instant":
                return is_instant(value)
            case "whole":
                return re.fullmatch("0|[1-9][0-9]{0,18}", value) is not None and int(value) <= int(limit)
            case "flag":
                return value in ("0", "1")
            case "СНИЛС":
                return is_snils(value)
            case "digest":
                return re.fullmatch("[0-9a-f]{64}", value) is not None
            case "base64":
                return is_base64(value, int(limit))
            case "id" | "ref":
                return is_record_id(value)
            case "ids":
                ids = value.split(" ")
                return len(ids) <= int(limit) and all(is_record_id(one) for one in ids)
        raise ValueError(f"FORMAT.md names a type that this reader does not know: {self.type}")


@dataclass(frozen=True)
class Kind:
    """A kind of record: its place in the order of the kinds, its owner, its fields in order."""

    name: str
    place: int
    owner: str
    fields: tuple
    line_fields: tuple


def _fields(section: str, of_line: bool) -> tuple:
    rows = re.findall(r"^\| (line: )?(\*\*)?([a-z0-9_]+)(?:\*\*)? \| (.+) \|$", section, re.MULTILINE)
    rows = [row for row in rows if row[3] != "type" and bool(row[0]) == of_line]
    return tuple(
        Field(name, bool(bold), kind.partition(" `")[0], tuple(re.findall("`([^`]+)`", kind))) for _, bold, name, kind in rows
    )


@functools.cache
def kinds() -> dict[str, Kind]:
    """All kinds of records by name, in the order of FORMAT.md."""
    text = FORMAT.read_text("utf-8")
    generated = text[text.index("<!-- records:") : text.index("<!-- /records -->")]
    result = {}
    for place, section in enumerate(re.split(r"^### ", generated, flags=re.MULTILINE)[1:]):
        name = re.match("`([a-z_]+)`", section)[1]
        owner = re.search(r"^Owner: ([^.]+)\.", section, re.MULTILINE)[1]
        kind = Kind(name, place, owner, _fields(section, False), _fields(section, True))
        for each in kind.fields + kind.line_fields:
            each.holds("0")
        result[name] = kind
    return result
