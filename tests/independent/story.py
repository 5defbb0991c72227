"""Writes entries of the log, for tests: a second encoder, from docs/PROTOCOL.md section 6 and log/entry.h.

A story is a list of drafts, dicts with what an entry says; where a test leaves something out, it
means nothing. encode() makes the entries and the lines of keys.jsonl.
"""
import base64
import hashlib
import hmac
import json
import struct

import verify_log as v

VAULT = hashlib.sha256(b"a vault").digest()
SECRET = hashlib.sha256(b"a log box key").digest()
SECOND = 10**9
START = 1_700_000_000 * SECOND
NOISE = 4
# Numbers of case/action.h, beside those of the verifier.
DENY, FAILED, NONE = 2, 3, 0
SEARCH, BATCH_OPEN, COLLECTION_CREATE, ORDER_SIGN, UNSEAL_SHARE, HEARTBEAT, HANDSHAKES = (
    1, 21, 31, 62, 103, 107, 108)
SEALED, NO_SESSION, UNKNOWN, CUT = 10, 1, 20, 43


def str16(data):
    return struct.pack(">H", len(data)) + data


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def access(d):
    return (struct.pack(">5BI", 1, d.get("kind", v.EVENT), d["action"], d.get("decision", NONE),
                        d.get("reason", 0), d.get("person", 0))
            + d.get("credential", bytes(32)) + struct.pack(">II", d.get("collection", 0), 0)
            + str16(b"4(b)") + d.get("session", bytes(16)) + bytes([d.get("parties", 1)])
            + str16("pl\u00e4ntiffs".encode()) * d.get("parties", 1)
            + struct.pack(">QQ", d.get("related", v.NONE), d.get("sequence", v.NONE))
            + str16(d.get("summary", b"")))


def disclosure(d):
    records, last, out = d.get("records", []), 0, b""
    for r in records:
        out += varint((r - last) * 2 if r >= last else (last - r) * 2 - 1)
        last = r
    part, parts = d.get("part", (0, 1))
    version = d.get("version", 2)  # the first named no collection
    return (struct.pack(">BB", version, 0) + (b"" if version == 1 else struct.pack(">I", 1))
            + struct.pack(">QQIII", 3, len(records), part, parts, len(records)) + out)


def query(d):
    part, parts = d.get("query_part", d.get("part", (0, 1)))
    return (b"\x01" + str16(b"trial") + str16(b"192.0.2.1") + struct.pack(">I", 4) + b"word"
            + struct.pack(">III", part, parts, 1) + str16(b"word"))


def box_keys(index, salt):
    info, out, t = b"underseal/entry-boxes/1" + VAULT + struct.pack(">Q", index) + salt, b"", b""
    for i in (1, 2, 3):
        t = hmac.new(SECRET, t + info + bytes([i]), hashlib.sha256).digest()
        out += t
    return out[:32], out[32:64], out[64:]


def encode_entry(d, index):
    salt = hashlib.sha256(b"salt %d" % index).digest()[:24]
    out = struct.pack(">4sBBHIQq", b"USE1", d["class"], bool(d.get("boot")), 0, d["order"], index,
                      d["time"])
    if d["class"] == v.STATE:
        out += d["commitment"]
    out += salt
    if d.get("boot"):
        out += str16(bytes(d.get("sealed_size", 104)))
    prefix, keys = out, box_keys(index, salt)
    machine = d.get("kind", v.EVENT) == v.EVENT
    contents = d.get("contents", (access(d), b"" if machine else disclosure(d),
                                  b"" if machine else query(d)))
    for box, content in enumerate(contents):
        plain = str16(content) + bytes(v.padded(len(content)) - len(content) - 2)
        if box == 0:  # a test may spoil it
            plain = d.get("spoil", lambda p: p)(plain)
        sealed, tag = v.gcm(keys[box], prefix + bytes([box]), plain, True)
        out += hashlib.sha256(b"underseal/box/1" + bytes([box]) + struct.pack(">Q", index)
                              + d.get("committed", keys)[box]).digest() + str16(sealed + tag)
    return out, keys


def str32(data):
    return struct.pack(">I", len(data)) + data


def committed_act(number):
    """Act number 2 closes a batch, the others do something else. What it says does not matter to a log."""
    root = hashlib.sha256(b"manifest root").digest()
    payload = bytes(104) + root + b"the rest" if number == 2 else b"payload %d" % number
    signed = b"underseal/act/1\n" + bytes([128 if number == 1 else 129 if number == 2 else 2]) + bytes(88) + str32(payload)
    return (struct.pack(">QqI", number, START, 0) + str32(signed) + str16(b"signature") + str32(b"result"),
            root if number == 2 else bytes(32))


def commit(drafts):
    """Says in the drafts of acts what state they commit to. Returns the acts, as the file of that name has them."""
    digest, number, out = bytes(32), 0, b""
    for d in drafts:
        if d["class"] == v.STATE:
            number += 1
            act, root = d.get("act", committed_act(number))
            digest = hashlib.sha256(b"underseal/state/1" + digest + act).digest()
            d["commitment"] = hashlib.sha256(b"underseal/entry-state/1" + digest + root).digest()
            out += str32(act)
    return out


def encode(drafts, withheld=()):
    """Entries, and keys.jsonl of all but the withheld (index, box)."""
    entries, lines = [], []
    commit(drafts)
    for index, d in enumerate(drafts):
        entry, keys = encode_entry(d, index)
        entries.append(entry)
        line = {"index": index}
        for box, name in enumerate(v.BOXES):
            if (index, box) not in withheld:
                line[name] = base64.b64encode(keys[box]).decode()
        if len(line) > 1:
            lines.append(json.dumps(line))
    return entries, ("\n".join(lines) + "\n").encode()


