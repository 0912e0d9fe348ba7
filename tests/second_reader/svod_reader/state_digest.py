"""The state digest of a stream (FORMAT.md, «State digest»)."""

import hashlib


def term(kind: str, key: str, version: int, form: str, body_hash: str) -> int:
    """What one live or withdrawn record adds."""
    return int.from_bytes(hashlib.sha256(f"{kind}\n{key}\n{version}\n{form}\n{body_hash}\n".encode()).digest(), "big")


class StateDigest:
    """What one stream has carried, and the sum over what it has carried since its epoch was opened."""

    def __init__(self) -> None:
        self.known: dict[tuple, tuple] = {}
        self.terms: dict[tuple, int] = {}

    def open_epoch(self) -> None:
        """The sum begins anew; versions and tombstones stay known."""
        self.terms = {}

    def carry(self, kind: str, key: str, version: int, form: str, body_hash: str) -> str:
        """Takes a record in, in the order of the stream; says `new`, `changed`, `unchanged`, `OLDER` or `COLLISION`."""
        old, new = self.known.get((kind, key)), (version, form, body_hash)
        if old is not None and version < old[0]:
            return "OLDER"
        if old is not None and old != new and (version == old[0] or old[1] == "tombstone" != form):
            return "COLLISION"
        self.known[kind, key] = new
        if form == "tombstone":
            self.terms.pop((kind, key), None)
        else:
            self.terms[kind, key] = term(kind, key, *new)
        return "new" if old is None else "unchanged" if old == new else "changed"

    def hex(self) -> str:
        """The sum modulo 2^256 in 64 digits."""
        return f"{sum(self.terms.values()) % 2**256:064x}"
