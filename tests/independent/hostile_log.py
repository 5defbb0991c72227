#!/usr/bin/env python3
"""Tampers with a log in every way we could think of; both verifiers and the client must notice each.

usage: hostile_log.py BUILD_LOG UNDERSEAL_VERIFY UNDERSEAL

The log is story.py's, signed with a key of this test, so that forgeries by the holder of the key are
tried as well: a tree that is consistent and signed, but whose entries lie. BUILD_LOG writes another
with the project's own C, whose boxes must open here.
"""
import base64
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.modules.setdefault("hostile_log", sys.modules[__name__])  # for the files of further cases, below
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import story as st  # noqa: E402
import verify_log as v  # noqa: E402

ENTRIES = 700
ORIGIN = "log.example.org/underseal/0123456789abcdef"
SEED = hashlib.sha256(b"a log's key").digest()


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
        origin = origin or ORIGIN
        text = "%s\n%d\n%s\n" % (origin, size, base64.b64encode(root).decode())
        self.sign(text, seed, name or origin, vkey)

    def sign(self, text, seed=None, name=ORIGIN, vkey=False):
        public, signature = sign(seed or SEED, text.encode())
        key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
        self.write("checkpoint", ("%s\n\u2014 %s %s\n" % (
            text, name, base64.b64encode(key_id + signature).decode())).encode())
        if vkey:
            self.write("log.vkey", ("%s+%s+%s\n" % (name, key_id.hex(), base64.b64encode(
                b"\x01" + public).decode())).encode())

    def rebuild(self, entries, **kw):
        """A consistent, signed tree over entries: what only the holder of the key can do."""
        shutil.rmtree(self.at("tile"), ignore_errors=True)
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


def case(verdict, index=None, rule=None):
    def add(f):
        CASES.append((f, verdict, index, rule))
        return f
    return add


def tell(log, drafts, withheld=()):
    entries, keys = st.encode(drafts, withheld)
    log.rebuild(entries)
    log.write("keys.jsonl", keys)
    log.write("acts", st.commit(drafts))


def story_case(rule=None, index=None):
    """f changes the drafts of a story, and may return what is withheld. rule: the one it breaks."""
    def add(f):
        def tamper(log):
            drafts = st.story()
            withheld = f(drafts) or ()
            tell(log, drafts, withheld)
        tamper.__name__ = f.__name__
        CASES.append((tamper, "TAMPERED" if rule else "OK", index, rule))
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
    e[47] = e[47][:-1] + bytes([e[47][-1] ^ 1])
    log.put_bundle(0, e)
    log.put_hash(47, 0, v.leaf_hash(e[47]))


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


@case("TAMPERED")
def empty_line_in_the_checkpoint(log):
    log.sign(log.read("checkpoint").decode().split("\n\n")[0] + "\n\nmore\n")


@case("OK")
def other_signatures_beside(log):
    head, line = log.read("checkpoint").decode().split("\n\n")
    others = ["\u2014 %s %s" % (name, base64.b64encode(key_id + bytes(64)).decode()) for name, key_id in (
        ("witness.example", b"abcd"), (ORIGIN, b"abcd"),
        ("witness.example", base64.b64decode(line.split(" ")[2])[:4]))]
    log.write("checkpoint", "\n".join([head, "", *others, line]).encode())


@case("TAMPERED")
def unsigned_beside_another_signature(log):
    head = log.read("checkpoint").decode().split("\n\n")[0]
    log.write("checkpoint", ("%s\n\n\u2014 witness.example %s\n" % (
        head, base64.b64encode(bytes(68)).decode())).encode())


@case("TAMPERED")
def signature_in_its_other_form(log):
    """The same point, the number beyond the order of the group: RFC 8032 refuses it."""
    head, line = log.read("checkpoint").decode().rstrip("\n").rsplit(" ", 1)
    raw = base64.b64decode(line)
    s = int.from_bytes(raw[36:], "little") + v.L
    log.write("checkpoint", ("%s %s\n" % (head, base64.b64encode(
        raw[:36] + s.to_bytes(32, "little")).decode())).encode())


def give_key(log, kind=1, key_id=None):
    raw = bytes([kind]) + base64.b64decode(log.read("log.vkey").decode().strip().split("+", 2)[2])[1:]
    key_id = key_id or hashlib.sha256(ORIGIN.encode() + b"\n" + raw).digest()[:4]
    log.write("given.vkey", ("%s+%s+%s\n" % (ORIGIN, key_id.hex(), base64.b64encode(raw).decode()))
              .encode())


@case("OK")
def key_given(log):
    give_key(log)


@case("UNVERIFIABLE")
def key_of_another_type(log):
    give_key(log, kind=4)


@case("UNVERIFIABLE")
def key_of_another_id(log):
    give_key(log, key_id=b"abcd")


@case("TAMPERED", 256)
def level0_tile_longer(log):
    log.write("tile/0/001", log.read("tile/0/001") + bytes(1))


@case("TAMPERED", 256)
def level0_tile_much_longer(log):
    log.write("tile/0/001", log.read("tile/0/001") + bytes(32))


