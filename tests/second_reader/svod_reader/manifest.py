"""`manifest.xml` and `manifest.sig` (FORMAT.md, «Manifest» and «Packet»).

The manifest has one form: what the expression below does not match as a whole is not canonical. Format 1 alone is
read: this reader is declared to read no newer one.
"""

import re
from dataclasses import dataclass, field

from .errors import Refused, require
from .names import ANSWERS, NUMBERED, Name, is_code, is_date, is_instant

DIGEST = "[0-9a-f]{64}"
NUMBER = "[1-9][0-9]{0,8}"
COUNT = "0|[1-9][0-9]{0,15}"
MARK = rf'epoch="({NUMBER})" seq="({NUMBER})" digest="({DIGEST})"'
TEXT = r"(?:[^&<>\n]|&amp;|&lt;|&gt;|&#10;)+"
_MANIFEST = re.compile(
    '<\\?xml version="1.0" encoding="UTF-8"\\?>\n'
    '<manifest format="1" reads="(?P<reads>[1-9][0-9]{0,3})">'
    "<kind>(?P<kind>[A-Z]{2})</kind><to>(?P<to>[0-9]{7})</to><from>(?P<sender>[0-9]{7})</from>"
    f"<epoch>(?P<epoch>{NUMBER})</epoch><seq>(?P<seq>{NUMBER})</seq><date>(?P<date>[0-9-]{{10}})</date>"
    f"(?:<previous>(?P<previous>{DIGEST})</previous>)?"
    f"<created_at>(?P<created_at>[^<]+)</created_at><producer>(?P<producer>{TEXT})</producer>"
    "<nonce>(?P<nonce>[0-9a-f]{32})</nonce>"
    '(?:<snapshot reason="(?P<reason>initial|requested|recovered)"'
    f'(?: request="(?P<request>[0-9a-f]{{32}})")?(?: compared="(?P<compared>{DIGEST})")?'
    f'(?P<unconfirmed> unconfirmed="true")? part="(?P<part>{NUMBER})" of="(?P<of>{NUMBER})"/>)?'
    f'(?:<answered digest="(?P<answered>{DIGEST})"(?: revision="(?P<revision>{NUMBER})")?/>)?'
    f"(?:<ack {MARK}/>)?(?:<echo {MARK}/>)?"
    f"(?:<state_digest>(?P<state_digest>{DIGEST})</state_digest>)?"
    f"(?:<checkpoint>{TEXT}</checkpoint>)?(?:<proof>{TEXT}</proof>)?(?:<cosignature>{TEXT}</cosignature>)?"
    "<members>(?P<members>.*)</members></manifest>\n"
)
_MEMBER = re.compile(
    f'<member name="([a-z0-9_./]+)" count="({COUNT})" size="({COUNT})" sha256="({DIGEST})" packed_sha256="({DIGEST})"'
    f'(?: streebog256="({DIGEST})")?/>'
)


@dataclass(frozen=True)
class Member:
    """What the manifest says of a member."""

    name: str
    count: int
    size: int
    sha256: str
    packed_sha256: str
    streebog256: str | None


@dataclass(frozen=True)
class Manifest:
    """The parts that a reader of files needs; `digest` is the packet's identity."""

    digest: str
    kind: str
    to: str
    sender: str
    epoch: int
    seq: int
    date: str
    previous: str | None
    created_at: str
    producer: str
    nonce: str
    snapshot: dict | None
    answered: dict | None
    ack: dict | None
    echo: dict | None
    state_digest: str | None
    members: list[Member] = field(default_factory=list)


def _mark(groups: tuple) -> dict | None:
    if groups[0] is None:
        return None
    return {"epoch": int(groups[0]), "seq": int(groups[1]), "digest": groups[2]}


def _members(text: str) -> list[Member]:
    members, at = [], 0
    while at < len(text):
        found = _MEMBER.match(text, at)
        require(found, "SCHEMA", f"manifest.xml: member {len(members) + 1} is not canonical")
        members.append(Member(found[1], int(found[2]), int(found[3]), found[4], found[5], found[6]))
        at = found.end()
    require(len({m.name for m in members}) == len(members), "SCHEMA", "manifest.xml: a member named twice")
    return members


