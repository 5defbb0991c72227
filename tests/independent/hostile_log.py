#!/usr/bin/env python3
"""Tampers with a log in every way we could think of; both verifiers must notice each.

usage: hostile_log.py BUILD_LOG UNDERSEAL_VERIFY

BUILD_LOG writes a good log and prints its private key, so that forgeries by the holder of the key
are tried as well: a tree that is consistent and signed, but whose entries lie.
"""
import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import verify_log as v  # noqa: E402

ENTRIES = 700
SEED = None


def sign(seed, message):
    """RFC 8032, 5.1.6."""
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ~7 & (2**254 - 1) | 2**254
    public = compress(v.point_mul(a, v.BASE))
    r = int.from_bytes(hashlib.sha512(h[32:] + message).digest(), "little") % v.L
    point = compress(v.point_mul(r, v.BASE))
    k = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % v.L
    return public, point + ((r + k * a) % v.L).to_bytes(32, "little")


def compress(p):
    z = pow(p[2], v.P - 2, v.P)
    x, y = p[0] * z % v.P, p[1] * z % v.P
    return (y | (x & 1) << 255).to_bytes(32, "little")


class Log:
    """A log's directory with its files as bytes."""

    def __init__(self, path):
        self.path = path

    def at(self, name):
        return os.path.join(self.path, name)

    def read(self, name):
        with open(self.at(name), "rb") as f:
            return bytearray(f.read())

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), "wb") as f:
            f.write(data)

    def flip(self, name, at, bit=1):
        data = self.read(name)
        data[at] ^= bit
        self.write(name, data)

    def cut(self, name, n):
        self.write(name, self.read(name)[:n])

    def remove(self, name):
        os.remove(self.at(name))

    def bundle(self, n, width=256):
        data, at, out = bytes(self.read(v.tile_path("entries", n, width))), 0, []
        while at < len(data):
            size = struct.unpack_from(">H", data, at)[0]
            out.append(data[at + 2:at + 2 + size])
            at += 2 + size
        return out

    def put_bundle(self, n, entries, width=256):
        self.write(v.tile_path("entries", n, width),
                   b"".join(struct.pack(">H", len(e)) + e for e in entries))

    def put_hash(self, index, level, h, width=256):
        name = v.tile_path(str(level), index // 256, width)
        data = self.read(name)
        data[index % 256 * 32:index % 256 * 32 + 32] = h
        self.write(name, data)

    def entries(self):
        return self.bundle(0) + self.bundle(1) + self.bundle(2, ENTRIES - 512)

    def head(self, size, root, seed=None, name=None, origin=None, vkey=False):
        """A new checkpoint, signed with seed."""
        origin = origin or self.read("checkpoint").decode().split("\n")[0]
        name = name or origin
        text = "%s\n%d\n%s\n" % (origin, size, base64.b64encode(root).decode())
        public, signature = sign(seed or SEED, text.encode())
        key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
        self.write("checkpoint", ("%s\n\u2014 %s %s\n" % (
            text, name, base64.b64encode(key_id + signature).decode())).encode())
        if vkey:
            self.write("log.vkey", ("%s+%s+%s\n" % (name, key_id.hex(), base64.b64encode(
                b"\x01" + public).decode())).encode())

    def rebuild(self, entries, **kw):
        """A consistent, signed tree over entries: what only the holder of the key can do."""
        shutil.rmtree(self.at("tile"))
        level, rows = 0, [v.leaf_hash(e) for e in entries]
        root = v.tree_head(rows)
        for n in range(0, len(entries), 256):
            part = entries[n:n + 256]
            self.put_bundle(n // 256, part, len(part))
        while rows:
            above = []
            for n in range(0, len(rows), 256):
                part = rows[n:n + 256]
                self.write(v.tile_path(str(level), n // 256, len(part)), b"".join(part))
                if len(part) == 256:
                    above.append(v.tree_head(part))
            level, rows = level + 1, above
        self.head(len(entries), root, **kw)


CASES = []


def case(verdict, index=None):
    def add(f):
        CASES.append((f, verdict, index))
        return f
    return add


@case("OK")
def nothing(log):
    pass


@case("OK")
def rebuilt_as_it_was(log):
    log.rebuild(log.entries())


@case("OK")
def partial_replaced_by_full(log):
    """What a log may do once it has grown: only the first hashes count."""
    w = ENTRIES - 512
    for kind in ("entries", "0"):
        data = log.read(v.tile_path(kind, 2, w))
        more = log.read(v.tile_path(kind, 1, 256))
        log.remove(v.tile_path(kind, 2, w))
        log.write(v.tile_path(kind, 2, 256), bytes(data + more)[:8192] if kind == "0"
                  else data + more)


@case("TAMPERED", 0)
def bit_in_first_entry(log):
    log.flip("tile/entries/000", 2 + 60)


@case("TAMPERED", 300)
def bit_in_an_open_part(log):
    e = log.bundle(1)
    e[44] = e[44][:20] + b"\x01" + e[44][21:]
    log.put_bundle(1, e)


@case("TAMPERED", 699)
def bit_in_the_last_byte(log):
    log.flip("tile/entries/002.p/188", -1)


@case("TAMPERED", 5)
def entry_replaced(log):
    e = log.bundle(0)
    e[5] = e[9]
    log.put_bundle(0, e)


@case("TAMPERED", 100)
def two_entries_swapped(log):
    e = log.bundle(0)
    e[100], e[104] = e[104], e[100]
    log.put_bundle(0, e)


@case("TAMPERED", 12)
def entry_removed(log):
    e = log.bundle(0)
    log.put_bundle(0, e[:12] + e[13:])


@case("TAMPERED", 12)
def entry_inserted(log):
    e = log.bundle(0)
    log.put_bundle(0, e[:12] + [e[3]] + e[12:])


@case("TAMPERED", 255)
def entry_appended_to_a_bundle(log):
    log.put_bundle(0, log.bundle(0) + [b"x"])


@case("TAMPERED", 512)
def level0_hash_changed(log):
    log.flip("tile/0/002.p/188", 0)


@case("TAMPERED", 256)
def level1_hash_changed(log):
    log.flip("tile/1/000.p/2", 32)


@case("TAMPERED", 0)
def entry_and_its_hash_changed(log):
    """Consistent on level 0: level 1 tells which tile."""
    e = log.bundle(0)
    e[7] = e[7][:-1] + bytes([e[7][-1] ^ 1])
    log.put_bundle(0, e)
    log.put_hash(7, 0, v.leaf_hash(e[7]))


@case("TAMPERED")
def all_tiles_recomputed(log):
    """Consistent up to the top: only the signed root tells."""
    keep = log.read("checkpoint")
    e = log.entries()
    e[7] = e[7][:-1] + bytes([e[7][-1] ^ 1])
    os.remove(log.at("keys.jsonl"))
    log.rebuild(e)
    log.write("checkpoint", keep)


@case("TAMPERED")
def history_rewritten_under_another_key(log):
    e = log.entries()
    os.remove(log.at("keys.jsonl"))
    log.rebuild(e[:600], seed=b"\x07" * 32, vkey=True)


@case("TAMPERED")
def signature_bit(log):
    data = log.read("checkpoint").decode()
    head, b64 = data.rstrip("\n").rsplit(" ", 1)
    raw = bytearray(base64.b64decode(b64))
    raw[20] ^= 1
    log.write("checkpoint", ("%s %s\n" % (head, base64.b64encode(raw).decode())).encode())


@case("TAMPERED")
def size_in_the_checkpoint(log):
    log.write("checkpoint", log.read("checkpoint").replace(b"\n700\n", b"\n699\n"))


@case("TAMPERED")
def origin_in_the_checkpoint(log):
    log.write("checkpoint", log.read("checkpoint").replace(b"log.example", b"lag.example", 1))


@case("TAMPERED")
def checkpoint_of_another_log_signed_by_the_key(log):
    c = log.read("checkpoint").decode().split("\n")
    log.head(700, base64.b64decode(c[2]), name=c[0], origin="another.example.org/log")


@case("TAMPERED")
def root_of_another_tree(log):
    log.head(700, hashlib.sha256(b"other").digest())


@case("TAMPERED")
def leading_zero_in_size(log):
    root = base64.b64decode(log.read("checkpoint").decode().split("\n")[2])
    origin = log.read("checkpoint").decode().split("\n")[0]
    text = "%s\n0700\n%s\n" % (origin, base64.b64encode(root).decode())
    public, signature = sign(SEED, text.encode())
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    log.write("checkpoint", ("%s\n\u2014 %s %s\n" % (
        text, origin, base64.b64encode(key_id + signature).decode())).encode())


@case("TAMPERED", 20)
def forged_order_of_entries(log):
    """By the holder of the key: the entries themselves say where they belong."""
    e = log.entries()
    e[20], e[21] = e[21], e[20]
    log.rebuild(e)


@case("TAMPERED", 50)
def forged_removal(log):
    e = log.entries()
    log.write("keys.jsonl", b"")
    log.rebuild(e[:50] + e[51:])


@case("TAMPERED", 31)
def forged_clock(log):
    e = log.entries()
    e[31] = e[31][:20] + struct.pack(">q", 5) + e[31][28:]
    log.write("keys.jsonl", b"")
    log.rebuild(e)


@case("TAMPERED", 33)
def forged_shape_of_an_entry(log):
    e = log.entries()
    e[33] = e[33] + b"\0"
    log.write("keys.jsonl", b"")
    log.rebuild(e)


@case("TAMPERED", 34)
def forged_version_of_an_entry(log):
    e = log.entries()
    e[34] = b"USE2" + e[34][4:]
    log.write("keys.jsonl", b"")
    log.rebuild(e)


@case("TAMPERED", 35)
def forged_class_of_an_entry(log):
    e = log.entries()
    e[35] = e[35][:4] + b"\x09" + e[35][5:]
    log.write("keys.jsonl", b"")
    log.rebuild(e)


@case("TAMPERED", 2)
def length_prefix_changed(log):
    e = log.bundle(0)
    at = sum(2 + len(x) for x in e[:2])
    log.flip("tile/entries/000", at, 0x80)


@case("TAMPERED", 698)
def length_prefix_changed_near_the_end(log):
    e = log.bundle(2, 188)
    at = sum(2 + len(x) for x in e[:186])
    log.flip("tile/entries/002.p/188", at, 0x80)


@case("TAMPERED", 1)
def key_of_a_box_changed(log):
    lines = log.read("keys.jsonl").decode().splitlines()
    o = json.loads(lines[0])
    raw = bytearray(base64.b64decode(o["access"]))
    raw[0] ^= 1
    o["access"] = base64.b64encode(raw).decode()
    log.write("keys.jsonl", "\n".join([json.dumps(o)] + lines[1:]).encode())


@case("TAMPERED", 5)
def keys_of_two_entries_swapped(log):
    lines = [json.loads(s) for s in log.read("keys.jsonl").decode().splitlines()]
    lines[1]["access"], lines[2]["access"] = lines[2]["access"], lines[1]["access"]
    log.write("keys.jsonl", "\n".join(map(json.dumps, lines)).encode())


@case("TAMPERED", 1)
def keys_of_two_boxes_swapped(log):
    lines = [json.loads(s) for s in log.read("keys.jsonl").decode().splitlines()]
    lines[0]["access"], lines[0]["query"] = lines[0]["query"], lines[0]["access"]
    log.write("keys.jsonl", "\n".join(map(json.dumps, lines)).encode())


@case("TAMPERED")
def key_for_an_entry_that_is_not_there(log):
    log.write("keys.jsonl", log.read("keys.jsonl") + b'{"index":700}\n')


@case("TAMPERED")
def malformed_keys(log):
    log.write("keys.jsonl", b'{"index":1,"access":"AAAA"}\n')


@case("INCOMPLETE", 256)
def bundle_missing(log):
    log.remove("tile/entries/001")


@case("INCOMPLETE", 512)
def last_bundle_missing(log):
    log.remove("tile/entries/002.p/188")


@case("INCOMPLETE", 0)
def level0_tile_missing(log):
    log.remove("tile/0/000")


@case("INCOMPLETE", 0)
def level1_tile_missing(log):
    log.remove("tile/1/000.p/2")


@case("INCOMPLETE", 699)
def bundle_cut_in_an_entry(log):
    log.cut("tile/entries/002.p/188", -100)


@case("INCOMPLETE", 699)
def bundle_cut_between_entries(log):
    log.put_bundle(2, log.bundle(2, 188)[:-1], 188)


@case("INCOMPLETE", 356)
def tile_cut(log):
    log.cut("tile/0/001", 3200)


@case("INCOMPLETE", 0)
def all_tiles_missing(log):
    shutil.rmtree(log.at("tile"))


@case("UNVERIFIABLE")
def checkpoint_missing(log):
    log.remove("checkpoint")


@case("UNVERIFIABLE")
def tile_is_a_link(log):
    os.rename(log.at("tile/0/001"), log.at("elsewhere"))
    os.symlink("../../elsewhere", log.at("tile/0/001"))


@case("UNVERIFIABLE")
def a_directory_for_a_checkpoint(log):
    log.remove("checkpoint")
    os.mkdir(log.at("checkpoint"))


def run(command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                       check=False)
    try:
        o = json.loads(p.stdout)
    except ValueError:
        return "exit %d, %r %r" % (p.returncode, p.stdout[-300:], p.stderr[-300:]), None, None
    return o["verdict"], o["index"], p.returncode


def main():
    global SEED
    build, verify = sys.argv[1:3]
    python = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                           "verify_log.py")]
    bad = 0
    with tempfile.TemporaryDirectory() as top:
        good = os.path.join(top, "good")
        os.mkdir(good)
        SEED = bytes.fromhex(subprocess.run([build, good, str(ENTRIES)], check=True,
                                            stdout=subprocess.PIPE).stdout.decode())
        for f, verdict, index in CASES:
            path = os.path.join(top, f.__name__)
            shutil.copytree(good, path, symlinks=True)
            f(Log(path))
            args = [path, "--vkey", os.path.join(good, "log.vkey"), "--json"]
            want = (verdict, index, v.EXIT[verdict])
            got = {"underseal-verify": run([verify] + args), "verify_log.py": run(python + args)}
            for name, g in got.items():
                # Which file an unreadable link stands for may be told or not.
                if g != want and not (verdict == "UNVERIFIABLE" and (g[0], g[2]) ==
                                      (want[0], want[2])):
                    bad += 1
                    print("%s: %s says %s, not %s" % (f.__name__, name, g, want))
            shutil.rmtree(path)
        args = [good, "--vkey", os.devnull, "--json"]
        codes = [subprocess.run(c + args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                check=False).returncode for c in ([verify], python)]
        if 0 in codes:
            bad += 1
            print("an empty key file is accepted: %s" % codes)
    print("%d cases, two verifiers, %d wrong" % (len(CASES), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
