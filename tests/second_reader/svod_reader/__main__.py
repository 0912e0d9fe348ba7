"""python3 -m svod_reader verify|list|digest FILE... --trust DIR [--key F] --format json

verify  checks each file as far as a file can be checked
list    the same, and tells its manifest, its records (ids and hashes, no personal data) or what it answers
digest  the same, and follows the streams: the chain of digests, the state digest after each packet

--trust  a directory of cards `<code>.card`, or one card; may be repeated
--key    an age key file that the packets are sealed to; may be repeated
Exit: 0 all verified, 1 some refused or not in agreement, 2 usage.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from .age import read_identities
from .errors import Refused
from .notes import read_trust
from .packet import Packet, read_packet
from .stream import follow


def _summary(packet: Packet) -> dict:
    if packet.refused:
        return {"verified": False, "reason": packet.refused.reason, "detail": packet.refused.detail}
    faults = [r for r in packet.records if r.fault]
    return {
        "verified": True,
        "digest": packet.manifest.digest,
        "kind": packet.manifest.kind,
        "members": len(packet.manifest.members),
        "records": len(packet.records),
        "signatures": sum(1 for r in packet.records if r.proven),
        "faults": [{"kind": r.kind, "key": r.key, "fault": r.fault} for r in faults],
    }


def _listing(packet: Packet) -> dict:
    listing = {"manifest": asdict(packet.manifest)}
    if packet.refused:
        return listing
    if packet.answer is not None:
        return listing | {"answer": packet.answer}
    if packet.new_card is not None:
        return listing | {"new_card": packet.new_card.fingerprint}
    return listing | {"records": [asdict(record) for record in packet.records]}


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="svod_reader", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=("verify", "list", "digest"))
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--trust", action="append", required=True, type=Path, metavar="DIR")
    parser.add_argument("--key", action="append", default=[], type=Path, metavar="F")
    parser.add_argument("--format", choices=("json",), default="json")
    options = parser.parse_args(arguments)
    try:
        trust = read_trust(options.trust)
        identities = [one for key in options.key for one in read_identities(key.read_text("ascii"))]
    except (OSError, UnicodeDecodeError, Refused) as error:
        print(json.dumps({"error": str(error)}, ensure_ascii=False))
        return 2
    rows, packets, good = [], [], True
    for file in options.files:
        row = {"file": str(file)}
        try:
            packet = read_packet(file, trust, identities)
        except Refused as refused:
            row |= {"verified": False, "reason": refused.reason, "detail": refused.detail}
        except OSError as error:
            row |= {"verified": False, "reason": None, "detail": error.strerror}
        else:
            packets.append(packet)
            row |= _summary(packet) | (_listing(packet) if options.command == "list" else {})
        good = good and row["verified"] and not row["faults"]
        rows.append(row)
    result = {"packets": rows}
    if options.command == "digest":
        result["streams"] = follow(packets)
        links = [row for stream in result["streams"] for row in stream["packets"]]
        good = good and all(row["chain"] in ("begins", "follows") and row["agrees"] is not False for row in links)
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
