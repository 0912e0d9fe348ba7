"""Tests of the second reader: `python3 -m unittest` in this directory.

Packets written for the tests, and the worked example of FORMAT.md; test_vectors.py holds the vectors. SVOD_CITY names the
directory of a demo city (docs/CLI_JSON.md, «Demo»): its packets are read, and what is found must agree with the city's own
databases.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import unittest
import zipfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import packet_writer as writer
import worked_example
from svod_reader import age, ed25519, journal, notes, packet_zip, records, schema, state_digest
from svod_reader.__main__ import main
from svod_reader.errors import Refused
from svod_reader.packet import Limits, read_packet
from svod_reader.stream import follow

HUB, CENTRE, CLAIM = worked_example.HUB, worked_example.CENTRE, worked_example.CLAIM
CONTACT, BODY = worked_example.PHONE, worked_example.PHONE_BODY
PERSON = "<person><case_number>42-32701000-000066-5</case_number><surname>Небывалова</surname></person>"
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
SNAPSHOT = '|<snapshot reason="initial" part="1" of="1"/>'


class WorkedExample(unittest.TestCase):
    """The chapter of FORMAT.md holds the bytes that the writer of these tests makes, and the reader reads them."""

    def test_blocks(self):
        chapter = schema.FORMAT.read_text("utf-8").partition("## Worked example\n")[2]
        self.assertEqual(re.findall(r"^```\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL), worked_example.blocks())
        example = worked_example.example()
        shown = [example[name] for name in ("first_digest", "first_name", "second_digest", "streebog", "third_name")]
        shown += [str(len(example["packet"])), hashlib.sha256(example["packet"]).hexdigest()]
        for each in shown:
            self.assertIn(each, chapter)

    def test_it_is_read(self):
        example = worked_example.example()
        with tempfile.TemporaryDirectory() as directory:
            card = Path(directory) / "4200018.card"
            card.write_bytes(writer.card(worked_example.CENTRE, "ЦСОН", RECIPIENT))
            file = Path(directory) / example["first_name"]
            file.write_bytes(example["packet"])
            [stream] = follow([read_packet(file, notes.read_trust([card]), [])])
            self.assertEqual([(row["living"], row["agrees"]) for row in stream["packets"]], [(2, True)])
            with zipfile.ZipFile(file) as opened:
                self.assertIsNone(opened.testzip())
                self.assertEqual(opened.namelist(), ["records/contact.xml", "manifest.xml", "manifest.sig"])
                self.assertEqual(opened.read("records/contact.xml"), example["member"])


    def test_requests_and_new_keys_are_read(self):
        example = worked_example.example()
        with tempfile.TemporaryDirectory() as directory:
            trust = Path(directory) / "trust"
            trust.mkdir()
            for signer in (HUB, CENTRE):
                (trust / f"{signer.code}.card").write_bytes(writer.card(signer, "ЦСОН", RECIPIENT))
            cards = notes.read_trust([trust])

            def read(name, data):
                file = Path(directory) / name
                file.write_bytes(data)
                packet = read_packet(file, cards, [])
                self.assertIsNone(packet.refused, packet.refused)
                return packet

            for signer, ends, text, count in (
                (HUB, ("4200018", "4200000"), example["asked"], 2),
                (CENTRE, ("4200000", "4200018"), example["listed"], 1),
            ):
                members = [("answer.xml", text.count(b"\n"), text)]
                manifest = writer.manifest("RQ", *ends, 1, 2, "", members)
                [contacts] = read(*writer.packet(signer, manifest, members)).answer["ranges"]
                self.assertEqual((contacts["count"], len(contacts.get("records", []))), (count, 2 - count))
            card = read(example["third_name"], example["third_packet"]).new_card
            self.assertEqual(card.key, worked_example.NEXT.verifier)


class Packets(unittest.TestCase):
    """Packets written for the test: good ones are read, each broken one is refused with its reason."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="svod-reader-"))
        self.addCleanup(shutil.rmtree, self.directory)
        trust = self.directory / "trust"
        trust.mkdir()
        authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        (trust / "4200000.card").write_bytes(writer.card(HUB, "Центр", RECIPIENT, authority))
        (trust / "4200018.card").write_bytes(writer.card(CENTRE, "ЦСОН", RECIPIENT))
        self.trust = notes.read_trust([trust])

    def members(self):
        return [writer.member("contact", [writer.record(CONTACT, 1, "live", BODY)])]

    def manifest(self, members, rest=SNAPSHOT, kind="SN", seq=1, ends=("4200000", "4200018")):
        return writer.manifest(kind, *ends, 1, seq, rest, members)

    def read(self, name, data):
        file = self.directory / name
        file.write_bytes(data)
        return read_packet(file, self.trust, [])

    def refused(self, reason, name, data, limits=Limits()):
        file = self.directory / name
        file.write_bytes(data)
        try:
            packet = read_packet(file, self.trust, [], limits)
        except Refused as refused:
            self.assertEqual(refused.reason, reason, refused)
        else:
            self.assertIsNotNone(packet.refused, "nothing was refused")
            self.assertEqual(packet.refused.reason, reason, packet.refused)

    def test_what_a_former_key_signed_is_read_and_two_hubs_are_not(self):
        trust = self.directory / "trust"
        (known := trust / "4200018.card").rename(trust / f"4200018_{hashlib.sha256(known.read_bytes()).hexdigest()[:16]}.card")
        known.write_bytes(writer.card(writer.Signer("4200018", b"\x09" * 32), "ЦСОН", RECIPIENT))
        self.trust = notes.read_trust([trust])
        members = self.members()
        self.assertIsNone(self.read(*writer.packet(CENTRE, self.manifest(members), members)).refused)
        known.write_bytes(writer.card(CENTRE, "ЦСОН", RECIPIENT, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
        with self.assertRaises(Refused):
            notes.read_trust([trust])

    def test_a_packet_is_read(self):
        members = self.members()
        packet = self.read(*writer.packet(CENTRE, self.manifest(members), members))
        self.assertIsNone(packet.refused)
        self.assertEqual([(r.key, r.version, r.form, r.fault) for r in packet.records], [(CONTACT, 1, "live", None)])
        self.assertEqual(packet.records[0].sha256, hashlib.sha256(BODY.encode()).hexdigest())

    def test_a_sealed_packet_is_opened(self):
        members = self.members()
        name, data = writer.packet(CENTRE, self.manifest(members), members)
        ours, theirs = b"\x42" * 32, b"\x43" * 32
        sealed = writer.seal(data, [theirs, ours])
        (self.directory / (name + ".age")).write_bytes(sealed)
        for identities, good in (([ours], True), ([b"\x44" * 32, theirs], True), ([b"\x44" * 32], False), ([], False)):
            try:
                packet = read_packet(self.directory / (name + ".age"), self.trust, identities)
            except Refused as refused:
                self.assertEqual((refused.reason, good), ("CANNOT_OPEN", False))
            else:
                self.assertEqual((len(packet.records), good), (1, True))
        for at in range(0, len(sealed), 7):
            with self.assertRaises(Refused):
                age.open_age(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], ours)
        for length in (0, 1, 65535, 65536, 65537, 131072):
            plain = bytes(length)
            sealed = writer.seal(plain, [ours])
            self.assertEqual(age.open_age(sealed, ours), plain)
            with self.assertRaises(Refused):
                age.open_age(sealed[:-1], ours)

    def test_a_publication_is_proven(self):
        for to, good in (("4200018", True), ("4200026", False)):
            signature = writer.record_signature(HUB, to, "person", CLAIM, 1, "live", PERSON)
            members = [writer.member("person", [writer.record(CLAIM, 1, "live", PERSON, signature)])]
            manifest = self.manifest(members, ends=("4200018", "4200000"))
            [record] = self.read(*writer.packet(HUB, manifest, members)).records
            self.assertEqual((record.proven, record.fault is None), (good, good))

    def test_a_record_of_another_owner(self):
        members = [writer.member("person", [writer.record(CLAIM, 1, "live", PERSON)])]
        [record] = self.read(*writer.packet(CENTRE, self.manifest(members), members)).records
        self.assertTrue(record.fault.startswith("NOT_OWNER"))

    def test_a_stream_is_followed(self):
        state = state_digest.StateDigest()
        body_hash = hashlib.sha256(BODY.encode()).hexdigest()
        state.carry("contact", CONTACT, 1, "live", body_hash)
        first = self.manifest(members := self.members(), SNAPSHOT + f"<state_digest>{state.hex()}</state_digest>")
        packets = [self.read(*writer.packet(CENTRE, first, members))]
        before = hashlib.sha256(first).hexdigest()
        gone = [writer.member("contact", [writer.record(CONTACT, 2, "tombstone", "")])]
        for previous in (before, "1" * 64):
            rest = f"<previous>{previous}</previous>|<state_digest>{'0' * 64}</state_digest>"
            second = self.manifest(gone, rest, "DT", 2)
            [stream] = follow(packets + [self.read(*writer.packet(CENTRE, second, gone))])
            begins, follows = stream["packets"]
            self.assertEqual((begins["chain"], begins["agrees"]), ("begins", True))
            self.assertEqual(follows["chain"] == "follows", previous == before)
            self.assertEqual(follows["agrees"], True if previous == before else None)

    def test_answers(self):
        head = f'epoch="1" seq="1" digest="{"a" * 64}"'
        line = f'<record outcome="held" kind="contact" key="{CONTACT}" version="1" rule="contact.recipient" reason="DANGLING_REF"/>\n'
        counts = 'new="0" changed="0" unchanged="0" proposed="0" held="1" refused="0"'
        answered = f'|<answered digest="{"a" * 64}" revision="1"/>'
        partial = f'<protocol {head} revision="1" outcome="APPLIED_PARTIAL" {counts}>\n{line}</protocol>\n'
        for text, count, good in (
            (partial, 4, True),
            (partial.replace('held="1"', 'held="2"'), 4, False),
            (partial.replace("DANGLING_REF", "SORRY"), 4, False),
            (partial.replace("1", "2", 1), 4, False),
            (partial.replace("outcome=", "reason=", 1), 4, False),
            (partial.replace("/>", ">не та &amp; не там</record>"), 4, True),
            (partial.replace("/>", "></record>"), 4, False),
            (partial.replace("/>", ">не  та</record>"), 4, False),
            (partial.replace("/>", ">не & та</record>"), 4, False),
            (partial.replace("/>", f">{'ы' * 1001}</record>"), 4, False),
        ):
            members = [("answer.xml", count, records.DECLARATION + b"\n" + text.encode())]
            packet = self.read(*writer.packet(CENTRE, self.manifest(members, answered, "PR"), members))
            self.assertEqual(packet.refused is None, good, text)
        self.assertEqual(packet.refused.reason, "SCHEMA")

    def test_broken_names(self):
        members = self.members()
        manifest = self.manifest(members)
        name, data = writer.packet(CENTRE, manifest, members)
        self.refused("BAD_DIGEST", re.sub("[0-9A-F]{16}.zip", "0" * 16 + ".zip", name), data)
        for broken in (
            name.replace("4200018", "4200019"),
            name.lower(),
            name.replace("SN", "XX"),
            name.replace("_0001_", "_0000_"),
            name.replace("20261122", "20261131"),
            name + ".zip",
        ):
            self.refused("BAD_NAME", broken, data)
        for other in (name.replace("_0001_", "_0002_"), name.replace("SN", "DT")):
            self.refused("BAD_NAME", *writer.packet(CENTRE, manifest, members, other.removesuffix(".zip")))

    def test_broken_signatures(self):
        members = self.members()
        manifest = self.manifest(members)
        name, data = writer.packet(CENTRE, manifest, members)
        self.refused("UNKNOWN_KEY", *writer.packet(writer.Signer("4200018", b"x" * 32), manifest, members))
        self.refused("UNKNOWN_KEY", *writer.packet(HUB, manifest, members))
        other = writer.packet(CENTRE, self.manifest(members, seq=2), members)[1]
        signature = packet_zip.read_zip(other, 9)[-1].packed
        entries = [(e.name, e.method, e.packed, packet_zip.unpack(e, 1 << 20)) for e in packet_zip.read_zip(data, 9)]
        entries[-1] = ("manifest.sig", 0, signature, signature)
        self.refused("BAD_SIGNATURE", name, writer.zip_of(entries))
        own = entries[0:2] + [("manifest.sig", 0, changed := CENTRE.note("something else\n"), changed)]
        self.refused("BAD_SIGNATURE", name, writer.zip_of(own))

    def test_broken_zips(self):
        members = self.members()
        name, data = writer.packet(CENTRE, self.manifest(members), members)
        for broken in (b"x" + data, data + b"x", data[:-1], data[:-2] + b"\x01\x00x", data.replace(b"\x21\x00", b"\x22\x00"), b""):
            self.refused("CANNOT_OPEN", name, broken)
        for at in range(0, len(data), 3):
            file = self.directory / name
            file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                noticed = read_packet(file, self.trust, []).refused is not None
            except Refused:
                noticed = True
            self.assertTrue(noticed, f"a changed byte {at} was not noticed")

    def test_broken_manifests(self):
        members = self.members()
        good = self.manifest(members)
        packed = hashlib.sha256(writer.deflate(members[0][2])).hexdigest().encode()
        plain = hashlib.sha256(members[0][2]).hexdigest().encode()
        for reason, old, new in (
            ("SCHEMA", b"><kind>", b"> <kind>"),
            ("SCHEMA", b'format="1"', b'format="2"'),
            ("SCHEMA", b"<members>", b"<sheep>1</sheep><members>"),
            ("SCHEMA", b"10:00:00Z", b"10:00:00.5Z"),
            ("SCHEMA", b"<seq>1<", b"<seq>01<"),
            ("SCHEMA", b' part="1" of="1"', b' part="2" of="1"'),
            ("SCHEMA", b'"initial"', b'"requested"'),
            ("SCHEMA", b"contact.xml", b"contract.xml"),
            ("BAD_DIGEST", b'count="1"', b'count="2"'),
            ("BAD_DIGEST", plain, b"1" * 64),
            ("BAD_DIGEST", packed, b"1" * 64),
            ("BAD_DIGEST", b' size="', b' size="1'),
        ):
            self.assertIn(old, good)
            self.refused(reason, *writer.packet(CENTRE, good.replace(old, new, 1), members))

    def test_broken_members(self):
        _, _, good = self.members()[0]
        for reason, old, new in (
            ("SCHEMA", b'kind="contact"', b'kind="contract"'),
            ("SCHEMA", b"</records>\n", b"</records>"),
            ("SCHEMA", b"\n", b"\r\n"),
            ("SCHEMA", b'version="1"', b'version="01"'),
            ("SCHEMA", b'form="live"', b'form="dead"'),
            ("SCHEMA", CONTACT.encode(), CONTACT.upper().encode()),
            ("BAD_DIGEST", b"</records>", b"<records>\n</records>"),
        ):
            members = [("records/contact.xml", 1, good.replace(old, new))]
            self.refused(reason, *writer.packet(CENTRE, self.manifest(members), members))
        for old, new in ((b'form="live"', b'form="tombstone"'), (b"phone", b"ph\xffne"), (b'form="live"', b'form="live" sig="A"')):
            members = [("records/contact.xml", 1, good.replace(old, new))]
            [record] = self.read(*writer.packet(CENTRE, self.manifest(members), members)).records
            self.assertTrue(record.fault.startswith("INVALID"), record)
        name, data = writer.packet(CENTRE, self.manifest(self.members()), self.members())
        self.refused("OVERSIZE", name, data, Limits(line=100))
        self.refused("OVERSIZE", name, data, Limits(packet=100))
        self.refused("OVERSIZE", name, data, Limits(total=100))

    def test_the_command_line(self):
        members = self.members()
        name, data = writer.packet(CENTRE, self.manifest(members), members)
        (self.directory / name).write_bytes(data)
        for command, file, code in (("list", name, 0), ("digest", name, 0), ("verify", "SVOD1.zip", 1)):
            out = StringIO()
            with redirect_stdout(out):
                self.assertEqual(main([command, str(self.directory / file), "--trust", str(self.directory / "trust")]), code)
            self.assertIn("packets", json.loads(out.getvalue()))
            self.assertNotIn("+7 900", out.getvalue())


CITY = os.environ.get("SVOD_CITY")


@unittest.skipUnless(CITY, "SVOD_CITY names no city")
class City(unittest.TestCase):
    """The packets of a city, read with its test keys; the databases of its programs must say the same."""

    @classmethod
    def setUpClass(cls):
        # A copy: reading a database in WAL mode writes beside it.
        cls.directory = Path(tempfile.mkdtemp(prefix="svod-city-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.city = Path(shutil.copytree(CITY, cls.directory / "city"))
        cls.centres = sorted(cls.city.glob("centre-*"))
        cls.trust = notes.read_trust([cls.city / "hub" / "trust", cls.city / "hub" / "keys" / "own.card"])
        cls.hub = next(code for code, cards in cls.trust.items() if cards[0].is_hub)
        files = sorted((cls.city / "hub" / "archive").glob("*/SVOD1_*"))
        cls.packets = cls.read(files, cls.city / "hub" / "keys")
        cls.streams = {(s["from"], s["to"]): s for s in follow(cls.packets)}

    @classmethod
    def read(cls, files, keys):
        identities = [one for key in ("age.key", "archive.key") for one in age.read_identities((keys / key).read_text())]
        return [read_packet(file, cls.trust, identities) for file in files]

    def rows(self, database, query, *values):
        connection = sqlite3.connect(database)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def carried(self, sender, to):
        """The last version of each record that a stream has carried."""
        state = state_digest.StateDigest()
        for packet in sorted(self.packets, key=lambda p: (p.manifest.epoch, p.manifest.seq)):
            if (packet.manifest.sender, packet.manifest.to) == (sender, to):
                for r in packet.records:
                    state.carry(r.kind, r.key, r.version, r.form, r.sha256)
        return state.known

    def test_packets(self):
        """Each is verified, its records are canonical and proven; its digest is that of the hub's own table."""
        told = dict(self.rows(self.city / "hub" / "hub.db", "SELECT name, digest FROM packet WHERE digest IS NOT NULL"))
        self.assertTrue(self.packets)
        for packet in self.packets:
            self.assertIsNone(packet.refused, packet.name.stem)
            self.assertEqual([r.fault for r in packet.records if r.fault], [], packet.name.stem)
            file = f"{packet.name.stem}.zip{'.age' if packet.name.sealed else ''}"
            self.assertEqual(packet.manifest.digest, told.pop(file))
        self.assertEqual(told, {}, "packets of the table that are not in the archive")

    def test_the_same_packets_at_centres(self):
        """What lies at a centre, sealed to others, has the digests of what lies at the hub."""
        digests = {packet.manifest.digest for packet in self.packets}
        for centre in self.centres:
            files = sorted(f for part in ("spool", "archive") for f in (centre / part).rglob("SVOD1_*"))
            packets = self.read(files, centre / "keys")
            self.assertTrue(packets)
            for packet in packets:
                self.assertIsNone(packet.refused, packet.name.stem)
                self.assertIn(packet.manifest.digest, digests)

    def test_streams_of_the_hub(self):
        """Chains hold, stated digests agree, and the hub's stored heads and sums are those computed."""
        for stream in self.streams.values():
            for row in stream["packets"]:
                self.assertIn(row["chain"], ("begins", "follows"), row["name"])
                self.assertIsNot(row["agrees"], False, row["name"])
        query = "SELECT peer, out_digest, sent_digest, in_digest, received_digest FROM stream"
        for peer, out, sent, received, got in self.rows(self.city / "hub" / "hub.db", query):
            for ends, digest, state in (((self.hub, peer), out, sent), ((peer, self.hub), received, got)):
                if digest:
                    last = self.streams[ends]["packets"][-1]
                    self.assertEqual((last["digest"], last["state_digest"]), (digest, state), ends)

    def test_streams_of_the_centres(self):
        for centre in self.centres:
            [(code,)] = self.rows(centre / "centre.db", "SELECT value FROM svod_meta WHERE name = 'code'")
            query = "SELECT direction, digest, state_digest FROM svod_stream WHERE digest IS NOT NULL"
            rows = self.rows(centre / "centre.db", query)
            self.assertEqual(len(rows), 2)
            for direction, digest, state in rows:
                last = self.streams[(code, self.hub) if direction == "out" else (self.hub, code)]["packets"][-1]
                self.assertEqual((last["digest"], last["state_digest"]), (digest, state), direction)

    def test_records_of_the_hub(self):
        """Every record received or published has the version, form and body hash that were read."""
        database = self.city / "hub" / "hub.db"
        for code in (code for code in self.trust if code != self.hub):
            query = "SELECT kind, key, version, form, sha256 FROM received WHERE origin = ?"
            told = {(k, i): (v, f, h) for k, i, v, f, h in self.rows(database, query, code)}
            self.assertTrue(told)
            self.assertEqual(told, self.carried(code, self.hub))
            query = "SELECT kind, key, version, sealed_form, sealed_sha256 FROM publication WHERE centre = ? AND version > 0"
            told = {(k, i): (v, f, h) for k, i, v, f, h in self.rows(database, query, code)}
            self.assertTrue(told)
            self.assertEqual(told, self.carried(self.hub, code))
        inputs = self.rows(database, "SELECT key, body FROM hub_input WHERE packet IS NOT NULL")
        told = {("hub_input", key): (1, "live", hashlib.sha256(body).hexdigest()) for key, body in inputs}
        self.assertEqual(told, self.carried(self.hub, self.hub))

    def test_records_of_the_centres(self):
        """The same at the centres; their stored signatures of the hub hold too."""
        for centre in self.centres:
            [(code,)] = self.rows(centre / "centre.db", "SELECT value FROM svod_meta WHERE name = 'code'")
            sent = self.rows(centre / "centre.db", "SELECT kind, key, version, form, sha256 FROM svod_sent")
            self.assertEqual({(k, i): (v, f, h) for k, i, v, f, h in sent}, self.carried(code, self.hub))
            query = "SELECT kind, key, version, form, sha256, signature FROM svod_publication"
            got = self.rows(centre / "centre.db", query)
            self.assertEqual({(k, i): (v, f, h) for k, i, v, f, h, _ in got}, self.carried(self.hub, code))
            for *record, signature in got[:20]:
                text = records.signed_text(code, *record).encode()
                self.assertTrue(any(ed25519.verify(card.key.public, text, signature) for card in self.trust[self.hub]))

    def test_journals(self):
        """Each entry's leaf is the hash of its canonical text."""
        for database, table in [(self.city / "hub" / "hub.db", "journal")] + [(c / "centre.db", "svod_journal") for c in self.centres]:
            rows = self.rows(database, f"SELECT n, at, actor, event, subject, rule, digests, leaf FROM {table}")
            self.assertTrue(rows)
            for *entry, digests, leaf in rows:
                self.assertEqual(journal.leaf(*entry, digests.split()), leaf)


if __name__ == "__main__":
    unittest.main()