@case("UNVERIFIABLE")
def folder_is_a_link(log):
    os.rename(log.at("tile/0"), log.at("elsewhere"))
    os.symlink("../elsewhere", log.at("tile/0"))


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


@case("TAMPERED", 31, "clock")
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


@case("TAMPERED", 47)
def forged_flag_of_an_entry(log):
    e = log.entries()
    e[47] = e[47][:5] + b"\x02" + e[47][6:]
    log.rebuild(e)


@case("TAMPERED", 47)
def forged_zeros_of_an_entry(log):
    e = log.entries()
    e[47] = e[47][:7] + b"\x01" + e[47][8:]
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


@case("TAMPERED", 0)
def key_of_a_box_changed(log):
    lines = log.read("keys.jsonl").decode().splitlines()
    o = json.loads(lines[0])
    raw = bytearray(base64.b64decode(o["access"]))
    raw[0] ^= 1
    o["access"] = base64.b64encode(raw).decode()
    log.write("keys.jsonl", "\n".join([json.dumps(o)] + lines[1:]).encode())


@case("TAMPERED", 1)
def keys_of_two_entries_swapped(log):
    lines = [json.loads(s) for s in log.read("keys.jsonl").decode().splitlines()]
    lines[1]["access"], lines[2]["access"] = lines[2]["access"], lines[1]["access"]
    log.write("keys.jsonl", "\n".join(map(json.dumps, lines)).encode())


@case("TAMPERED", 0)
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


# --- rules between entries --------------------------------------------------------------------------

@story_case()
def story_as_it_was(drafts):
    pass


@story_case()
def nothing_disclosed(drafts):
    return {(i, box) for i in range(len(drafts)) for box in range(3)}


@story_case()
def only_access_boxes_disclosed(drafts):
    return {(i, box) for i in range(len(drafts)) for box in (1, 2)}


@story_case()
def only_queries_disclosed(drafts):
    return {(i, box) for i in range(len(drafts)) for box in (0, 1)}


def some_disclosed(seed):
    """Whatever is withheld of a good log, it is a good log."""
    def withhold(drafts):
        pick = random.Random(seed)
        share = pick.choice((0.03, 0.2, 0.6))
        return {(i, box) for i in range(len(drafts)) for box in range(3) if pick.random() < share}
    withhold.__name__ = "some_disclosed_%d" % seed
    story_case()(withhold)


for some in range(8):
    some_disclosed(some)


@story_case()
def session_of_another_withheld(drafts):
    """Whether there was one cannot be known."""
    return {(14, 0)}


@story_case()
def announcements_withheld(drafts):
    return {(i, 0) for i, d in enumerate(drafts) if d["class"] == v.SYSTEM}


@story_case()
def two_entries_at_one_time(drafts):
    drafts[12]["time"] = drafts[11]["time"]


@story_case("clock", 12)
def clock_set_back(drafts):
    drafts[12]["time"] = drafts[11]["time"] - 1


@story_case("sequence", 17)
def act_left_out(drafts):
    drafts[7] = st.asked(st.ALICE, st.SEARCH, 1, time=drafts[7]["time"])


@story_case("sequence", 17)
def act_numbered_twice(drafts):
    drafts[17]["sequence"] = 2


@story_case("sequence", 17)
def act_number_skipped(drafts):
    """The act before it is withheld, but its class is not."""
    drafts[17]["sequence"] = 4
    return {(7, box) for box in range(3)}


@story_case("sequence", 7)
def vault_made_twice(drafts):
    drafts[7]["kind"], drafts[7]["action"] = v.EVENT, v.INIT


@story_case("sequence", 0)
def beginning_left_out(drafts):
    del drafts[:1]


@story_case("sequence", 19)
def act_in_an_entry_that_is_none(drafts):
    drafts[19]["sequence"] = 4


@story_case("sequence", 7)
def act_of_no_number(drafts):
    drafts[7]["contents"] = b"", b"", b""


@story_case("related", 9)
def answer_to_itself(drafts):
    drafts[9]["related"] = 9


@story_case("related", 8)
def answer_to_what_comes(drafts):
    drafts[8]["related"] = 9


@story_case("parts", 10)
def middle_part_left_out(drafts):
    del drafts[10]


@story_case("parts", 9)
def first_part_left_out(drafts):
    del drafts[9]


@story_case("parts", 11)
def last_part_left_out(drafts):
    del drafts[11]


@story_case("parts", 10)
def parts_out_of_order(drafts):
    drafts[10]["part"], drafts[11]["part"] = (2, 3), (1, 3)


@story_case("parts", 11)
def part_given_twice(drafts):
    drafts[11]["part"] = (1, 3)


@story_case("parts", 10)
def parts_of_another_count(drafts):
    drafts[10]["part"] = (1, 2)


@story_case("parts", 16)
def part_of_another_action(drafts):
    drafts[16]["action"] = v.READ


@story_case("parts", 10)
def part_of_another_person(drafts):
    drafts[10]["person"] = 8


@story_case("parts", 10)
def entry_between_parts(drafts):
    drafts.insert(10, dict(drafts[20], order=1, time=drafts[9]["time"]))


