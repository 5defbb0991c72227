#!/usr/bin/env python3
"""Verifies an exported audit log with nothing but Python's standard library.

usage: verify_log.py DIR [--vkey FILE] [--json] [--foreign]

Written from the public texts, not from the project's C: RFC 6962 (Merkle trees), RFC 8032
(Ed25519, section 5.1 and its appendix's arithmetic), c2sp.org/signed-note,
c2sp.org/tlog-checkpoint, c2sp.org/tlog-tiles, and docs/PROTOCOL.md section 6 for the entries.
Boxes are not opened, since the standard library has no AES; that a disclosed key is the one an
entry committed to is checked by its hash.

Verdicts and exit status: OK 0, TAMPERED 5, INCOMPLETE 6, UNVERIFIABLE 6; usage 2.
--foreign: entries are not Underseal's; their form, index and time are not looked at.
"""
import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import struct
import sys

WIDTH = 256
BOXES = ("access", "disclosure", "query")
EXIT = {"OK": 0, "TAMPERED": 5, "INCOMPLETE": 6, "UNVERIFIABLE": 6}


class Verdict(Exception):
    def __init__(self, verdict, index, detail):
        super().__init__(detail)
        self.verdict, self.index, self.detail = verdict, index, detail


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
    """A verifier key of a signed note, "name+id+base64"."""

    def __init__(self, text):
        m = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+(\S+)", text)
        if not m:
            raise ValueError("it is not of the form name+id+key")
        raw = b64(m[3], "the key")
        if len(raw) != 33 or raw[0] != 1:
            raise ValueError("it is not an Ed25519 key")
        self.name, self.id, self.public = m[1], bytes.fromhex(m[2]), raw[1:]
        if hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4] != self.id:
            raise ValueError("its id is wrong")


def open_note(data, key):
    """The text of a note that key has signed; ValueError says what is wrong."""
    text = data.decode("utf-8")
    if any(ord(c) < 32 and c != "\n" for c in text) or not text.endswith("\n"):
        raise ValueError("malformed note")
    at = text.rfind("\n\n")
    if at < 0 or at + 2 == len(text):
        raise ValueError("malformed note: no signature")
    body, lines = text[:at + 1], text[at + 2:-1].split("\n")
    if len(lines) > 100:
        raise ValueError("malformed note: too many signatures")
    good = False
    for line in lines:
        m = re.fullmatch("\u2014 ([^+\\s]+) (\\S+)", line)
        if not m:
            raise ValueError("malformed note: signature line")
        raw = b64(m[2], "a signature")
        if len(raw) < 5:
            raise ValueError("malformed note: signature too short")
        if m[1] != key.name or raw[:4] != key.id or good:
            continue
        if not ed25519_verify(key.public, body.encode(), raw[4:]):
            raise ValueError("the signature is wrong")
        good = True
    if not good:
        raise ValueError("it is not signed by the key " + key.name)
    return body


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

    def read(self, name, limit):
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
            raise tampered(None, name + " is larger than it can be")
        return data

    def lines(self, name):
        at = os.path.join(self.path, name)
        if os.path.islink(at):
            raise unverifiable(name + " is a link")
        if not os.path.exists(at):
            return
        with open(at, "rb") as f:
            for number, line in enumerate(f, 1):
                if line.strip():
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
    data = log.read(path, limit)
    if data is not None:
        return data, width < WIDTH
    if width < WIDTH:
        data = log.read(tile_path(kind, n, WIDTH), limit)
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
        self.commitments = []
        for _ in BOXES:
            self.commitments.append(self.take(32))
            n = self.number()
            self.take(n)
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


class Keys:
    """keys.jsonl, in step with the entries."""

    def __init__(self, log, size):
        self.lines, self.size, self.last, self.opened = log.lines("keys.jsonl"), size, 0, [0] * 3
        self.next = self.advance()

    def advance(self):
        for number, line in self.lines:
            try:
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
            if not self.last <= o["index"] < self.size:
                raise tampered(None, "keys.jsonl, line %d: index %d is out of order or of the log"
                               % (number, o["index"]))
            self.last = o["index"]
            return o["index"], keys
        return None

    @staticmethod
    def unique(pairs):
        if len({k for k, _ in pairs}) != len(pairs):
            raise ValueError("a member stands twice")
        return dict(pairs)

    def check(self, entry):
        while self.next and self.next[0] == entry.index:
            for box, name in enumerate(BOXES):
                key = self.next[1].get(name)
                if key is None:
                    continue
                want = hashlib.sha256(b"underseal/box/1" + bytes([box])
                                      + struct.pack(">Q", entry.index) + key).digest()
                if want != entry.commitments[box]:
                    raise tampered(entry.index, "the key of the %s box of entry %d is not the one "
                                   "the entry committed to" % (name, entry.index))
                self.opened[box] += 1
            self.next = self.advance()


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
    def __init__(self, log, vkey, foreign):
        self.log, self.vkey, self.foreign = log, vkey, foreign
        self.origin = self.size = self.root = None
        self.entries, self.last_time, self.keys = 0, 0, None

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
        data = self.log.read("checkpoint", 1 << 20)
        if data is None:
            raise unverifiable("there is no checkpoint")
        try:
            self.origin, self.size, self.root = parse_checkpoint(open_note(data, key))
        except ValueError as e:
            raise tampered(None, "the checkpoint: %s" % e) from e
        if self.origin != key.name:
            raise tampered(None, "the checkpoint is of another log")

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
        if entry.time < self.last_time:
            raise tampered(index, "entry %d is older than the one before it" % index)
        self.last_time = entry.time
        self.keys.check(entry)

    def run(self):
        self.head()
        if not self.foreign:
            self.keys = Keys(self.log, self.size)
        stream, levels = Stream(), Levels(self.log)
        for n in range((self.size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, self.size - n * WIDTH)
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
            if width == WIDTH:
                levels.add(1, tree_head(tile))
        levels.finish()
        if stream.root() != self.root:
            raise tampered(None, "the entries do not give the root that the checkpoint signs")
        return Verdict("OK", None, "%d entries match the signed checkpoint" % self.size)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("dir")
    p.add_argument("--vkey", help="file with the log's key, from a source that you trust")
    p.add_argument("--json", action="store_true")
    p.add_argument("--foreign", action="store_true", help="entries are not Underseal's")
    args = p.parse_args()
    vkey = None
    if args.vkey:
        try:
            with open(args.vkey, encoding="utf-8") as f:
                vkey = f.read(1024)
        except (OSError, UnicodeDecodeError) as e:
            p.error("the key file cannot be read: %s" % e)
    else:
        print("note: without --vkey the log is checked with the key that lies in it: this shows\n"
              "that it agrees with itself, not whose log it is.", file=sys.stderr)
    v = None
    try:
        v = Verifier(Directory(args.dir), vkey, args.foreign)
        verdict = v.run()
    except Verdict as e:
        verdict = e
    if args.json:
        print(json.dumps({"verdict": verdict.verdict, "index": verdict.index,
                          "detail": verdict.detail, "entries": v.entries if v else 0,
                          "size": v.size if v else None,
                          "root": base64.b64encode(v.root).decode() if v and v.root else None}))
    else:
        at = "" if verdict.index is None else " at index %d" % verdict.index
        print("%s%s\n  %s" % (verdict.verdict, at, verdict.detail))
    return EXIT[verdict.verdict]


if __name__ == "__main__":
    sys.exit(main())
