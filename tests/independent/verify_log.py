#!/usr/bin/env python3
"""Verifies an exported audit log with nothing but Python's standard library.

usage: verify_log.py DIR [--vkey FILE] [--policy FILE] [--json] [--foreign]
       verify_log.py --receipt FILE --vkey FILE [--policy FILE] [--entry FILE] [--json] [--foreign]

Written from the public texts, not from the project's C: RFC 6962 (Merkle trees), RFC 8032
(Ed25519, section 5.1 and its appendix's arithmetic), c2sp.org/signed-note,
c2sp.org/tlog-checkpoint, tlog-tiles, tlog-cosignature, tlog-policy and tlog-proof, FIPS 197 (AES) and NIST SP 800-38D (GCM), since the
standard library has neither, and docs/PROTOCOL.md, section 6 and "What a verifier checks", with the
contents that log/entry.h lists.

Timestamps (timestamps/ in the directory) are not checked: that takes X.509 and CMS, which the standard library has not.
underseal-verify checks them.

Verdicts and exit status: OK 0, TAMPERED 5, INCOMPLETE 6, UNVERIFIABLE 6; usage 2.
--foreign: entries are not Underseal's; their form, index and time are not looked at.
"""
import argparse
import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import stat
import struct
import sys

WIDTH = 256
BOXES = ("access", "disclosure", "query")
NONE = 2**64 - 1  # "no such entry", "no such act"
KEYS_LINE = 1024
ACTS_MAX, ACT_MAX = 2**30, 1114112
BATCH_CLOSE_ACT = 129
# Numbers of case/action.h that the rules look at: classes, kinds, a decision, actions.
ACCESS, STATE, SYSTEM = 1, 2, 3
INTENT, DISCLOSURE, OUTCOME, EVENT = 1, 2, 3, 4
ALLOW = 1
COUNT, READ, COPY, SESSION, AUDIT_WITNESS = 2, 3, 4, 40, 85
INIT, START, STOP, UNSEAL, SEAL, STATE_OPEN, ORDER_IN_FORCE, ANSWERED = 100, 101, 102, 104, 105, 106, 117, 120
BACKUP, HANDOVER = 110, 124
# Summaries that the rules look at, as struct has them ("Summaries" in section 6).
SUMMARIES = {ORDER_IN_FORCE: ">I", ANSWERED: ">QQ", READ: ">8sI", COPY: ">8sI", COUNT: ">8sI"}
SESSION_NS = (15 + 2) * 60 * 10**9
EXIT = {"OK": 0, "TAMPERED": 5, "INCOMPLETE": 6, "UNVERIFIABLE": 6}


class Verdict(Exception):
    def __init__(self, verdict, index, detail, rule=None):
        super().__init__(detail)
        self.verdict, self.index, self.detail, self.rule = verdict, index, detail, rule


def tampered(index, detail):
    return Verdict("TAMPERED", index, detail)


def incomplete(index, detail):
    return Verdict("INCOMPLETE", index, detail)


def unverifiable(detail):
    return Verdict("UNVERIFIABLE", None, detail)


# Ed25519, RFC 8032 section 5.1. Slow and not constant time: public data only.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if (x & 1) != sign else x


GY = 4 * pow(5, P - 2, P) % P
GX = recover_x(GY, 0)
BASE = (GX, GY, 1, GX * GY % P)


def point_add(a, b):
    """Extended homogeneous coordinates, RFC 8032 section 5.1.4."""
    k = (a[1] - a[0]) * (b[1] - b[0]) % P
    m = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = m - k, d - c, d + c, m + k
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(s, a):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = point_add(q, a)
        a = point_add(a, a)
        s >>= 1
    return q


def point_decompress(raw):
    y = int.from_bytes(raw, "little")
    sign = y >> 255
    y &= 2**255 - 1
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def ed25519_verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point_decompress(public), point_decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = hashlib.sha512(signature[:32] + public + message).digest()
    left = point_mul(s, BASE)
    right = point_add(r, point_mul(int.from_bytes(h, "little") % L, a))
    return ((left[0] * right[2] - right[0] * left[2]) % P == 0
            and (left[1] * right[2] - right[1] * left[2]) % P == 0)


# AES-256 in counter mode and GHASH: FIPS 197 and SP 800-38D. Slow and not constant time: whoever
# runs this has the keys anyway.
def aes_tables():
    """The S-box, and SubBytes with MixColumns for each of the four rows of a column."""
    log, power, x = [0] * 256, [0] * 255, 1
    for i in range(255):
        power[i], log[x] = x, i
        x ^= x << 1 ^ (0x11b if x & 0x80 else 0)
    sbox, columns = [], []
    for value in range(256):
        inverse = power[-log[value] % 255] if value else 0
        s = 0x63
        for shift in range(5):
            s ^= (inverse << shift | inverse >> (8 - shift)) & 0xff
        sbox.append(s)
        two = s << 1 ^ (0x11b if s & 0x80 else 0)
        columns.append(two << 24 | s << 16 | s << 8 | two ^ s)
    tables = [columns]
    for _ in range(3):
        tables.append([c >> 8 | (c & 0xff) << 24 for c in tables[-1]])
    return sbox, tables


SBOX, (T0, T1, T2, T3) = aes_tables()


class AES256:
    def __init__(self, key):
        w, rcon = list(struct.unpack(">8I", key)), 1
        for i in range(8, 60):
            t = w[i - 1]
            if i % 8 == 0:
                t = self.sub((t << 8 | t >> 24) & 0xffffffff) ^ rcon << 24
                rcon <<= 1
            elif i % 8 == 4:
                t = self.sub(t)
            w.append(w[i - 8] ^ t)
        self.w = w

    @staticmethod
    def sub(t):
        return (SBOX[t >> 24] << 24 | SBOX[t >> 16 & 255] << 16 | SBOX[t >> 8 & 255] << 8
                | SBOX[t & 255])

    def block(self, data):
        w = self.w
        a, b, c, d = (x ^ k for x, k in zip(struct.unpack(">4I", data), w))
        for i in range(4, 56, 4):
            a, b, c, d = (
                T0[a >> 24] ^ T1[b >> 16 & 255] ^ T2[c >> 8 & 255] ^ T3[d & 255] ^ w[i],
                T0[b >> 24] ^ T1[c >> 16 & 255] ^ T2[d >> 8 & 255] ^ T3[a & 255] ^ w[i + 1],
                T0[c >> 24] ^ T1[d >> 16 & 255] ^ T2[a >> 8 & 255] ^ T3[b & 255] ^ w[i + 2],
                T0[d >> 24] ^ T1[a >> 16 & 255] ^ T2[b >> 8 & 255] ^ T3[c & 255] ^ w[i + 3])
        rows = (a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c)
        return struct.pack(">4I", *(
            (SBOX[p >> 24] << 24 | SBOX[q >> 16 & 255] << 16 | SBOX[r >> 8 & 255] << 8
             | SBOX[t & 255]) ^ k for (p, q, r, t), k in zip(rows, w[56:])))


def times_x(v):
    return v >> 1 ^ (0xe1 << 120 if v & 1 else 0)


def reduce_table():
    """What the four bits become that fall off the right end."""
    out = []
    for v in range(16):
        for _ in range(4):
            v = times_x(v)
        out.append(v)
    return out