@story_case("parts", 10)
def middle_part_left_out_seen_by_the_queries(drafts):
    del drafts[10]
    return {(i, box) for i in range(len(drafts)) for box in (0, 1)}


@story_case("parts", 15)
def disclosure_and_query_of_different_parts(drafts):
    drafts[15]["query_part"] = (1, 2)


@story_case("parts", 33)
def parts_cut_by_no_start(drafts):
    drafts[33]["action"] = v.STOP


@story_case("order", 19)
def order_never_announced(drafts):
    drafts[19]["order"] = 3


@story_case("order", 12)
def order_before_it_is_announced(drafts):
    drafts[12]["order"] = 2


@story_case("order", 19)
def order_after_another_was_announced(drafts):
    drafts[19]["order"] = 1


@story_case("order", 18)
def announcement_of_another_version(drafts):
    drafts[18]["summary"] = b"\0\0\0\x03"


@story_case("order", 18)
def announcement_of_nothing(drafts):
    drafts[18]["summary"] = b"\0\0\0\x02\0"


@story_case("order", 29)
def announcement_left_out(drafts):
    del drafts[29]


@story_case("seal", 24)
def read_after_the_seal(drafts):
    drafts.insert(24, dict(drafts[19], time=drafts[23]["time"]))


@story_case("seal", 25)
def read_before_the_unsealing(drafts):
    drafts[25] = st.shown(st.ALICE, v.READ, 0, time=drafts[25]["time"])


@story_case("seal", 28)
def read_between_unsealing_and_the_state(drafts):
    drafts.insert(28, dict(st.shown(st.ALICE, v.READ, 2), time=drafts[27]["time"]))


@story_case("seal", 25)
def batch_while_sealed(drafts):
    drafts[25] = dict(drafts[22], time=drafts[25]["time"])


@story_case()
def cosignature_while_sealed(drafts):
    """Anybody may bring one at any time."""
    drafts[25] = st.machine(v.AUDIT_WITNESS, 0, v.ALLOW, time=drafts[25]["time"])
    drafts[25]["class"] = v.ACCESS


@story_case("seal", 25)
def act_while_sealed(drafts):
    drafts[25] = dict(drafts[17], sequence=4, time=drafts[25]["time"])


@story_case("seal", 27)
def state_opened_without_unsealing(drafts):
    del drafts[27]


@story_case("seal", 28)
def unsealing_refused(drafts):
    drafts[27]["decision"] = st.DENY


@story_case("seal", 30)
def state_refused(drafts):
    drafts[28]["decision"] = 3


@story_case("seal", 20)
def read_after_the_stop(drafts):
    drafts.insert(19, st.machine(v.STOP, 1, time=drafts[18]["time"]))


@story_case("seal", 34)
def read_after_a_start(drafts):
    drafts.insert(34, dict(drafts[31], order=0, time=drafts[33]["time"]))


@story_case("seal", 29)
def state_opened_twice(drafts):
    drafts.insert(29, dict(drafts[28]))


@story_case("session", 8)
def no_session(drafts):
    drafts[6]["decision"] = st.DENY


@story_case("session", 12)
def read_without_a_session(drafts):
    drafts[12]["session"] = bytes(16)


@story_case("session", 19)
def session_of_another_person(drafts):
    drafts[19]["person"] = 8


@story_case("session", 19)
def session_of_another_credential(drafts):
    drafts[19]["credential"] = st.BOB["credential"]


@story_case("session", 40)
def session_after_its_end(drafts):
    drafts[40]["time"] = drafts[38]["time"] + v.SESSION_NS + 1


@story_case()
def session_at_its_end(drafts):
    for d in drafts[40:]:
        d["time"] = drafts[38]["time"] + v.SESSION_NS


@story_case("session", 47)
def session_opened_twice_is_not_longer(drafts):
    drafts.append(dict(drafts[38], time=drafts[38]["time"] + v.SESSION_NS))
    drafts.append(dict(drafts[40], time=drafts[38]["time"] + v.SESSION_NS + 1))


@story_case()
def session_withheld_just_not_too_long_ago(drafts):
    for d in drafts[40:]:
        d["time"] = drafts[38]["time"] + v.SESSION_NS
    return {(38, 0)}


@story_case("seal", 31)
def withheld_reading_opens_no_vault(drafts):
    """What somebody did says nothing of the vault: it is as sealed as before."""
    for i in range(26, 30):
        drafts[i] = dict(st.machine(st.HEARTBEAT, 0), time=drafts[i]["time"])
    drafts[30] = dict(st.asked(st.CAROL, st.SEARCH, 0), time=drafts[30]["time"])
    return {(30, 0)}


@story_case()
def seal_that_is_not_the_systems(drafts):
    """Only the system's own entry closes the vault, and nothing else that it let somebody do."""
    drafts[19]["action"] = v.SEAL
    drafts[20] = dict(st.asked(st.ALICE, st.HEARTBEAT, 2), time=drafts[20]["time"], **{"class": v.SYSTEM})
    drafts[22] = dict(st.shown(st.ALICE, v.READ, 2), time=drafts[22]["time"])


@story_case("session", 31)
def session_from_before_the_seal(drafts):
    drafts[31].update(st.ALICE)


