"""ChaCha20-Poly1305, decryption only (RFC 8439), in plain Python: slow, short, and open to be read."""

import hmac
import struct

MASK = 0xFFFFFFFF


def _quarter_round(s: list, a: int, b: int, c: int, d: int) -> None:
    """RFC 8439 §2.1."""
    sa, sb, sc, sd = s[a], s[b], s[c], s[d]
    sa = (sa + sb) & MASK
    sd ^= sa
    sd = (sd << 16 | sd >> 16) & MASK
    sc = (sc + sd) & MASK
    sb ^= sc
    sb = (sb << 12 | sb >> 20) & MASK
    sa = (sa + sb) & MASK
    sd ^= sa
    sd = (sd << 8 | sd >> 24) & MASK
    sc = (sc + sd) & MASK
    sb ^= sc
    sb = (sb << 7 | sb >> 25) & MASK
    s[a], s[b], s[c], s[d] = sa, sb, sc, sd


def block(key: bytes, counter: int, nonce: bytes) -> bytes:
    """64 bytes of key stream (RFC 8439 §2.3)."""
    start = struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    s = list(start)
    for _ in range(10):
        _quarter_round(s, 0, 4, 8, 12)
        _quarter_round(s, 1, 5, 9, 13)
        _quarter_round(s, 2, 6, 10, 14)
        _quarter_round(s, 3, 7, 11, 15)
        _quarter_round(s, 0, 5, 10, 15)
        _quarter_round(s, 1, 6, 11, 12)
        _quarter_round(s, 2, 7, 8, 13)
        _quarter_round(s, 3, 4, 9, 14)
    return struct.pack("<16I", *((x + y) & MASK for x, y in zip(s, start)))


def chacha20(key: bytes, counter: int, nonce: bytes, text: bytes) -> bytes:
    """RFC 8439 §2.4: the same function enciphers and deciphers."""
    blocks = (len(text) + 63) // 64
    stream = b"".join(block(key, counter + i, nonce) for i in range(blocks))[: len(text)]
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")


def poly1305(key: bytes, message: bytes) -> bytes:
    """RFC 8439 §2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    accumulator = 0
    for i in range(0, len(message), 16):
        accumulator = (accumulator + int.from_bytes(message[i : i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((accumulator + s) % 2**128).to_bytes(16, "little")


def open_sealed(key: bytes, nonce: bytes, sealed: bytes, additional: bytes = b"") -> bytes | None:
    """RFC 8439 §2.8: the plain text, or None when the tag is wrong."""
    if len(sealed) < 16:
        return None
    text, tag = sealed[:-16], sealed[-16:]
    padded = additional + bytes(-len(additional) % 16) + text + bytes(-len(text) % 16)
    lengths = struct.pack("<QQ", len(additional), len(text))
    expected = poly1305(block(key, 0, nonce)[:32], padded + lengths)
    if not hmac.compare_digest(expected, tag):
        return None
    return chacha20(key, 1, nonce, text)
