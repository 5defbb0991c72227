"""Goal: the commands about the order and its docket ask what they say, sign exactly the acts that are meant, verify before they
sign or keep, and end with the status that scripts rely on. Against a vault that is faked.
"""
import csv
import hashlib
import struct
import io
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_vault  # noqa: E402
import said  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
ORDER = os.path.join(ROOT, "policy", "orders", "demo.yaml")
DONE, OTHER, USAGE, REFUSED, UNVERIFIED, INCOMPLETE, PENDING = 0, 1, 2, 3, 5, 6, 7
NONE = "00" * 32

vault = fake_vault.Vault()
words = said.Said("order.txt", [("profile", vault.profile), ("dir", vault.directory), ("checkout", ROOT)])
failures = []


def run(*args, stdin=b"", json_out=False):
    command = [CLIENT, *args] + (["--json"] if json_out else [])
    done = subprocess.run(command, input=stdin, capture_output=True, umask=0,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    text = done.stderr.decode()
    words.note(command[1:], done.returncode, done.stdout.decode(), text)
    if "Sanitizer" in text or "runtime error" in text:
        failures.append("%s: %s" % (" ".join(args), text))
    return done.returncode, done.stdout.decode(), text


def equal(got, want, what):
    if got != want:
        failures.append("%s:\n  got  %.900r\n  want %.900r" % (what, got, want))


def status(got, want, what):
    equal(got[0], want, "%s: exit status (%s)" % (what, got[2].strip()[-300:]))


def last(n=1):
    """The last acts, which are forgotten."""
    acts, vault.acts[:] = vault.acts[-n:], []
    for act in acts:
        if act[1] == "malformed":
            sys.exit("an act that cannot be decoded, at %s: %s\n%s" % (act[0], act[2], "\n".join(failures)))
    return acts if n > 1 else (acts[0] if acts else None)


def write(name, data):
    path = vault.path(name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def listing(*items):
    return {"items": list(items), "next": None, "order": 1}


def setup():
    logs = {"collection": 3, "name": "logs", "bates_prefix": "OAI"}
    mail = {"collection": 5, "name": "mail", "bates_prefix": "M-"}
    vault.answers["/v1/collections"] = listing(logs, mail)
    vault.answers["/v1/collections/logs"] = listing(logs)
    vault.answers["/v1/people/Ada Attorney"] = listing({"person": 4, "name": "Ada Attorney", "parties": ["plaintiffs"]})
    vault.answers["/v1/people/Eve Expert"] = listing({"person": 9, "name": "Eve Expert", "parties": ["plaintiffs"]})
    vault.answers["/v1/people/Nobody"] = listing()
    vault.searches = {"logs": ["OAI%09d" % n for n in (5, 1, 2, 3, 9, 2000000, 10)], "mail": ["M-000000007"]}


def order_versions():
    """What is proposed is what the vault is given back, changed or not."""
    pdf = write("ecf-612.pdf", b"%PDF " + b"x" * 1000000)
    vault.act_answers["order-propose"] = (202, {"status": "pending", "docket": "order-2"})
    got = run("order", "propose", ORDER, "--instrument", pdf, "--authority", "ECF No. 612", "--effective", "2026-06-01T00:00:00Z")
    status(got, PENDING, "propose")
    first, second, (path, kind, proposal) = last(3)
    digest = hashlib.sha256(open(pdf, "rb").read()).hexdigest()
    equal((path, kind), ("/v1/orders", "order-propose"), "propose")
    equal([(a[0], a[2]["part"], a[2]["size"], a[2]["name"]) for a in (first, second)],
          [("/v1/documents", 0, 1000005, "ecf-612.pdf"), ("/v1/documents", 1, 1000005, "ecf-612.pdf")], "parts of the instrument")
    equal(vault.documents[digest], open(pdf, "rb").read(), "instrument")
    equal((proposal["instrument"], proposal["authority"], proposal["effective"]),
          (digest, "ECF No. 612", fake_vault.time_ns("2026-06-01T00:00:00")), "proposal")
    equal(proposal["source"], open(ORDER, "rb").read(), "source")

    # what is there already is not sent again; half of it is gone on with
    for parts, sent in ((2, []), (1, [1])):
        vault.documents[digest] = open(pdf, "rb").read()[:917504 * parts]
        vault.acts.clear()
        status(run("order", "propose", ORDER, "--instrument", pdf), PENDING, "propose again")
        equal([a[2]["part"] for a in vault.acts if a[1] == "document-add"], sent, "parts sent with %d there" % parts)
        equal(last()[2]["authority"], "not said", "authority that was not said")
    status(run("order", "propose", write("bad.yaml", b"order: {}\n")), UNVERIFIED, "propose an order with errors")
    equal(vault.acts, [], "nothing was signed")
    return proposal


def order_terms():
    """A limit that is lowered is said, and for how many people; of files too, without a vault."""
    before = open(os.path.join(ROOT, "policy", "orders", "chat-logs.yaml"), "rb").read()
    files = write("a.yaml", before), write("b.yaml", before.replace(b"records_per_request: 500", b"records_per_request: 10"))
    line = "records a request: 500 -> 10"
    got = run("order", "diff", *files)
    equal((got[0], got[1].splitlines()[0]), (DONE, line), "diff of files")
    equal(run("order", "diff", files[0], files[0])[1], "limits, conditions, masks: nothing changes\n", "a file and itself")
    status(run("order", "diff", files[0], "2"), USAGE, "a file and a version")
    status(run("order", "diff", files[0], "nowhere.yaml"), USAGE, "a file that is not there")

    shown = []
    for number, path in ((7, files[0]), (8, files[1])):
        run("order", "propose", path)
        act = last()[2]
        shown.append({"version": number, "source": act["source"].decode(), "compiled": fake_vault.b64(act["compiled"]),
                      "source_digest": hashlib.sha256(act["source"]).hexdigest()})
        vault.answers["/v1/orders/%d" % number] = listing(shown[-1])
    vault.answers["/v1/orders/7/diff/8"] = {"from": 7, "to": 8, "people": []}
    vault.answers["/v1/people"] = listing(*[
        {"person": n, "name": "Person %d" % n, "capacity": "outside-counsel", "parties": ["news-plaintiffs"],
         "status": "suspended" if n == 5 else "active"} for n in range(1, 6)])
    equal(line + ", for 4 people\n" in run("order", "diff", "7", "8")[1], True, "for how many")
    equal("(Person 1, Person 2, Person 3, Person 4)" in run("order", "diff", "7", "8", "--verbose")[1], True, "for whom")
    term = json.loads(run("order", "diff", "7", "8", json_out=True)[1])["terms"][0]
    equal((term["term"], term["from"], term["to"], term["people"]), ("records_per_request", "500", "10", 4), "the term in JSON")
    vault.answers["/v1/orders/8"] = listing(dict(shown[1], compiled=shown[0]["compiled"]))
    status(run("order", "diff", "7", "8"), UNVERIFIED, "a compiled form of another source")
    vault.answers["/v1/people"] = listing()


def order_sign(proposal):
    version = {"version": 2, "title": "T", "status": "proposed", "instrument": None, "effective": None, "authority": "ECF No. 612",
               "source": proposal["source"].decode(), "source_digest": hashlib.sha256(proposal["source"]).hexdigest(),
               "compiled": fake_vault.b64(proposal["compiled"]),
               "compiled_digest": hashlib.sha256(proposal["compiled"]).hexdigest()}
    item = hashlib.sha256(b"underseal/docket/order/1" + fake_vault.VAULT_ID + struct.pack(">I", 2) +
                          hashlib.sha256(proposal["source"]).digest() + hashlib.sha256(proposal["compiled"]).digest() +
                          bytes(32) + struct.pack(">q", 0) + b"ECF No. 612").hexdigest()
    in_force = dict(version, version=1, status="in-force")
    vault.answers["/v1/order"] = listing(in_force)
    vault.answers["/v1/orders"] = listing(in_force, version)
    vault.answers["/v1/orders/1"] = listing(in_force)
    vault.answers["/v1/orders/2"] = listing(version)
    vault.answers["/v1/people"] = listing()
    vault.answers["/v1/docket/order-2"] = listing({"id": "order-2", "kind": "order", "status": "waits", "digest": item})
    vault.answers["/v1/orders/1/diff/2"] = {"from": 1, "to": 2, "total_gains": 7, "total_loses": 0, "people": [
        {"person": 4, "name": "Ada \x1b[31mAttorney", "party": "plaintiffs", "capacity": "outside-counsel", "collection": "logs",
         "action": "read", "gains": 7, "loses": 0, "rule": "r", "paragraph": "7.3", "samples": ["OAI000000001"]}]}
    vault.act_answers["docket-sign"] = (202, {"status": "pending", "open": True, "docket": "order-2"})
    for name in (("order", "sign", "2"), ("order", "sign", "order-2"), ("docket", "sign", "order-2")):
        got = run(*name)
        status(got, PENDING, " ".join(name))
        equal(last(), ("/v1/docket", "docket-sign", {"id": "order-2", "digest": item}), " ".join(name))
        equal("OAI000000001" in got[1] and "+7" in got[1] and "\x1b" not in got[1], True, "the diff is shown, and harmless")
    shown = run("docket", "show", "order-2")
    equal((shown[0], "OAI000000001" in shown[1] and "+7" in shown[1]), (DONE, True), "the diff of an item that is shown")
    got = run("order", "sign", "2", json_out=True)
    equal(json.loads(got[1]).get("diff", {}).get("total_gains"), 7, "the diff in JSON")
    last()

    other = bytearray(proposal["compiled"])
    other[40] ^= 1
    changes = {
        "another compiled form": dict(compiled=fake_vault.b64(bytes(other)), compiled_digest=hashlib.sha256(other).hexdigest()),
        "another digest": dict(compiled_digest="11" * 32),
        "compiled bytes that are not the digest's": dict(compiled=fake_vault.b64(bytes(other))),
        "another authority": dict(authority="ECF No. 613"),
        "another instrument": dict(instrument="cd" * 32),
        "another time": dict(effective="2030-01-01T00:00:00Z"),
        "another source": dict(source=version["source"].replace("demo", "emo ")),
        "another source and its digest": dict(source="# no order\n", source_digest=hashlib.sha256(b"# no order\n").hexdigest()),
    }
    for what, change in changes.items():
        vault.answers["/v1/orders/2"] = listing(dict(version, **change))
        status(run("order", "sign", "2"), UNVERIFIED, "sign with " + what)
        equal(vault.acts, [], "nothing is signed with " + what)
    vault.answers["/v1/orders/2"] = listing(version)

    del vault.answers["/v1/orders/1/diff/2"]
    status(run("order", "sign", "2"), USAGE, "sign without knowing what changes")
    equal(vault.acts, [], "nothing is signed blindly")
    status(run("order", "sign", "2", "--without-diff"), PENDING, "sign all the same")
    equal(last()[1], "docket-sign", "sign all the same")
    vault.answers["/v1/orders/1/diff/2"] = {"from": 1, "to": 2, "people": []}

    order_terms()
    got = run("order", "show")
    equal((got[0], got[1]), (DONE, version["source"]), "order show")
    equal(json.loads(run("order", "show", "2", json_out=True)[1])["version"], 2, "order show 2")
    equal(len(json.loads(run("order", "list", json_out=True)[1])["items"]), 2, "order list")
    equal(json.loads(run("order", "diff", "1", "2", json_out=True)[1])["to"], 2, "order diff")
    status(run("order", "suspend", "2", "--authority", "ECF No. 640"), DONE, "suspend")
    equal(last(), ("/v1/orders", "order-suspend", {"version": 2, "authority": "ECF No. 640"}), "suspend")
    status(run("order", "withdraw", "2"), DONE, "withdraw")
    equal(last()[2], {"id": "order-2", "reason": "not said"}, "withdraw")
    status(run("matter", "set", "appeal", "--authority", "ECF No. 702"), DONE, "matter")
    equal(last(), ("/v1/matter", "matter-set", {"state": "appeal", "authority": "ECF No. 702"}), "matter")
    status(run("order", "suspend", "0", "--authority", "x"), USAGE, "suspend 0")


def acknowledgement():
    status(run("acknowledge", "--address", "1 Main St", "--place", "Springfield"), DONE, "acknowledge")
    source = hashlib.sha256(open(ORDER, "rb").read()).hexdigest()
    equal(last()[2], {"version": 1, "source": source, "instrument": NONE, "address": "1 Main St", "place": "Springfield",
                      "form": NONE}, "acknowledge")
    vault.answers["/v1/orders/1"]["items"][0]["instrument"] = "cd" * 32
    form = write("exhibit-a.pdf", b"signed")
    got = run("acknowledge", "--address", "1 Main St", "--place", "Springfield", "--signed", form)
    equal("cd" * 32 in got[1], True, "the instrument is shown")
    fields = last()[2]
    equal((fields["instrument"], fields["form"]), ("cd" * 32, hashlib.sha256(b"signed").hexdigest()), "instrument and form")
    status(run("acknowledge", "--place", "Springfield"), USAGE, "acknowledge without an address")
    row = {"person": 4, "name": 'Ada "A", Esq.', "version": 1, "time": "2026-03-03T10:00:00Z",
           "address": "1 Main St, Springfield", "place": "Springfield", "credential": "aa" * 32, "instrument": None, "form": None}
    vault.answers["/v1/acknowledgements"] = listing(row)
    rows = list(csv.DictReader(io.StringIO(run("order", "acknowledgements", "--csv")[1], newline="")))
    equal(len(rows), 1, "rows of the register")
    equal({k: rows[0][k] for k in ("person", "name", "address", "instrument")},
          {"person": "4", "name": row["name"], "address": row["address"], "instrument": ""}, "the register as CSV")
    equal(json.loads(run("order", "acknowledgements", json_out=True)[1])["items"], [row], "the register as JSON")


def item_document(item):
    """Opens what was filed with an item, and nothing that is another."""
    data = b"%PDF a statement\x1b[2J"
    digest = hashlib.sha256(data).hexdigest()
    vault.answers["/v1/documents/" + digest] = data
    status(run("docket", "show", "clearance-1", "--document", "-"), USAGE, "an item without a document")
    vault.answers["/v1/filings/clearance-1"] = listing(dict(item, document=digest))
    to = vault.path("statement.pdf")
    status(run("docket", "show", "clearance-1", "--document", to), DONE, "open its document")
    equal(open(to, "rb").read(), data, "its document")
    status(run("docket", "show", "clearance-1", "--document", to), OTHER, "a file that is there")
    equal(run("docket", "show", "clearance-1", "--document", "-")[1].encode(), data, "its document on stdout")
    status(run("docket", "show", "clearance-1", "--document", "-", json_out=True), USAGE, "a document as JSON")
    vault.answers["/v1/documents/" + digest] = data + b"!"
    got = run("docket", "show", "clearance-1", "--document", "-")
    equal((got[0], got[1]), (UNVERIFIED, ""), "another document in its place")
    vault.answers["/v1/filings/clearance-1"] = listing(item)


def docket():
    item = {"id": "clearance-1", "kind": "clearance", "status": "waits", "name": "Eve Expert", "digest": "ab" * 32,
            "wanted": "court", "served": [{"party": "defendant", "served": "2026-03-03T10:00:00Z", "received": None, "due": None}], "signatures": [],
            "yours": True}
    vault.answers["/v1/docket"] = dict(listing(*({"id": "person-%d" % n} for n in range(100))), next=100)
    vault.answers["/v1/docket?after=100&limit=1000"] = listing(item)
    equal(len(json.loads(run("docket", "list", json_out=True)[1])["items"]), 101, "a list of two pages")
    equal("clearance-1" in run("docket", "list")[1], True, "docket list")
    vault.answers["/v1/filings"] = listing(dict(item, id="challenge-1", status="denied"), item)
    equal([i["id"] for i in json.loads(run("docket", "list", "--all", json_out=True)[1])["items"]][-3:],
          ["person-99", "challenge-1", "clearance-1"], "docket list --all")
    vault.answers["/v1/docket/clearance-1"] = listing()
    vault.answers["/v1/filings/clearance-1"] = listing(item)
    equal(json.loads(run("docket", "show", "clearance-1", json_out=True)[1]), item, "an item that is closed")
    got = run("docket", "show", "clearance-1")
    equal("defendant" in got[1], True, "docket show")
    equal([c for c in "{}[]\"" if c in got[1]], [], "docket show is no JSON")
    item_document(item)
    status(run("docket", "sign", "clearance-1"), USAGE, "sign what does not wait")
    status(run("docket", "sign", "freeze-1"), USAGE, "a freeze is lifted by an act of its own")
    vault.acts.clear()
    grounds = write("objection.txt", b"no")
    status(run("docket", "object", "clearance-1", "--file", grounds), DONE, "object")
    equal(last()[2], {"id": "clearance-1", "grounds": hashlib.sha256(b"no").hexdigest()}, "object")
    for args, outcome in (((), 1), (("--granted",), 1), (("--denied",), 2)):
        status(run("docket", "resolve", "clearance-1", "--authority", "ECF No. 1", *args), DONE, "resolve")
        equal(last()[2], {"id": "clearance-1", "outcome": outcome, "authority": "ECF No. 1"}, "resolve %s" % (args,))
    status(run("docket", "resolve", "clearance-1", "--authority", "x", "--denied", "--granted"), USAGE, "resolve both ways")
    status(run("docket", "withdraw", "clearance-1", "--reason", "settled"), DONE, "withdraw")
    equal(last()[2], {"id": "clearance-1", "reason": "settled"}, "withdraw")
    status(run("docket", "serve", "clearance-1", "--party", "defendant", "--at", "2026-03-03T10:00:00Z"), DONE, "serve")
    equal(last()[2], {"id": "clearance-1", "party": "defendant", "at": fake_vault.time_ns("2026-03-03T10:00:00")}, "serve")
    status(run("docket", "receive", "clearance-1"), DONE, "receive")
    equal(last()[2]["party"], "plaintiffs", "receive")


def records():
    notice, basis = write("notice.pdf", b"notice"), write("letter.pdf", b"basis")
    digest = {n: hashlib.sha256(n.encode()).hexdigest() for n in ("notice", "basis")}
    vault.act_answers["challenge"] = (202, {"status": "pending", "docket": "challenge-1"})
    status(run("challenge", "OAI000000018", "OAI000000017", "OAI000000018", "--basis", basis), PENDING, "challenge")
    equal(last()[2], {"records": (3, [16, 17]), "basis": digest["basis"]}, "challenge")
    for wrong in ("OAI17", "XYZ000000001", "OAI000000000"):
        status(run("challenge", wrong, "--basis", basis), USAGE, "challenge " + wrong)
    status(run("challenge", "--basis", basis), USAGE, "challenge of nothing")
    equal(vault.acts, [], "nothing was signed")

    got = run("clawback", "--query", "privileged", "--collection", "logs", "--notice", notice, "--noticed-at", "2026-03-03")
    status(got, DONE, "clawback by query")
    equal("7 records of logs" in got[2], True, "how many are clawed back")
    equal(last()[2], {"records": (3, [0, 1, 2, 4, 8, 9, 1999999]), "notice": digest["notice"],
                      "noticed": fake_vault.time_ns("2026-03-03T00:00:00")}, "clawback by query")
    status(run("clawback", "--batch", "logs/3", "--notice", notice, "--noticed-at", "2026-03-03"), DONE, "clawback of a batch")
    equal(last()[2]["records"], (3, "batch", 3), "clawback of a batch")
    status(run("clawback", "OAI000000001", "--notice", notice), USAGE, "clawback without a time")
    status(run("clawback", "OAI000000001", "--batch", "logs/3", "--notice", notice, "--noticed-at", "2026-03-03"), USAGE,
           "both ways")

    # everywhere: one act a collection, one answer for all
    got = run("relabel", "--query", "-", "--designation", "CONFIDENTIAL", stdin=b"secret\n", json_out=True)
    equal([a["type"] for a in json.loads(got[1])["items"]], ["relabel", "relabel"], "relabel in two collections")
    equal([a[2] for a in last(2)],
          [{"records": (3, [0, 1, 2, 4, 8, 9, 1999999]), "designation": "CONFIDENTIAL", "reason": "not said"},
           {"records": (5, [6]), "designation": "CONFIDENTIAL", "reason": "not said"}],
          "relabel everywhere")
    del vault.searches["mail"]
    status(run("relabel", "--query", "x", "--designation", "C"), REFUSED, "a search that is refused")
    equal(vault.acts, [], "then nothing is relabelled, not even where the search was allowed")
    vault.answers["/v1/clawbacks/3/report"] = {"id": "clawback-3", "people": 2, "records": 7, "copies": 1, "served": [],
                                               "copies_by_status": {"out": 1, "returned": 2, "destroyed": 3}}
    vault.answers["/v1/collections/logs/batches"] = {"items": [{"batch": "logs/3", "status": "void", "records": 9, "reason": "interrupted"}]}
    equal("interrupted" in run("batch", "list", "logs")[1], True, "why numbers are void")
    equal("1 out, 2 returned, 3 destroyed" in run("clawback", "report", "clawback-3")[1], True, "each by its own name")
    equal(json.loads(run("clawback", "report", "clawback-3", json_out=True)[1])["people"], 2, "clawback report")
    statement = write("cv.pdf", b"cv")
    status(run("clearance", "request", "Eve Expert", "--clearance", "expert", "--statement", statement), DONE, "clearance")
    equal(last()[2], {"clearance": "expert", "person": 9, "statement": hashlib.sha256(b"cv").hexdigest()}, "clearance")
    status(run("clearance", "request", "Nobody", "--clearance", "expert", "--statement", statement), USAGE, "clearance of nobody")
    equal(vault.acts, [], "nothing was filed")
    before = vault.answers.get("/v1/people")
    vault.answers["/v1/people"] = {"items": [{"person": 9, "name": "Eve Expert"}, {"person": 2, "name": "Ada Attorney"}]}
    for wrong, says in (("Eve Expret", "did you mean 'Eve Expert'?"), ("Ada", "did you mean 'Ada Attorney'?"), ("Zachary", "underseal person list")):
        got = run("clearance", "request", wrong, "--clearance", "expert", "--statement", statement)
        status(got, USAGE, wrong)
        equal(says in got[2], True, "the nearest of " + wrong)
    vault.answers.pop("/v1/people")
    if before is not None:
        vault.answers["/v1/people"] = before
    vault.answers["/v1/filings"] = {"items": [{"id": "clawback-3"}, {"id": "freeze-1"}]}
    got = run("clawback", "report", "clawback-4")
    status(got, USAGE, "a clawback that is not there")
    equal("did you mean 'clawback-3'?" in got[2], True, "the nearest clawback")
    vault.answers.pop("/v1/filings")


def ranges():
    basis = write("basis-of-range.pdf", b"basis")
    status(run("challenge", "OAI000000003..OAI000000006", "OAI000000001", "--basis", basis), PENDING, "a range is a range")
    equal(last()[2]["records"], (3, [0, 2, 3, 4, 5]), "all of it")
    for wrong in ("OAI000000003..", "..OAI000000003", "OAI000000003..OAI000000001", "OAI000000001..XYZ000000003", "OAI000000001..3",
                  "OAI000000001...OAI000000003", "OAI000000001..OAI000900001"):
        got = run("read", "logs", wrong, "--purpose", "x")
        status(got, USAGE, wrong)
        equal("is no range: write both ends" in got[2] or "one request may name" in got[2], True, "what to write instead of " + wrong)


def freezes():
    vault.act_answers["freeze"] = (200, {"status": "done", "docket": "freeze-1"})
    for scope, number, what in (("all", 1, None), ("party:plaintiffs", 2, "plaintiffs"), ("person:Eve Expert", 3, 9),
                                ("collection:logs", 4, 3), ("batch:logs/2", 5, (3, "batch", 2)),
                                ("records:OAI000000002,OAI000000001", 5, (3, [0, 1]))):
        got = run("freeze", "--scope", scope, "--authority", "oral order")
        status(got, DONE, "freeze " + scope)
        equal("freeze-1" in got[1], True, "the id of the freeze")
        equal(last(), ("/v1/freezes", "freeze", {"scope": number, "what": what, "authority": "oral order"}), "freeze " + scope)
    status(run("freeze", "--scope", "query:x", "--collection", "logs", "--authority", "a"), DONE, "freeze of a query")
    equal(last()[2]["what"], (3, [0, 1, 2, 4, 8, 9, 1999999]), "freeze of a query")
    for scope in ("everything", "party:", "records:,"):
        status(run("freeze", "--scope", scope, "--authority", "a"), USAGE, "freeze " + scope)
    vault.act_answers["unfreeze"] = (202, {"status": "pending"})
    status(run("unfreeze", "freeze-1", "--authority", "ECF No. 640"), PENDING, "unfreeze")
    equal(last()[2], {"freeze": 1, "authority": "ECF No. 640"}, "unfreeze")
    vault.act_answers["unfreeze"] = (200, {"status": "done"})
    status(run("unfreeze", "1"), DONE, "the last of the quorum")
    vault.acts.clear()


def approvals():
    vault.act_answers["approval-request"] = (202, {"status": "pending", "docket": "approval-1"})
    got = run("approval", "request", "read", "logs", "OAI000000009", "OAI000000002", "--purpose", "claim 3")
    status(got, PENDING, "approval")
    equal("docket sign approval-1" in got[1], True, "what others do")
    fields = last()[2]
    equal((fields["collection"], fields["purpose"], fields["query"], fields["records"]), (3, "claim 3", "", [1, 8]), "approval")
    status(run("approval", "request", "count", "logs", "-", stdin=b"a AND b"), PENDING, "approval of a count")
    fields = last()[2]
    equal((fields["query"], fields["records"]), ("a AND b", []), "approval of a count")
    status(run("approval", "request", "read", "logs", "M-000000001"), USAGE, "a record of another collection")
    status(run("approval", "request", "search", "logs", "x"), USAGE, "approval of a search")
    equal(vault.acts, [], "nothing was asked for")


def questions():
    vault.asked.clear()
    vault.answers["/v1/order/explain?person=Eve Expert&action=read&collection=logs&bates=OAI000000001&at=2026-03-03T10:00:00Z"] = {
        "decision": "deny", "reason": "condition", "rule": "experts", "paragraph": "7.3", "cure": "acknowledge",
        "at": "", "order": 1, "visible": None, "conditions": [{"rule": "experts", "paragraph": "7.3", "effect": "permit", "stands": "not", "misses": [],
                                         "holds": ["purpose"], "fails": [{"condition": "acknowledgement", "cure": "sign it"}]}]}
    args = ("order", "explain", "--person", "Eve Expert", "--action", "read", "--at", "2026-03-03T10:00:00Z", "logs",
            "OAI000000001")
    got = run(*args)
    status(got, DONE, "explain")
    for text in ("deny", "7.3", "experts", "acknowledgement (sign it)", "purpose",
                 "does not permit this"):
        equal(text in got[1], True, "explain says " + text)
    equal(json.loads(run(*args, json_out=True)[1])["decision"], "deny", "explain in JSON")
    vault.answers["/v1/order/who?action=copy&collection=logs&bates=OAI000000001"] = {
        "record": "OAI000000001", "action": "copy",
        "people": [{"person": 4, "name": "Ada", "decision": "allow", "reason": "", "paragraph": "7"}]}
    equal("Ada" in run("order", "who", "logs", "OAI000000001", "--action", "copy")[1], True, "who")
    status(run("order", "explain", "--person", "Eve Expert"), USAGE, "explain without an action")


def documents():
    data = b"bytes of an instrument"
    digest = hashlib.sha256(data).hexdigest()
    out = vault.path("out.pdf")
    vault.answers["/v1/documents/" + digest] = data + b"!"
    status(run("document", "get", digest, "-o", out), UNVERIFIED, "a changed document")
    equal(os.path.exists(out), False, "it is not kept")
    vault.answers["/v1/documents/" + digest] = data
    status(run("document", "get", digest.upper(), "-o", out), DONE, "document get")
    equal(open(out, "rb").read(), data, "document get")
    status(run("document", "get", digest, "-o", out), OTHER, "a file that is there is not overwritten")
    status(run("document", "get", "abc", "-o", out + "2"), USAGE, "no digest")


def waiting():
    vault.answers["/v1/status"] = {"state": "open", "sealed": False, "log": {"size": 1, "root": ""}, "version": "x", "waiting": 3}
    equal("3 wait for you" in run("status")[1], True, "status says what waits")
    for n, text in ((2, "2 items of the docket wait for you: underseal docket list"), (1, "1 item of the docket waits for you"),
                    (0, None)):
        vault.waiting, vault.sessions_wanted = n, 1
        got = run("collection", "list", json_out=True)
        status(got, DONE, "a command that opens a session")
        json.loads(got[1])
        equal(got[2].count("docket list"), 1 if n else 0, "said once")
        equal(text is None or text in got[2], True, "what waits: %d" % n)
    equal(run("collection", "list")[2], "", "nothing is said without a new session")


def recalls():
    """Who holds copies of what was taken back hears which, by when, and what to type: once at each login, and of status."""
    each = {"copy": 3, "recipient": "Dr. Expert", "collection": "demo", "why": "clawed-back", "by": "clawback-1", "since": "2026-03-01T10:00:00Z",
            "due": None, "bates": ["DEMO000000001..DEMO000000003", "DEMO000000009"], "records": 4}
    other = dict(each, copy=4, recipient="\x1b[2Jcourt", why="withdrawn", by="demo/1", due="2026-03-15T00:00:00Z", bates=["DEMO000000012"], records=1)
    vault.recalls = {"recalls": [each, other], "recalled": 3}
    vault.sessions_wanted = 1
    got = run("collection", "list", json_out=True)
    status(got, DONE, "a login with copies to give back")
    json.loads(got[1])
    for text in ("copy 3, to Dr. Expert: 4 records of demo clawed back (clawback-1)", "DEMO000000001..DEMO000000003, DEMO000000009\n",
                 "no term is set, so at once", "underseal copy return 3 --destroyed", "1 record of demo withdrawn (batch demo/1)",
                 "by when: 2026-03-15T00:00:00Z", "and 1 more"):
        equal(got[2].count(text), 1, text)
    equal("\x1b" in got[2], False, "no escape sequence from a name")
    equal(run("collection", "list")[2], "", "nothing is said without a new session")
    vault.answers["/v1/status"].update(vault.recalls)
    got = run("status")
    equal(("underseal copy return 3 --destroyed" in got[1], got[2]), (True, ""), "status says it too")
    equal(json.loads(run("status", json_out=True)[1])["recalls"][0], each, "status --json")
    vault.recalls = {}


def refusals():
    """Whatever the reason, a refusal says what to type next: what the man page has."""
    with open(os.path.join(ROOT, "packaging", "man", "underseal.1"), encoding="utf-8") as f:
        section = f.read().split(".Sh WHAT TO TYPE NEXT")[1].split(".El")[0]
    listed = re.findall(r"^\.It Cm (\S+)\n(.+)$", section, re.M)
    before = vault.answers.get("/v1/collections")
    for reason, text in listed + [("none", "Nothing"), ("of a later vault", "Nothing")]:
        vault.answers["/v1/collections"] = (403, {"title": "Refused", "status": 403, "reason": reason})
        by, _, command = text.rpartition(": underseal ")
        got = run("collection", "list", json_out=True)
        status(got, REFUSED, "refused: " + reason)
        said_next = [line.strip() for line in got[2].split("\n") if line.startswith("  type next")]
        equal(said_next, [] if text.startswith("Nothing") else ["type next, " + text if by else "type next: " + text], reason)
        problem = json.loads(got[1])
        equal((problem.get("next"), problem.get("next_by")), (None, None) if text.startswith("Nothing") else
              ("underseal " + command, by) if by else (text, None), reason + ", --json")
    vault.answers["/v1/collections"] = before


def passphrase():
    """The key's passphrase comes from the file that is named; line ends are not part of it."""
    key, plain, file = os.path.join(vault.profile, "key.pem"), vault.path("plain.pem"), vault.path("passphrase")
    os.rename(key, plain)
    subprocess.run(["openssl", "pkey", "-in", plain, "-aes256", "-passout", "pass:secret words", "-out", key], check=True)
    os.chmod(key, 0o600)
    os.environ["UNDERSEAL_PASSPHRASE_FILE"] = file
    for text, want, says in (("secret words", DONE, ""), ("secret words\r\n", DONE, ""), ("secret word", OTHER, "wrong passphrase"),
                             ("", OTHER, "wrong passphrase"), (None, OTHER, "set UNDERSEAL_PASSPHRASE_FILE")):
        if text is None:
            os.remove(file)
        else:
            with open(file, "w", newline="") as f:
                f.write(text)
        got = run("collection", "list")
        status(got, want, "a key with a passphrase, and %r" % text)
        equal(says in got[2], True, "what is said of %r" % text)
    del os.environ["UNDERSEAL_PASSPHRASE_FILE"]
    os.rename(plain, key)


setup()
proposal = order_versions()
order_sign(proposal)
acknowledgement()
docket()
records()
ranges()
setup()
freezes()
approvals()
questions()
documents()
waiting()
recalls()
refusals()
passphrase()
failures.extend(filter(None, [words.compare()]))
failures.extend(fake_vault.open_to_others(vault.directory))
for failure in failures:
    print(failure)
print("%d failures" % len(failures))
sys.exit(1 if failures else 0)
