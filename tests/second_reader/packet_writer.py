"""Packets for the tests of the second reader, written as FORMAT.md says, with open test keys."""

import base64
import hashlib
import hmac
import struct
import zlib
from dataclasses import dataclass

from svod_reader import age, chacha20poly1305, ed25519
from svod_reader.manifest import signed_text as manifest_text
from svod_reader.notes import VerifierKey
from svod_reader.records import DECLARATION
from svod_reader.records import signed_text as record_text
from svod_reader.x25519 import BASE, x25519


@dataclass(frozen=True)
class Signer:
    """A participant's signing key, made of an open seed: never a real one."""

    code: str
    seed: bytes

    @property
    def public(self) -> bytes:
        return _public(self.seed)

    @property
    def verifier(self) -> VerifierKey:
        name = f"svod.exchange/{self.code}"
        number = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]
        return VerifierKey(name, number, self.public)

    def verifier_text(self) -> str:
        public = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.verifier.name}+{self.verifier.number.hex()}+{public}"

    def note(self, text: str) -> bytes:
        """A signed note over a text that ends in a line feed."""
        signature = base64.b64encode(self.verifier.number + sign(self.seed, text.encode())).decode()
        return f"{text}\n— {self.verifier.name} {signature}\n".encode()


def _expand(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    return scalar, digest[32:]


def _public(seed: bytes) -> bytes:
    return ed25519._encode(ed25519._multiply(ed25519._table(ed25519.BASE), _expand(seed)[0]))


def sign(seed: bytes, message: bytes) -> bytes:
    """RFC 8032 §5.1.6."""
    scalar, prefix = _expand(seed)
    nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % ed25519.L
    r = ed25519._encode(ed25519._multiply(ed25519._table(ed25519.BASE), nonce))
    k = int.from_bytes(hashlib.sha512(r + _public(seed) + message).digest(), "little")
    return r + ((nonce + k * scalar) % ed25519.L).to_bytes(32, "little")


def card(signer: Signer, name: str, age_recipient: str, tls_ca: str = "") -> bytes:
    """A card; `tls_ca` makes it the hub's."""
    authority = f"tls_ca:\n{tls_ca}" if tls_ca else ""
    return signer.note(
        f"svod.exchange/card/v1\ncode: {signer.code}\nname: {name}\nsigning_key: {signer.verifier_text()}\n"
        f"age_recipient: {age_recipient}\narchive_recipient: {age_recipient}\n"
        f"valid_from: 2026-01-01\nvalid_until: 2027-12-31\n{authority}"
    )


def record(key: str, version: int, form: str, body: str, signature: str = "") -> bytes:
    """One line of a member."""
    sig = f' sig="{signature}"' if signature else ""
    return f'<record key="{key}" version="{version}" form="{form}"{sig}>{body}</record>\n'.encode()


def record_signature(hub: Signer, to: str, kind: str, key: str, version: int, form: str, body: str) -> str:
    """The hub's signature of a record that it publishes."""
    text = record_text(to, kind, key, version, form, hashlib.sha256(body.encode()).hexdigest())
    return base64.b64encode(sign(hub.seed, text.encode())).decode()


def member(kind: str, lines: list[bytes]) -> tuple[str, int, bytes]:
    """Name, count and bytes of a member of records."""
    data = DECLARATION + f'\n<records kind="{kind}">\n'.encode() + b"".join(lines) + b"</records>\n"
    return f"records/{kind}.xml", len(lines), data


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_of(entries: list[tuple[str, int, bytes, bytes]]) -> bytes:
    """Entries of (name, method, packed, plain) in the one form."""
    body, central = b"", b""
    for name, method, packed, plain in entries:
        sizes = struct.pack("<3L", zlib.crc32(plain), len(packed), len(plain))
        common = struct.pack("<5H", 20, 0, method, 0, 0x21) + sizes + struct.pack("<2H", len(name), 0)
        central += b"PK\x01\x02\x14\x03" + common + struct.pack("<3H2L", 0, 0, 0, 0o100600 << 16, len(body)) + name.encode()
        body += b"PK\x03\x04" + common + name.encode() + packed
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(central), len(body), 0)
    return body + central + end


