"""Verification of Ed25519 signatures (RFC 8032 §5.1), in extended coordinates."""

import functools
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def _add(p: tuple, q: tuple) -> tuple:
    """RFC 8032 §5.1.4."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _decode(data: bytes) -> tuple | None:
    """RFC 8032 §5.1.3: a point, or None when the bytes are not one."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u or x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _encode(p: tuple) -> bytes:
    """RFC 8032 §5.1.2."""
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


@functools.lru_cache(maxsize=16)
def _table(data: bytes) -> list | None:
    """The multiples 1…15 of each sixteenth power of a point: one addition a hexadecimal digit of the scalar."""
    point = _decode(data)
    if point is None:
        return None
    rows = []
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


def _multiply(rows: list, scalar: int) -> tuple:
    result = NEUTRAL
    for i, row in enumerate(rows):
        result = _add(result, row[scalar >> 4 * i & 15])
    return result


BASE = (4 * pow(5, P - 2, P) % P).to_bytes(32, "little")


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 §5.1.7, the equation without the cofactor: the point R is compared as encoded."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    rows = _table(public_key)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if rows is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + public_key + message).digest(), "little") % L
    x, y, z, t = _multiply(rows, k)
    return _encode(_add(_multiply(_table(BASE), s), (P - x, y, z, P - t))) == r