def person(number):
    """A session's members: who acts, with which credential, in which session."""
    return {"person": number, "credential": hashlib.sha256(b"credential %d" % number).digest(),
            "session": hashlib.sha256(b"session %d" % number).digest()[:16]}


ALICE, BOB, CAROL, DAVE = map(person, (7, 8, 9, 10))


def machine(action, order, decision=NONE, **more):
    return dict({"class": v.SYSTEM, "action": action, "order": order, "decision": decision}, **more)


def session(who, order):
    return dict({"class": v.ACCESS, "kind": v.INTENT, "action": v.SESSION, "decision": v.ALLOW,
                 "order": order}, **who)


def asked(who, action, order, **more):
    return dict({"class": v.ACCESS, "kind": v.INTENT, "action": action, "decision": v.ALLOW,
                 "order": order, "collection": 1}, **who, **more)


def shown(who, action, order, **more):
    return dict(asked(who, action, order, **more), kind=v.DISCLOSURE)


def outcome(who, action, order, related):
    return dict(asked(who, action, order, related=related, reason=CUT), kind=v.OUTCOME, decision=FAILED)


def mark(first, end, order):
    return machine(v.ANSWERED, order, summary=struct.pack(">QQ", first, end))


def act(who, action, order, sequence):
    return dict({"class": v.STATE, "kind": v.OUTCOME, "action": action, "decision": v.ALLOW,
                 "order": order, "sequence": sequence}, **who)


def opening(order, boot=True):
    return [machine(UNSEAL_SHARE, 0, v.ALLOW, summary=b"\x01", boot=boot),
            machine(v.UNSEAL, 0, v.ALLOW, boot=boot),
            machine(v.STATE_OPEN, order, v.ALLOW),
            machine(v.ORDER_IN_FORCE, order, summary=struct.pack(">I", order))]


def story():
    """One life of a vault, in which every rule has something to look at."""
    out = [dict(machine(v.INIT, 1, v.ALLOW, sequence=1), **{"class": v.STATE}),      # 0
           machine(v.START, 0, boot=True)]                                           # 1
    out += opening(1)                                                                # 2 to 5
    out += [
        session(ALICE, 1),                                                           # 6
        act(ALICE, COLLECTION_CREATE, 1, 2),                                         # 7
        asked(ALICE, SEARCH, 1),                                                     # 8
        shown(ALICE, SEARCH, 1, related=8, records=[5, 3, 9], part=(0, 3)),          # 9
        shown(ALICE, SEARCH, 1, related=8, records=[70000, 1], part=(1, 3)),         # 10
        shown(ALICE, SEARCH, 1, related=8, records=[2**62], part=(2, 3)),            # 11
        shown(ALICE, v.READ, 1, records=[4], summary=b"approval\0\0\0\x05"),         # 12
        dict(shown(BOB, v.READ, 1, records=[4], reason=NO_SESSION), decision=DENY),  # 13
        session(BOB, 1),                                                             # 14
        shown(BOB, v.COPY, 1, records=[6], summary=b"approval\0\0\0\x06", part=(0, 2)),  # 15
        shown(BOB, v.COPY, 1, records=[7], summary=b"approval\0\0\0\x06", part=(1, 2)),  # 16
        act(BOB, ORDER_SIGN, 2, 3),                                                  # 17
        machine(v.ORDER_IN_FORCE, 2, summary=b"\0\0\0\x02"),                         # 18
        shown(ALICE, v.READ, 2, records=[8]),                                        # 19
        machine(HEARTBEAT, 2),                                                       # 20
        dict(machine(HANDSHAKES, 2, DENY, summary=b"\x14\0\0\0\x09"), **{"class": NOISE}),  # 21
        dict(machine(BATCH_OPEN, 2, v.ALLOW), person=8, **{"class": v.ACCESS}),      # 22
        dict(asked(BOB, v.SEAL, 2), **{"class": v.SYSTEM}),                          # 23
        machine(v.START, 0, boot=True),                                              # 24
        dict(shown(ALICE, v.READ, 0, reason=SEALED), decision=DENY)]                 # 25
    out += opening(2)                                                                # 26 to 29
    out += [session(CAROL, 2),                                                       # 30
            shown(CAROL, v.READ, 2, records=[1]),                                    # 31
            shown(CAROL, v.COPY, 2, records=[1], part=(0, 2)),                       # 32: power fails
            machine(v.START, 0)]                                                     # 33
    out += opening(2)                                                                # 34 to 37
    out += [session(DAVE, 2),                                                        # 38
            asked(DAVE, v.COUNT, 2, summary=b"approval\0\0\0\x07"),                  # 39
            shown(DAVE, v.READ, 2, records=[3], related=39),                         # 40
            outcome(DAVE, v.READ, 2, 40),                                            # 41
            mark(0, 42, 2),                                                          # 42
            shown(DAVE, v.READ, 2, records=[5]),                                     # 43
            outcome(DAVE, v.READ, 2, 43),                                            # 44
            mark(42, 45, 2)]                                                         # 45
    for i, d in enumerate(out):
        d["time"] = START + i * SECOND
    return out


def long_story(n):
    """The same, then reads until there are n entries."""
    out = story()
    while len(out) < n:
        out.append(dict(shown(DAVE, v.READ, 2, records=[len(out)]), time=out[-1]["time"] + 1000))
    return out