REDUCE = reduce_table()


def ghash(h, data):
    """Bit 0 is the leftmost; multiplication by four bits at once, the last first."""
    table = [0] * 16
    for bit in (8, 4, 2, 1):
        table[bit], h = h, times_x(h)
    for i in range(16):
        table[i] = table[i & 8] ^ table[i & 4] ^ table[i & 2] ^ table[i & 1]
    y = 0
    for at in range(0, len(data), 16):
        y ^= int.from_bytes(data[at:at + 16], "big")
        z = 0
        for shift in range(0, 128, 4):
            z = z >> 4 ^ REDUCE[z & 15] ^ table[y >> shift & 15]
        y = z
    return y


def gcm(key, aad, data, seal):
    """The data sealed, or opened, under a nonce of zeros; and the tag."""
    aes, blocks = AES256(key), (len(data) + 15) // 16
    stream = b"".join(aes.block(bytes(12) + struct.pack(">I", 2 + i)) for i in range(blocks))
    n = len(data)
    out = (int.from_bytes(data, "big") ^ int.from_bytes(stream[:n], "big")).to_bytes(n, "big")
    sealed = out if seal else data
    tag = ghash(int.from_bytes(aes.block(bytes(16)), "big"),
                aad + bytes(-len(aad) % 16) + sealed + bytes(-n % 16)
                + struct.pack(">QQ", 8 * len(aad), 8 * n))
    tag ^= int.from_bytes(aes.block(bytes(15) + b"\x01"), "big")
    return out, tag.to_bytes(16, "big")


def b64(text, what):
    """Standard base64, one spelling for each value."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError(what + " is not base64") from e
    if base64.b64encode(raw).decode() != text:
        raise ValueError(what + " is not canonical base64")
    return raw


def decimal(text, what):
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) or int(text) > 2**63 - 1:
        raise ValueError(what + " is not a number")
    return int(text)


class Key:
    """A verifier key of a signed note, "name+id+base64": a log's (1) or a witness's (4)."""

    def __init__(self, text, kind=1):
        m = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+(\S+)", text)
        if not m:
            raise ValueError("it is not of the form name+id+key")
        if len(m[1].encode()) > 255:
            raise ValueError("its name is too long")
        raw = b64(m[3], "the key")
        if len(raw) != 33 or raw[0] != kind:
            raise ValueError("it is not an Ed25519 key")
        self.kind = kind
        self.name, self.id, self.public = m[1], bytes.fromhex(m[2]), raw[1:]
        if hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4] != self.id:
            raise ValueError("its id is wrong")

    def check(self, body, signature):
        """When the key signed: 0 for a log's key, which does not say."""
        when = 0
        if self.kind == 4:
            when = int.from_bytes(signature[:8], "big")
            if len(signature) != 72 or when >= 2**63:
                raise ValueError("the cosignature of %s is malformed" % self.name)
            body, signature = b"cosignature/v1\ntime %d\n" % when + body, signature[8:]
        if not ed25519_verify(self.public, body, signature):
            raise ValueError("the signature of %s is wrong" % self.name)
        return when


def open_note(data, key, witnesses=()):
    """The text of a note that key has signed, and which witnesses cosigned it when; ValueError says what is wrong."""
    text = data.decode("utf-8")
    if any(ord(c) < 32 and c != "\n" for c in text) or not text.endswith("\n"):
        raise ValueError("malformed note")
    at = text.rfind("\n\n")
    if at < 0 or at + 2 == len(text):
        raise ValueError("malformed note: no signature")
    body, lines = text[:at + 1], text[at + 2:-1].split("\n")
    if len(lines) > 100:
        raise ValueError("malformed note: too many signatures")
    known, good = {(k.name, k.id): k for k in (key, *witnesses)}, {}
    for line in lines:
        m = re.fullmatch("\u2014 ([^+\\s]+) (\\S+)", line)
        if not m:
            raise ValueError("malformed note: signature line")
        raw = b64(m[2], "a signature")
        if len(raw) < 5:
            raise ValueError("malformed note: signature too short")
        signer = known.get((m[1], raw[:4]))
        if signer is None or signer in good:
            continue
        good[signer] = signer.check(body.encode(), raw[4:])
    if key not in good:
        raise ValueError("it is not signed by the key " + key.name)
    del good[key]
    return body, good


def parse_checkpoint(text):
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "" or "" in lines[:-1]:
        raise ValueError("malformed checkpoint")
    root = b64(lines[2], "the root")
    if len(root) != 32:
        raise ValueError("the root is not a hash")
    return lines[0], decimal(lines[1], "the size"), root


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def path_root(h, index, size, path):
    """The root that an inclusion proof leads to: RFC 9162, 2.1.3.2."""
    fn, sn = index, size - 1
    for p in path:
        if sn == 0:
            raise ValueError("the proof is too long")
        if fn & 1 or fn == sn:
            h = node_hash(p, h)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            h = node_hash(h, p)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ValueError("the proof is too short")
    return h


class Stream:
    """A tree head from leaves in order: the peaks of RFC 6962's tree, lowest last."""

    def __init__(self):
        self.peaks = []

    def add(self, h):
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            h = node_hash(self.peaks.pop()[1], h)
            height += 1
        self.peaks.append((height, h))

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        h = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            h = node_hash(left, h)
        return h


def tree_head(hashes):
    s = Stream()
    for h in hashes:
        s.add(h)
    return s.root()


class Directory:
    def __init__(self, path):
        self.path = path
        if not os.path.isdir(path):
            raise unverifiable("there is no such directory")

    def read(self, name, limit, index=None):
        """The file's bytes, or None if there is none. Links are not followed."""
        at = self.path
        for part in name.split("/"):
            at = os.path.join(at, part)
            try:
                mode = os.lstat(at).st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None
            if stat.S_ISLNK(mode):
                raise unverifiable(name + " cannot be read: it is a link")
        if not stat.S_ISREG(mode):
            raise unverifiable(name + " is not a file")
        try:
            with open(at, "rb") as f:
                data = f.read(limit + 1)
        except OSError as e:
            raise unverifiable("%s cannot be read: %s" % (name, e.strerror)) from e
        if len(data) > limit:
            raise tampered(index, name + " is larger than it can be")
        return data

    def start(self, name, n):
        """The first n bytes of a file; nothing if it cannot be read, which whoever wants the whole says."""
        at = os.path.join(self.path, name)
        try:
            if not stat.S_ISREG(os.lstat(at).st_mode):
                return b""
            with open(at, "rb") as f:
                return f.read(n)
        except OSError:
            return b""

    def lines(self, name):
        at = os.path.join(self.path, name)
        if os.path.islink(at):
            raise unverifiable(name + " is a link")
        if not os.path.exists(at):
            return
        with open(at, "rb") as f:
            for number, line in enumerate(f, 1):
                line = line[:-1] if line.endswith(b"\n") else line
                if line:
                    yield number, line


def tile_path(kind, n, width):
    parts = ["%03d" % (n % 1000)]
    while n >= 1000:
        n //= 1000
        parts.insert(0, "x%03d" % (n % 1000))
    path = "tile/%s/%s" % (kind, "/".join(parts))
    return path if width == WIDTH else "%s.p/%d" % (path, width)