@story_case("session", 40)
def session_withheld_too_long_ago(drafts):
    drafts[40]["time"] = drafts[38]["time"] + v.SESSION_NS + 1
    return {(38, 0)}


@story_case("outcome", 41)
def outcome_of_what_was_refused(drafts):
    drafts[40]["decision"] = st.DENY


@story_case("outcome", 41)
def outcome_of_an_event(drafts):
    drafts[40] = st.machine(st.HEARTBEAT, 2, v.ALLOW, time=drafts[40]["time"])
    drafts[40].update(st.DAVE)
    drafts[40]["action"] = v.READ


@story_case("outcome", 41)
def outcome_of_an_act(drafts):
    drafts[40] = dict(st.act(st.DAVE, v.READ, 2, 4), time=drafts[40]["time"])


@story_case("outcome", 41)
def outcome_of_the_machine(drafts):
    """Of a class that gives nothing to anybody."""
    drafts[40] = dict(drafts[40], **{"class": v.SYSTEM, "decision": v.ALLOW})


@story_case("outcome", 41)
def outcome_of_another_person(drafts):
    drafts[41]["person"] = 9


@story_case("outcome", 41)
def outcome_of_another_session(drafts):
    drafts[41]["session"] = st.CAROL["session"]


@story_case("outcome", 41)
def outcome_of_another_action(drafts):
    drafts[41]["action"] = v.COPY


@story_case()
def outcome_of_the_first_that_no_mark_has_passed(drafts):
    t = [d["time"] for d in drafts]
    drafts[41], drafts[42] = dict(st.mark(0, 40, 2), time=t[41]), dict(st.outcome(st.DAVE, v.READ, 2, 40), time=t[42])
    drafts[45] = dict(st.mark(40, 45, 2), time=t[45])


def with_sessions(drafts, n, last):
    """So many further sessions, the last of them at that time after the first; and a read by the first at that same time."""
    start = drafts[-1]["time"] + st.SECOND
    people = [st.person(100 + i) for i in range(n)]
    for i, who in enumerate(people):
        drafts.append(dict(st.session(who, 2), time=start if i + 1 < n else start + last))
    drafts.append(dict(st.shown(people[0], v.READ, 2, records=[1]), time=start + last))
    return people


@story_case()
def many_sessions(drafts):
    people = with_sessions(drafts, 300, st.SECOND)
    for who in people:
        drafts.append(dict(st.shown(who, v.READ, 2, records=[2]), time=drafts[-1]["time"]))


for many in range(28, 34):
    def sessions_up_to_their_end(drafts, many=many):
        with_sessions(drafts, many, v.SESSION_NS)
    sessions_up_to_their_end.__name__ += "_%d" % many
    story_case()(sessions_up_to_their_end)


@story_case("session", 346)
def session_that_ended_among_many(drafts):
    with_sessions(drafts, 300, v.SESSION_NS + 1)


@story_case("outcome", 41)
def outcome_of_nothing(drafts):
    drafts[41]["related"] = v.NONE


@story_case("outcome", 42)
def outcome_given_twice(drafts):
    drafts.insert(42, dict(drafts[41]))


@story_case("outcome", 42)
def outcome_of_an_outcome(drafts):
    drafts[41]["decision"] = v.ALLOW
    drafts.insert(42, dict(drafts[41], related=41))


@story_case("outcome", 44)
def outcome_of_what_was_settled(drafts):
    drafts[44].update(action=v.COUNT, related=39)


@story_case("outcome", 41)
def outcome_from_before_the_start(drafts):
    drafts[41].update(st.CAROL, related=31)


@story_case()
def outcome_of_an_intent(drafts):
    drafts[41].update(action=v.COUNT, related=39)


@story_case()
def outcome_of_what_is_withheld(drafts):
    drafts[41]["person"] = 9
    return {(40, 0)}


@story_case()
def outcome_given_twice_of_what_is_withheld(drafts):
    for d in (st.shown(st.DAVE, v.READ, 2), st.outcome(st.DAVE, v.READ, 2, 46), st.outcome(st.DAVE, v.READ, 2, 46)):
        drafts.append(dict(d, time=drafts[-1]["time"]))
    return {(46, 0)}


@story_case()
def outcome_behind_a_start_that_is_withheld(drafts):
    drafts[41].update(st.CAROL, related=31)
    return {(33, 0), (31, 0)}


@story_case("outcome", 42)
def mark_of_no_range(drafts):
    drafts[42]["summary"] = struct.pack(">QQ", 0, 0)


@story_case("outcome", 42)
def mark_of_a_range_backwards(drafts):
    drafts[42]["summary"] = struct.pack(">QQ", 9, 3)


@story_case("outcome", 42)
def mark_with_bytes_left_over(drafts):
    drafts[42]["summary"] += b"\0"


@story_case("outcome", 42)
def mark_of_nothing(drafts):
    drafts[42]["summary"] = b""


@story_case("outcome", 42)
def mark_beyond_itself(drafts):
    drafts[42]["summary"] = struct.pack(">QQ", 0, 43)


