#!/usr/bin/env python3
"""Goal: the log says how answers ended.

Bulk reads whose client takes some bytes and no more: the vault then waits, and what happens meanwhile is what ends the answer. A freeze
cuts one; a client goes away; the vault is killed; the vault is sealed; the daemon is asked to end. Each has its outcome, with how many
records had left, or is in a range of which that is not known; marks say that all others left whole. Both verifiers accept the exports.
"""
from harness import *

PRODUCERS_LOG = """
  - id: producers-log
    paragraph: "9.3"
    effect: permit
    who: {party: defendant, capacity: producer}
    actions: [audit]
    boxes: [access, disclosure]
    log: all
"""

RECORDS = 1000
FILLER = 200  # times 64 bytes in each record: a whole answer is more than fits into what is under way between vault and client


def bates(first, last):
    return ["DEMO%09d" % (i + 1) for i in range(first, last)]


class Slow:
    """Asks for many records and takes the beginning of the answer only."""

    def __init__(self, vault, who, records):
        self.http = Http(vault, vault.profile(who))
        self.http.connection._create_connection = self.connect
        equal(self.http.session()[0] // 100, 2, "a session")
        self.http.connection.request("POST", "/v1/collections/demo/read", body=json.dumps({"bates": records, "purpose": "slow"}),
                                     headers={"Content-Type": "application/json"})
        self.answer = self.http.connection.getresponse()
        equal(self.answer.status, 200, "status")
        self.got = self.answer.read1(65536)
        self.header = json.loads(self.got.split(b"\n")[0])
        self.entry = self.header["entry"]

    @staticmethod
    def connect(address, timeout, source):
        """With a small buffer, so that little is under way."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(timeout)
        s.connect(address)
        return s

    def records(self):
        """Takes the rest; how many whole records there were."""
        try:
            while True:
                piece = self.answer.read1(1 << 20)
                if not piece:
                    break
                self.got += piece
        except (http.client.IncompleteRead, OSError):
            pass
        return sum(line.startswith(b'{"bates"') and line.endswith(b"}") for line in self.got.split(b"\n")[1:-1])


def outcomes(vault):
    return {e["related"]: e for e in vault.audit() if e["kind"] == "outcome" and e["class"] == "access"}


def verify(vault, name):
    out = os.path.join(vault.base, name)
    vault.client("auditor", "audit", "export", "--out", out)
    vkey = os.path.join(vault.out, "log.vkey")
    for argv in ([VERIFY], [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]):
        r = run(argv + [out, "--vkey", vkey])
        equal((r.returncode, r.stdout[:2]), (0, b"OK"), "verdict of " + argv[-1])


def marks(vault):
    """(from, to, decision, reason) of each; they must follow one another."""
    found = [(e["from"], e["to"], e["decision"], e["reason"]) for e in vault.audit() if e["action"] == "answered"]
    for a, b in zip([(0, 0)] + found, found):
        equal(b[0], a[1], "where a mark begins")
    return found


def wait_mark(vault, entry):
    """The mark that passes the entry."""
    def there():
        return [m for m in marks(vault) if m[0] <= entry < m[1]]
    return wait_for(there, 30, "a mark passes entry %d" % entry, 0.5)[0]


def scenario():
    order = os.path.join(tempfile.mkdtemp(prefix="us-order-"), "order.yaml")
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f, open(order, "w") as to:
        to.write(f.read() + PRODUCERS_LOG)
    vault = Vault(20200, order=order).demo()
    lines = generate(RECORDS, 20, long_every=0)
    for i, line in enumerate(lines):  # so that an answer is large
        record = json.loads(line)
        record["filler"] = hashlib.sha256(b"%d" % i).hexdigest() * FILLER
        lines[i] = json.dumps(record).encode()
    vault.load(write_lines(vault.base + "/a.jsonl", lines))

    step("an answer that leaves whole has no outcome, and is marked")
    entry = vault.read(bates(0, 3))[0]["entry"]
    equal(wait_mark(vault, entry)[2:], ("none", "none"), "the mark")
    equal(outcomes(vault), {}, "outcomes")

    step("what a search or count told is in the log: hits, none, and numbers alone")
    for query, options in (("model:gpt-4", ()), ("model:none", ()), ("model:gpt-4", ("--no-snippets",)), ("model:gpt-4", ("--count",)),
                           ("model:none", ("--count",))):
        r = vault.client("attorney", "search", "demo", query, *options).json
        e = [e for e in vault.audit() if e["index"] == r["entry"]][0]
        equal((e["kind"], e["decision"], e["action"]), ("disclosure", "allow", "count" if "--count" in options else "search"), "its entry")
        equal((e["total"], len(e["records"])), (r["total"], 0 if options else len(r["hits"])), "total and records")
        equal(e["related"], r["intent"], "what it answers")

    step("a refusal names what was asked for, to the court's auditor, and not to the producer")
    asked = bates(0, 3)
    vault.read(asked, who="admin", code=REFUSED, options=("--purpose", "curiosity"))
    many = bates(0, 1500)
    vault.read(many, code=REFUSED)
    vault.read(["DEMO000000001", "DEMO999999999"], code=USAGE)
    parts = [e for e in vault.audit("--denied") if e["action"] == "read" and e["reason"] == "quota"]
    equal([x for e in parts for x in e["asked"]], many[:1000] + ["+500"], "what was asked of too many")
    named = [(e["person"], e["asked"], e["records"]) for e in vault.audit("--denied", "--record", "demo/DEMO000000002")]
    equal(named, [(vault.ADMIN, asked, []), ("Alice Attorney", parts[0]["asked"], [])], "who asked for it and was refused")
    equal([e["reason"] for e in vault.audit("--denied", "--record", "demo/DEMO999999999")], ["not-visible"], "also what is not there")
    for e in vault.audit("--denied", who="producer"):
        check("asked" not in e and e["query"] == "withheld" and e["records"] in ([], "withheld"), "the producer sees it", e)
    equal(len(vault.audit("--denied", who="producer")), len(vault.audit("--denied")), "but that there were refusals")
    equal([e["kind"] for e in vault.audit("--record", "demo/DEMO000000002")], ["disclosure"], "a refusal discloses nothing")

    step("cut by a freeze")
    slow = Slow(vault, "attorney", bates(0, 1000))
    freeze = vault.client("auditor", "freeze", "--scope", "all", "--authority", "ECF No. 7").json["docket"]
    got = slow.records()
    o = wait_for(lambda: outcomes(vault).get(slow.entry), 10, "the outcome")
    equal((o["decision"], o["reason"], o["person"], o["action"]), ("failed", "cut", "Alice Attorney", "read"), "the outcome")
    equal(o["total"], got, "records that left: all of them came, the client took the rest")
    check(0 < got < 1000, "some records left, not all", got)
    vault.client("auditor", "unfreeze", freeze, "--authority", "ECF No. 8")

    step("the client goes away")
    slow = Slow(vault, "attorney", bates(0, 1000))
    slow.http.connection.sock.shutdown(socket.SHUT_RDWR)
    slow.http.close()
    o = wait_for(lambda: outcomes(vault).get(slow.entry), 10, "the outcome")
    equal(o["reason"], "gone", "the reason")
    check(0 < o["total"] < 1000, "some records left, not all", o["total"])
    equal(wait_mark(vault, slow.entry)[2:], ("none", "none"), "the mark behind it")

    step("a party sees the outcomes of its own people, whole; the producer learns nothing")
    verify(vault, "export-1")

    step("sealed meanwhile")
    slow = Slow(vault, "attorney", bates(0, 1000))
    vault.client("admin", "seal", "--reason", "system test")
    def sealed():
        r = vault.client("admin", "status", code=None)
        return r.code == DONE and r.json["state"] == "sealed"
    wait_for(sealed, 20, "sealed", 0.1)
    vault.unseal()
    o = outcomes(vault)[slow.entry]
    equal(o["reason"], "cut", "the reason")
    check(0 < o["total"] < 1000, "some records left, not all", o["total"])
    equal([m for m in marks(vault) if m[2] == "failed"], [], "nothing is unknown")

    step("the daemon is asked to end")
    slow = Slow(vault, "attorney", bates(0, 1000))
    vault.stop()
    vault.serve().unseal()
    equal(outcomes(vault)[slow.entry]["reason"], "cut", "the reason")
    equal([m for m in marks(vault) if m[2] == "failed"], [], "nothing is unknown")

    step("the vault is killed: nobody knows what left")
    slow = Slow(vault, "attorney", bates(0, 1000))
    os.kill(vault.roles()["vault"][0], signal.SIGKILL)
    equal(vault.wait_end(), 1, "exit status")
    vault.serve().unseal()
    check(slow.entry not in outcomes(vault), "no outcome")
    equal(wait_mark(vault, slow.entry)[2:], ("failed", "unknown"), "its range")

    step("all is killed: the next start says so")
    slow = Slow(vault, "attorney", bates(0, 1000))
    vault.kill()
    vault.serve().unseal()
    check(slow.entry not in outcomes(vault), "no outcome")
    equal(wait_mark(vault, slow.entry)[2:], ("failed", "unknown"), "its range")
    verify(vault, "export-2")
    vault.stop()


main(scenario)
