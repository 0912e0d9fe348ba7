"""The golden packets of fixtures/packets: the second reader reads the valid ones with the hashes expected, and refuses each
invalid one by the reason that its directory is called after.
"""

import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from svod_reader import age, notes
from svod_reader.errors import Refused
from svod_reader.packet import Packet, read_packet
from svod_reader.stream import follow

GOLDEN = HERE.parent.parent / "fixtures" / "packets"
KEYS = [key for file in sorted((GOLDEN / "keys").glob("*.age.key")) for key in age.read_identities(file.read_text("ascii"))]


def packets_in(directory: Path) -> list[Path]:
    return sorted(file for file in directory.rglob("*") if file.is_file() and file.suffix not in (".json", ".card"))


class Golden(unittest.TestCase):
    """What is read, and what is refused."""

    def read(self, directory: Path) -> dict[str, Packet]:
        own = directory / "trust"
        trust = notes.read_trust([own if own.exists() else GOLDEN / "trust"])
        return {file.name: read_packet(file, trust, KEYS) for file in packets_in(directory)}

    def test_valid(self):
        for directory in (GOLDEN / "valid", *sorted((GOLDEN / "by_version").iterdir())):
            packets, expected = self.read(directory), json.loads((directory / "expected.json").read_text("utf-8"))
            self.assertEqual(sorted(packets), sorted(expected))
            for name, packet in packets.items():
                self.assertIsNone(packet.refused, name)
                self.assertEqual([r.fault for r in packet.records if r.fault], [], name)
                records = [[r.kind, r.key, r.version, r.form, r.sha256] for r in packet.records]
                self.assertEqual({"digest": packet.manifest.digest, "records": records}, expected[name], name)
            for stream in follow(list(packets.values())):
                for row in stream["packets"]:
                    self.assertIn(row["chain"], ("begins", "follows"), row["name"])
                    self.assertIsNot(row["agrees"], False, row["name"])

    def test_invalid(self):
        trust = notes.read_trust([GOLDEN / "trust"])
        files = packets_in(GOLDEN / "invalid")
        listed = json.loads((GOLDEN / "invalid" / "cases.json").read_text("utf-8"))
        cases = [file.relative_to(GOLDEN / "invalid").parts[:2] for file in files]
        self.assertEqual(cases, [(reason, case) for reason in sorted(listed) for case in sorted(listed[reason])])
        for file in files:
            reason, case = file.relative_to(GOLDEN / "invalid").parts[:2]
            with self.subTest(reason=reason, case=case):
                try:
                    packet = read_packet(file, trust, KEYS)
                except Refused as refused:
                    found = [refused.reason]
                else:
                    faults = [record.fault.partition(":")[0] for record in packet.records if record.fault]
                    found = [packet.refused.reason] if packet.refused else faults
                self.assertEqual(found, [reason])


if __name__ == "__main__":
    unittest.main()
