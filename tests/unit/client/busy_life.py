"""A busy life of a vault, for reports: who takes part, what comes in, what is asked for, shown, refused, copied, clawed back and revoked.
Acts and boxes are written from docs/PROTOCOL.md, sections 6, 18 and 19, by no line of ours. Each entry is kept as a dict as well, of what
it says, which the test folds (test_client_reports.py).
"""
import datetime
import hashlib
import os
import struct
import subprocess
import tempfile

from fake_log import st, v

SECOND, NONE = 10**9, 2**64 - 1
START = "2024-03-04T08:00:00"  # a Monday
CAPACITIES = {"administrator": 1, "producer": 2, "outside-counsel": 3, "expert": 6, "auditor": 12, "keyholder": 13}
# name: number, class of its committed entry's action
ACTS = {"person-add": (1, 41), "docket-sign": (2, 68), "person-suspend": (3, 44), "person-reinstate": (4, 45), "person-end": (5, 46),
        "credential-issue": (6, 47), "credential-revoke": (7, 49), "collection-create": (8, 31), "batch-release": (9, 25),
        "batch-withdraw": (10, 26), "copy-return": (12, 6), "document-add": (14, 113), "order-suspend": (16, 64), "docket-object": (17, 69),
        "docket-resolve": (18, 70), "docket-withdraw": (19, 71), "docket-serve": (20, 79), "clearance": (22, 51), "relabel": (24, 73),
        "clawback": (25, 74), "freeze": (26, 75), "unfreeze": (27, 76), "matter-set": (29, 116), "init": (128, 100), "batch-close": (129, 22),
        "batch-void": (130, 23), "copy-digest": (132, 4)}
ACTIONS = {"search": 1, "count": 2, "read": 3, "copy": 4, "session": 40, "person-list": 43, "start": 101, "unseal-share": 103, "unseal": 104,
           "state-open": 106, "handshakes": 108, "order-in-force": 117, "answered": 120}
ACTIONS.update({name: action for name, (_, action) in ACTS.items()})
ACTIONS["copy-digest"] = 4  # it ends a copy
NAMES = {number: name for name, number in ACTIONS.items() if name != "copy-digest"}
REASONS = {"none": 0, "not-in-order": 1, "revoked": 5, "suspended": 6, "expired": 8, "not-visible": 13, "unknown-credential": 20,
           "clawed-back": 41, "cut": 43, "gone": 44, "frozen": 18}
DECISIONS = {"none": 0, "allow": 1, "deny": 2, "failed": 3}
KINDS = {"intent": 1, "disclosure": 2, "outcome": 3, "event": 4}
s16, s32 = st.str16, st.str32


def u(size, n):
    return n.to_bytes(size, "big")


def text(t):
    return s16(t.encode())


def ns(time):
    return int(datetime.datetime.fromisoformat(time).replace(tzinfo=datetime.timezone.utc).timestamp()) * SECOND


def selection(collection, runs=None, slot=None):
    if runs is None:
        return u(4, collection) + b"\x02" + u(4, slot)
    out, end = b"", 0
    for first, count in runs:
        out += st.varint(first - end) + st.varint(count)
        end = first + count
    return u(4, collection) + b"\x01" + u(4, len(runs)) + out