def get_part(log, kind, n, width, limit, index):
    """A tile or bundle and whether it is partial; the full one stands in for a dropped partial."""
    path = tile_path(kind, n, width)
    data = log.read(path, limit, index)
    if data is not None:
        return data, width < WIDTH
    if width < WIDTH:
        data = log.read(tile_path(kind, n, WIDTH), limit, index)
        if data is not None:
            return data, False
    raise incomplete(index, path + " is missing")


def get_tile(log, level, n, width):
    index = n * WIDTH ** (level + 1)
    data, partial = get_part(log, str(level), n, width, WIDTH * 32 + 1, index)
    want = 32 * (width if partial else WIDTH)
    if len(data) < want:
        raise incomplete(index + len(data) // 32 * WIDTH ** level,
                         "tile %d of level %d is cut short" % (n, level))
    if len(data) > want:
        raise tampered(index, "tile %d of level %d has more hashes than it may" % (n, level))
    return [data[i * 32:i * 32 + 32] for i in range(width)]


class Truncated(ValueError):
    pass


class Trailing(ValueError):
    pass


def padded(n):
    """The length of a box's plaintext for n bytes of content."""
    want, size = n + 2, 128
    if want > 4096:  # Padme
        e = want.bit_length() - 1
        s = e.bit_length()
        mask = (1 << (e - s)) - 1
        return (want + mask) & ~mask
    while size < want:
        size *= 2
    return size


class Entry:
    """The open part of an entry and what its boxes committed to."""

    def __init__(self, data):
        self.data, self.at = data, 0
        magic, kind, flags, zero, self.order, self.index, self.time = struct.unpack(
            ">4sBBHIQq", self.take(28))
        if magic != b"USE1" or zero or flags & ~1 or not 1 <= kind <= 4:
            raise ValueError("not of the form of an entry")
        if self.time < 0 or self.index > 2**63 - 1:
            raise ValueError("a number is out of range")
        self.state = self.take(32) if kind == 2 else None
        self.take(24)
        if flags & 1:
            n = self.number()
            if not 1 <= n <= 1024:
                raise ValueError("the sealed secret has no such length")
            self.take(n)
        self.kind, self.prefix = kind, data[:self.at]
        self.commitments, self.boxes = [], []
        for _ in BOXES:
            self.commitments.append(self.take(32))
            n = self.number()
            self.boxes.append(self.take(n))
            if n < 128 + 16 or padded(n - 18) != n - 16:
                raise ValueError("a box has no such length")
        if self.at != len(data):
            raise Trailing("bytes are left over")

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Truncated("it is cut short")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self):
        return struct.unpack(">H", self.take(2))[0]

    def open(self, box, key):
        """The content of a box; its key was checked."""
        sealed, tag = self.boxes[box][:-16], self.boxes[box][-16:]
        plain, got = gcm(key, self.prefix + bytes([box]), sealed, False)
        if got != tag:
            raise ValueError("it does not open")
        n = struct.unpack_from(">H", plain)[0]
        if n + 2 > len(plain) or padded(n) != len(plain) or any(plain[n + 2:]):
            raise ValueError("its padding is wrong")
        return plain[2:n + 2]


class Fields:
    """Bytes, taken from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise ValueError("it is cut short")
        self.at += n
        return self.data[self.at - n:self.at]

    def u(self, n):
        return int.from_bytes(self.take(n), "big")

    def string(self, size=2):
        return self.take(self.u(size))

    def varint(self):
        """LEB128 of at most 64 bits, in its shortest form."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.u(1)
            value |= (byte & 127) << shift
            if (byte == 0 and shift) or value >= 2**64:
                break
            if byte < 128:
                return value
        raise ValueError("a number is out of range")

    def end(self):
        if self.at != len(self.data):
            raise ValueError("bytes are left over")


class Content(Fields):
    """What a box holds, byte for byte (log/entry.h)."""

    def __init__(self, data, versions=(1,)):
        super().__init__(data)
        self.version = self.u(1)
        if self.version not in versions:
            raise ValueError("another version")


class Access:
    """Of an access box; an empty one says nothing of anybody."""

    def __init__(self, data):
        self.kind = self.action = self.decision = self.person = 0
        self.credential = self.session = self.summary = b""
        self.related = self.sequence = NONE
        self.told = 0
        if not data:
            return
        c = Content(data, (1, 2))
        self.told = c.u(1) if c.version == 2 else 0
        self.kind, self.action, self.decision = c.u(1), c.u(1), c.u(1)
        c.u(1)
        self.person, self.credential = c.u(4), c.take(32)
        c.take(8)
        c.string()
        self.session = c.take(16)
        parties = c.u(1)
        if parties > 16 or not 1 <= self.kind <= 4 or self.decision > 3 or self.told > 1:
            raise ValueError("a number is out of range")
        for _ in range(parties):
            c.string()
        self.related, self.sequence, self.summary = c.u(8), c.u(8), c.string()
        c.end()


