"""A log for the vault that is none (fake_vault.py): entries of a story, written and signed by the independent encoder and served as a
vault serves its own. What is served can be changed under the client's eyes.
"""
import base64
import hashlib
import json
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "tests", "independent"))
import hostile_log  # noqa: E402
import story as st  # noqa: E402
import verify_log as v  # noqa: E402

PAGE = 100  # keys and acts in an answer


def proof(m, leaves, known=True):
    """SUBPROOF of RFC 9162, 2.1.4.1."""
    n = len(leaves)
    if m == n:
        return [] if known else [v.tree_head(leaves)]
    k = 1 << (n - 1).bit_length() - 1
    if m <= k:
        return proof(m, leaves[:k], known) + [v.tree_head(leaves[k:])]
    return proof(m - k, leaves[k:], False) + [v.tree_head(leaves[:k])]


def path_of(at, leaves):
    """PATH of RFC 9162, 2.1.3.1."""
    n = len(leaves)
    if n == 1:
        return []
    k = 1 << (n - 1).bit_length() - 1
    if at < k:
        return path_of(at, leaves[:k]) + [v.tree_head(leaves[k:])]
    return path_of(at - k, leaves[k:]) + [v.tree_head(leaves[:k])]


def with_names(drafts, people, collection):
    """The drafts of a story, whose acts say what people are called, of persons 1, 2, …, (name, capacity's number), and a collection (name, prefix)."""
    def committed(number, kind, payload, result=b""):
        own = kind >= 128
        signed = b"underseal/act/1\n" + bytes([kind]) + st.VAULT + (bytes(48) if own else b"c" * 48) + struct.pack(">Q", st.START) + st.str32(payload)
        return (struct.pack(">QqI", number, st.START, 0 if own else 8) + st.str32(signed) + st.str16(b"" if own else b"signature") + st.str32(result),
                bytes(32))

    def text(words):
        return st.str16(words.encode())

    first, second = [d for d in drafts if d["class"] == v.STATE][:2]
    first["act"] = committed(1, 128, st.str32(b"ca") + st.str32(b"source") + st.str32(b"compiled") + b"\1" + text("vault.example") + bytes([len(people)])
                             + b"".join(text(name) + bytes([capacity, 0]) + st.str32(b"certificate") for name, capacity in people))
    second["act"] = committed(2, 8, text(collection[0]) + text(collection[1]) + text(""), struct.pack(">I", 1))
    second["collection"] = 1
    return drafts


class Answering:
    """What a vault adds to its log with each answer: an entry, and a checkpoint that covers it. What is served as the log's files stays
    as it was, a beginning of that.
    """
    ORIGIN, SEEDS = hostile_log.ORIGIN, {hostile_log.ORIGIN: hostile_log.SEED}

    def __init__(self):
        self.entries, self.changed = [], {}

    def origin(self):
        return self.ORIGIN

    def grown(self):
        return self.entries + self.__dict__.setdefault("extra", [])

    def leaves(self):
        """Of all entries; each hash is made once."""
        known = self.__dict__.setdefault("known", {})
        return [known.setdefault(e, v.leaf_hash(e)) for e in self.grown()]

    def signed(self):
        """A checkpoint of all that is there."""
        leaves, origin = self.leaves(), self.origin()
        text = "%s\n%d\n%s\n" % (origin, len(leaves), base64.b64encode(v.tree_head(leaves)).decode())
        public, signature = hostile_log.sign(self.SEEDS[origin], text.encode())
        key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        return ("%s\n\u2014 %s %s\n" % (text, origin, base64.b64encode(key_id + signature).decode())).encode()

    def vkey(self):
        origin = self.origin()
        public = hostile_log.sign(self.SEEDS[origin], b"")[0]
        return "%s+%s+%s" % (origin, hashlib.sha256(origin.encode() + b"\n\x01" + public).hexdigest()[:8],
                             base64.b64encode(b"\x01" + public).decode())

    def answer(self, state=False):
        """The head of one more answer: the index of its entry, and the checkpoint."""
        index = len(self.grown())
        draft = {"class": v.STATE if state else 1, "order": 1, "time": st.START + 10**6 * st.SECOND, "action": st.SEARCH,
                 "commitment": bytes(32)}
        later = self.__dict__.get("later", [])  # what the log goes on with, if somebody says so
        self.extra.append(later[len(self.extra)] if len(self.extra) < len(later) else st.encode_entry(draft, index)[0])
        return index, self.signed()

    def entry_proof(self, index):
        leaves = self.leaves()
        if index >= len(leaves):
            return 404
        lines = b"".join(base64.b64encode(h) + b"\n" for h in path_of(index, leaves))
        receipt = b"c2sp.org/tlog-proof@v1\nindex %d\n" % index + lines + b"\n" + self.signed()
        return {"index": index, "entry": base64.b64encode(self.grown()[index]).decode(), "receipt": receipt.decode()}

    def consistency(self, m, n):
        leaves = self.leaves()[:n]
        if not 0 < m <= n <= len(self.grown()):
            return 404
        return b"".join(base64.b64encode(h) + b"\n" for h in proof(m, leaves))

    def get(self, path):
        name = path.partition("?")[0]
        if name in self.changed:
            return self.changed[name]
        if name.startswith("entry-proof/"):
            return self.entry_proof(int(name.split("/")[1]))
        if name.startswith("consistency/"):
            return self.consistency(*map(int, name.split("/")[1:]))
        return 404


class Log(Answering):
    """A directory as `audit export` writes it, and what a vault answers from it."""

    def __init__(self, directory, drafts, seed=None):
        os.makedirs(directory, exist_ok=True)
        self.files, self.drafts = hostile_log.Log(directory), drafts
        self.acts = st.commit(drafts)
        self.entries, keys = st.encode(drafts)
        self.keys = [json.loads(line) for line in keys.decode().splitlines()]
        self.files.rebuild(self.entries, seed=seed, vkey=True)
        self.files.write("keys.jsonl", keys)
        self.files.write("acts", self.acts)
        self.changed = {}    # path below /v1/log/ to what is served instead: bytes, or a status
        self.delivered = []  # cosigned checkpoints

    def beginning(self, directory, n, seed=None):
        """The log when it had n entries."""
        log = Log(directory, [dict(d) for d in self.drafts[:n]], seed)
        log.later = self.entries[n:]
        return log

    def get_keys(self, first, end):
        boxes = [{k: key[k] for k in v.BOXES} for key in self.keys[first:min(end, first + PAGE)]]
        return {"from": first, "next": first + len(boxes), "boxes": boxes}

    def get_acts(self, after):
        at, out = 0, []
        while at < len(self.acts):
            size = 4 + struct.unpack_from(">I", self.acts, at)[0]
            out.append(self.acts[at:at + size])
            at += size
        return b"".join(out[after:after + PAGE])

    def origin(self):
        return bytes(self.files.read("checkpoint")).split(b"\n")[0].decode()

    def get(self, path):
        """What is at a path below /v1/log/: bytes, a document, or a status."""
        name, _, query = path.partition("?")
        asked = dict(x.split("=") for x in query.split("&")) if query else {}
        if name in self.changed:
            return self.changed[name]
        if name == "keys":
            return self.get_keys(int(asked["from"]), int(asked["to"]))
        if name == "acts":
            return self.get_acts(int(asked["after"]))
        if name.startswith(("consistency/", "entry-proof/")):
            return super().get(path)
        if not os.path.isfile(self.files.at(name)) or name in ("keys.jsonl", "log.vkey", "acts"):
            return 404
        return bytes(self.files.read(name))
