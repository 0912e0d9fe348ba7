"""`answer.xml` of an RQ (FORMAT.md, «Requests»)."""

import re

from .errors import require
from .manifest import DIGEST, NUMBER, Manifest
from .schema import UUID, kinds
from .state_digest import term

CAUSES = "divergence missing fork restored altered operator".split()
LINES = 10_000
_COUNT = "0|[1-9][0-9]{0,18}"
_PACKETS = re.compile(f'<packets epoch="({NUMBER})" first="({NUMBER})" last="({NUMBER})"/>')
_SNAPSHOT = re.compile(
    f'<snapshot cause="({"|".join(CAUSES)})"(?: epoch="({NUMBER})" seq="({NUMBER})" digest="({DIGEST})")?/>'
)
_RANGES = re.compile(
    f'<range_digests of="([0-9]{{7}})" epoch="({NUMBER})" seq="({NUMBER})" digest="({DIGEST})"(?: re="([0-9a-f]{{32}})")?>'
)
_RANGE = re.compile(
    f'<(range|listed) kind="([a-z_]+)" prefix="([0-9a-f]{{0,32}})" count="({_COUNT})" sum="({DIGEST})"/>'
)
_RECORD = re.compile(
    f'<record kind="([a-z_]+)" key="({UUID})" version="([1-9][0-9]{{0,9}})" form="(live|withdrawn)" hash="({DIGEST})"/>'
)


def read_request(lines: list[str], manifest: Manifest) -> dict:
    """What is asked for, or Refused [SCHEMA]; the lines are those after the declaration."""
    if found := _PACKETS.fullmatch(lines[0]):
        epoch, first, last = map(int, found.groups())
        require(len(lines) == 1 and first <= last, "SCHEMA", "answer.xml: no packets are asked for")
        request, position = {"asks": "packets", "epoch": epoch, "first": first, "last": last}, (epoch, first)
    elif found := _SNAPSHOT.fullmatch(lines[0]):
        require(len(lines) == 1, "SCHEMA", "answer.xml: something follows the request")
        position = (int(found[2]), int(found[3])) if found[2] else (1, 1)
        request = {"asks": "snapshot", "cause": found[1], "seen": found[4]}
    else:
        found = _RANGES.fullmatch(lines[0])
        require(found and lines[-1] == "</range_digests>", "SCHEMA", "answer.xml: no request")
        require(found[1] in (manifest.sender, manifest.to), "SCHEMA", "answer.xml: of a stream between others")
        require(len(lines) - 2 <= LINES, "OVERSIZE", f"answer.xml: more than {LINES} lines")
        position = (int(found[2]), int(found[3]))
        request = {"asks": "range_digests", "of": found[1], "digest": found[4], "re": found[5], "ranges": _ranges(lines[1:-1])}
    require(position == (manifest.epoch, manifest.seq), "SCHEMA", "answer.xml: another number than the name")
    return request


def _ranges(lines: list[str]) -> list[dict]:
    ranges: list[dict] = []
    for line in lines:
        if found := _RANGE.fullmatch(line):
            require(found[2] in kinds(), "SCHEMA", "answer.xml: a range of no known kind")
            ranges.append({"kind": found[2], "prefix": found[3], "count": int(found[4]), "sum": found[5]})
            if found[1] == "listed":
                ranges[-1]["records"] = []
            continue
        found = _RECORD.fullmatch(line)
        good = found and ranges and "records" in ranges[-1] and ranges[-1]["kind"] == found[1]
        require(good, "SCHEMA", "answer.xml: a record outside its range")
        ranges[-1]["records"].append({"key": found[2], "version": int(found[3]), "form": found[4], "hash": found[5]})
    places = [(kinds()[r["kind"]].place, r["prefix"]) for r in ranges]
    require(places == sorted(set(places)), "SCHEMA", "answer.xml: ranges out of order")
    for before, after in zip(places, places[1:]):
        within = before[0] == after[0] and after[1].startswith(before[1])
        require(not within, "SCHEMA", "answer.xml: a range within another")
    for each in ranges:
        _check_list(each)
    return ranges


def _check_list(each: dict) -> None:
    if "records" not in each:
        return
    keys = [r["key"] for r in each["records"]]
    require(keys == sorted(set(keys)), "SCHEMA", "answer.xml: a list out of order")
    inside = all(key.replace("-", "").startswith(each["prefix"]) for key in keys)
    total = sum(term(each["kind"], r["key"], r["version"], r["form"], r["hash"]) for r in each["records"])
    sound = inside and len(keys) == each["count"] and f"{total % 2**256:064x}" == each["sum"]
    require(sound, "SCHEMA", "answer.xml: a list that is not that of its sum")