def disclosure_part(data):
    """Which part of how many a disclosure box is."""
    if not data:
        return 0, 1
    c = Content(data, (1, 2))
    flags = c.u(1)
    c.take(16 if c.version == 1 else 20)
    part, parts, last = c.u(4), c.u(4), 0
    for _ in range(c.u(4)):
        z = c.varint()
        last += -((z + 1) // 2) if z & 1 else z // 2
        if not 0 <= last < 2**63:
            raise ValueError("a record is out of range")
    if flags & 1:
        c.take(8)
        c.string()
    if flags & 2:
        c.take(48)
    c.end()
    if flags & ~7 or part >= parts:
        raise ValueError("a number is out of range")
    return part, parts


def query_part(data):
    if not data:
        return 0, 1
    c = Content(data)
    c.string()
    c.string()
    c.string(4)
    part, parts = c.u(4), c.u(4)
    for _ in range(c.u(4)):
        c.string()
    c.end()
    if part >= parts:
        raise ValueError("a number is out of range")
    return part, parts


class Keys:
    """keys.jsonl: of each bundle the lines are read before its entries; indexes rise."""

    def __init__(self, log, size):
        self.lines, self.size, self.least, self.opened = log.lines("keys.jsonl"), size, 0, [0] * 3
        self.bundle, self.next = {}, self.advance()

    def advance(self):
        for number, line in self.lines:
            try:
                if len(line) > KEYS_LINE:
                    raise ValueError("it is too long")
                o = json.loads(line.decode("utf-8"), object_pairs_hook=self.unique)
                if (not isinstance(o, dict) or not isinstance(o.get("index"), int)
                        or isinstance(o["index"], bool)):
                    raise ValueError("no index")
                if set(o) - set(BOXES) - {"index"}:
                    raise ValueError("a member that has no meaning")
                keys = {b: b64(o[b], b) for b in BOXES if b in o}
                if any(len(k) != 32 for k in keys.values()):
                    raise ValueError("a key is not of 32 bytes")
            except (ValueError, TypeError) as e:
                raise tampered(None, "keys.jsonl, line %d: %s" % (number, e)) from e
            if not self.least <= o["index"] < self.size:
                raise tampered(None, "keys.jsonl, line %d: index %d is out of order or of the log"
                               % (number, o["index"]))
            self.least = o["index"] + 1
            return o["index"], keys
        return None

    @staticmethod
    def unique(pairs):
        if len({k for k, _ in pairs}) != len(pairs):
            raise ValueError("a member stands twice")
        return dict(pairs)

    def take(self, n):
        self.bundle = {}
        while self.next and self.next[0] // WIDTH == n:
            self.bundle[self.next[0]] = self.next[1]
            self.next = self.advance()

    def open(self, entry):
        """What the boxes hold whose keys are here, by the box's number."""
        out, keys = {}, self.bundle.get(entry.index, {})
        for box, name in enumerate(BOXES):
            key = keys.get(name)
            if key is None:
                continue
            want = hashlib.sha256(b"underseal/box/1" + bytes([box])
                                  + struct.pack(">Q", entry.index) + key).digest()
            if want != entry.commitments[box]:
                raise tampered(entry.index, "the key of the %s box of entry %d is not the one "
                               "the entry committed to" % (name, entry.index))
            try:
                out[box] = (Access, disclosure_part, query_part)[box](entry.open(box, key))
            except ValueError as e:
                raise tampered(entry.index, "the %s box of entry %d: %s"
                               % (name, entry.index, e)) from e
            self.opened[box] += 1
        return out


class Rules:
    """Rules between entries, as far as boxes are open (docs/PROTOCOL.md)."""

    def __init__(self):
        self.vault, self.order, self.acts = "closed", 0, 0  # vault, order: None if not known
        self.withheld, self.withheld_time = 0, None
        self.last, self.sessions, self.approvals = None, {}, set()
        self.settled, self.answerable = 0, 0  # settled: None if not known
        self.open = {}  # entries that may still be answered: what gave something, or None
        self.entry = self.access = self.part = None

    def next(self, entry, contents):
        self.entry, self.access = entry, contents.get(0)
        self.part = contents.get(1, contents.get(2))
        self.clock()
        self.sequence()
        self.related()
        self.parts(contents)
        if self.access is None:
            self.withheld += 1
            self.withheld_time = entry.time
            if entry.kind == SYSTEM or entry.index == 0:
                self.vault = self.order = self.settled = None
        else:
            self.follow()
            self.outcome()
            self.granted()
        self.last = entry, self.access, self.part

    def broken(self, rule, why):
        return Verdict("TAMPERED", self.entry.index, 'entry %d breaks the rule "%s": %s'
                       % (self.entry.index, rule, why), rule)

    def is_event(self, *actions):
        return self.access.kind == EVENT and self.access.action in actions

    def clock(self):
        if self.last and self.entry.time < self.last[0].time:
            raise self.broken("clock", "it is older than the one before it")

    def sequence(self):
        self.acts += self.entry.kind == STATE
        want = self.acts if self.entry.kind == STATE else NONE
        if self.access is not None and self.is_event(INIT) != (self.entry.index == 0):
            raise self.broken("sequence", "a log begins with the making of its vault, once")
        if self.access is not None and self.access.sequence != want:
            raise self.broken("sequence", "its act does not have the next number")

    def related(self):
        a = self.access
        if a is not None and a.related != NONE and a.related >= self.entry.index:
            raise self.broken("related", "it answers an entry that is not before it")

    def parts(self, contents):
        if 1 in contents and 2 in contents and contents[1] != contents[2]:
            raise self.broken("parts", "its disclosure and its query are different parts")
        if self.part is None or (self.last and self.last[2] is None):
            return
        due = 0
        if self.last and self.last[2][0] + 1 < self.last[2][1]:
            due = self.last[2][0] + 1
        if (due and self.part[0] == 0 and self.entry.kind == SYSTEM
                and (self.access is None or self.is_event(START, BACKUP, HANDOVER))):
            return  # the process died while it wrote
        if self.part[0] != due:
            raise self.broken("parts", "a part of a request is missing")
        if due and (self.part[1] != self.last[2][1] or not self.same_request()):
            raise self.broken("parts", "it goes on with another request")

    def same_request(self):
        a, b = self.access, self.last[1]
        return a is None or b is None or (self.entry.kind == self.last[0].kind and (
            a.kind, a.action, a.decision, a.person, a.session) == (
            b.kind, b.action, b.decision, b.person, b.session))

    def close(self):
        self.vault, self.order, self.sessions = "closed", 0, {}

    def follow(self):
        allowed = self.access.decision == ALLOW
        if self.is_event(START, STOP) or (self.is_event(STATE_OPEN) and not allowed):
            self.close()
        elif self.is_event(UNSEAL) and allowed:
            self.vault = "replaying"
        elif self.is_event(STATE_OPEN):
            if self.vault in ("closed", "open"):
                raise self.broken("seal", "the state was opened, and the vault was not unsealed")
            self.vault = "open"
        elif self.is_event(ORDER_IN_FORCE):
            if self.access.summary != struct.pack(SUMMARIES[ORDER_IN_FORCE], self.entry.order):
                raise self.broken("order", "it announces another version than it stands under")
            self.order = self.entry.order
        if (self.vault == "open" and self.order is not None and self.entry.kind == ACCESS
                and self.entry.order != self.order):
            raise self.broken("order", "it stands under a version that was not announced")

    def settle(self, below):
        self.answerable = max(self.answerable, below)
        self.open = {i: a for i, a in self.open.items() if i >= self.answerable}

    def mark(self):
        if len(self.access.summary) != 16:
            raise self.broken("outcome", "it marks no range of entries")
        first, end = struct.unpack(SUMMARIES[ANSWERED], self.access.summary)
        if not first < end <= self.entry.index:
            raise self.broken("outcome", "it marks no range of entries before it")
        if self.settled not in (None, first):
            raise self.broken("outcome", "its mark does not begin where the one before it ended")
        self.settled = end
        self.settle(end)

    def outcome(self):
        a, access = self.access, self.entry.kind == ACCESS
        who = a.person, a.action, a.session
        if self.is_event(START):
            self.settle(self.entry.index)
        elif self.is_event(ANSWERED):
            self.mark()
        elif access and a.kind == OUTCOME:
            if a.related == NONE or a.related < self.answerable:
                raise self.broken("outcome", "what it is an outcome of was settled, or is not named")
            if self.open.get(a.related, who) != who:
                raise self.broken("outcome", "it is not the first outcome of what gave this person something")
            if a.related in self.open:
                self.open[a.related] = None
        gave = access and a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)
        self.open[self.entry.index] = who if gave else None

    def granted(self):
        """What the entry says somebody was let do."""
        a, kind = self.access, self.entry.kind
        if self.is_event(AUDIT_WITNESS):
            return  # may be brought to a sealed vault, by anybody
        if a.told and a.session != bytes(16):
            raise self.broken("session", "the vault alone tells it, and it names a session")
        if a.decision != ALLOW or not (kind == ACCESS or (kind == STATE and a.kind == OUTCOME)
                                       or (kind == SYSTEM and a.kind == INTENT)):
            return
        if a.told:
            raise self.broken("session", "it lets somebody do what the vault alone says they asked for")
        if self.vault in ("closed", "replaying"):
            raise self.broken("seal", "the vault was sealed")
        self.session()
        self.approval()
        if kind == SYSTEM and a.action == SEAL:
            self.close()

    def session(self):
        a, now = self.access, self.entry.time
        if a.action == SESSION and a.kind == INTENT:
            self.sessions.setdefault(a.session, (now, a.person, a.credential))
            return
        if a.kind not in (INTENT, DISCLOSURE):
            return
        opened = self.sessions.get(a.session)
        if opened is None:
            if self.withheld_time is not None and self.withheld_time >= now - SESSION_NS:
                return  # it may be among those
            raise self.broken("session", "no session was opened for it")
        if opened[1:] != (a.person, a.credential):
            raise self.broken("session", "its session is somebody else's")
        if opened[0] < now - SESSION_NS:
            raise self.broken("session", "its session had ended")

    def approval(self):
        a = self.access
        if (a.action not in (READ, COPY, COUNT) or len(a.summary) != struct.calcsize(SUMMARIES[a.action])
                or a.summary[:8] != b"approval" or self.part is None or self.part[0] > 0):
            return
        if a.summary in self.approvals:
            raise self.broken("approval", "its approval was used before")
        self.approvals.add(a.summary)


