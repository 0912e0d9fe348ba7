"""Vectors: of the RFCs, and of FORMAT.md but for its worked example. `python3 -m unittest` in this directory runs them."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import packet_writer as writer
from svod_reader import age, chacha20poly1305, ed25519, journal, names, records, schema, state_digest, x25519
from svod_reader.streebog import streebog256
from svod_reader.errors import Refused
from worked_example import CLAIM
from worked_example import PHONE as CONTACT
from worked_example import PHONE_BODY as BODY

EXAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "data" / "examples"
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


class Cryptography(unittest.TestCase):
    """Vectors of the RFCs."""

    def test_chacha20_poly1305(self):
        """RFC 8439 §2.8.2."""
        key, nonce = bytes(range(0x80, 0xA0)), bytes.fromhex("070000004041424344454647")
        sealed = bytes.fromhex(
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
            "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
        )
        plain = chacha20poly1305.open_sealed(key, nonce, sealed, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
        self.assertTrue(plain.startswith(b"Ladies and Gentlemen of the class of '99"))
        self.assertIsNone(chacha20poly1305.open_sealed(key, nonce, sealed, b""))

    def test_poly1305(self):
        """RFC 8439 §2.5.2."""
        key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        tag = chacha20poly1305.poly1305(key, b"Cryptographic Forum Research Group")
        self.assertEqual(tag.hex(), "a8061dc1305136c6c22b8baf0c0127a9")

    def test_x25519(self):
        """RFC 7748 §5.2, first vector, and §6.1."""
        scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
        u = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
        self.assertEqual(x25519.x25519(scalar, u).hex(), "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
        private = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        self.assertEqual(x25519.x25519(private, x25519.BASE).hex(), public)

    def test_ed25519(self):
        """RFC 8032 §7.1, tests 1 and 3."""
        for seed, public, message, signature in (
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ):
            key, text, sig = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
            self.assertTrue(ed25519.verify(key, text, sig))
            self.assertEqual(writer.sign(bytes.fromhex(seed), text), sig)
            self.assertFalse(ed25519.verify(key, text + b"x", sig))
            self.assertFalse(ed25519.verify(key, text, sig[:32] + (int.from_bytes(sig[32:], "little") + ed25519.L).to_bytes(32, "little")))

    def test_hkdf(self):
        """RFC 5869 A.1 and A.3, the first 32 bytes."""
        first = age.hkdf(bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)))
        self.assertEqual(first.hex(), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")
        third = age.hkdf(b"", b"\x0b" * 22, b"")
        self.assertEqual(third.hex(), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")

    def test_streebog(self):
        """RFC 6986 §10.1.2, and the hash of nothing."""
        text = b"012345678901234567890123456789012345678901234567890123456789012"
        self.assertEqual(streebog256(text), "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500")
        self.assertEqual(streebog256(b""), "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb")

    def test_bech32(self):
        """The key pair of the age specification's own examples: the public half is the private one's."""
        [identity] = age.read_identities("# a remark\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n")
        self.assertEqual(identity, b"\x42" * 32)
        self.assertEqual(x25519.x25519(identity, x25519.BASE), age.bech32(RECIPIENT, "age"))
        with self.assertRaises(Refused):
            age.bech32(RECIPIENT[:-1] + "q", "age")


class Vectors(unittest.TestCase):
    """What FORMAT.md gives as vectors."""

    def test_check_digits(self):
        self.assertEqual(names.check_digit("0794"), "5")
        self.assertEqual(names.check_digit("4232701000000066"), "5")
        self.assertTrue(schema.is_snils("11223344595") and schema.is_snils("08765430300"))
        self.assertFalse(schema.is_snils("11223344596") or schema.is_snils("0" * 11))

    def test_journal_leaf(self):
        digest = "05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f"
        leaf = journal.leaf(7, "2026-11-21T10:00:00.25Z", "4200017", "packet.applied", "SVOD1_DT", "", [digest])
        self.assertEqual(leaf, "5d875652ba4961aa94e9d425e90dc05e861b8c06eed04cb3deb03a8c68aa2f76")

    def test_tables_are_readable(self):
        kinds = schema.kinds()
        self.assertEqual(kinds["contact"].owner, "the centre")
        self.assertEqual([f.name for f in kinds["contact"].fields], ["recipient", "type", "value", "note"])
        self.assertTrue(kinds["person"].place < kinds["contact"].place)
        for name, kind in kinds.items():
            example = (EXAMPLES / f"{name}.xml").read_text("utf-8")
            self.assertIsNone(records.check_body(kind, example), name)
        self.assertIsNone(records.check_body(kinds["contact"], BODY))
        for broken in (
            BODY.replace("<type>phone</type>", "<type></type>"),
            BODY.replace("<type>phone</type>", "") + " ",
            BODY.replace("phone", "pho&quot;ne"),
            BODY.replace("phone", "и\u0306"),
            BODY.replace("<value>", "<note>a</note><value>"),
            BODY.replace(CLAIM, "1"),
            BODY.replace("phone", "a" * 41),
            BODY.replace("phone", "a>b"),
        ):
            self.assertIsNotNone(records.check_body(kinds["contact"], broken), broken)

    def test_state_digest(self):
        state = state_digest.StateDigest()
        self.assertEqual(state.hex(), "0" * 64)
        self.assertEqual(state.carry("contact", CONTACT, 1, "live", "a" * 64), "new")
        one = state.hex()
        self.assertEqual(state.carry("contact", CLAIM, 2, "withdrawn", "b" * 64), "new")
        self.assertEqual(state.carry("contact", CLAIM, 1, "live", "b" * 64), "OLDER")
        self.assertEqual(state.carry("contact", CLAIM, 2, "live", "b" * 64), "COLLISION")
        self.assertEqual(state.carry("contact", CLAIM, 3, "tombstone", "c" * 64), "changed")
        self.assertEqual(state.carry("contact", CLAIM, 4, "live", "b" * 64), "COLLISION")
        self.assertEqual(state.hex(), one)
        state.open_epoch()
        self.assertEqual((state.hex(), state.carry("contact", CONTACT, 1, "live", "a" * 64)), ("0" * 64, "unchanged"))
        self.assertEqual(state.hex(), one)


if __name__ == "__main__":
    unittest.main()
