#!/usr/bin/env python3
"""Breaks the verifier in Python one check at a time, and wants the hostile log to notice each.

usage: mutants.py [-v]

A check that can be taken out without any case of hostile_log.py judging otherwise is one that nobody
tests. Since both verifiers must judge every case alike, this is about the one in C as well.
"""
import functools
import os
import sys
import tempfile
import types

import hostile_log
import hostile_witnessed
import verify_log as v

# What stands in verify_log.py once, and what it becomes. Checks that another one repeats are left out: a file that is no file cannot
# be opened either, a content that is cut short has not ended where it must.
MUTANTS = [
    # the key and the note
    ("len(raw) != 33 or raw[0] != kind", "len(raw) != 33"),
    ('hashlib.sha256(self.name.encode() + b"\\n" + raw).digest()[:4] != self.id', "False"),
    ("if not ed25519_verify(self.public, body, signature):", "if False:"),
    ("if signer is None or signer in good:", "if signer is None:"),
    ("    if key not in good:\n", "    if False:\n"),
    ('if len(lines) < 4 or lines[-1] != "" or "" in lines[:-1]:', "if False:"),
    ('re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII)', 're.fullmatch("[0-9]{1,19}", text)'),
    ("if a is None or r is None or s >= L:", "if a is None or r is None:"),
    # files
    ("            if stat.S_ISLNK(mode):\n", "            if False:\n"),
    ("    if len(data) < want:\n", "    if False:\n"),
    ("    if len(data) > want:\n", "    if False:\n"),
    ("        data = log.read(tile_path(kind, n, WIDTH), limit, index)\n", "        data = None\n"),
    ("return data, width < WIDTH", "return data, False"),
    # the tree
    ('b"\\x00" + entry', "entry"),
    ('b"\\x01" + left + right', "left + right"),
    ("                if h != tile[i]:\n", "                if False:\n"),
    ("            if h != row[i]:\n", "            if False:\n"),
    ("        levels.finish()\n", ""),
    ("if stream.root() != self.root:", "if False:"),
    # bundles
    ("            if len(data) - at < 2:\n", "            if len(data) - at < -2:\n"),
    ("            if n > len(data) - at - 2:\n", "            if False:\n"),
    ("if at != len(data) and (partial or width == WIDTH):", "if False:"),
    ("if at != len(data) and (partial or width == WIDTH):", "if at != len(data):"),
    ("if not self.foreign and rest:", "if False:"),
    # entries
    ('magic != b"USE1" or zero', "zero"),
    ("or zero or flags & ~1", "or flags & ~1"),
    ("or zero or flags & ~1", "or zero"),
    ("or not 1 <= kind <= 4", ""),
    ("if self.time < 0 or self.index > 2**63 - 1:", "if False:"),
    ("if not 1 <= n <= 1024:", "if False:"),
    ("if n < 128 + 16 or padded(n - 18) != n - 16:", "if False:"),
    ("if n < 128 + 16 or padded(n - 18) != n - 16:", "if n < 128 + 16:"),
    ('            raise Trailing("bytes are left over")\n', "            pass\n"),
    ("if entry.index != index:", "if False:"),
    # boxes
    ("if want != entry.commitments[box]:", "if False:"),
    ("        if got != tag:\n", "        if False:\n"),
    ("self.prefix + bytes([box]), sealed", "self.prefix, sealed"),
    ("or padded(n) != len(plain) or any(", "or any("),
    ("or any(plain[n + 2:])", ""),
    # contents
    ("if self.version not in versions:", "if not self.version:"),
    ("    c = Content(data, (1, 2))\n", "    c = Content(data, (1, 2, 3))\n"),
    ("        if self.at != len(self.data):\n            raise ValueError(", "        if False:\n            raise ValueError("),
    ("(byte == 0 and shift) or value >= 2**64", "value >= 2**64"),
    ("parties > 16 or not", "not"),
    ("not 1 <= self.kind <= 4 or self.decision > 3", "self.decision > 3"),
    ("not 1 <= self.kind <= 4 or self.decision > 3", "not 1 <= self.kind <= 4"),
    ("if not 0 <= last < 2**63:", "if not last < 2**63:"),
    ("if not 0 <= last < 2**63:", "if not 0 <= last:"),
    ("flags & ~7 or part >= parts", "part >= parts"),
    ("flags & ~7 or part >= parts", "flags & ~3"),
    ("    if part >= parts:\n", "    if False:\n"),
    # keys.jsonl
    ("if len(line) > KEYS_LINE:", "if False:"),
    ("if set(o) - set(BOXES) - {\"index\"}:", "if False:"),
    ("if any(len(k) != 32 for k in keys.values()):", "if False:"),
    ("if not self.least <= o[\"index\"] < self.size:", "if not o[\"index\"] < self.size:"),
    ("if not self.least <= o[\"index\"] < self.size:", "if not self.least <= o[\"index\"]:"),
    ("self.least = o[\"index\"] + 1", "self.least = o[\"index\"]"),
    ("if len({k for k, _ in pairs}) != len(pairs):", "if False:"),
    # acts
    ("            if len(act) > ACT_MAX:\n", "            if False:\n"),
    ("        if want != commitment:\n", "        if False:\n"),
    ("if c.u(8) != self.count + 1:", "if not c.u(8):"),
    ('if signed.take(16) != b"underseal/act/1\\n":', "if not signed.take(16):"),
    ("        if kind != BATCH_CLOSE_ACT:\n", "        if True:\n"),
    ("        payload.take(104)\n        return payload.take(32)\n", "        return payload.data[104:136]\n"),
    ("            self.acts.finish()\n", "            pass\n"),
    # rules
    ("        self.clock()\n", ""),
    ("        self.sequence()\n", ""),
    ("        self.related()\n", ""),
    ("        self.parts(contents)\n", ""),
    ("            self.follow()\n", ""),
    ("            self.granted()\n", ""),
    ("        self.session()\n", ""),
    ("        self.approval()\n", ""),
    ("self.entry.time < self.last[0].time", "self.entry.time <= self.last[0].time"),
    ("want = self.acts if self.entry.kind == STATE else NONE", "want = self.acts"),
    ("if self.access is not None and self.access.sequence != want:",
     "if self.access is not None and self.entry.kind == STATE and self.access.sequence != want:"),
    ("a.related >= self.entry.index", "a.related > self.entry.index"),
    ("if 1 in contents and 2 in contents and contents[1] != contents[2]:", "if False:"),
    ("self.part = contents.get(1, contents.get(2))", "self.part = contents.get(1)"),
    ("if self.part is None or (self.last and self.last[2] is None):", "if self.part is None:"),
    ("        if (due and self.part[0] == 0 and self.entry.kind == SYSTEM\n", "        if (False\n"),
    ("and (self.access is None or self.is_event(START, BACKUP, HANDOVER))", ""),
    ("if self.part[0] != due:", "if self.part[0] < due:"),
    ("if self.part[0] != due:", "if self.part[0] > due:"),
    ("self.part[1] != self.last[2][1] or not", "not"),
    ("or not self.same_request()", ""),
    ("            a.kind, a.action, a.decision, a.person, a.session) == (\n"
     "            b.kind, b.action, b.decision, b.person, b.session)",
     "            a.kind, a.decision, a.person, a.session) == (\n            b.kind, b.decision, b.person, b.session)"),
    ("            a.kind, a.action, a.decision, a.person, a.session) == (\n"
     "            b.kind, b.action, b.decision, b.person, b.session)",
     "            a.kind, a.action, a.decision, a.session) == (\n            b.kind, b.action, b.decision, b.session)"),
    ("entry.kind == SYSTEM or entry.index == 0", "False"),
    ("if self.access is not None and self.is_event(INIT) != (self.entry.index == 0):", "if False:"),
    ("self.is_event(START, STOP) or", "self.is_event(STOP) or"),
    ("self.is_event(START, STOP) or", "self.is_event(START) or"),
    ("or (self.is_event(STATE_OPEN) and not allowed)", ""),
    ("self.is_event(UNSEAL) and allowed", "self.is_event(UNSEAL)"),
    ('if self.vault in ("closed", "open"):', 'if self.vault == "open":'),
    ('if self.vault in ("closed", "open"):', 'if self.vault == "closed":'),
    ('if self.access.summary != struct.pack(SUMMARIES[ORDER_IN_FORCE], self.entry.order):', "if False:"),
    ("                and self.entry.order != self.order):\n", "                and False):\n"),
    ("(kind == STATE and a.kind == OUTCOME)", "False"),
    ("(kind == SYSTEM and a.kind == INTENT)", "False"),
    ('if self.vault in ("closed", "replaying"):', 'if self.vault == "closed":'),
    ('if self.vault in ("closed", "replaying"):', 'if self.vault == "replaying":'),
    ("        if kind == SYSTEM and a.action == SEAL:\n", "        if False:\n"),
    ('self.vault, self.order, self.sessions = "closed", 0, {}', 'self.vault, self.order = "closed", 0'),
    ("self.sessions.setdefault(a.session, (now, a.person, a.credential))",
     "self.sessions[a.session] = (now, a.person, a.credential)"),
    ("if a.kind not in (INTENT, DISCLOSURE):", "if a.kind != DISCLOSURE:"),
    ("if a.kind not in (INTENT, DISCLOSURE):", "if a.kind != INTENT:"),
    ("and self.withheld_time >= now - SESSION_NS", ""),
    ("if self.withheld_time is not None and", "if False and"),
    ("if opened[1:] != (a.person, a.credential):", "if opened[2] != a.credential:"),
    ("if opened[1:] != (a.person, a.credential):", "if opened[1] != a.person:"),
    ("if opened[0] < now - SESSION_NS:", "if False:"),
    ("if opened[0] < now - SESSION_NS:", "if opened[0] <= now - SESSION_NS:"),
    ("if a.summary in self.approvals:", "if False:"),
    ("or self.part[0] > 0)", ")"),
    ("        if a.decision != ALLOW or not (", "        if not ("),
    # receipts
    ("if not self.data.startswith(self.FIRST):", "if False:"),
    ('not self.data.endswith(b"\\n") or self.data.endswith(b"\\n\\n") or', 'self.data.endswith(b"\\n\\n") or'),
    ('or self.data.endswith(b"\\n\\n") or', "or"),
    ('or len(re.findall(b"\\n(?=\\n)", self.data)) < 2', ""),
    ("any(len(h) != 32 for h in path)", "False"),
    ("path_root(leaf_hash(data), self.index, self.size, path) != self.root", "False"),
    ("        if sn == 0:\n            raise", "        if False:\n            raise"),
    ("    if sn:\n", "    if False:\n"),
    ("if fn & 1 or fn == sn:", "if fn & 1:"),
    ("                if entry.index != self.index:\n", "                if False:\n"),
    ("if self.entry is None and extra is None:", "if self.entry is None and False:"),
    ("if self.entry is None else self.entry", "if extra is not None else self.entry"),
    # hand-overs
    ("        if not any(self.same(k, key) for k in keys):\n", "        if False:\n"),
    ("return (a.name, a.public) == (b.name, b.public)", "return a.public == b.public"),
    ("return (a.name, a.public) == (b.name, b.public)", "return a.name == b.name"),
    ("        self.key = keys[-1]\n", ""),
    ("if not m or m[2] and not 2 <= int(m[2]) <= 65:", "if not m:"),
    (' + 2:].count(b"\\n") != 1:', " + 2:].count(b'\\n') < 1:"),
    ("if text[0] != label or len(text) != lines + 1:", "if len(text) != lines + 1:"),
    ("if text[0] != label or len(text) != lines + 1:", "if text[0] != label:"),
    ("text = open_note(data, key)[0]", 'text = data[:data.rfind(b"\\n\\n") + 1].decode()'),
    ('        if not re.fullmatch(r"[0-9]{4}-', '        if False and not re.fullmatch(r"[0-9]{4}-'),
    ("if not 1970 <= int(text[:4]) <= 2261:", "if False:"),
    ("if keys and (not self.same(keys[-1], old) or", "if keys and (False or"),
    ('or item["size"] <= self.items[-1]["size"]):', "):"),
    ("            if any(k.public == new.public for k in keys):\n", "            if False:\n"),
    ("        if len(m[1].encode()) > 255:\n", "        if False:\n"),
    ("if size == 0 or self.number(new.name)", "if self.number(new.name)"),
    ("self.number(new.name) != (vault, number + 1)", "self.number(new.name)[1] != number + 1"),
    ("self.number(new.name) != (vault, number + 1)", "self.number(new.name)[0] != vault"),
    ("self.hash(digest) != hashlib.sha256(notes[0]).digest() or", "False or"),
    ('or reason not in ("restore", "move", "key")', ""),
    ("or self.time(time) < self.time(then) or last < size", "or last < size"),
    ("or self.time(time) < self.time(then) or last < size", "or self.time(time) < self.time(then)"),
    ("if notes[2] or last_root != root:", "if last_root != root:"),
    ("if notes[2] or last_root != root:", "if notes[2]:"),
    ("            self.last(notes[2], old, last, last_root)\n", "            pass\n"),
    ('if decimal(lines[0], "the size") != size or self.hash(lines[1]) != root:', "if self.hash(lines[1]) != root:"),
    ('if decimal(lines[0], "the size") != size or self.hash(lines[1]) != root:', 'if decimal(lines[0], "the size") != size:'),
    ('        if any(i["size"] >= size for i in self.items):\n', "        if False:\n"),
    ("        if item is None and says and self.data is None:\n", "        if False:\n"),
    ("        if item is None and says:\n", "        if False:\n"),
    ("        elif item is not None and not says:\n", "        elif False:\n"),
    ("entry.kind != SYSTEM or hashlib.sha256(access.summary)", "hashlib.sha256(access.summary)"),
    ('or hashlib.sha256(access.summary).digest() != item["digest"]', ""),
    ('            if roots[i["size"]] != i["root"]:\n', "            if False:\n"),
    ("self.is_event(START, BACKUP, HANDOVER)", "self.is_event(START, HANDOVER)"),
    ("self.is_event(START, BACKUP, HANDOVER)", "self.is_event(START, BACKUP)"),
    # witnesses and policies
    ("len(signature) != 72 or when >= 2**63", "len(signature) != 72"),
    ('b"cosignature/v1\\ntime %d\\n" % when + body', "body"),
    ("if policy and not policy.names(key):", "if False:"),
    ("(k.public, k.name) == (key.public, key.name)", "k.public == key.public"),
    ("(k.public, k.name) == (key.public, key.name)", "k.name == key.name"),
    ("return not self.logs or any(", "return any("),
    ("            if self.add(path, data) > size:\n", "            if self.add(path, data) < 0:\n"),
    ("            if data is None:\n                break\n", "            if data is None:\n                continue\n"),
    ("for k in range(1, 65):", "for k in range(1, 2):"),
    ("            if origin != self.key.name:\n", "            if False:\n"),
    ("            if root != roots[size]:\n", "            if False:\n"),
    ("                if self.entries in sizes:\n", "                if self.entries == self.size:\n"),
    ("sum(self.met(names, m) for m in members) >= threshold", "sum(self.met(names, m) for m in members) >= 1"),
    ("sum(self.met(names, m) for m in members) >= threshold", "sum(self.met(names, m) for m in members) > threshold"),
    ('return node == "none" or node in names', "return node in names"),
    ("and (size > 0 or largest == 0)", ""),
    ("        if not good:\n            self.found", "        if False:\n            self.found"),
    ('or not data.endswith(b"\\n")', ""),
    ("        if self.quorum is None:\n", "        if False:\n"),
    ("len(rest) == 1 and self.quorum is None", "len(rest) == 1"),
    ("rest[0] not in self.witnesses and rest[0] not in self.groups", "False"),
    ("and int(threshold) <= len(members)", ""),
    ('"[1-9][0-9]{0,3}"', '"[0-9]{1,4}"'),
    ("if m in self.taken or not (m in", "if not (m in"),
    ("if key.public in [k.public", "if False and key.public in [k.public"),
    ('if (name == "none" or name in self.witnesses or name in self.groups', 'if (name == "none" or name in self.groups'),
    ('(ord(c) < 32 and c != "\\t") or', ""),
    ("        if self.is_event(AUDIT_WITNESS):\n", "        if False:\n"),
    ("            self.outcome()\n", ""),
    ("        who = a.person, a.action, a.session\n", "        who = a.action, a.session\n"),
    ("        who = a.person, a.action, a.session\n", "        who = a.person, a.session\n"),
    ("        who = a.person, a.action, a.session\n", "        who = a.person, a.action\n"),
    ("            self.settle(self.entry.index)\n", "            pass\n"),
    ("            self.mark()\n", "            pass\n"),
    ("a.related == NONE or a.related < self.answerable", "a.related < self.answerable"),
    ("a.related == NONE or a.related < self.answerable", "a.related == NONE"),
    ("if self.open.get(a.related, who) != who:", "if self.open.get(a.related) != who:"),
    ("if self.open.get(a.related, who) != who:", "if False:"),
    ("                self.open[a.related] = None\n", "                pass\n"),
    ("            if a.related in self.open:\n", "            if True:\n"),
    ("gave = access and a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)", "gave = a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)"),
    ("gave = access and a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)", "gave = access and a.kind in (INTENT, DISCLOSURE)"),
    ("gave = access and a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)", "gave = access and a.decision == ALLOW"),
    ("gave = access and a.decision == ALLOW and a.kind in (INTENT, DISCLOSURE)", "gave = access and a.decision == ALLOW and a.kind == DISCLOSURE"),
    ("        if len(self.access.summary) != 16:\n", "        if len(self.access.summary) < 16:\n"),
    ("if not first < end <= self.entry.index:", "if not first <= end <= self.entry.index:"),
    ("if not first < end <= self.entry.index:", "if not first < end:"),
    ("if self.settled not in (None, first):", "if self.settled is not None and self.settled < first:"),
    ("if self.settled not in (None, first):", "if self.settled is not None and self.settled > first:"),
    ("if self.settled not in (None, first):", "if self.settled != first:"),
    ("self.vault = self.order = self.settled = None", "self.vault = self.order = None"),
    ("        self.settle(end)\n", ""),
    ("        self.settled = end\n", ""),
    ("if (a.action not in (READ, COPY, COUNT)", "if (a.action not in (READ, COPY)"),
]


