"""Leaves of a participant's journal (FORMAT.md, «Journal»; RFC 6962 §2.1)."""

import hashlib


def leaf(n: int, at: str, actor: str, event: str, subject: str, rule: str, digests: list[str]) -> str:
    """The leaf hash of one entry."""
    lines = ["svod.exchange/journal/v1", str(n), at, actor, event, subject, rule, *digests]
    return hashlib.sha256(b"\x00" + "".join(line + "\n" for line in lines).encode()).hexdigest()
