"""Streebog-256, the hash of ГОСТ Р 34.11-2012, as RFC 6986 has it: vectors are written with the highest byte first."""

from .streebog_tables import MATRIX, PI, ROUNDS

_PI = bytes.fromhex(PI)
_MATRIX = [int(MATRIX[at : at + 16], 16) for at in range(0, len(MATRIX), 16)]
_ROUNDS = [int(ROUNDS[at : at + 128], 16) for at in range(0, len(ROUNDS), 128)]


def _row(place: int, byte: int) -> int:
    """S and L of one byte at one place of eight."""
    result, said = 0, _PI[byte]
    for bit in range(8):
        if said & 0x80 >> bit:
            result ^= _MATRIX[8 * place + bit]
    return result


_TABLE = [[_row(place, byte) for byte in range(256)] for place in range(8)]


def _lps(vector: int) -> int:
    """RFC 6986 §6: substitution, transposition, multiplication by the matrix."""
    data, words = vector.to_bytes(64, "big"), []
    for i in range(8):
        word = 0
        for place in range(8):
            word ^= _TABLE[place][data[8 * place + i]]
        words.append(word.to_bytes(8, "big"))
    return int.from_bytes(b"".join(words), "big")


def _compress(count: int, state: int, block: int) -> int:
    """RFC 6986 §8: g_N(h, m)."""
    key, mixed = _lps(state ^ count), block
    for constant in _ROUNDS:
        mixed = _lps(mixed ^ key)
        key = _lps(key ^ constant)
    return mixed ^ key ^ state ^ block


def streebog256(data: bytes) -> str:
    """The hash in 64 digits, its bytes in the order of the message's."""
    state, count, total = int.from_bytes(b"\x01" * 64, "big"), 0, 0
    whole = len(data) // 64 * 64
    last = (data[whole:] + b"\x01").ljust(64, b"\x00")
    for at in range(0, whole, 64):
        block = int.from_bytes(data[at : at + 64], "little")
        state = _compress(count, state, block)
        count, total = count + 512, (total + block) % 2**512
    block = int.from_bytes(last, "little")
    state = _compress(count, state, block)
    count, total = count + 8 * (len(data) - whole), (total + block) % 2**512
    state = _compress(0, _compress(0, state, count), total)
    return state.to_bytes(64, "big")[:32][::-1].hex()
