#!/usr/bin/env python3
"""Goal: a stay acts within one second while 64 connections read.

64 connections read a thousand records at a time, without a pause. One signature freezes everything. From the moment the freeze is
answered, the time until the last byte of evidence reaches any of them is measured; it must be below one second (four with sanitizers). Running answers end, new
requests are refused with the freeze's id and authority; the keeper's entries say so. The administrator cannot lift it, the quorum can,
and then all read again. The same for one party alone, and for single records.
"""
import multiprocessing
import threading

from harness import *

READERS = 64
GROUPS = 16  # processes that they are spread over, so that this one, which takes the time, does not wait for them
BATCH = 1000


class Reader(threading.Thread):
    """Reads on and on; notes when the last byte of a record came, and how answers ended."""

    def __init__(self, vault, who, bates):
        super().__init__(daemon=True)
        self.http = Http(vault, vault.profile(who))
        self.bates = bates
        self.stop = False
        self.last = 0.0
        self.records = 0
        self.cut = 0
        self.refused = []
        self.error = None

    def run(self):
        try:
            while not self.stop:
                self.once()
                if self.refused:
                    time.sleep(0.05)
        except Exception as e:  # noqa: BLE001  a reader's failure is looked at by the scenario
            self.error = e

    def once(self):
        c = self.http.connection
        c.request("POST", "/v1/collections/demo/read", body=json.dumps({"bates": self.bates, "purpose": "stay"}),
                  headers={"Content-Type": "application/json"})
        r = c.getresponse()
        if r.status == 401:
            r.read()
            self.http.session()
            return
        if r.status != 200:
            self.refused.append((time.monotonic(), json.loads(r.read())))
            return
        tail = b""
        try:
            while True:
                piece = r.read1(65536)
                if not piece:
                    break
                # the problem that ends a cut answer is no evidence
                if b'"manifest"' in piece:
                    self.last = time.monotonic()
                self.records += piece.count(b'\n{"bates"')
                tail = (tail + piece)[-4096:]
        except http.client.IncompleteRead:
            pass
        if b"urn:underseal:problem" in tail:
            self.cut += 1