@story_case("outcome", 42)
def first_mark_not_from_the_beginning(drafts):
    drafts[42]["summary"] = struct.pack(">QQ", 1, 42)


@story_case("outcome", 45)
def marks_with_a_gap(drafts):
    drafts[45]["summary"] = struct.pack(">QQ", 43, 45)


@story_case("outcome", 45)
def marks_that_overlap(drafts):
    drafts[45]["summary"] = struct.pack(">QQ", 41, 45)


@story_case()
def mark_withheld(drafts):
    """Where it ended cannot be known."""
    drafts[45]["summary"] = struct.pack(">QQ", 43, 45)
    return {(42, 0)}


@story_case("outcome", 45)
def marks_with_a_gap_after_one_withheld(drafts):
    drafts[42]["summary"] = struct.pack(">QQ", 40, 42)
    drafts[45]["summary"] = struct.pack(">QQ", 41, 45)
    return {(33, 0)}


@story_case("session", 23)
def seal_without_a_session(drafts):
    drafts[23]["session"] = bytes(16)


@story_case("approval", 39)
def approval_used_twice(drafts):
    drafts[39]["summary"] = drafts[12]["summary"]


@story_case("approval", 19)
def approval_used_twice_by_one(drafts):
    drafts[19]["summary"] = drafts[12]["summary"]


@story_case("approval", 39)
def approval_of_a_copy_used_for_a_count(drafts):
    """The copy has two parts, which are one use."""
    drafts[39]["summary"] = drafts[15]["summary"]


@story_case("approval", 40)
def approval_used_twice_by_a_copy(drafts):
    drafts[40].update(action=v.COPY, summary=drafts[15]["summary"])


@story_case()
def approval_of_a_search_is_none(drafts):
    for i in (8, 39):
        drafts[i].update(action=st.SEARCH, summary=b"approval\0\0\0\x09")


@story_case()
def summaries_that_are_no_approvals(drafts):
    for summary, places in ((b"reproval\0\0\0\x09", (12, 19)), (b"approval\0\0\0\x09\0", (31, 40))):
        for i in places:
            drafts[i]["summary"] = summary


@story_case()
def approval_in_a_refusal(drafts):
    drafts[13]["summary"] = drafts[12]["summary"]


@case("TAMPERED", 9)
def access_box_of_another_version(log):
    drafts = st.story()
    drafts[9]["contents"] = b"\x02" + st.access(drafts[9])[1:], b"", b""
    tell(log, drafts)


@case("TAMPERED", 9)
def access_box_with_bytes_left_over(log):
    drafts = st.story()
    drafts[9]["contents"] = st.access(drafts[9]) + b"\0", b"", b""
    tell(log, drafts)


@case("TAMPERED", 9)
def access_box_cut_short(log):
    drafts = st.story()
    drafts[9]["contents"] = st.access(drafts[9])[:-1], b"", b""
    tell(log, drafts)


@case("TAMPERED", 9)
def access_box_of_no_kind(log):
    drafts = st.story()
    drafts[9]["kind"] = 5
    tell(log, drafts)


@case("TAMPERED", 9)
def access_box_of_no_decision(log):
    drafts = st.story()
    drafts[9]["decision"] = 4
    tell(log, drafts)


@case("TAMPERED", 9)
def part_beyond_the_parts(log):
    drafts = st.story()
    drafts[9]["part"], drafts[9]["query_part"] = (3, 3), (0, 3)
    tell(log, drafts)


@case("TAMPERED", 15)
def query_part_beyond_the_parts(log):
    drafts = st.story()
    drafts[15]["query_part"] = 2, 2
    tell(log, drafts)


@case("TAMPERED", 9)
def disclosure_with_an_unknown_flag(log):
    drafts = st.story()
    d = st.disclosure(drafts[9])
    drafts[9]["contents"] = st.access(drafts[9]), d[:1] + b"\x08" + d[2:], st.query(drafts[9])
    tell(log, drafts)


@story_case()
def told_fewer_than_a_number(drafts):
    d = st.disclosure(drafts[12])
    drafts[12]["contents"] = st.access(drafts[12]), d[:1] + b"\x04" + d[2:], st.query(drafts[12])


@case("TAMPERED", 9)
def disclosure_of_a_record_below_zero(log):
    drafts = st.story()
    d = st.disclosure(dict(drafts[9], records=[]))
    drafts[9]["contents"] = st.access(drafts[9]), d[:-4] + b"\0\0\0\x01\x01", st.query(drafts[9])
    tell(log, drafts)


@case("TAMPERED", 9)
def disclosure_with_a_number_in_its_longer_form(log):
    drafts = st.story()
    d = st.disclosure(dict(drafts[9], records=[]))
    drafts[9]["contents"] = st.access(drafts[9]), d[:-4] + b"\0\0\0\x01\x82\0", st.query(drafts[9])
    tell(log, drafts)


@case("TAMPERED", 9)
def query_with_bytes_left_over(log):
    drafts = st.story()
    drafts[9]["contents"] = (st.access(drafts[9]), st.disclosure(drafts[9]),
                             st.query(drafts[9]) + b"\0")
    tell(log, drafts)


