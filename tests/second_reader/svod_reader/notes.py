"""C2SP signed notes (https://c2sp.org/signed-note), and the participants' cards, which are such notes."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from . import age, ed25519
from .errors import Refused, require
from .names import is_code, is_date


@dataclass(frozen=True)
class VerifierKey:
    """`<name>+<number as 8 hexadecimal digits>+<base64 of 0x01 and the public key>`."""

    name: str
    number: bytes
    public: bytes


def strict_base64(text: str, reason: str) -> bytes:
    """Standard base64 with padding, in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(reason, "not base64") from None
    require(base64.b64encode(data).decode() == text, reason, "base64 not canonical")
    return data


def parse_verifier_key(text: str, reason: str) -> VerifierKey:
    """A C2SP verifier key of the algorithm Ed25519, whose number is checked."""
    parts = text.split("+", 2)
    require(len(parts) == 3 and re.fullmatch("[0-9a-f]{8}", parts[1]), reason, "not a verifier key")
    name, number, data = parts[0], bytes.fromhex(parts[1]), strict_base64(parts[2], reason)
    require(len(data) == 33 and data[0] == 1, reason, "a verifier key of another algorithm")
    expected = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    require(number == expected, reason, "a verifier key with a wrong number")
    return VerifierKey(name, number, data[1:])


def split_note(data: bytes, reason: str) -> tuple[str, str, bytes, bytes]:
    """The text (with its last line feed), and of its one signature: name, key number, the 64 bytes."""
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(reason, "a note that is not UTF-8") from None
    text, blank, signatures = note.rpartition("\n\n")
    found = re.fullmatch(r"— ([^ +\n]+) ([A-Za-z0-9+/=]+)\n", signatures)
    require(blank and found, reason, "not a note with exactly one signature")
    require(not re.search(r"[\x00-\x09\x0b-\x1f]", note), reason, "a note with control characters")
    signature = strict_base64(found[2], reason)
    require(len(signature) == 68, reason, "a signature of another algorithm")
    return text + "\n", found[1], signature[:4], signature[4:]


def verify_note(data: bytes, key: VerifierKey) -> str:
    """The text of a note signed by `key`, or Refused [UNKNOWN_KEY, BAD_SIGNATURE]."""
    text, name, number, signature = split_note(data, "BAD_SIGNATURE")
    require((name, number) == (key.name, key.number), "UNKNOWN_KEY", "signed by another key than that of the sender's card")
    require(ed25519.verify(key.public, text.encode(), signature), "BAD_SIGNATURE", "the signature is wrong")
    return text


@dataclass(frozen=True)
class Card:
    """What a participant tells of itself; the hub's card alone names a certificate authority."""

    code: str
    key: VerifierKey
    age_recipient: bytes
    archive_recipient: bytes
    valid_from: str
    valid_until: str
    fingerprint: str
    is_hub: bool


_CARD = re.compile(
    r"svod\.exchange/card/v1\n"
    r"code: (?P<code>[0-9]{7})\n"
    r"name: (?P<name>[^\n]+)\n"
    r"signing_key: (?P<key>[^\n]+)\n"
    r"age_recipient: (?P<age>age1[^\n]+)\n"
    r"archive_recipient: (?P<archive>age1[^\n]+)\n"
    r"valid_from: (?P<since>[^\n]+)\n"
    r"valid_until: (?P<until>[^\n]+)\n"
    r"(?P<hub>tls_ca:\n-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n)?"
)


def parse_card(data: bytes) -> Card:
    """A card, signed by the key that it tells of. The reason SCHEMA stands for a malformed one."""
    text = split_note(data, "SCHEMA")[0]
    found = _CARD.fullmatch(text)
    require(found and is_code(found["code"]), "SCHEMA", "not a card")
    key = parse_verifier_key(found["key"], "SCHEMA")
    require(key.name == f"svod.exchange/{found['code']}", "SCHEMA", "a card with another participant's key")
    require(is_date(found["since"]) and is_date(found["until"]), "SCHEMA", "a card without its dates")
    verify_note(data, key)
    sealed_to, archive = age.bech32(found["age"], "age"), age.bech32(found["archive"], "age")
    dates = found["since"], found["until"]
    return Card(found["code"], key, sealed_to, archive, *dates, hashlib.sha256(data).hexdigest(), found["hub"] is not None)


def read_trust(paths: list[Path]) -> dict[str, list[Card]]:
    """Cards by participant code, the current one first: of each directory its `<code>.card` files and the superseded
    `<code>_<16 digits of the fingerprint>.card`, or a single card. One participant at most is the hub."""
    cards: dict[str, list[Card]] = {}
    for path in paths:
        for file in sorted(path.glob("*.card"), key=lambda file: ("_" in file.stem, file.name)) if path.is_dir() else [path]:
            card = parse_card(file.read_bytes())
            named = file.stem in (card.code, f"{card.code}_{card.fingerprint[:16]}")
            require(not path.is_dir() or named, "FOREIGN", f"{file.name} is the card of {card.code}")
            known = cards.setdefault(card.code, [])
            if card not in known:
                known.append(card)
    hubs = [code for code, known in cards.items() if any(card.is_hub for card in known)]
    require(len(hubs) <= 1, "FOREIGN", f"cards of several hubs: {', '.join(hubs)}")
    return cards


def verify_by(data: bytes, cards: list[Card]) -> tuple[str, Card]:
    """The text of a note, and the card of the key that signed it."""
    number = split_note(data, "BAD_SIGNATURE")[2]
    card = next((card for card in cards if card.key.number == number), cards[0])
    return verify_note(data, card.key), card
