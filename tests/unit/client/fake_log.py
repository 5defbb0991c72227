"""A log for the vault that is none (fake_vault.py): entries of a story, written and signed by the independent encoder and served as a
vault serves its own. What is served can be changed under the client's eyes.
"""
import base64
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


class Log:
    """A directory as `audit export` writes it, and what a vault answers from it."""

    def __init__(self, directory, drafts, seed=None):
        os.makedirs(directory, exist_ok=True)
        self.files, self.drafts = hostile_log.Log(directory), drafts
        self.acts = st.commit(drafts)
        self.entries, keys = st.encode(drafts)
        self.keys = [json.loads(line) for line in keys.decode().splitlines()]
        self.files.rebuild(self.entries, seed=seed, vkey=True)
        self.files.write("keys.jsonl", keys)
        self.changed = {}    # path below /v1/log/ to what is served instead: bytes, or a status
        self.delivered = []  # cosigned checkpoints

    def beginning(self, directory, n, seed=None):
        """The log when it had n entries."""
        return Log(directory, [dict(d) for d in self.drafts[:n]], seed)

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

    def consistency(self, m, n):
        leaves = [v.leaf_hash(e) for e in self.entries[:n]]
        if not 0 < m <= n <= len(self.entries):
            return 404
        return b"".join(base64.b64encode(h) + b"\n" for h in proof(m, leaves))

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
        if name.startswith("consistency/"):
            return self.consistency(*map(int, name.split("/")[1:]))
        if not os.path.isfile(self.files.at(name)) or name in ("keys.jsonl", "log.vkey"):
            return 404
        return bytes(self.files.read(name))