@case("TAMPERED", 9)
def box_of_another_entry(log):
    """Ciphertext moved with its commitment: no key fits both."""
    entries, keys = st.encode(st.story())
    other = v.Entry(entries[12])
    at = entries[9].index(v.Entry(entries[9]).boxes[0])
    entries[9] = entries[9][:at] + other.boxes[0] + entries[9][at + len(other.boxes[0]):]
    log.rebuild(entries)
    log.write("keys.jsonl", keys)


@case("TAMPERED", 9)
def open_part_changed_under_the_boxes(log):
    """The boxes are bound to what stands before them."""
    entries, keys = st.encode(st.story())
    entries[9] = entries[9][:8] + struct.pack(">I", 7) + entries[9][12:]
    log.rebuild(entries)
    log.write("keys.jsonl", keys)


@case("TAMPERED", 9)
def padding_that_is_not_zero(log):
    drafts = st.story()
    drafts[9]["spoil"] = lambda plain: plain[:-1] + b"\x01"
    tell(log, drafts)


@case("TAMPERED", 9)
def padding_longer_than_it_must_be(log):
    drafts = st.story()
    drafts[9]["spoil"] = lambda plain: plain + bytes(len(plain))
    tell(log, drafts)


@case("TAMPERED", 9)
def content_longer_than_its_box(log):
    drafts = st.story()
    drafts[9]["spoil"] = lambda plain: b"\xff\xf0" + plain[2:]
    tell(log, drafts)


@case("TAMPERED", 9)
def box_of_no_padded_length(log):
    """Its length would say more of the content than it may, to people who cannot open it."""
    drafts = st.story()
    drafts[9]["spoil"] = lambda plain: plain + b"\0"
    tell(log, drafts, {(9, 0)})


@case("TAMPERED", 9)
def commitment_to_another_key(log):
    """The key opens the box, and is not what the entry committed to."""
    drafts = st.story()
    drafts[9]["committed"] = (bytes(32),) * 3
    tell(log, drafts)


@case("TAMPERED", 1)
def sealed_secret_of_no_length(log):
    drafts = st.story()
    drafts[1]["sealed_size"] = 0
    tell(log, drafts)


@case("TAMPERED", 1)
def sealed_secret_too_long(log):
    drafts = st.story()
    drafts[1]["sealed_size"] = 1025
    tell(log, drafts)


@case("TAMPERED", 9)
def more_parties_than_there_can_be(log):
    drafts = st.story()
    drafts[9]["parties"] = 17
    tell(log, drafts)


@story_case()
def disclosures_as_they_were_before(drafts):
    for d in drafts:
        d["version"] = 1


@case("TAMPERED", 9)
def disclosure_of_no_version(log):
    drafts = st.story()
    drafts[9]["version"] = 3
    tell(log, drafts)


@case("TAMPERED", 9)
def disclosure_of_a_record_beyond_all(log):
    drafts = st.story()
    drafts[9]["records"] = [2**62, 2**63]
    tell(log, drafts)


@case("TAMPERED", 0)
def time_before_all_times(log):
    drafts = st.story()
    drafts[0]["time"] = -1
    tell(log, drafts)


@case("TAMPERED")
def keys_with_a_member_of_no_meaning(log):
    log.write("keys.jsonl", log.read("keys.jsonl").replace(b'"access"', b'"entrance"', 1))


@case("TAMPERED")
def keys_with_a_member_twice(log):
    log.write("keys.jsonl", log.read("keys.jsonl").replace(b'{"index": 1,', b'{"index": 1, "index": 1,', 1))


@case("TAMPERED")
def keys_of_one_entry_twice(log):
    lines = log.read("keys.jsonl").splitlines(True)
    log.write("keys.jsonl", b"".join(lines[:1] + lines))


@case("TAMPERED")
def keys_out_of_order(log):
    lines = log.read("keys.jsonl").splitlines(True)
    log.write("keys.jsonl", b"".join([lines[1], lines[0]] + lines[2:]))


@case("TAMPERED")
def line_of_keys_too_long(log):
    lines = log.read("keys.jsonl").splitlines(True)
    log.write("keys.jsonl", lines[0][:-2] + b" " * 1024 + b"}\n" + b"".join(lines[1:]))


def beside(log, acts):
    """A story with these acts beside it."""
    drafts = st.story()
    tell(log, drafts)
    log.write("acts", acts)


def all_acts():
    return st.commit(st.story())


@case("OK")
def acts_beside_the_log(log):
    beside(log, all_acts())


@case("INCOMPLETE", 7, "acts")
def the_first_acts_alone(log):
    beside(log, all_acts()[:4 + len(st.committed_act(1)[0])])


@case("OK")
def acts_without_any_key(log):
    beside(log, all_acts())
    log.remove("keys.jsonl")


@case("TAMPERED", 0, "acts")
def bit_in_the_first_act(log):
    acts = bytearray(all_acts())
    acts[70] ^= 1
    beside(log, acts)


@case("TAMPERED", 7, "acts")
def another_manifest_root(log):
    act, root = st.committed_act(2)
    beside(log, all_acts().replace(act, act.replace(root, bytes(32))))