def group(vault, bates, pipe):
    """READERS / GROUPS readers in a process of their own; says "reading" and "refused" when all are, and at the end what they saw."""
    readers = [Reader(vault, "attorney", bates) for _ in range(READERS // GROUPS)]
    for r in readers:
        r.http.session()
        r.start()
    said = set()
    while not pipe.poll(0.02):
        for word, seen in (("reading", lambda r: r.records > 0), ("refused", lambda r: r.refused)):
            if word not in said and all(seen(r) or r.error for r in readers):
                said.add(word)
                pipe.send(word)
    for r in readers:
        r.stop = True
    for r in readers:
        r.join(60 * SLOW)
    pipe.send([{"last": r.last, "cut": r.cut, "refused": len(r.refused), "problem": r.refused[-1][1] if r.refused else None,
                "error": "it hangs" if r.is_alive() else r.error and repr(r.error)} for r in readers])
    os._exit(0)


class Readers:
    def __init__(self, vault, bates):
        self.groups = []
        for _ in range(GROUPS):
            ours, theirs = multiprocessing.Pipe()
            p = multiprocessing.Process(target=group, args=(vault, bates, theirs), daemon=True)
            p.start()
            self.groups.append((p, ours))

    def all_are(self, word):
        for _, pipe in self.groups:
            check(pipe.poll(120 * SLOW), "not every connection is " + word)
            equal(pipe.recv(), word, "what a group of readers says")
        return self

    def end(self):
        """What each saw."""
        for _, pipe in self.groups:
            pipe.send("stop")
        seen = []
        for p, pipe in self.groups:
            check(pipe.poll(120 * SLOW), "readers do not end")
            said = pipe.recv()
            while not isinstance(said, list):
                said = pipe.recv()
            seen += said
            p.join()
        for r in seen:
            check(r["error"] is None, "a reader failed", r["error"])
        return seen


def freeze(vault, who, scope, *more):
    """(id, when it was answered)"""
    r = vault.client(who, "freeze", "--scope", scope, "--authority", "ECF No. 99 (stay)", *more)
    return r.json["docket"], time.monotonic()


def scenario():
    vault = Vault(20120).demo()
    lines = generate(3000, 12, long_every=0)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    bates = ["DEMO%09d" % (i + 1) for i in range(BATCH)]

    step("%d connections read" % READERS)
    readers = Readers(vault, bates).all_are("reading")
    before = time.monotonic()
    freeze_id, answered = freeze(vault, "auditor", "all")
    readers.all_are("refused")
    time.sleep(1.5)
    seen = readers.end()
    after = max(r["last"] for r in seen) - answered
    step("frozen: from asking to the answer %.0f ms; last evidence %.0f ms after the answer, %.0f ms after asking; %d answers cut, "
         "%d refused" % ((answered - before) * 1000, after * 1000, (answered - before + after) * 1000,
                         sum(r["cut"] for r in seen), sum(r["refused"] for r in seen)))
    check(after < 1.0 * SLOW, "evidence came too long after the stay", after)
    for r in seen:
        equal((r["problem"]["reason"], r["problem"]["detail"]), ("frozen", "%s (ECF No. 99 (stay))" % freeze_id), "the refusal")

    step("nobody sees anything meanwhile; the docket shows it")
    vault.count("harbour", code=REFUSED)
    vault.client("attorney", "search", "demo", "harbour", code=REFUSED)
    item = vault.client("attorney", "docket", "show", freeze_id).json
    equal((item["kind"], item["status"]), ("freeze", "waits"), "the item")

    step("not the administrator, not counsel: the quorum lifts it")
    for who in ("admin", "attorney"):
        vault.client(who, "unfreeze", freeze_id, "--authority", "mine", code=REFUSED)
    vault.client("auditor", "unfreeze", freeze_id, "--authority", "ECF No. 100")
    check(vault.count("harbour") > 0, "everything is there again")
    denied = [e for e in vault.audit("--denied") if e.get("reason") == "frozen"]
    check(len(denied) >= READERS, "each refusal has its entry", len(denied))

    step("a freeze of records cuts what is under way, and only that")
    readers = Readers(vault, bates).all_are("reading")
    first, answered = freeze(vault, "auditor", "records:DEMO000000500")
    seen = readers.all_are("refused").end()
    check(max(r["last"] for r in seen) - answered < 1.0 * SLOW, "evidence after the freeze")
    vault.read("DEMO000000500", code=(OTHER, USAGE, REFUSED))
    equal(len(vault.read("DEMO000000501")[1]), 1, "its neighbour is read")
    total = vault.client("attorney", "search", "demo", "*", "--count").json["total"]
    equal(total, len(lines) - 1, "the count leaves it out")
    equal(vault.count("bates:DEMO000000500"), 0, "nor is it found by its number")

    step("a freeze of a party, and of a person; each has an id of its own")
    second, _ = freeze(vault, "producer", "party:plaintiffs")
    check(second != first, "ids", first, second)
    vault.read("DEMO000000501", code=REFUSED)
    vault.client("auditor", "unfreeze", second, "--authority", "ECF No. 101")
    third, _ = freeze(vault, "auditor", "person:Alice Attorney")
    vault.read("DEMO000000501", code=REFUSED)
    vault.client("auditor", "unfreeze", third, "--authority", "ECF No. 102")
    equal(len(vault.read("DEMO000000501")[1]), 1, "read again")
    vault.read("DEMO000000500", code=(OTHER, USAGE, REFUSED))

    step("a daemon that was started frozen gives nothing to anybody, until it is started otherwise")
    vault.stop()
    with open(os.path.join(vault.base, "frozen.conf"), "w") as f:
        f.write("frozen=1\n")
    vault.serve(config=os.path.join(vault.base, "frozen.conf")).unseal()
    vault.read("DEMO000000501", code=REFUSED)
    vault.count("harbour", code=REFUSED)
    check(len(vault.audit()) > 0, "the log is open to its auditor")

    step("it outlasts a restart")
    vault.stop()
    vault.serve().unseal()
    vault.read("DEMO000000500", code=(OTHER, USAGE, REFUSED))
    equal(vault.client("attorney", "search", "demo", "*", "--count").json["total"], len(lines) - 1, "the count")
    vault.stop()


main(scenario)
