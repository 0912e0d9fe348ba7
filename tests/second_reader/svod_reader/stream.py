"""Streams: the order of their packets, the chain of digests, the state digest after each (FORMAT.md, «Streams»)."""

from .names import NUMBERED
from .packet import Packet
from .state_digest import StateDigest


def _chain(packet: Packet, before: Packet | None) -> str:
    """How a packet stands to the one before it: `begins`, `follows`, or what is wrong."""
    m = packet.manifest
    if before is None or m.epoch > before.manifest.epoch:
        if m.kind == "SN" and m.seq == 1:
            return "begins"
        return "GAP: the packets before it are not here"
    if m.seq == before.manifest.seq:
        return "FORK: another packet has this number"
    if m.seq > before.manifest.seq + 1:
        return "GAP: the packets before it are not here"
    if m.previous != before.manifest.digest:
        return "FORK: `previous` is not the digest of the packet before"
    return "follows"


def follow(packets: list[Packet]) -> list[dict]:
    """Of each stream its packets in order, with the state digest computed and the one that the manifest states."""
    streams: dict[tuple, dict[str, Packet]] = {}
    for packet in packets:
        if packet.manifest.kind in NUMBERED:
            streams.setdefault((packet.manifest.sender, packet.manifest.to), {})[packet.manifest.digest] = packet
    return [_follow_one(*ends, list(found.values())) for ends, found in sorted(streams.items())]


def _follow_one(sender: str, to: str, packets: list[Packet]) -> dict:
    packets.sort(key=lambda p: (p.manifest.epoch, p.manifest.seq, p.manifest.digest))
    rows, before, state, whole = [], None, StateDigest(), True
    for packet in packets:
        m, link = packet.manifest, _chain(packet, before)
        if link == "begins":
            state.open_epoch()
            whole = True
        whole = whole and link in ("begins", "follows")
        outcomes: dict[str, int] = {}
        for r in [] if link.startswith("FORK") else packet.records:
            outcome = state.carry(r.kind, r.key, r.version, r.form, r.sha256)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        computed = state.hex() if whole else None
        rows.append({
            "name": packet.name.stem, "digest": m.digest, "chain": link, "refused": packet.refused is not None,
            "records": outcomes, "living": len(state.terms), "state_digest": computed, "stated": m.state_digest,
            "agrees": computed == m.state_digest if computed and m.state_digest else None,
        })  # fmt: skip
        before = before if link.startswith("FORK") else packet
    return {"from": sender, "to": to, "packets": rows}
