"""Opening of age v1 files (https://age-encryption.org/v1, C2SP age.md) with an X25519 identity."""

import base64
import binascii
import hashlib
import hmac
import re

from .chacha20poly1305 import open_sealed
from .errors import Refused, require
from .x25519 import BASE, x25519

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHUNK = 65536


def _polymod(values: list) -> int:
    """The check sum of BIP 173."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check


def bech32(text: str, prefix: str) -> bytes:
    """The 32 bytes of a Bech32 text (BIP 173; age sets no limit to its length)."""
    require(text in (text.lower(), text.upper()), "CANNOT_OPEN", "Bech32 of mixed case")
    text = text.lower()
    human, one, data = text.rpartition("1")
    require(one and human == prefix and all(c in CHARSET for c in data), "CANNOT_OPEN", f"not a Bech32 text {prefix}1…")
    values = [CHARSET.index(c) for c in data]
    expanded = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    require(_polymod(expanded + values) == 1, "CANNOT_OPEN", "wrong Bech32 check sum")
    bits = "".join(f"{value:05b}" for value in values[:-6])
    whole = len(bits) // 8 * 8
    require(whole == 256 and "1" not in bits[whole:], "CANNOT_OPEN", "a Bech32 text not of 32 bytes")
    return int(bits[:whole], 2).to_bytes(32, "big")


def read_identities(key_file: str) -> list[bytes]:
    """The private X25519 keys of a key file: the lines that are neither empty nor a remark. Several after a change of keys."""
    lines = [line for line in key_file.splitlines() if line and not line.startswith("#")]
    require(lines, "CANNOT_OPEN", "a key file must hold an identity")
    return [bech32(line, "age-secret-key-") for line in lines]


def hkdf(salt: bytes, secret: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF-SHA-256 (RFC 5869): extract, and one round of expand."""
    extracted = hmac.digest(salt or bytes(32), secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def _base64(text: str) -> bytes:
    """Canonical base64 without padding, as everywhere in age headers."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Refused("CANNOT_OPEN", "age header: not base64") from None
    require(base64.b64encode(data).decode().rstrip("=") == text, "CANNOT_OPEN", "age header: base64 not canonical")
    return data


def _header(sealed: bytes) -> tuple[list, bytes, bytes, bytes]:
    """The stanzas (arguments, body), the bytes under the MAC, the MAC, and the payload."""
    end = re.search(rb"\n---", sealed[: 1 << 20])
    require(end, "CANNOT_OPEN", "not an age file")
    covered, rest = sealed[: end.end()], sealed[end.end() :]
    mac_line, newline, payload = rest.partition(b"\n")
    require(newline and mac_line.startswith(b" "), "CANNOT_OPEN", "age header: no MAC")
    try:
        lines = covered.decode("ascii").split("\n")[:-1]
        mac = _base64(mac_line[1:].decode("ascii"))
    except UnicodeDecodeError:
        raise Refused("CANNOT_OPEN", "age header: not ASCII") from None
    require(lines[0] == "age-encryption.org/v1", "CANNOT_OPEN", "not an age v1 file")
    stanzas, i = [], 1
    while i < len(lines):
        arguments = lines[i].split(" ")
        require(arguments[0] == "->" and len(arguments) > 1, "CANNOT_OPEN", "age header: not a stanza")
        body, i = "", i + 1
        while True:
            require(i < len(lines) and len(lines[i]) <= 64, "CANNOT_OPEN", "age header: a stanza without its end")
            body, i = body + lines[i], i + 1
            if len(lines[i - 1]) < 64:
                break
        stanzas.append((arguments[1:], _base64(body)))
    return stanzas, covered, mac, payload


def open_age(sealed: bytes, identity: bytes) -> bytes:
    """The plain bytes, or Refused [CANNOT_OPEN]."""
    stanzas, covered, mac, payload = _header(sealed)
    own = x25519(identity, BASE)
    for arguments, body in stanzas:
        if arguments[0] != "X25519":
            continue
        require(len(arguments) == 2 and len(body) == 32, "CANNOT_OPEN", "age header: a malformed X25519 stanza")
        share = _base64(arguments[1])
        require(len(share) == 32, "CANNOT_OPEN", "age header: a malformed X25519 stanza")
        shared = x25519(identity, share)
        require(any(shared), "CANNOT_OPEN", "age header: a point of low order")
        wrap = hkdf(share + own, shared, b"age-encryption.org/v1/X25519")
        file_key = open_sealed(wrap, bytes(12), body)
        if file_key is not None:
            break
    else:
        raise Refused("CANNOT_OPEN", "not sealed to this key")
    expected = hmac.digest(hkdf(b"", file_key, b"header"), covered, hashlib.sha256)
    require(hmac.compare_digest(expected, mac), "CANNOT_OPEN", "age header: wrong MAC")
    require(len(payload) >= 32, "CANNOT_OPEN", "age payload: cut off")
    return _payload(hkdf(payload[:16], file_key, b"payload"), payload[16:])


def _payload(key: bytes, stream: bytes) -> bytes:
    """STREAM: chunks of 64 KiB, an 11-byte counter and a byte that marks the last one as the nonce."""
    plain, step = [], CHUNK + 16
    for number, at in enumerate(range(0, len(stream), step)):
        last = at + step >= len(stream)
        chunk = open_sealed(key, number.to_bytes(11, "big") + bytes([last]), stream[at : at + step])
        require(chunk is not None, "CANNOT_OPEN", f"age payload: chunk {number} is damaged or cut off")
        require(chunk or number == 0, "CANNOT_OPEN", "age payload: an empty last chunk")
        plain.append(chunk)
    return b"".join(plain)
