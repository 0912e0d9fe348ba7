"""`answer.xml` of KV and PR (FORMAT.md, «Answers»), and of RQ."""

import re
from unicodedata import category

from .errors import Refused, require
from .manifest import DIGEST, NUMBER, Manifest
from .names import is_instant
from .requests import read_request
from .schema import UUID, kinds

PACKET_REASONS = "FOREIGN BAD_NAME BAD_DIGEST BAD_SIGNATURE UNKNOWN_KEY CANNOT_OPEN SCHEMA OVERSIZE FORK CLONE STALE_EPOCH".split()
RECORD_REASONS = "LOCKED DECLINED IDENTITY_CHANGED NOT_OWNER COLLISION OLDER DANGLING_REF INVALID".split()
LINE_LIMIT = 8192
WORDS_LIMIT = 1000
_COUNT = "0|[1-9][0-9]{0,9}"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_RECEIPT = re.compile(f'<receipt epoch="({NUMBER})" seq="({NUMBER})" digest="({DIGEST})" received="([^"]+)"/>')
_HEAD = re.compile(
    f'<protocol epoch="({NUMBER})" seq="({NUMBER})" digest="({DIGEST})" revision="({NUMBER})"'
    f' outcome="(APPLIED|APPLIED_PARTIAL|REFUSED)"(?: reason="({"|".join(PACKET_REASONS)})")?'
    + "".join(f' {name}="({_COUNT})"' for name in ("new", "changed", "unchanged", "proposed", "held", "refused"))
    + ">"
)
_RECORD = re.compile(
    f'<record outcome="(proposed|held|refused)" kind="([a-z_]+)" key="({UUID})" version="([1-9][0-9]{{0,9}})"'
    f' rule="([A-Za-z0-9._-]{{1,64}})"(?: reason="({"|".join(RECORD_REASONS)})")?(?:/>|>([^\\n]*)</record>)'
)


def read_answer(data: bytes, manifest: Manifest, count: int) -> dict:
    """What a KV, PR or RQ says, or Refused [SCHEMA]."""
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise Refused("SCHEMA", "answer.xml: not UTF-8") from None
    require(len(lines) > 2 and lines[-1] == "" and lines[0] == _DECLARATION, "SCHEMA", "answer.xml: not framed as an answer")
    require(all(len(line.encode()) < LINE_LIMIT for line in lines), "SCHEMA", f"answer.xml: a line of more than {LINE_LIMIT} bytes")
    require(len(lines) - 1 == count, "BAD_DIGEST", f"answer.xml: {len(lines) - 1} lines where the manifest says {count}")
    if manifest.kind == "RQ":
        return read_request(lines[1:-1], manifest)
    answer = _receipt(lines[1:-1]) if manifest.kind == "KV" else _protocol(lines[1:-1])
    require((answer["epoch"], answer["seq"]) == (manifest.epoch, manifest.seq), "SCHEMA", "answer.xml: another number than the name")
    require(answer["digest"] == manifest.answered["digest"], "SCHEMA", "answer.xml: another packet than the manifest's `answered`")
    require(answer.get("revision") == manifest.answered.get("revision"), "SCHEMA", "answer.xml: another revision")
    return answer


def _words(escaped: str) -> str | None:
    """The text of a record, if it stands there in its one form."""
    text = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    again = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    legal = not any(category(c) == "Cc" or c in "\ufffe\uffff" for c in text)
    good = again == escaped and legal and text == " ".join(text.split()) and 1 <= len(text) <= WORDS_LIMIT
    return text if good else None


def _receipt(lines: list[str]) -> dict:
    found = _RECEIPT.fullmatch(lines[0]) if len(lines) == 1 else None
    require(found and is_instant(found[4]), "SCHEMA", "answer.xml: not a receipt")
    return {"epoch": int(found[1]), "seq": int(found[2]), "digest": found[3], "received": found[4]}


def _protocol(lines: list[str]) -> dict:
    head = _HEAD.fullmatch(lines[0]) if len(lines) > 1 and lines[-1] == "</protocol>" else None
    require(head, "SCHEMA", "answer.xml: not a protocol")
    names = ("new", "changed", "unchanged", "proposed", "held", "refused")
    counts = dict(zip(names, map(int, head.groups()[6:])))
    records = []
    for number, line in enumerate(lines[1:-1], 3):
        found = _RECORD.fullmatch(line)
        require(found and found[2] in kinds(), "SCHEMA", f"answer.xml: line {number} is not a record of a protocol")
        record = dict(zip(("outcome", "kind", "key", "version", "rule", "reason"), found.groups()))
        if found[7] is not None:
            words = _words(found[7])
            require(words, "SCHEMA", f"answer.xml: line {number} has a text of another form")
            record["words"] = words
        records.append(record | {"version": int(record["version"])})
    for outcome in ("proposed", "held", "refused"):
        listed = sum(1 for record in records if record["outcome"] == outcome)
        require(listed == counts[outcome], "SCHEMA", f"answer.xml: {listed} records {outcome}, counted as {counts[outcome]}")
    outcome, reason = head[5], head[6]
    require((reason is not None) == (outcome == "REFUSED"), "SCHEMA", "answer.xml: a refusal has a reason, and nothing else has")
    require(outcome != "REFUSED" or not any(counts.values()), "SCHEMA", "answer.xml: a refusal counts nothing")
    require((outcome == "APPLIED_PARTIAL") == bool(records), "SCHEMA", "answer.xml: APPLIED_PARTIAL lists records, APPLIED none")
    position = {"epoch": int(head[1]), "seq": int(head[2]), "digest": head[3], "revision": int(head[4])}
    return position | {"outcome": outcome, "reason": reason, "counts": counts, "records": records}