class Acts:
    """The file "acts": what entries of class 2 commit to (docs/PROTOCOL.md, section 10)."""

    def __init__(self, log):
        data = log.read("acts", ACTS_MAX)
        self.there, self.missing = data is not None, None
        self.file, self.count, self.digest = Fields(data or b""), 0, bytes(32)

    def left(self):
        return self.file.at < len(self.file.data)

    def next(self, index, commitment):
        if not self.left():
            self.missing = index if self.missing is None else self.missing
            return
        try:
            act = self.file.string(4)
            if len(act) > ACT_MAX:
                raise ValueError("it is too long")
            root = self.root(act)
        except ValueError as e:
            raise self.broken(index, str(e)) from e
        self.count += 1
        self.digest = hashlib.sha256(b"underseal/state/1" + self.digest + act).digest()
        want = hashlib.sha256(b"underseal/entry-state/1" + self.digest + root).digest()
        if want != commitment:
            raise self.broken(index, "it is another one")

    def root(self, committed):
        """The manifest root, of an act that closes a batch."""
        c = Fields(committed)
        if c.u(8) != self.count + 1:
            raise ValueError("it has another number")
        c.take(12)
        signed = Fields(c.string(4))
        c.string()
        c.string(4)
        c.end()
        if signed.take(16) != b"underseal/act/1\n":
            raise ValueError("it is no act")
        kind = signed.u(1)
        signed.take(32 + 32 + 16 + 8)
        payload = Fields(signed.string(4))
        signed.end()
        if kind != BATCH_CLOSE_ACT:
            return bytes(32)
        payload.take(104)
        return payload.take(32)

    @staticmethod
    def broken(index, why):
        return Verdict("TAMPERED", index, "the act beside entry %d is not the one that it commits to: %s"
                       % (index, why), "acts")

    def finish(self, whole):
        """whole: every box of every entry was opened."""
        if self.left():
            raise Verdict("TAMPERED", None, "there are more acts than entries of acts", "acts")
        if self.missing is not None and (self.there or whole):
            raise Verdict("INCOMPLETE", self.missing, "the acts end before that of entry %d" % self.missing if self.there else
                          "every box is opened, but the acts are not there: that of entry %d is the first" % self.missing, "acts")


class Policy:
    """Which cosignatures are enough: a file of c2sp.org/tlog-policy, read as strictly as the project's own reader does."""

    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.taken, self.quorum = [], {}, {}, set(), None
        if len(data) > 256 * 1024 or not data.endswith(b"\n"):
            raise ValueError("too large, or its last line has no end")
        for number, line in enumerate(data[:-1].split(b"\n"), 1):
            try:
                text = line.decode("utf-8", "surrogateescape")
                words = [w for w in re.split("[ \t]", text) if w]
                if any((ord(c) < 32 and c != "\t") or c == "\x7f" for c in text):
                    raise ValueError("a control character")
                if words and words[0][0] != "#":
                    self.line(words)
            except ValueError as e:
                raise ValueError("line %d: %s" % (number, e)) from e
        if self.quorum is None:
            raise ValueError("there is no quorum")

    def line(self, words):
        what, rest = words[0], words[1:]
        if len(words) > 131:
            raise ValueError("too many words")
        if what == "log" and len(rest) in (1, 2) and len(self.logs) < 64:
            self.logs.append(self.key(rest[0], 1))
        elif what == "witness" and len(rest) in (2, 3) and len(self.witnesses) < 64:
            key = self.key(rest[1], 4)
            self.witnesses[self.name(rest[0])] = key
        elif what == "group" and len(rest) >= 3 and len(self.groups) < 64:
            self.group(rest[1], rest[2:])
            self.groups[self.name(rest[0])] = int({"all": len(rest) - 2, "any": 1}.get(rest[1], rest[1])), rest[2:]
        elif what == "quorum" and len(rest) == 1 and self.quorum is None:
            if rest[0] != "none" and rest[0] not in self.witnesses and rest[0] not in self.groups:
                raise ValueError("a name that is not defined above")
            self.quorum = rest[0]
        else:
            raise ValueError("not a line of a policy")
        if what in ("log", "witness") and any(len(w.encode("utf-8", "surrogateescape")) > 1024
                                              for w in rest[2 if what == "witness" else 1:]):
            raise ValueError("the URL is too long")

    def key(self, text, kind):
        key = Key(text, kind)
        if key.public in [k.public for k in (*self.logs, *self.witnesses.values())]:
            raise ValueError("this key stands above already")
        return key

    def name(self, name):
        if (name == "none" or name in self.witnesses or name in self.groups
                or len(name.encode("utf-8", "surrogateescape")) > 255):
            raise ValueError("this name is taken, or too long")
        return name

    def group(self, threshold, members):
        if threshold not in ("all", "any") and not (re.fullmatch("[1-9][0-9]{0,3}", threshold, re.ASCII)
                                                    and int(threshold) <= len(members)):
            raise ValueError("a group needs all, any, or a number of its members")
        for m in members:
            if m in self.taken or not (m in self.witnesses or m in self.groups):
                raise ValueError("a member that is not defined above, or is in a group already")
            self.taken.add(m)

    def names(self, key):
        """Whether this is a policy for that log."""
        return not self.logs or any((k.public, k.name) == (key.public, key.name) for k in self.logs)

    def met(self, names, node=None):
        node = node or self.quorum
        if node in self.groups:
            threshold, members = self.groups[node]
            return sum(self.met(names, m) for m in members) >= threshold
        return node == "none" or node in names

    def as_of(self, who):
        """The latest time at or after which a quorum cosigned; 0 if nobody need have."""
        times = [t for t in who.values() if self.met([n for n in who if who[n] >= t])]
        return max(times, default=0) if self.quorum != "none" else 0