@case("TAMPERED", 17, "acts")
def result_of_an_act_changed(log):
    act = st.committed_act(3)[0]
    beside(log, all_acts().replace(act, act[:-1] + b"T"))


@case("TAMPERED", 7, "acts")
def act_beside_the_log_left_out(log):
    beside(log, all_acts().replace(st.str32(st.committed_act(2)[0]), b""))


@case("TAMPERED", 7, "acts")
def acts_exchanged(log):
    two, three = (st.str32(st.committed_act(n)[0]) for n in (2, 3))
    beside(log, all_acts().replace(two + three, three + two))


@case("TAMPERED", None, "acts")
def one_act_too_many(log):
    beside(log, all_acts() + st.str32(st.committed_act(4)[0]))


@case("TAMPERED", None, "acts")
def bytes_behind_the_acts(log):
    beside(log, all_acts() + b"\0")


@case("TAMPERED", 17, "acts")
def acts_cut_short(log):
    beside(log, all_acts()[:-1])


@case("TAMPERED", 17, "acts")
def act_longer_than_it_says(log):
    act = st.committed_act(3)[0]
    beside(log, all_acts().replace(st.str32(act), st.str32(act + b"x")))


@case("TAMPERED", 0, "acts")
def acts_of_another_vault(log):
    beside(log, st.str32(st.committed_act(1)[0].replace(b"result", b"others")))


def committed(log, act, root=bytes(32), at=17):
    """The vault itself commits to something that is no act."""
    drafts = st.story()
    drafts[at]["act"] = act, root
    tell(log, drafts)
    log.write("acts", st.commit(drafts))


@case("TAMPERED", 17, "acts")
def act_of_another_number_committed(log):
    committed(log, st.committed_act(4)[0])


@case("TAMPERED", 17, "acts")
def act_of_another_magic_committed(log):
    committed(log, st.committed_act(3)[0].replace(b"underseal/act/1", b"underseal/act/2"))


@case("TAMPERED", 17, "acts")
def act_with_bytes_behind_its_result_committed(log):
    committed(log, st.committed_act(3)[0] + b"\0")


@case("TAMPERED", 17, "acts")
def act_too_long_committed(log):
    act = st.committed_act(3)[0]
    committed(log, act.replace(st.str32(b"result"), st.str32(bytes(v.ACT_MAX))))


@case("TAMPERED", 7, "acts")
def act_of_a_batch_without_its_whole_root_committed(log):
    act, root = st.committed_act(2)
    payload = bytes(104) + root + b"the rest"
    signed = b"underseal/act/1\n\x81" + bytes(88) + st.str32(payload)
    assert st.str32(signed) in act
    short = b"underseal/act/1\n\x81" + bytes(88) + st.str32(payload[:135])
    committed(log, act.replace(st.str32(signed), st.str32(short)), root[:31], 7)


@case("UNVERIFIABLE")
def acts_are_a_link(log):
    beside(log, b"")
    log.remove("acts")
    os.symlink("checkpoint", log.at("acts"))


import hostile_handover  # noqa: E402,F401  its cases are added to these
import hostile_receipt  # noqa: E402,F401  and its
import hostile_timestamp  # noqa: E402
import hostile_witnessed  # noqa: E402  and its


def sealed_entry(index):
    """An entry of which nobody has a key: what its boxes hold does not matter."""
    box = hashlib.sha256(b"box").digest() + st.str16(bytes(144))
    return struct.pack(">4sBBHIQq", b"USE1", v.ACCESS, 0, 0, 0, index, st.START) + bytes(24) + box * 3


def two_levels(log):
    """A log whose first tile of level 1 is full."""
    log.remove("keys.jsonl")
    log.remove("acts")
    log.rebuild([sealed_entry(i) for i in range(256 * 256 + 300)])


@case("OK")
def full_tile_of_level_1(log):
    two_levels(log)


@case("TAMPERED", 256 * 7)
def full_tile_of_level_1_changed(log):
    two_levels(log)
    log.flip("tile/1/000", 7 * 32)


@case("TAMPERED", 0)
def tile_of_level_2_changed(log):
    two_levels(log)
    log.flip("tile/2/000.p/1", 31)


@case("INCOMPLETE", 0)
def full_tile_of_level_1_missing(log):
    two_levels(log)
    log.remove("tile/1/000")


ACTS = [i for i, d in enumerate(st.story()) if d["class"] == v.STATE]


@case("INCOMPLETE", ACTS[0], "acts")
def every_box_open_and_no_acts(log):
    tell(log, st.story())
    log.remove("acts")


@case("INCOMPLETE", ACTS[-1], "acts")
def acts_that_end_early(log):
    drafts = st.story()
    tell(log, drafts, {(3, 2)})
    last = len(st.commit([d for d in drafts if d["class"] == v.STATE][:-1]))
    log.write("acts", log.read("acts")[:last])


@case("OK")
def a_box_withheld_and_no_acts(log):
    tell(log, st.story(), {(3, 2)})
    log.remove("acts")


@case("UNVERIFIABLE")
def line_ends_of_mail(log):
    log.write("checkpoint", log.read("checkpoint").replace(b"\n", b"\r\n"))


