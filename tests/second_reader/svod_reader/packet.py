"""One packet from its file to its records: every check of FORMAT.md that a file allows, in its order."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from . import age
from .answers import read_answer
from .errors import Refused, require
from .manifest import Manifest, check_name, parse_manifest, signed_text
from .names import NUMBERED, Name, parse_name
from .notes import Card, parse_card, verify_by
from .packet_zip import DEFLATED, STORED, Entry, read_zip, unpack
from .records import Ends, Record, read_records
from .schema import kinds
from .streebog import streebog256


@dataclass(frozen=True)
class Limits:
    """FORMAT.md, «Limits»: the defaults."""

    packet: int = 256 << 20
    member: int = 1 << 30
    total: int = 2 << 30
    ratio: int = 200
    ratio_free: int = 16 << 20
    members: int = 64
    records: int = 2_000_000
    line: int = 1 << 20
    manifest: int = 256 << 10


@dataclass(frozen=True)
class Packet:
    """What a packet says: verified whole, or `refused` with its manifest alone verified."""

    name: Name
    manifest: Manifest
    records: list[Record] = field(default_factory=list)
    answer: dict | None = None
    new_card: Card | None = None
    mirror: list[Record] = field(default_factory=list)
    refused: Refused | None = None


def _open(name: Name, data: bytes, identities: list[bytes]) -> bytes:
    """The ZIP inside the envelope."""
    if not name.sealed:
        return data
    require(identities, "CANNOT_OPEN", "sealed, and no key was given")
    for identity in identities:
        try:
            return age.open_age(data, identity)
        except Refused as refused:
            last = refused
    raise last


def _manifest(name: Name, entries: list[Entry], trust: dict[str, list[Card]], limits: Limits) -> tuple[Manifest, Card]:
    """The manifest, and the card that signed it: its digest by the name, its signature by the sender's card, then its words."""
    require(len(entries) >= 2, "SCHEMA", "ZIP: no manifest and signature")
    *_, manifest, signature = entries
    require((manifest.name, signature.name) == ("manifest.xml", "manifest.sig"), "SCHEMA", "ZIP: the manifest is not at its end")
    require(manifest.method == signature.method == STORED, "CANNOT_OPEN", "ZIP: the manifest and its signature must be stored")
    data = unpack(manifest, limits.manifest)
    digest = hashlib.sha256(data).hexdigest()
    require(name.digest == digest[:16], "BAD_DIGEST", "the name bears the digest of another manifest")
    require(name.sender in trust, "UNKNOWN_KEY", f"no card of {name.sender}")
    text, card = verify_by(unpack(signature, limits.manifest), trust[name.sender])
    require(text == signed_text(name.stem, digest), "BAD_SIGNATURE", "manifest.sig signs something else")
    result = parse_manifest(data, digest)
    check_name(name, result)
    return result, card


def _check_members(manifest: Manifest, entries: list[Entry], limits: Limits) -> None:
    """That the members are exactly those of the manifest, within the limits, and each as it was packed."""
    require(len(manifest.members) <= limits.members, "OVERSIZE", f"more than {limits.members} members")
    stand, said = [e.name for e in entries], [m.name for m in manifest.members]
    require(stand == said, "SCHEMA", "the members are not those of the manifest, in its order")
    if manifest.kind in ("DT", "SN"):
        parts = ("records", "mirror")
        order = {f"{part}/{kind.name}.xml": (at, kind.place) for at, part in enumerate(parts) for kind in kinds().values()}
        places = [order.get(name) for name in said]
        require(None not in places and places == sorted(places), "SCHEMA", "members of unknown kinds, or not in the order of the kinds")
    require(sum(m.size for m in manifest.members) <= limits.total, "OVERSIZE", "all members together are too large")
    require(sum(m.count for m in manifest.members) <= limits.records, "OVERSIZE", f"more than {limits.records} records")
    for member, entry in zip(manifest.members, entries):
        require(entry.method == DEFLATED, "CANNOT_OPEN", f"{member.name}: not deflated")
        require(hashlib.sha256(entry.packed).hexdigest() == member.packed_sha256, "BAD_DIGEST", f"{member.name}: other packed bytes")
        require(entry.size == member.size, "BAD_DIGEST", f"{member.name}: another size than the manifest says")
        require(member.size <= max(limits.ratio_free, limits.ratio * len(entry.packed)), "OVERSIZE", f"{member.name}: more than {limits.ratio} times its packed size")


def _read_card(data: bytes, count: int, old: Card, manifest: Manifest) -> Card:
    """The card of a KY, which must be able to follow that of its sender."""
    require(data.count(b"\n") == count, "BAD_DIGEST", "new.card: another number of lines than the manifest says")
    require(len(data) <= 64 << 10, "SCHEMA", "new.card: more than 64 KiB")
    try:
        new = parse_card(data)
    except Refused as refused:
        raise Refused("SCHEMA", f"new.card: {refused.detail}") from None
    require(new.code == old.code, "SCHEMA", "new.card: of another participant")
    require(new.key != old.key, "SCHEMA", "new.card: the signing key is the old one")
    require(new.is_hub == old.is_hub, "SCHEMA", "new.card: a hub stays a hub, a centre a centre")
    for card in (old, new):
        require(card.valid_from <= manifest.created_at[:10] <= card.valid_until, "SCHEMA", "new.card: not valid on that day")
    return new


def _read_members(manifest: Manifest, entries: list[Entry], signer: Card, hub: str | None, limits: Limits) -> dict:
    """The records and the mirror, the answer, or the card."""
    _check_members(manifest, entries, limits)
    ends = Ends(manifest.to, manifest.sender, signer.key.public, hub)
    records, mirror, answer, card = [], [], None, None
    for member, entry in zip(manifest.members, entries):
        plain = unpack(entry, limits.member)
        require(hashlib.sha256(plain).hexdigest() == member.sha256, "BAD_DIGEST", f"{member.name}: other bytes")
        if member.streebog256 is not None:
            require(streebog256(plain) == member.streebog256, "BAD_DIGEST", f"{member.name}: another Streebog-256")
        if manifest.kind not in NUMBERED:
            answer = read_answer(plain, manifest, member.count)
        elif manifest.kind == "KY":
            card = _read_card(plain, member.count, signer, manifest)
        elif member.name.startswith("mirror/"):
            back = Ends(manifest.sender, manifest.to, b"", None)
            mirror += read_records(member.name.replace("mirror/", "records/"), plain, member.count, back, limits.line)
        else:
            records += read_records(member.name, plain, member.count, ends, limits.line)
    return {"records": records, "answer": answer, "new_card": card, "mirror": mirror}


def read_packet(path: Path, trust: dict[str, list[Card]], identities: list[bytes], limits: Limits = Limits()) -> Packet:
    """A packet, or Refused with the first rule that it breaks. A broken rule of one record refuses that record alone.

    What is refused after its manifest was verified comes back with `refused`: its number is consumed all the same.
    """
    name = parse_name(path.name)
    require(path.stat().st_size <= limits.packet, "OVERSIZE", f"more than {limits.packet} bytes")
    entries = read_zip(_open(name, path.read_bytes(), identities), limits.members + 2)
    manifest, signer = _manifest(name, entries, trust, limits)
    hub = next((code for code, cards in trust.items() if any(card.is_hub for card in cards)), None)
    try:
        return Packet(name, manifest, **_read_members(manifest, entries[:-2], signer, hub, limits))
    except Refused as refused:
        return Packet(name, manifest, refused=refused)