def manifest(kind: str, to: str, sender: str, epoch: int, seq: int, rest: str, members: list, pack=deflate) -> bytes:
    """A manifest whose middle part (`previous` … `state_digest`) the test writes itself."""
    rows = "".join(
        f'<member name="{name}" count="{count}" size="{len(data)}" sha256="{hashlib.sha256(data).hexdigest()}"'
        f' packed_sha256="{hashlib.sha256(pack(data)).hexdigest()}"/>'
        for name, count, data in members
    )
    previous, _, rest = rest.rpartition("|")
    return DECLARATION + (
        f'\n<manifest format="1" reads="1"><kind>{kind}</kind><to>{to}</to><from>{sender}</from><epoch>{epoch}</epoch>'
        f"<seq>{seq}</seq><date>2026-11-22</date>{previous}<created_at>2026-11-22T10:00:00Z</created_at>"
        f"<producer>second writer</producer><nonce>{seq:032x}</nonce>{rest}<members>{rows}</members></manifest>\n"
    ).encode()


def packet(signer: Signer, manifest_bytes: bytes, members: list, name: str = "", pack=deflate) -> tuple[str, bytes]:
    """Name and bytes of an unsealed packet around a manifest; `name` replaces the one that is due."""
    digest = hashlib.sha256(manifest_bytes).hexdigest()
    stem = name or due_stem(manifest_bytes, digest)
    entries = [(each, 8, pack(data), data) for each, _, data in members]
    signature = signer.note(manifest_text(stem, digest))
    for each, data in (("manifest.xml", manifest_bytes), ("manifest.sig", signature)):
        entries.append((each, 0, data, data))
    return f"{stem}.zip", zip_of(entries)


def due_stem(manifest_bytes: bytes, digest: str) -> str:
    """The stem that a manifest's packet must have."""

    def part(name: str) -> str:
        return manifest_bytes.decode().partition(f"<{name}>")[2].partition("<")[0]

    head = f"SVOD1_{part('kind')}_{part('to')}_{part('from')}_{int(part('epoch')):04}_{int(part('seq')):08}"
    return f"{head}_{part('date').replace('-', '')}_{digest[:16].upper()}"


def _close(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    """RFC 8439 §2.8, without additional data."""
    text = chacha20poly1305.chacha20(key, 1, nonce, plain)
    one_time = chacha20poly1305.block(key, 0, nonce)[:32]
    return text + chacha20poly1305.poly1305(one_time, text + bytes(-len(text) % 16) + struct.pack("<QQ", 0, len(text)))


def seal(plain: bytes, identities: list[bytes]) -> bytes:
    """An age file to the public halves of `identities`, with a fixed file key: for tests only."""
    file_key, header = bytes(range(16)), b"age-encryption.org/v1\n-> x-grease\n\n"
    for number, identity in enumerate(identities, 1):
        ephemeral, recipient = bytes([number]) * 32, x25519(identity, BASE)
        share = x25519(ephemeral, BASE)
        wrap = age.hkdf(share + recipient, x25519(ephemeral, recipient), b"age-encryption.org/v1/X25519")
        words = (base64.b64encode(data).rstrip(b"=") for data in (share, _close(wrap, bytes(12), file_key)))
        header += b"-> X25519 %b\n%b\n" % tuple(words)
    header += b"---"
    mac = hmac.digest(age.hkdf(b"", file_key, b"header"), header, "sha256")
    key, body = age.hkdf(bytes(16), file_key, b"payload"), b""
    chunks = [plain[at : at + age.CHUNK] for at in range(0, len(plain), age.CHUNK)] or [b""]
    for number, chunk in enumerate(chunks):
        body += _close(key, number.to_bytes(11, "big") + bytes([number == len(chunks) - 1]), chunk)
    return header + b" " + base64.b64encode(mac).rstrip(b"=") + b"\n" + bytes(16) + body
