"""Members of records and the canonical bytes of their bodies (FORMAT.md, «Members», «Canonical bytes», «Records»)."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from . import ed25519
from .errors import require
from .schema import UUID, Field, Kind, kinds

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_LINE = re.compile(
    rb'<record key="(%b)" version="([1-9][0-9]{0,9})" form="(live|withdrawn|tombstone)"([^>]*)>(.*)</record>' % UUID.encode()
)
_SIGNATURE = re.compile(rb' sig="([A-Za-z0-9+/]{85}[AQgw]==)"')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_TEXT = re.compile(r"(?:[^&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|&amp;|&lt;|&gt;|&#9;|&#10;|&#13;)+")


@dataclass(frozen=True)
class Record:
    """A record as received; `fault` says why it alone is refused, `proven` whether the hub's signature of it is good."""

    kind: str
    key: str
    version: int
    form: str
    sha256: str
    fault: str | None
    proven: bool | None


@dataclass(frozen=True)
class Ends:
    """Between whom a packet went: the receiver, the sender and its public key, and the hub's code if known."""

    to: str
    sender: str
    key: bytes
    hub: str | None


def signed_text(to: str, kind: str, key: str, version: int, form: str, body_hash: str) -> str:
    """What the hub signs of each record that it publishes."""
    return f"svod.exchange/record/v1\n{to}\n{kind}\n{key}\n{version}\n{form}\n{body_hash}\n"


def read_member(kind: str, data: bytes, count: int, line_limit: int) -> Iterator[tuple]:
    """Of each record: key, version, form, what follows the form, body. Refused when the member is malformed."""
    name = f"records/{kind}.xml"
    lines = data.split(b"\n")
    require(max(map(len, lines)) <= line_limit, "OVERSIZE", f"{name}: a line of more than {line_limit} bytes")
    head = [DECLARATION, f'<records kind="{kind}">'.encode()]
    require(lines[:2] == head and lines[-2:] == [b"</records>", b""], "SCHEMA", f"{name}: not framed as a member of records")
    require(len(lines) - 4 == count, "BAD_DIGEST", f"{name}: {len(lines) - 4} records where the manifest says {count}")
    for number, line in enumerate(lines[2:-2], 3):
        found = _LINE.fullmatch(line)
        require(found, "SCHEMA", f"{name}: line {number} is not a record")
        key, version, form, rest, body = found.groups()
        yield key.decode(), int(version), form.decode(), rest, body


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)


def _unescape(text: str) -> str | None:
    """What escaped text says, or None when it is not the canonical way to say it."""
    if not _TEXT.fullmatch(text):
        return None
    said = text
    for plain, escape in reversed(_ESCAPES.items()):
        said = said.replace(escape, plain)
    return said if _escape(said) == text and unicodedata.is_normalized("NFC", said) else None


def _read_fields(fields: tuple[Field, ...], text: str, at: int, values: dict) -> tuple[int, str | None]:
    """Reads fields in their order into `values`: where they end, and the first fault."""
    for field in fields:
        start, end = f"<{field.name}>", f"</{field.name}>"
        if not text.startswith(start, at):
            if field.required:
                return at, f"`{field.name}` is missing or out of order"
            continue
        close = text.find("</", at)
        said = _unescape(text[at + len(start) : close]) if close > 0 else None
        if said is None or not text.startswith(end, close):
            return at, f"`{field.name}` is not canonical text"
        if not field.holds(said):
            return at, f"`{field.name}` is not {field.type}"
        values[field.name] = said
        at = close + len(end)
    return at, None


def check_body(kind: Kind, body: str) -> str | None:
    """Why a body is not the canonical bytes of a record of its kind, or None when it is."""
    start, end = f"<{kind.name}>", f"</{kind.name}>"
    if not (body.startswith(start) and body.endswith(end)):
        return "not one element named after the kind"
    at, fault = _read_fields(kind.fields, body, len(start), {})
    last = -1
    while fault is None and kind.line_fields and body.startswith("<line>", at):
        line = {}
        at, fault = _read_fields(kind.line_fields, body, at + 6, line)
        if fault is None and not body.startswith("</line>", at):
            fault = "an unknown field, or one out of order, in a line"
        if fault is None and int(line["no"]) <= last:
            fault = "lines out of order"
        at, last = at + 7, int(line.get("no", last))
    if fault is None and at != len(body) - len(end):
        fault = "an unknown field, or one out of order"
    return fault


def _owner_fault(kind: Kind, sender: str, to: str, hub: str | None) -> str | None:
    """Whether the sender owns records of this kind; where the hub is not known, nothing is said."""
    either = kind.owner.startswith("its author")
    owns = either or (kind.owner != "the centre" if sender == hub else kind.owner == "the centre")
    if hub is not None and not owns or kind.owner == "the hub, to itself" and sender != to:
        return f"NOT_OWNER: {kind.name} is owned by {kind.owner}"
    return None


def _body_fault(kind: Kind, form: str, body: bytes) -> str | None:
    """Why a record's body is not what its form and kind ask for."""
    if form == "tombstone" or not body:
        return None if form == "tombstone" and not body else "a tombstone with a body, or another form without"
    try:
        return check_body(kind, body.decode("utf-8"))
    except UnicodeDecodeError:
        return "a body that is not UTF-8"


def read_records(member: str, data: bytes, count: int, ends: Ends, line_limit: int) -> list[Record]:
    """The records of a member, each hashed, checked against its table and against the hub's signature."""
    found = re.fullmatch("records/([a-z_]+)\\.xml", member)
    require(found and found[1] in kinds(), "SCHEMA", f"{member}: no such member")
    kind, records = kinds()[found[1]], []
    for key, version, form, rest, body in read_member(kind.name, data, count, line_limit):
        digest, signature = hashlib.sha256(body).hexdigest(), _SIGNATURE.fullmatch(rest)
        fault, proven = _body_fault(kind, form, body), None
        if rest and not signature:
            fault = fault or "what follows the form is no signature"
        elif kind.owner == "the hub" or kind.owner.startswith("its author") and ends.sender == ends.hub:
            text = signed_text(ends.to, kind.name, key, version, form, digest).encode()
            proven = signature is not None and ed25519.verify(ends.key, text, base64.b64decode(signature[1]))
            fault = fault or (None if proven else "the hub's signature of the record is missing or wrong")
        fault = _owner_fault(kind, ends.sender, ends.to, ends.hub) or (fault and f"INVALID: {fault}")
        records.append(Record(kind.name, key, version, form, digest, fault, proven))
    return records