def parse_manifest(data: bytes, digest: str) -> Manifest:
    """The manifest, or Refused [SCHEMA] when its bytes are not the canonical ones of format 1."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("SCHEMA", "manifest.xml: not UTF-8") from None
    version = re.match(r'<\?xml [^\n]*\n<manifest format="([0-9]+)"', text)
    require(not version or version[1] == "1", "SCHEMA", "manifest.xml: of a format that this reader does not read")
    found = _MANIFEST.fullmatch(text)
    require(found, "SCHEMA", "manifest.xml: not canonical")
    require(is_code(found["to"]) and is_code(found["sender"]), "SCHEMA", "manifest.xml: a wrong participant code")
    require(is_date(found["date"]) and is_instant(found["created_at"], fractions=False), "SCHEMA", "manifest.xml: a wrong date or instant")
    marks = found.groups()[_MANIFEST.groupindex["revision"] : _MANIFEST.groupindex["state_digest"] - 1]
    snapshot = {key: found[key] for key in ("reason", "request", "compared") if found[key]} if found["part"] else None
    if snapshot is not None:
        snapshot |= {"unconfirmed": found["unconfirmed"] is not None, "part": int(found["part"]), "of": int(found["of"])}
    answered = {"digest": found["answered"]} if found["answered"] else None
    if answered is not None and found["revision"]:
        answered["revision"] = int(found["revision"])
    manifest = Manifest(
        digest, found["kind"], found["to"], found["sender"], int(found["epoch"]), int(found["seq"]), found["date"],
        found["previous"], found["created_at"], found["producer"], found["nonce"], snapshot, answered,
        _mark(marks[:3]), _mark(marks[3:]), found["state_digest"], _members(found["members"]),
    )  # fmt: skip
    _check_by_kind(manifest)
    return manifest


def _check_by_kind(m: Manifest) -> None:
    """Which elements each kind of packet has."""
    require((m.snapshot is not None) == (m.kind == "SN"), "SCHEMA", "manifest.xml: `snapshot` belongs to SN, and only there")
    require((m.answered is not None) == (m.kind in ANSWERS), "SCHEMA", "manifest.xml: `answered` belongs to KV and PR")
    if m.answered:
        require(("revision" in m.answered) == (m.kind == "PR"), "SCHEMA", "manifest.xml: `revision` belongs to PR")
    names = [x.name for x in m.members]
    if m.kind not in NUMBERED:
        require(m.previous is None, "SCHEMA", "manifest.xml: an answer or request is in no stream")
        require(names == ["answer.xml"], "SCHEMA", "manifest.xml: an answer or request has one member, answer.xml")
    if m.kind == "KY":
        require(names == ["new.card"], "SCHEMA", "manifest.xml: a KY has one member, new.card")
    if m.kind in ("DT", "SN"):
        parts = ["mirror/" if name.startswith("mirror/") else "records/" for name in names]
        require(all(map(str.startswith, names, parts)), "SCHEMA", "manifest.xml: another member than of records")
        mirror = m.snapshot and m.snapshot["reason"] == "requested"
        require(mirror or "mirror/" not in parts, "SCHEMA", "manifest.xml: a mirror that was not requested")
        require(parts == sorted(parts, reverse=True), "SCHEMA", "manifest.xml: a mirror before the records")
    if m.snapshot:
        s = m.snapshot
        require(s["part"] == s["of"] or m.state_digest is None, "SCHEMA", "manifest.xml: `state_digest` belongs to part n")
        require(s["part"] <= s["of"] and s["part"] == m.seq, "SCHEMA", "manifest.xml: a snapshot's part k has the number k")
        require(("request" in s) == (s["reason"] == "requested"), "SCHEMA", "manifest.xml: `request` belongs to `requested`")
        require(("compared" in s) == (s["reason"] == "recovered"), "SCHEMA", "manifest.xml: `compared` belongs to `recovered`")


def check_name(name: Name, m: Manifest) -> None:
    """A name is a claim; the manifest decides."""
    require(name.digest == m.digest[:16], "BAD_DIGEST", "the name bears the digest of another manifest")
    for part in ("kind", "to", "sender", "epoch", "seq", "date"):
        if getattr(name, part) != getattr(m, part):
            raise Refused("FOREIGN" if part in ("to", "sender") else "BAD_NAME", f"`{part}` of the name is not that of the manifest")


def signed_text(stem: str, digest: str) -> str:
    """What `manifest.sig` signs."""
    return f"svod.exchange/manifest/v1\n{stem}\n{digest}\n"