class Life:
    def __init__(self):
        self.drafts, self.said, self.now, self.acts = [], [], ns(START), 0
        self.sessions, self.people, self.committed = {}, {}, 0

    # -- one entry ------------------------------------------------------------------------------------------

    def add(self, what, kind, action, decision="allow", reason="none", who=None, collection=0, records=(), asked=(), more=0, related=NONE,
            rule=0, paragraph="", summary=b"", purpose="", query="", copy=None, recipient="", total=None, fewer=False, part=0, parts=1,
            act=None, root=None, snapshot=0, credential=None, session=None, told=0, **kept):
        """what: the class. kept: for the fold alone."""
        index, order, person = len(self.drafts), self.order, self.people.get(who, {"number": 0, "parties": []})
        session = session or hashlib.sha256(b"session %d %d" % (person["number"], self.sessions.get((who, credential), 0))).digest()[:16]
        credential = credential or person.get("credential", bytes(32))
        session = session if person["number"] and not told else bytes(16)
        terms = list(asked) + (["+%d" % more] if more else [])
        sequence = NONE
        if what == v.STATE:
            self.acts += 1
            sequence, summary = self.acts, act if len(act) <= 2048 else hashlib.sha256(act).digest()
        access = ((u(2, 0x201) if told else u(1, 1)) + u(1, KINDS[kind]) + u(1, ACTIONS[action]) + u(1, DECISIONS[decision]) + u(1, REASONS[reason])
                  + u(4, person["number"]) + credential + u(4, collection) + u(4, rule) + text(paragraph) + session
                  + u(1, len(person["parties"])) + b"".join(map(text, person["parties"])) + u(8, related) + u(8, sequence) + s16(summary))
        last, listed = 0, b""
        for r in records:
            listed += st.varint((r - last) * 2 if r >= last else (last - r) * 2 - 1)
            last = r
        total = len(records) if total is None else total
        shows = kind in ("disclosure", "outcome") and what == v.ACCESS
        disclosure = b"" if not shows else (
            b"\x02" + u(1, (copy is not None) | 4 * fewer) + u(4, collection) + u(8, snapshot) + u(8, total) + u(4, part) + u(4, parts)
            + u(4, len(records)) + listed + (b"" if copy is None else u(8, copy) + text(recipient)))
        box = b"" if kind == "event" else (b"\x01" + text(purpose) + text("192.0.2.7") + s32(query.encode()) + u(4, part) + u(4, parts)
                                           + u(4, len(terms)) + b"".join(map(text, terms)))
        draft = {"class": what, "order": order, "time": self.now, "kind": KINDS[kind], "action": ACTIONS[action], "contents": (access, disclosure, box)}
        if act is not None:
            draft["act"] = (act, root or bytes(32))
        self.drafts.append(draft)
        self.said.append(dict(kept, index=index, time=self.now, kind=kind, action=NAMES[ACTIONS[action]], decision=decision, reason=reason, who=who,
                              person=person["number"], collection=collection, records=list(records), asked=list(asked), more=more,
                              related=related, rule=rule, paragraph=paragraph, told=told, purpose=purpose, query=query, copy=copy, recipient=recipient,
                              total=total, fewer=fewer, part=part, parts=parts, order=order, state=what == v.STATE, class_=what,
                              snapshot=snapshot, party=", ".join(person["parties"]), credential=credential, session=session))
        self.now += SECOND
        return index

    def at(self, time):
        assert ns(time) >= self.now
        self.now = ns(time)

    def machine(self, action, decision="none", **kw):
        return self.add(v.SYSTEM, "event", action, decision, **kw)

    def mark(self, decision="none", reason="none"):
        at = len(self.drafts)
        self.machine("answered", decision, reason=reason, summary=u(8, self.committed) + u(8, at), range=(self.committed, at))
        self.committed = at

    def open(self, share=None):
        """share: whose credential gave it. The entry names no person."""
        self.order = 0
        self.machine("start")
        self.machine("unseal-share", "allow", summary=b"\x01", credential=share and self.people[share]["credential"], gave=share, detail="share 1")
        self.machine("unseal", "allow")
        self.order = 1
        self.machine("state-open", "allow")
        self.machine("order-in-force", summary=u(4, 1))
        self.sessions = {}

    # -- people ---------------------------------------------------------------------------------------------

    def session(self, who, credential=None):
        if self.now - self.sessions.get((who, credential), -10**20) > 800 * SECOND:
            self.sessions[who, credential] = self.now
            self.add(v.ACCESS, "intent", "session", who=who, credential=credential)

    def ask(self, who, action, kind="intent", decision="allow", **kw):
        if decision == "allow":
            self.session(who, kw.get("credential"))
        return self.add(v.ACCESS, kind, action, decision, who=who, **kw)

    def read(self, who, records, action="read", collection=1, **kw):
        return self.ask(who, action, "disclosure", collection=collection, records=records, rule=2, paragraph="4(b)", purpose="trial", **kw)

    def search(self, who, query, total, shown=(), collection=1, **kw):
        asked = self.ask(who, "search", collection=collection, query=query, purpose="review", rule=2, paragraph="4(b)")
        for i, records in enumerate(shown or [()]):
            self.add(v.ACCESS, "disclosure", "search", who=who, collection=collection, query=query, purpose="review", rule=2, paragraph="4(b)",
                     related=asked, records=records, part=i, parts=len(shown or [()]), total=total, snapshot=9, **kw)
        return asked

    def refuse(self, who, reason, asked=(), action="read", collection=1, **kw):
        return self.ask(who, action, "intent", "deny", reason=reason, collection=collection, asked=asked, **kw)

    def ended(self, entry, sent, reason):
        e = self.said[entry]
        self.add(v.ACCESS, "outcome", e["action"], "failed", reason=reason, who=e["who"], collection=e["collection"], related=entry, total=sent,
                 rule=e["rule"], paragraph=e["paragraph"], credential=e["credential"], session=e["session"])

    # -- acts -----------------------------------------------------------------------------------------------

    def act(self, who, name, payload, result=b"", collection=0, root=None, **kept):
        number = ACTS[name][0]
        own = number >= 128
        actor = 0 if own else self.people[who]["number"]
        credential = bytes(32) if own else self.people[who]["credential"]
        nonce = bytes(16) if own else hashlib.sha256(b"nonce %d" % self.acts).digest()[:16]
        signed = b"underseal/act/1\n" + u(1, number) + st.VAULT + credential + nonce + u(8, self.now) + s32(payload)
        committed = u(8, self.acts + 1) + u(8, self.now) + u(4, actor) + s32(signed) + s16(b"" if own else b"signature") + s32(result)
        return self.add(v.STATE, "event" if name == "init" else "outcome", name, who=who, collection=collection, act=committed, root=root, name=name, **kept)

    def batch(self, collection, slot, first, count, held=0, duplicates=0, refused=0):
        root = hashlib.sha256(b"manifest %d %d" % (collection, slot)).digest()
        payload = (u(4, collection) + u(4, slot) + u(8, 500 + slot) + u(4, 3) + u(8, first) + u(4, count) + u(4, first >> 17) + bytes(32)
                   + u(4, slot) + bytes(32) + root + u(1, 0) + u(1, held) + u(4, 0) + u(8, 1000 + count) + u(8, duplicates) + u(8, refused))
        assert payload[104:136] == root
        return self.act(None, "batch-close", payload, collection=collection, root=root, batch=dict(
            collection=collection, slot=slot, first=first, count=count, held=held, duplicates=duplicates, refused=refused, root=root,
            bytes=1000 + count))

    def certificate(self, name, begins, ends):
        with tempfile.TemporaryDirectory(prefix="us-life-") as where:
            def openssl(*args):
                subprocess.run(("openssl",) + args, cwd=where, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            openssl("req", "-newkey", "ed25519", "-nodes", "-keyout", "key", "-out", "csr", "-subj", "/CN=" + name)
            with open(os.path.join(where, "index"), "w"):
                pass
            with open(os.path.join(where, "conf"), "w") as f:
                f.write("[ca]\ndefault_ca=a\n[a]\ndatabase=index\nnew_certs_dir=.\npolicy=p\nrand_serial=yes\ndefault_md=default\n"
                        "[p]\ncommonName=supplied\n")
            openssl("ca", "-batch", "-config", "conf", "-selfsign", "-keyfile", "key", "-in", "csr", "-out", "pem", "-notext",
                    "-startdate", begins, "-enddate", ends)
            openssl("x509", "-in", "pem", "-outform", "DER", "-out", "der")
            with open(os.path.join(where, "der"), "rb") as f:
                return f.read()

    def issue(self, person, name, ends):
        cert = self.certificate(name, "20240101000000Z", ends)
        self.act("Adam", "credential-issue", u(4, person) + u(2, 30) + s32(b"request") + s32(b"")[:0], s32(cert),
                 issues=(person, hashlib.sha256(cert).digest(), ns("%s-%s-%sT%s:00:00" % (ends[:4], ends[4:6], ends[6:8], ends[8:10]))),
                 detail="%s, 30 days, %s" % (name, hashlib.sha256(cert).hexdigest()))
        return hashlib.sha256(cert).digest()


def join(life, number, name, capacity, parties, pending=False):
    life.people[name] = {"number": number, "parties": parties, "capacity": capacity, "credential": hashlib.sha256(name.encode()).digest()}
    if not pending:
        return
    life.act("Adam", "person-add", text(name) + u(1, CAPACITIES[capacity]) + u(1, len(parties)) + b"".join(map(text, parties)), u(4, number),
             adds=number, pending=bool(parties), docket="person-%d" % number, opens=True, detail=", ".join([name, capacity] + parties))


def lives():
    """The life; its people are Adam 1, Alice 2, Peter 3, Ada 4 of the first act, and who comes later."""
    a = Life()
    a.order = 1
    first = [("Adam", "administrator", []), ("Alice", "outside-counsel", ["plaintiffs"]), ("Peter", "producer", ["defendant"]),
             ("Ada", "auditor", ["court"])]
    for i, (name, capacity, parties) in enumerate(first):
        join(a, i + 1, name, capacity, parties)
    a.act(None, "init", s32(b"ca") + s32(b"source") + s32(b"compiled") + u(1, 1) + text("vault.example") + u(1, 4) + b"".join(
        text(name) + u(1, CAPACITIES[capacity]) + u(1, len(parties)) + b"".join(map(text, parties)) + s32(b"certificate")
        for name, capacity, parties in first), detail="")
    a.open()
    a.at("2024-03-04T09:00:00")
    for number, name, prefix in ((1, "demo", "DEMO"), (2, "mail", "MAIL")):
        a.act("Adam", "collection-create", text(name) + text(prefix) + text(""), u(4, number), collection=number, detail=name)
    a.batch(1, 0, 0, 100, duplicates=2, refused=1)
    a.batch(1, 1, 100, 50, held=1)
    a.batch(2, 0, 0, 40)
    a.batch(1, 2, 150, 1)
    a.act("Peter", "batch-release", u(4, 1) + u(4, 1), collection=1, fate=(1, 1, "admitted"), detail="")
    join(a, 5, "Eve", "expert", ["class", "plaintiffs"], pending=True)
    a.people["Eve"]["credential"] = a.issue(5, "Eve", "20240306000000Z")
    a.read("Eve", [1])                                           # pending, and yet
    a.act("Alice", "docket-sign", text("person-5") + bytes(32), signs="person-5", admits=5, docket="person-5", detail="")
    join(a, 6, "Ken", "keyholder", [], pending=True)
    a.read("Ken", [7])                                           # who runs the vault sees content
    a.refuse("Ken", "not-in-order", ["DEMO000000003"])
    a.refuse("Adam", "not-in-order", ["DEMO000000003", "DEMO000000004"], query="words")
    a.mark()
    # a day of reading
    r = a.read("Alice", [0, 1, 2, 3])
    a.ended(r, 2, "gone")
    a.read("Alice", [3, 2, 60])
    a.read("Alice", [5], collection=2)
    a.search("Alice", "ship", 12, [[4], [5, 61]])
    a.search("Alice", "harbour", 10, fewer=True)
    a.search("Alice", "nothing", 0)
    a.refuse("Alice", "not-visible", ["DEMO000000151"], action="search", query="poem")
    a.ask("Alice", "count", collection=1, query="how many", purpose="review")
    a.ask("Alice", "person-list")
    a.mark()
    for i in range(6):
        a.at("2024-03-04T%02d:30:00" % (15 + i))
        for k in range(i):
            a.read("Eve", [20 + 3 * i + k])
    a.refuse("Eve", "not-in-order", ["DEMO%09d" % n for n in range(1, 4)], more=7)
    # copies
    one = a.read("Alice", [10, 11, 12], action="copy", copy=101, recipient="court")
    two = a.read("Eve", [10], action="copy", copy=102, recipient="lab")
    for i in range(2):
        a.read("Alice", [[13, 14], [15]][i], action="copy", copy=103, recipient="print", part=i, parts=2, total=3)
    a.ended(two, 0, "cut")
    a.read("Alice", [], action="copy", copy=104, recipient="none")
    a.act(None, "copy-digest", u(8, 101) + b"\x11" * 32, collection=1, digest=(101, b"\x11" * 32), detail="")
    a.act("Alice", "copy-return", u(8, 101) + b"\x01" + text("back"), ends=(101, "returned"), detail="")
    a.act("Alice", "copy-return", u(8, 102) + b"\x02" + text("gone"), ends=(102, "destroyed"), detail="")
    a.act("Alice", "copy-return", u(8, 999) + b"\x02" + text("which?"), ends=(999, "destroyed"), detail="")
    a.mark()
    # a notice, and what came behind it
    noticed = a.now
    a.read("Alice", [30, 31])
    a.read("Eve", [33])
    a.refuse("Alice", "not-in-order", ["DEMO000000031"])
    a.read("Alice", [30], collection=2)
    a.act("Peter", "clawback", selection(1, [(30, 2), (40, 1), (120, 5)]) + bytes(32) + u(8, noticed), u(4, 1), collection=1,
          clawback=(1, 1, [30, 31, 40, 120, 121, 122, 123, 124], noticed), docket="clawback-1", opens=True, detail="")
    a.act("Ada", "docket-sign", text("clawback-1") + bytes(32), signs="clawback-1", docket="clawback-1", detail="")
    a.read("Eve", [40, 41, 124])
    a.refuse("Alice", "clawed-back", ["DEMO000000031", "DEMO000000032", "DEMO000000033"])
    a.refuse("Alice", "clawed-back", ["DEMO000000002"], more=3)
    a.refuse("Eve", "not-visible")
    a.refuse("Eve", "not-in-order")
    a.refuse("Eve", "frozen", action="person-list", collection=0)
    a.act("Peter", "clawback", selection(1, slot=1) + bytes(32) + u(8, a.now - 5 * SECOND), u(4, 2), collection=1,
          clawback=(2, 1, list(range(100, 150)), a.now - 5 * SECOND), docket="clawback-2", opens=True, detail="")
    a.read("Alice", [99, 100])
    a.read("Alice", [149])
    a.read("Alice", [150])
    a.act("Peter", "batch-withdraw", u(4, 1) + u(4, 2) + text("by mistake"), collection=1, fate=(1, 2, "withdrawn"), detail="by mistake")
    a.act(None, "batch-void", u(4, 2) + u(4, 3) + u(8, 40) + u(4, 5) + text("given up"), collection=2, fate=(2, 3, "void"), detail="")
    # who may no more
    a.at("2024-03-05T10:00:00")
    a.add(v.ACCESS, "intent", "session", "deny", "expired", who="Alice", told=1)
    a.act("Adam", "person-suspend", u(4, 5) + text("inquiry"), sets=(5, "suspended", True), detail="Eve: inquiry")
    a.read("Eve", [50])
    a.refuse("Eve", "suspended", ["DEMO000000051"])
    a.act("Adam", "person-reinstate", u(4, 5) + text("over"), sets=(5, "suspended", False), detail="Eve: over")
    a.read("Eve", [51])
    a.act("Adam", "credential-revoke", b"\x01" + b"\x77" * 32 + text("found") + u(8, 0), revokes=b"\x77" * 32, detail="77" * 32 + ": found")
    a.read("Alice", [52], credential=b"\x77" * 32)
    a.read("Alice", [53])
    a.act("Adam", "credential-revoke", b"\x02" + u(4, 2) + text("lost") + u(8, 0), revokes=2, detail="Alice: lost")
    a.read("Alice", [54])
    a.people["Alice"]["credential"] = a.issue(2, "Alice", "20250101000000Z")
    a.sessions.pop(("Alice", None))
    a.read("Alice", [55])
    a.add(4, "event", "handshakes", "deny", summary=b"\x05" + u(4, 3) + b"\x14" + u(4, 9) + b"\x30" + u(4, 2),
          counts=[("revoked", 3), ("unknown-credential", 9), ("over-limit", 2)])
    a.at("2024-03-06T00:00:00")
    a.mark()
    a.read("Eve", [56, 57, 58])                                  # expired
    a.act("Adam", "person-end", u(4, 5) + text("settled"), sets=(5, "ended", True), detail="Eve: settled")
    a.read("Eve", [59])
    # the docket
    for scope, payload, detail in ((1, b"", "everything"), (2, text("plaintiffs"), "party plaintiffs"), (3, u(4, 2), "Alice"),
                                   (4, u(4, 2), "collection mail"), (5, selection(1, [(1, 1)]), "records of demo")):
        a.act("Ada", "freeze", u(1, scope) + payload + text("ECF 9"), u(4, scope), docket="freeze-%d" % scope, opens=True,
              detail=detail + ": ECF 9")
    a.act("Alice", "docket-sign", text("freeze-2") + bytes(32), signs="freeze-2", docket="freeze-2", detail="")
    a.act("Peter", "unfreeze", u(4, 2) + text("ECF 10"), signs="freeze-2", docket="freeze-2", detail="ECF 10")
    a.act("Alice", "clearance", text("tool") + u(4, 5) + bytes(32), u(4, 1), docket="clearance-1", opens=True, detail="Eve, tool")
    a.act("Peter", "docket-object", text("clearance-1") + bytes(32), docket="clearance-1", detail="")
    a.act("Ada", "docket-resolve", text("clearance-1") + b"\x01" + text("ECF 11"), docket="clearance-1", detail="ECF 11")
    a.act("Alice", "docket-withdraw", text("clearance-1") + text("moot"), docket="clearance-1", detail="moot")
    a.act("Alice", "docket-serve", text("clearance-1") + text("defendant") + u(8, a.now), docket="clearance-1", detail="defendant")
    a.act("Peter", "relabel", selection(1, [(3, 4)]) + text("CONFIDENTIAL") + text("agreed"), collection=1, detail="CONFIDENTIAL: agreed")
    a.act("Ada", "matter-set", text("appeal") + text("ECF 12"), detail="appeal: ECF 12")
    a.act("Ada", "order-suspend", u(4, 1) + text("ECF 13"), detail="ECF 13")
    a.add(v.ACCESS, "intent", "freeze", "deny", "not-in-order", who="Alice", detail="")
    a.act("Alice", "document-add", bytes(32) + u(8, 1) + text("a.txt") + u(4, 0) + s32(b"a"), detail="")
    for i in range(3):
        a.read("Alice", [70 + i, 71 + i])
    a.at("2024-03-06T23:59:58")
    a.read("Peter", [0], collection=2)
    a.session("Peter")
    a.at("2024-03-07T08:00:00")
    a.read("Peter", [1], collection=2)
    a.at("2024-03-07T20:00:00")
    a.read("Peter", [1, 2, 3], collection=2)
    a.mark("failed", "cut")
    a.read("Peter", [9], collection=2)
    a.open(share="Eve")
    a.read("Alice", [0, 1, 2, 3, 5, 6])
    return a