class Handovers:
    """The file "handovers": how the log came to its key (docs/PROTOCOL.md, section 9)."""

    HEAD = re.compile(rb"underseal/handed-over/1 (0|[1-9][0-9]{0,3}) (0|[1-9][0-9]{0,3}) (0|[1-9][0-9]{0,3})\n")

    def __init__(self, log, key):
        self.data, self.items, self.key = log.read("handovers", 64 * 3584), [], key
        if self.data is None:
            return
        try:
            keys = self.parse()
        except ValueError as e:
            raise tampered(None, "handovers: %s" % e) from e
        if not any(self.same(k, key) for k in keys):
            raise tampered(None, "no hand-over leads from the key given to another, nor to it")
        self.key = keys[-1]

    @staticmethod
    def same(a, b):
        return (a.name, a.public) == (b.name, b.public)

    @staticmethod
    def number(name):
        """Which key of which vault's log has this name."""
        m = re.fullmatch(".+/underseal/([0-9a-f]{16})(?:/([1-9][0-9]?))?", name, re.DOTALL)
        if not m or m[2] and not 2 <= int(m[2]) <= 65:
            raise ValueError("it is of no log's origin")
        return m[1], int(m[2] or 1)

    @staticmethod
    def note(data, key, label, lines):
        """The lines of a note with one signature, by that key."""
        if data[data.rfind(b"\n\n") + 2:].count(b"\n") != 1:
            raise ValueError("a note has not one signature")
        text = open_note(data, key)[0].split("\n")
        if text[0] != label or len(text) != lines + 1:
            raise ValueError("malformed " + label)
        return text[1:-1]

    @staticmethod
    def hash(text):
        raw = b64(text, "a hash")
        if len(raw) != 32:
            raise ValueError("a hash is not of 32 bytes")
        return raw

    @staticmethod
    def time(text):
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text, re.ASCII):
            raise ValueError("malformed time")
        if not 1970 <= int(text[:4]) <= 2261:
            raise ValueError("a time out of range")
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")

    def parse(self):
        at, keys = 0, []
        if not self.data:
            raise ValueError("it is empty")
        while at < len(self.data):
            m = self.HEAD.match(self.data, at)
            if not m or len(self.items) == 64:
                raise ValueError("a hand-over does not begin as one, or there are too many")
            cuts = [m.end()]
            for n in m.groups():
                cuts.append(cuts[-1] + int(n))
            if cuts[3] > len(self.data) or cuts[3] - at > 3584:
                raise ValueError("a hand-over is cut short, or too long")
            notes = [self.data[cuts[i]:cuts[i + 1]] for i in range(3)]
            old, new, item = self.item(notes)
            if keys and (not self.same(keys[-1], old) or item["size"] <= self.items[-1]["size"]):
                raise ValueError("a hand-over does not follow the one before")
            keys = keys or [old]
            if any(k.public == new.public for k in keys):
                raise ValueError("a key comes back")
            keys.append(new)
            self.items.append(dict(item, digest=hashlib.sha256(self.data[at:cuts[3]]).digest()))
            at = cuts[3]
        return keys

    def item(self, notes):
        named = notes[0].split(b"\n")[1:2]
        if not named:
            raise ValueError("malformed succession")
        old = Key(named[0].decode("utf-8"))
        _, new, size, root, then = self.note(notes[0], old, "underseal/succession/1", 6)
        new, size, root = Key(new), decimal(size, "the size"), self.hash(root)
        vault, number = self.number(old.name)
        if size == 0 or self.number(new.name) != (vault, number + 1):
            raise ValueError("a succession leads to no successor")
        digest, reason, time, last, last_root = self.note(notes[1], new, "underseal/handover/1", 6)
        last, last_root = decimal(last, "the last size"), self.hash(last_root)
        if (self.hash(digest) != hashlib.sha256(notes[0]).digest() or reason not in ("restore", "move", "key")
                or self.time(time) < self.time(then) or last < size):
            raise ValueError("a hand-over does not fit its succession")
        if last == size:
            if notes[2] or last_root != root:
                raise ValueError("a hand-over names another tree than it hands over")
        else:
            self.last(notes[2], old, last, last_root)
        return old, new, {"size": size, "root": root, "last": last, "time": time, "reason": reason}

    def last(self, note, old, size, root):
        """The old key's own word for what is lost."""
        lines = self.note(note, old, old.name, 3)
        if decimal(lines[0], "the size") != size or self.hash(lines[1]) != root:
            raise ValueError("the last checkpoint is another than the hand-over names")

    def fit(self, size):
        if any(i["size"] >= size for i in self.items):
            raise tampered(None, "the log was handed over at an entry that it has not")

    def next(self, entry, access):
        """The rule "handover"."""
        if access is None:
            return
        says = access.kind == EVENT and access.action == HANDOVER
        item = next((i for i in self.items if i["size"] == entry.index), None)
        why = None
        if item is None and says and self.data is None:
            raise incomplete(entry.index, "entry %d says that the log was handed over, and handovers is missing" % entry.index)
        if item is None and says:
            why = "it says that the log was handed over, and it was not there"
        elif item is not None and not says:
            why = "it is the first one under another key, and does not say so"
        elif item is not None and (entry.kind != SYSTEM or hashlib.sha256(access.summary).digest() != item["digest"]):
            why = "it names another hand-over than the one that was signed"
        if why:
            raise Verdict("TAMPERED", entry.index, 'entry %d breaks the rule "handover": %s' % (entry.index, why), "handover")

    def conclude(self, roots):
        for i in self.items:
            if roots[i["size"]] != i["root"]:
                raise tampered(None, "the entries before entry %d are not those that were handed over there" % i["size"])

    def json(self):
        return [{"entry": i["size"], "reason": i["reason"], "time": i["time"], "lost": i["last"] - i["size"]} for i in self.items]