with open(v.__file__, encoding="utf-8") as whole:
    WHOLE = whole.read()


def read_if_there(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read()


def judge(module, path, vkey_path):
    """Verdict, index and rule; what an exception is called, if the verifier breaks down."""
    with open(hostile_log.key_for(path, vkey_path), encoding="utf-8") as f:
        vkey = f.read()
    try:
        policy = read_if_there(os.path.join(path, "given.policy"))
        policy = module.Policy(policy) if policy is not None else None
        receipt, entry = (read_if_there(os.path.join(path, "given." + name)) for name in ("receipt", "entry"))
        if receipt is not None:
            verifier = module.Receipt(receipt, vkey, False, policy, entry)
        else:
            verifier = module.Verifier(module.Directory(path), vkey, False, policy)
        verdict = verifier.run()
    except module.Verdict as e:
        verdict = e
    except Exception as e:  # a verifier that breaks down has noticed
        return type(e).__name__, None, None
    return verdict.verdict, verdict.index, verdict.rule


def arithmetic(source):
    """The part of a verifier that computes, and knows nothing of logs."""
    return source[:source.index("def b64(")]


COMPUTED = {name: functools.lru_cache(None)(getattr(v, name)) for name in ("ed25519_verify", "gcm")}


def noticed(source, cases, vkey_path):
    """The first case that the verifier of this source judges otherwise, or None. What it computes as the whole one does is computed once."""
    module = types.ModuleType("mutant")
    exec(compile(source, "mutant", "exec"), module.__dict__)
    if arithmetic(source) == arithmetic(WHOLE):
        module.__dict__.update(COMPUTED)
    for name, path, verdict, index, rule in cases:
        got = judge(module, path, vkey_path)
        if got != (verdict, index, rule) and not got[0] == verdict == "UNVERIFIABLE":
            return name
    for what, text in hostile_witnessed.bad_policies().items():
        try:
            module.Policy(text)
            return "a policy " + what
        except ValueError:
            pass
        except Exception:
            return "a policy " + what
    return None


def main():
    source, survived = WHOLE, []
    with tempfile.TemporaryDirectory() as top:
        vkey_path, cases = hostile_log.prepare(top)
        cases.sort(key=hostile_log.size_of)
        first = noticed(source, cases, vkey_path)
        if first is not None:
            sys.exit("the verifier itself judges %s wrongly" % first)
        for old, new in MUTANTS:
            if source.count(old) != 1:
                sys.exit("this stands %d times in verify_log.py: %s" % (source.count(old), old))
            name = noticed(source.replace(old, new), cases, vkey_path)
            if name is None:
                survived.append((old, new))
            if "-v" in sys.argv[1:]:
                print("%-40s %s" % (name or "NOT NOTICED", old.strip().split("\n")[0]), flush=True)
    for old, new in survived:
        print("not noticed: %s -> %s" % (old.strip(), new.strip()))
    print("%d of %d mutants noticed" % (len(MUTANTS) - len(survived), len(MUTANTS)))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
