"""The state digest of a stream (FORMAT.md, «State digest»)."""

import hashlib


def term(kind: str, key: str, version: int, form: str, body_hash: str) -> int:
    """What one live or withdrawn record adds."""
    return int.from_bytes(hashlib.sha256(f"{kind}\n{key}\n{version}\n{form}\n{body_hash}\n".encode()).digest(), "big")


class StateDigest:
    """What one stream has carried in its epoch, and the sum over it."""

    def __init__(self) -> None:
        self.records: dict[tuple, tuple] = {}
        self.sum = 0

    def carry(self, kind: str, key: str, version: int, form: str, body_hash: str) -> str:
        """Takes a record in, in the order of the stream; says `new`, `changed`, `unchanged`, `OLDER` or `COLLISION`."""
        old, new = self.records.get((kind, key)), (version, form, body_hash)
        if old == new:
            return "unchanged"
        if old is not None and (version == old[0] or version > old[0] and old[1] == "tombstone"):
            return "COLLISION"
        if old is not None and version < old[0]:
            return "OLDER"
        if old is not None and old[1] != "tombstone":
            self.sum -= term(kind, key, *old)
        if form != "tombstone":
            self.sum += term(kind, key, *new)
        self.records[kind, key] = new
        return "new" if old is None else "changed"

    def living(self) -> int:
        """How many records the sum is of."""
        return sum(1 for _, form, _ in self.records.values() if form != "tombstone")

    def hex(self) -> str:
        """The sum modulo 2^256 in 64 digits."""
        return f"{self.sum % 2**256:064x}"
