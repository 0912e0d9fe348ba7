"""The worked example of FORMAT.md, made again: `python3 worked_example.py` prints its blocks.

Everything follows from two open seeds; packed members are stored deflate blocks, so that each byte can be made by hand.
"""

import hashlib
import struct

import packet_writer as writer
from svod_reader import state_digest
from svod_reader.manifest import signed_text as manifest_text
from svod_reader.records import DECLARATION
from svod_reader.records import signed_text as record_text
from svod_reader.streebog import streebog256

HUB = writer.Signer("4200000", bytes(32))
CENTRE = writer.Signer("4200018", bytes(range(32)))
NEXT = writer.Signer("4200018", bytes(range(32, 64)))
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
CLAIM = "6f1d2a0e-8c1b-4f6e-9a53-0d7c5b1e2f34"
PHONE, MAIL = "0b7e6a2c-5d14-4c8e-8f21-9a3b7c6d5e4f", "c3d2e1f0-1a2b-4c3d-8e4f-5a6b7c8d9e0f"
TARGET = "9bf9f389-9592-4f02-b54d-95591edea1b7"
PHONE_BODY = f"<contact><recipient>{CLAIM}</recipient><type>phone</type><value>+7 900 000-00-00</value></contact>"
MAIL_BODY = f"<contact><recipient>{CLAIM}</recipient><type>e-mail</type><value>a&amp;b@example.org</value></contact>"
LINK_BODY = (
    f"<link><claim_kind>recipient_claim</claim_kind><claim>{CLAIM}</claim><target>{TARGET}</target>"
    "<primary>1</primary><based_on>1</based_on></link>"
)


def sha256(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def stored_deflate(data: bytes) -> bytes:
    """RFC 1951 §3.2.4: one last block, not compressed."""
    return b"\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data


def example() -> dict[str, bytes | str]:
    """Everything that the chapter shows, by name."""
    state = state_digest.StateDigest()
    found: dict[str, bytes | str] = {"hub_key": HUB.verifier_text(), "centre_key": CENTRE.verifier_text()}
    for name, key, body in (("phone", PHONE, PHONE_BODY), ("mail", MAIL, MAIL_BODY)):
        found[f"{name}_hash"] = sha256(body)
        found[f"{name}_term"] = f"{state_digest.term('contact', key, 1, 'live', sha256(body)):064x}"
        state.carry("contact", key, 1, "live", sha256(body))
    lines = [writer.record(PHONE, 1, "live", PHONE_BODY), writer.record(MAIL, 1, "live", MAIL_BODY)]
    members = [writer.member("contact", lines)]
    rest = f'|<snapshot reason="initial" part="1" of="1"/><state_digest>{state.hex()}</state_digest>'
    first = writer.manifest("SN", "4200000", "4200018", 1, 1, rest, members, stored_deflate)
    found["streebog"] = streebog256(members[0][2])
    found |= {"member": members[0][2], "first": first, "first_digest": sha256(first)}
    found["first_name"], found["packet"] = writer.packet(CENTRE, first, members, pack=stored_deflate)
    stem = found["first_name"].removesuffix(".zip")
    found["signature"] = CENTRE.note(manifest_text(stem, sha256(first)))
    state.carry("contact", MAIL, 2, "tombstone", sha256(""))
    members = [writer.member("contact", [writer.record(MAIL, 2, "tombstone", "")])]
    rest = f"<previous>{sha256(first)}</previous>|<state_digest>{state.hex()}</state_digest>"
    second = writer.manifest("DT", "4200000", "4200018", 1, 2, rest, members, stored_deflate)
    found |= {"second": second, "second_digest": sha256(second)}
    found["second_name"] = writer.packet(CENTRE, second, members, pack=stored_deflate)[0]
    found |= _request(found, state)
    found |= _new_keys(found, state)
    found["record_text"] = record_text("4200018", "link", CLAIM, 1, "live", sha256(LINK_BODY))
    found["record_signature"] = writer.record_signature(HUB, "4200018", "link", CLAIM, 1, "live", LINK_BODY)
    return found


def _request(found: dict, state: state_digest.StateDigest) -> dict[str, bytes]:
    """The hub, which has not taken the deletion, asks for range digests; the centre lists what it has."""
    head = f'<range_digests of="4200018" epoch="1" seq="2" digest="{found["second_digest"]}"'
    both = (int(found["phone_term"], 16) + int(found["mail_term"], 16)) % 2**256
    asked = f'{head}>\n<range kind="contact" prefix="" count="2" sum="{both:064x}"/>\n</range_digests>\n'
    listed = (
        f'{head} re="{3:032x}">\n<listed kind="contact" prefix="" count="1" sum="{state.hex()}"/>\n'
        f'<record kind="contact" key="{PHONE}" version="1" form="live" hash="{found["phone_hash"]}"/>\n</range_digests>\n'
    )
    return {"asked": DECLARATION + b"\n" + asked.encode(), "listed": DECLARATION + b"\n" + listed.encode()}


def _new_keys(found: dict, state: state_digest.StateDigest) -> dict[str, bytes | str]:
    """The third packet: a KY, signed by the old key, whose card the new key has signed."""
    card = writer.card(NEXT, "ЦСОН", RECIPIENT)
    members = [("new.card", card.count(b"\n"), card)]
    rest = f"<previous>{found['second_digest']}</previous>|<state_digest>{state.hex()}</state_digest>"
    third = writer.manifest("KY", "4200000", "4200018", 1, 3, rest, members, stored_deflate)
    name, data = writer.packet(CENTRE, third, members, pack=stored_deflate)
    signature = CENTRE.note(manifest_text(name.removesuffix(".zip"), sha256(third)))
    return {"card": card, "third": third, "third_name": name, "third_packet": data, "third_signature": signature}


def blocks() -> list[str]:
    """The fenced blocks of the chapter, in its order."""
    e = example()
    return [
        f"{e['hub_key']}\n{e['centre_key']}\n",
        e["member"].decode(),
        f"phone: body hash {e['phone_hash']}\n       term      {e['phone_term']}\n"
        f"mail:  body hash {e['mail_hash']}\n       term      {e['mail_term']}\n",
        e["first"].decode(),
        e["signature"].decode(),
        e["second"].decode(),
        e["asked"].decode(),
        e["listed"].decode(),
        e["card"].decode(),
        e["third"].decode(),
        e["third_signature"].decode(),
        LINK_BODY + "\n",
        e["record_text"],
        e["record_signature"] + "\n",
    ]


if __name__ == "__main__":
    found = example()
    for block in blocks():
        print(f"```\n{block}```\n")
    for name in ("first_name", "first_digest", "second_name", "second_digest"):
        print(name, found[name])
    print("packet", len(found["packet"]), sha256(found["packet"]))