@case("UNVERIFIABLE")
def line_ends_of_mail_in_the_keys(log):
    log.write("keys.jsonl", log.read("keys.jsonl").replace(b"\n", b"\r\n"))


def withheld_in_the_long_story(n):
    """Of what follows the story, few boxes are open."""
    told = len(st.story())
    return {(i, box) for i in range(told, n) for box in range(3) if i % 50 or box == i // 50 % 3}


def size_of(one):
    """How much there is to verify of a case."""
    return sum(os.lstat(os.path.join(d, f)).st_size for d, _, files in os.walk(one[1]) for f in files)


def prepare(top):
    """The good log, and a directory for each case: (name, path, verdict, index, rule)."""
    good = os.path.join(top, "good")
    os.mkdir(good)
    tell(Log(good), st.long_story(ENTRIES), withheld_in_the_long_story(ENTRIES))
    Log(good).head(ENTRIES, v.tree_head(map(v.leaf_hash, Log(good).entries())), vkey=True)
    out = []
    for f, verdict, index, rule in CASES:
        path = os.path.join(top, f.__name__)
        shutil.copytree(good, path, symlinks=True)
        f(Log(path))
        out.append((f.__name__, path, verdict, index, rule))
    return os.path.join(good, "log.vkey"), out


def built_by_c(top, build):
    """Logs that the project's C writes. Its acts have no numbers, which is to be seen; its other boxes open."""
    numberless, rest = os.path.join(top, "c"), os.path.join(top, "c_without_access")
    os.mkdir(numberless)
    subprocess.run([build, numberless, "700"], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree(numberless, rest)
    lines = [json.loads(line) for line in Log(rest).read("keys.jsonl").splitlines()]
    for line in lines:
        del line["access"]
    Log(rest).write("keys.jsonl", "\n".join(map(json.dumps, lines)).encode())
    return os.path.join(numberless, "log.vkey"), [
        ("built_by_c", numberless, "TAMPERED", 1, "sequence"),
        ("built_by_c_without_access", rest, "OK", None, None)]


def run(command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                       check=False)
    try:
        o = json.loads(p.stdout)
    except ValueError:
        return "exit %d, %r %r" % (p.returncode, p.stdout[-300:], p.stderr[-300:]), None, None, None, None
    return o["verdict"], o["index"], o["rule"], p.returncode, o["witnessed"]


def key_for(path, vkey):
    """The key that a case brings, or the log's."""
    given = os.path.join(path, "given.vkey")
    return given if os.path.exists(given) else vkey


def judge_case(c, vkey, verifiers):
    """What is wrong with the verdicts about a case."""
    name, path, verdict, index, rule = c
    want, witnessed, wrong = (verdict, index, rule, v.EXIT[verdict]), [], []
    more = [x for name_of in ("policy", "entry") if os.path.exists(os.path.join(path, "given." + name_of))
            for x in ("--" + name_of, os.path.join(path, "given." + name_of))]
    receipt = os.path.join(path, "given.receipt")
    for verifier, command in verifiers.items():
        what = [path]
        if os.path.exists(receipt):
            what, command = ["--receipt", receipt], [c for c in command if c != "--dir"]
        *got, seen = run(command + what + ["--vkey", key_for(path, vkey), "--json"] + more)
        got = tuple(got)
        witnessed.append(seen)
        # Which file an unreadable link stands for may be told or not.
        if got != want and not (verdict == "UNVERIFIABLE" and (got[0], got[3]) ==
                                (want[0], want[3])):
            wrong.append("%s: %s says %s, not %s" % (name, verifier, got, want))
    if any(w != witnessed[0] for w in witnessed):
        wrong.append("%s: who witnessed what: %s" % (name, witnessed))
    return wrong


def judge(cases, vkey, verifiers):
    """How many verdicts are wrong."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        wrong = sum(pool.map(lambda c: judge_case(c, vkey, verifiers), cases), [])
    for line in wrong:
        print(line)
    return len(wrong)


def main():
    build, verify, client = sys.argv[1:4]
    here = os.path.dirname(os.path.abspath(__file__))
    python = [sys.executable, os.path.join(here, "verify_log.py")]
    verifiers = {"underseal-verify": [verify], "with three threads": [verify, "--threads", "3"],
                 "the client": [client, "audit", "verify", "--dir"], "verify_log.py": python}
    with tempfile.TemporaryDirectory() as top:
        vkey, cases = prepare(top)
        bad = judge(cases, vkey, verifiers)
        vkey, built = built_by_c(top, build)
        bad += judge(built, vkey, verifiers)
        args = [cases[0][1], "--vkey", os.devnull, "--json"]
        codes = [subprocess.run(c + args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                check=False).returncode for c in verifiers.values()]
        if 0 in codes:
            bad += 1
            print("an empty key file is accepted: %s" % codes)
        bad += hostile_timestamp.judge(cases[0][1], {n: c for n, c in verifiers.items() if n != "verify_log.py"})
        bad += hostile_witnessed.judge_policies(cases[0][1], vkey, verifiers)
    print("%d cases, two verifiers, %d wrong" % (len(cases) + len(built), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
