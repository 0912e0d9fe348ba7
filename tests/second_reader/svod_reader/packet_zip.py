"""The one form of a packet's ZIP (FORMAT.md, «Packet»), read byte by byte; `zipfile` would forgive too much."""

import binascii
import re
import struct
import zlib
from dataclasses import dataclass

from .errors import Refused, require

STORED, DEFLATED = 0, 8
DATE_1980, MIDNIGHT = 0x0021, 0
VERSION, UNIX = 20, 3
MODE = 0o100600 << 16
_NAME = re.compile("[a-z_][a-z_.]*(?:/[a-z_][a-z_.]*)*")


@dataclass(frozen=True)
class Entry:
    """A member as it stands in the ZIP."""

    name: str
    method: int
    crc: int
    packed: bytes
    size: int


def _local(data: bytes, at: int) -> tuple[Entry, bytes, int]:
    """The entry at `at`, the fields that the directory must repeat, and where the next thing begins."""
    require(len(data) >= at + 30, "CANNOT_OPEN", f"ZIP: cut off at byte {at}")
    fields = data[at + 4 : at + 30]
    version, flags, method, time, date, crc, packed, size, name_length, extra = struct.unpack("<5H3L2H", fields)
    require((version, flags) == (VERSION, 0), "CANNOT_OPEN", f"ZIP: another version or flags at byte {at}")
    require((date, time) == (DATE_1980, MIDNIGHT), "CANNOT_OPEN", f"ZIP: another date at byte {at}")
    require(extra == 0, "CANNOT_OPEN", f"ZIP: an extra field at byte {at}")
    body = at + 30 + name_length
    require(len(data) >= body + packed, "CANNOT_OPEN", f"ZIP: cut off in the entry at byte {at}")
    try:
        name = data[at + 30 : body].decode("ascii")
    except UnicodeDecodeError:
        raise Refused("CANNOT_OPEN", f"ZIP: a name not in ASCII at byte {at}") from None
    return Entry(name, method, crc, data[body : body + packed], size), fields, body + packed


def read_zip(data: bytes, most: int) -> list[Entry]:
    """All entries in their order, at most `most`; nothing is unpacked."""
    entries, central, at = [], b"", 0
    while data[at : at + 4] == b"PK\x03\x04":
        require(len(entries) < most, "OVERSIZE", f"ZIP: more than {most} entries")
        entry, fields, next_at = _local(data, at)
        header = b"PK\x01\x02" + struct.pack("<BB", VERSION, UNIX) + fields
        central += header + struct.pack("<3H2L", 0, 0, 0, MODE, at) + entry.name.encode()
        require(_NAME.fullmatch(entry.name) and len(entry.name) <= 64, "CANNOT_OPEN", f"ZIP: a name that no member has at byte {at}")
        require(all(entry.name != other.name for other in entries), "CANNOT_OPEN", f"ZIP: {entry.name} twice")
        entries.append(entry)
        at = next_at
    require(entries, "CANNOT_OPEN", "not a ZIP that begins with an entry")
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(central), at, 0)
    require(data[at:] == central + end, "CANNOT_OPEN", f"ZIP: from byte {at} on not the one directory that its entries have")
    return entries


def unpack(entry: Entry, limit: int) -> bytes:
    """The plain bytes of an entry: exactly of the size stated, and at most `limit`."""
    require(entry.size <= limit, "OVERSIZE", f"{entry.name}: more than {limit} bytes")
    if entry.method == STORED:
        plain = entry.packed
    else:
        inflater = zlib.decompressobj(-15)
        try:
            plain = inflater.decompress(entry.packed, entry.size + 1)
        except zlib.error:
            raise Refused("CANNOT_OPEN", f"{entry.name}: not deflated") from None
        require(inflater.eof and not inflater.unused_data, "CANNOT_OPEN", f"{entry.name}: cut off, or bytes after its end")
    require(len(plain) == entry.size, "CANNOT_OPEN", f"{entry.name}: another size than the ZIP states")
    require(binascii.crc32(plain) == entry.crc, "CANNOT_OPEN", f"{entry.name}: another CRC than the ZIP states")
    return plain