class Witnessed:
    """The checkpoint's cosignatures, and earlier checkpoints that lie beside it as checkpoint.witnessed, .2 and so on."""

    def __init__(self, key, policy, data):
        self.key, self.policy, self.notes = key, policy, []
        self.found = None  # met, size, as of, who
        if policy and not policy.names(key):
            raise unverifiable("the policy is one for other logs")
        self.add("checkpoint", data)

    def beside(self, log, size):
        for k in range(1, 65):
            path = "checkpoint.witnessed" + (".%d" % k if k > 1 else "")
            data = log.read(path, 1 << 20)
            if data is None:
                break
            if self.add(path, data) > size:
                raise incomplete(size, path + " is of more entries than there are here")

    def add(self, path, data):
        witnesses = self.policy.witnesses if self.policy else {}
        try:
            body, good = open_note(data, self.key, witnesses.values())
            origin, size, root = parse_checkpoint(body)
            if origin != self.key.name:
                raise ValueError("it is of another log")
        except ValueError as e:
            raise tampered(None, "%s: %s" % (path, e)) from e
        self.notes.append((path, size, root, {n: good[k] for n, k in witnesses.items() if k in good}))
        return size

    def sizes(self):
        return {size for _, size, _, _ in self.notes}

    def conclude(self, roots):
        for path, size, root, _ in self.notes[1:]:
            if root != roots[size]:
                raise tampered(None, path + " is of another history than the entries here")
        if not self.policy:
            return
        largest = self.notes[0][1]
        good = [(size, self.policy.as_of(who), who) for _, size, _, who in self.notes
                if self.policy.met(who) and (size > 0 or largest == 0)]
        if not good:
            self.found = False, 0, 0, {n for _, _, _, who in self.notes for n in who}
            raise unverifiable("all else is right, but not so many witnesses as the policy wants have cosigned the "
                               "checkpoint, or an earlier one that is here")
        size, as_of, who = max(good, key=lambda g: g[0])
        self.found = True, size, as_of, set(who)

    def json(self):
        if self.found is None:
            return None
        met, size, as_of, who = self.found
        when = "invalid"  # of a clock that counts nanoseconds in 63 bits
        if as_of <= 2**63 // 10**9:
            when = datetime.datetime.fromtimestamp(as_of, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        names = list(self.policy.witnesses)
        return {"met": met, "size": size, "as_of": when if as_of else None, "by": [n for n in names if n in who],
                "missing": [n for n in names if n not in who]}


class Levels:
    """Levels 1 and up: every tile is compared with what the level below gives."""

    def __init__(self, log):
        self.log, self.rows, self.counts = log, {}, {}

    def add(self, level, h):
        row = self.rows.setdefault(level, [])
        row.append(h)
        self.counts[level] = self.counts.get(level, 0) + 1
        if len(row) == WIDTH:
            self.compare(level, self.counts[level] // WIDTH - 1)
            self.rows[level] = []
            self.add(level + 1, tree_head(row))

    def compare(self, level, n):
        row = self.rows[level]
        for i, h in enumerate(get_tile(self.log, level, n, len(row))):
            if h != row[i]:
                raise tampered((n * WIDTH + i) * WIDTH ** level,
                               "hash %d of level %d is not that of the hashes below it"
                               % (n * WIDTH + i, level))

    def finish(self):
        for level in sorted(self.rows):
            if self.rows[level]:
                self.compare(level, self.counts[level] // WIDTH)


class Verifier:
    def __init__(self, log, vkey, foreign, policy=None):
        self.log, self.vkey, self.foreign, self.policy = log, vkey, foreign, policy
        self.witnessed, self.handovers = None, None
        self.origin = self.size = self.root = None
        self.entries, self.opened, self.keys, self.acts, self.rules = 0, 0, None, None, Rules()

    def head(self):
        text = self.vkey
        if text is None:
            raw = self.log.read("log.vkey", 1024)
            if raw is None:
                raise unverifiable("there is no key to verify with")
            text = raw.decode("utf-8", "replace")
        try:
            key = Key(text[:-1] if text.endswith("\n") else text)
        except ValueError as e:
            raise unverifiable("the key given is not the key of a log: %s" % e) from e
        if not self.foreign:
            self.handovers = Handovers(self.log, key)
            key = self.handovers.key
        data = self.log.read("checkpoint", 1 << 20)
        if data is None:
            raise unverifiable("there is no checkpoint")
        try:
            self.origin, self.size, self.root = parse_checkpoint(open_note(data, key)[0])
        except ValueError as e:
            raise tampered(None, "the checkpoint: %s" % e) from e
        if self.origin != key.name:
            raise tampered(None, "the checkpoint is of another log")
        if self.handovers:
            self.handovers.fit(self.size)
        self.witnessed = Witnessed(key, self.policy, data)
        self.witnessed.beside(self.log, self.size)

    def split(self, data, width, partial, index):
        """The entries of a bundle."""
        at = 0
        for i in range(width):
            if len(data) - at < 2:
                raise incomplete(index + i, "the bundle is cut short at entry %d" % (index + i))
            n = struct.unpack_from(">H", data, at)[0]
            if n > len(data) - at - 2:
                self.cut(data[at + 2:at + 2 + 65535], index + i)
            yield data[at + 2:at + 2 + n]
            at += 2 + n
        if at != len(data) and (partial or width == WIDTH):
            raise tampered(index + width - 1,
                           "bytes are left over behind entry %d" % (index + width - 1))

    def cut(self, rest, index):
        """An entry that does not fit: cut off, or its length changed? It tells its own length."""
        try:
            if not self.foreign and rest:
                Entry(rest)
            else:
                raise Truncated()
        except Truncated as e:
            raise incomplete(index, "the bundle is cut short at entry %d" % index) from e
        except ValueError:
            pass
        raise tampered(index, "entry %d does not have the length it states" % index)

    def check_entry(self, data, index):
        if self.foreign:
            return
        try:
            entry = Entry(data)
        except ValueError as e:
            raise tampered(index, "entry %d is malformed: %s" % (index, e)) from e
        if entry.index != index:
            raise tampered(index, "entry %d says that it is entry %d" % (index, entry.index))
        contents = self.keys.open(entry)
        self.opened += len(contents)
        self.handovers.next(entry, contents.get(0))
        self.rules.next(entry, contents)
        if entry.kind == STATE:
            self.acts.next(index, entry.state)

    def as_written(self):
        """A mail gateway or an editor has not written other line ends."""
        for name in ("checkpoint", "log.vkey", "handovers", "checkpoint.witnessed", "keys.jsonl"):
            start = self.log.start(name, 4096)
            if b"\n" in start and len(re.findall(b"\r\n", start)) == start.count(b"\n"):
                raise unverifiable("%s has the line ends (CR LF) of a mail gateway or an editor: this is no tampering, but no longer what was exported. "
                                   "Get it anew, packed" % name)

    def run(self):
        self.as_written()
        self.head()
        if not self.foreign:
            self.acts = Acts(self.log)
            self.keys = Keys(self.log, self.size)
        stream, levels = Stream(), Levels(self.log)
        roots = {0: stream.root()}
        sizes = self.witnessed.sizes() | {i["size"] for i in (self.handovers.items if self.handovers else ())}
        for n in range((self.size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, self.size - n * WIDTH)
            if self.keys:
                self.keys.take(n)
            data, partial = get_part(self.log, "entries", n, width, WIDTH * 65537, n * WIDTH)
            tile = get_tile(self.log, 0, n, width)
            for i, entry in enumerate(self.split(data, width, partial, n * WIDTH)):
                index = n * WIDTH + i
                h = leaf_hash(entry)
                if h != tile[i]:
                    raise tampered(index, "entry %d and its hash in the tree differ" % index)
                self.check_entry(entry, index)
                stream.add(h)
                self.entries += 1
                if self.entries in sizes:
                    roots[self.entries] = stream.root()
            if width == WIDTH:
                levels.add(1, tree_head(tile))
        if self.acts:
            self.acts.finish(self.opened == len(BOXES) * self.entries)
        levels.finish()
        if stream.root() != self.root:
            raise tampered(None, "the entries do not give the root that the checkpoint signs")
        if self.handovers:
            self.handovers.conclude(roots)
        self.witnessed.conclude(roots)
        return Verdict("OK", None, "%d entries match the signed checkpoint" % self.size)


class Receipt:
    """One entry's place in the log: a c2sp.org/tlog-proof, whose extra line may be the entry."""

    FIRST = b"c2sp.org/tlog-proof@v1\n"

    def __init__(self, data, vkey, foreign, policy=None, entry=None):
        self.data, self.vkey, self.foreign, self.policy, self.entry = data, vkey, foreign, policy, entry
        self.index = self.time = self.origin = self.size = self.root = self.witnessed = None

    def parse(self):
        """What stands before the checkpoint; the checkpoint."""
        if not self.data.startswith(self.FIRST):
            raise unverifiable("this is no receipt: it does not begin as a tlog-proof does")
        if not self.data.endswith(b"\n") or self.data.endswith(b"\n\n") or len(re.findall(b"\n(?=\n)", self.data)) < 2:
            raise incomplete(None, "the receipt is cut short")
        head, note = self.data[len(self.FIRST):].split(b"\n\n", 1)
        try:
            lines = head.decode("ascii").split("\n")
            extra = lines.pop(0)[6:] if lines[0].startswith("extra ") else None
            if not lines or not lines[0].startswith("index "):
                raise ValueError("it has no index")
            index = decimal(lines[0][6:], "the index")
            path = [b64(line, "a hash") for line in lines[1:]]
            if len(path) > 65 or any(len(h) != 32 for h in path):
                raise ValueError("what stands there are no hashes")
        except ValueError as e:
            raise tampered(None, "the receipt is malformed: %s" % e) from e
        self.index = index
        return extra, path, note

    def key(self, note):
        if self.vkey is not None:
            try:
                return Key(self.vkey[:-1] if self.vkey.endswith("\n") else self.vkey)
            except ValueError as e:
                raise unverifiable("the key given is not the key of a log: %s" % e) from e
        for key in self.policy.logs if self.policy else []:
            try:
                if parse_checkpoint(open_note(note, key)[0])[0] == key.name:
                    return key
            except ValueError:
                pass
        raise unverifiable("there is no key to verify with, or no log of the policy has signed the checkpoint")

    def run(self):
        extra, path, note = self.parse()
        key = self.key(note)
        try:
            self.origin, self.size, self.root = parse_checkpoint(open_note(note, key)[0])
        except ValueError as e:
            raise tampered(None, "the checkpoint: %s" % e) from e
        if self.origin != key.name:
            raise tampered(None, "the checkpoint is of another log")
        self.witnessed = Witnessed(key, self.policy, note)
        if self.entry is None and extra is None:
            raise incomplete(self.index, "the receipt does not hold the entry, and it was not given")
        try:
            data = b64(extra, "the entry in the receipt") if self.entry is None else self.entry
            if self.index >= self.size or path_root(leaf_hash(data), self.index, self.size, path) != self.root:
                raise ValueError("the proof does not show that this is that entry")
            if not self.foreign:
                entry = Entry(data)
                if entry.index != self.index:
                    raise ValueError("it says that it is entry %d" % entry.index)
                self.time = entry.time
        except ValueError as e:
            raise tampered(self.index, "entry %d: %s" % (self.index, e)) from e
        self.witnessed.conclude({})
        return Verdict("OK", None, "entry %d is in the log, as it is here" % self.index)


def read_input(p, path, limit, what):
    try:
        with open(path, "rb") as f:
            data = f.read(limit + 1)
    except OSError as e:
        p.error("the %s cannot be read: %s" % (what, e))
    if len(data) > limit:
        p.error("the %s is too large" % what)
    return data


def judge_receipt(p, args, vkey, policy):
    if vkey is None and policy is None:
        p.error("a receipt is verified with the log's key: --vkey FILE, or a policy that names it")
    entry = read_input(p, args.entry, 65535, "entry") if args.entry else None
    r = Receipt(read_input(p, args.receipt, 2 * 1024 * 1024, "receipt"), vkey, args.foreign, policy, entry)
    try:
        verdict = r.run()
    except Verdict as e:
        verdict = e
    witnessed = r.witnessed.json() if r.witnessed else None
    if args.json:
        print(json.dumps({"verdict": verdict.verdict, "index": verdict.index, "rule": None, "detail": verdict.detail,
                          "origin": r.origin, "size": r.size, "entry": r.index, "witnessed": witnessed}))
    else:
        print("%s\n  %s" % (verdict.verdict, verdict.detail))
        if witnessed:
            print("  cosigned by %s" % (", ".join(witnessed["by"]) or "nobody"))
    return EXIT[verdict.verdict]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("dir", nargs="?")
    p.add_argument("--receipt", help="verify this receipt (C2SP tlog-proof) instead of a directory")
    p.add_argument("--entry", help="file with the entry, if the receipt does not hold it")
    p.add_argument("--vkey", help="file with the log's key, from a source that you trust")
    p.add_argument("--policy", help="which witnesses are enough (C2SP tlog-policy)")
    p.add_argument("--json", action="store_true")
    p.add_argument("--foreign", action="store_true", help="entries are not Underseal's")
    args = p.parse_args()
    if (args.dir is None) == (args.receipt is None) or (args.entry and not args.receipt):
        p.error("give a directory, or --receipt FILE")
    vkey = None
    if args.vkey:
        try:
            with open(args.vkey, encoding="utf-8") as f:
                vkey = f.read(1024)
        except (OSError, UnicodeDecodeError) as e:
            p.error("the key file cannot be read: %s" % e)
    elif not args.policy and not args.receipt:
        print("note: without --vkey the log is checked with the key that lies in it: this shows\n"
              "that it agrees with itself, not whose log it is.", file=sys.stderr)
    policy = None
    if args.policy:
        try:
            with open(args.policy, "rb") as f:
                policy = Policy(f.read(256 * 1024 + 1))
        except (OSError, ValueError) as e:
            p.error("the policy cannot be read: %s" % e)
    if args.receipt:
        return judge_receipt(p, args, vkey, policy)
    v = None
    try:
        v = Verifier(Directory(args.dir), vkey, args.foreign, policy)
        verdict = v.run()
    except Verdict as e:
        verdict = e
    if args.json:
        print(json.dumps({"verdict": verdict.verdict, "index": verdict.index,
                          "rule": verdict.rule, "detail": verdict.detail,
                          "withheld": v.rules.withheld if v else 0,
                          "acts": v.acts.count if v and v.acts else 0, "entries": v.entries if v else 0,
                          "size": v.size if v else None,
                          "witnessed": v.witnessed.json() if v and v.witnessed else None,
                          "handovers": v.handovers.json() if v and v.handovers and v.size is not None else [],
                          "root": base64.b64encode(v.root).decode() if v and v.root else None}))
    else:
        at = "" if verdict.index is None else " at index %d" % verdict.index
        print("%s%s\n  %s" % (verdict.verdict, at, verdict.detail))
        if v and v.rules.withheld:
            print("  withheld: the access boxes of %d entries. Rules between entries were not\n"
                  "  applied to those, nor where those could bear on others." % v.rules.withheld)
        for h in v.handovers.json() if v and v.handovers and v.size is not None else ():
            print("  handed over to another key at entry %d, on %s (%s)%s" % (h["entry"], h["time"], h["reason"],
                  "; %d entries of before are LOST" % h["lost"] if h["lost"] else ""))
        if v and v.witnessed and v.witnessed.found:
            w = v.witnessed.json()
            print("  witnessed: the first %d entries, as of %s, by %s; missing: %s"
                  % (w["size"], w["as_of"], ", ".join(w["by"]) or "nobody", ", ".join(w["missing"]) or "nobody"))
        elif verdict.verdict == "OK":
            print("  witnesses: not judged, for no policy was given")
        if v and os.path.isdir(os.path.join(args.dir, "timestamps")):
            print("  timestamps: not checked by this program")
    return EXIT[verdict.verdict]


if __name__ == "__main__":
    sys.exit(main())
