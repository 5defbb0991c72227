#!/usr/bin/env python3
"""Goal: the auditor's fifteen questions, answered from the log of a week of use.

The week is scripted, and compressed: two loads, two attorneys, reads, searches, refusals, a copy and its return, a revoked credential, a clawback with a
read before and an attempt after, a freeze, administrative acts. The script keeps books of its own of what it did. Each report is then made as the
auditor, online and from an export, in every form, and compared with the books. Counsel of a party, whose order opens the own party's entries
alone, gets these alone, and the count of the others.
"""
import csv
import html.parser
import io

from harness import *

OWN_LOG = """
  - id: own-log
    paragraph: "9.2"
    effect: permit
    who: {party: plaintiffs, capacity: outside-counsel}
    actions: [audit]
    boxes: all
    log: own-party
  - id: produced
    paragraph: "9.3"
    effect: permit
    who: {party: defendant, capacity: producer}
    actions: [audit]
    boxes: all
    log: own-records
"""
REPORTS = ("who-saw", "person-history", "denials", "verification", "anomalies", "disclosures", "authorised", "exceptions", "administration",
           "content-by-administrators", "after-notice", "holdings", "searches", "certificate", "disposition")
ALICE, BOB, PETER, ADA, ADAM = "Alice Attorney", "Bob Barrister", "Peter Producer", "Ada Auditor", "Adam Administrator"
FORMULA = "=HYPERLINK(\"x\"), \"Firm\" & <Sons>"
REVERSED = 'NOT "harbour \u202e paywall"'


def bates(*numbers):
    return ["DEMO%09d" % n for n in numbers]


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Books:
    """What the script did, in its own words."""

    def __init__(self):
        self.seen = []       # (person, "DEMO…", how), in the order of time
        self.searches = []   # (person, query, total)
        self.denied = []     # (person, action, reason, record asked for)
        self.copies = {}     # id: (person, recipient, records, status)
        self.acts = []       # (person, action), privileged alone
        self.batches = []    # (records, duplicates)
        self.requests = {}   # person: how many requests for evidence

    def asked(self, person):
        self.requests[person] = self.requests.get(person, 0) + 1

    def saw(self, person, numbers, how):
        self.seen += [(person, b, how) for b in bates(*numbers)]

    def refuse(self, person, action, reason, number=None, evidence=True):
        self.denied.append((person, action, reason, number and bates(number)[0]))
        if evidence:
            self.asked(person)

    def saw_record(self, number):
        return [(p, how) for p, b, how in self.seen if b == bates(number)[0]]

    def distinct(self, person):
        return {b for p, b, _ in self.seen if p == person}


def reason_of(r):
    return json.loads(r.stdout.split(b"\n")[0])["reason"]


class Week:
    def __init__(self, vault):
        self.vault, self.books = vault, Books()

    def read(self, who, person, *numbers):
        self.vault.read(bates(*numbers), who=who, options=("--purpose", "week"))
        self.books.asked(person)
        self.books.saw(person, numbers, "read")

    def refused(self, who, person, number, code=REFUSED):
        r = self.vault.read(bates(number), who=who, code=code, options=("--purpose", "week"))
        self.books.refuse(person, "read", reason_of(r), number)

    def search(self, who, person, query, limit):
        r = self.vault.client(who, "search", "demo", query, "--limit", limit, "--purpose", "week").json
        self.books.asked(person)
        self.books.searches.append((person, query, r["total"]))
        self.books.saw(person, [int(h["bates"][4:]) for h in r["hits"]], "snippet")

    def count(self, who, person, query):
        r = self.vault.client(who, "search", "demo", query, "--count", "--purpose", "week").json
        self.books.asked(person)
        self.books.searches.append((person, query, r["total"]))

    def act(self, person, action):
        self.books.acts.append((person, action))

    def run(self):
        v, b = self.vault, self.books
        step("Monday: loads and people")
        first, second = generate(60, 14, long_every=0), generate(20, 15, long_every=0)
        v.load(write_lines(v.base + "/a.jsonl", first))
        v.load(write_lines(v.base + "/b.jsonl", first[:10] + second))
        b.batches = [(60, 0), (20, 10)]
        self.act(ADAM, "collection-create")
        v.add_person(BOB, "bob")
        for action in ("person-add", "credential-issue"):
            self.act(ADAM, action)
        self.act(ALICE, "docket-sign")

        step("Tuesday: reading and searching")
        self.read("attorney", ALICE, 1)
        self.read("attorney", ALICE, *range(11, 31))
        self.read("bob", BOB, 1, 7)
        self.search("attorney", ALICE, "*", 5)
        self.search("bob", BOB, REVERSED, 3)
        self.count("attorney", ALICE, "language:en")
        self.search("attorney", ALICE, "model:none", 5)
        self.count("bob", BOB, "model:none")

        step("Wednesday: refusals, a copy and its return, another that stays out")
        self.refused("admin", ADAM, 1)
        self.refused("producer", PETER, 1)
        r = v.client("bob", "read", "demo", *bates(1), code=REFUSED)
        b.refuse(BOB, "read", reason_of(r), 1)
        r = v.client("producer", "person", "suspend", BOB, "--reason", "mine", code=REFUSED)
        b.refuse(PETER, "person-suspend", reason_of(r), evidence=False)
        for number, (who, person, records, recipient) in enumerate((("attorney", ALICE, (1, 4, 5), FORMULA), ("bob", BOB, (7,), "Expert")), 1):
            v.client(who, "copy", "demo", *bates(*records), "--recipient", recipient, "--purpose", "exhibit", "-o",
                     "%s/copy%d" % (v.base, number))
            b.asked(person)
            b.saw(person, records, "copy")
            b.copies[number] = (person, recipient, records, "out")
        v.client("attorney", "copy", "return", 1, "--destroyed")
        b.copies[1] = b.copies[1][:3] + ("destroyed",)

        step("Thursday: a clawback, a read between notice and act, an attempt after")
        with open(v.base + "/notice.txt", "w") as f:
            f.write("These two are privileged.\n")
        self.noticed = now()
        self.read("bob", BOB, 9, 8)
        r = v.client("producer", "clawback", *bates(1, 9), "--notice", v.base + "/notice.txt", "--noticed-at", self.noticed, code=(DONE, PENDING))
        self.clawback = r.json["docket"]
        self.act(PETER, "clawback")
        self.refused("attorney", ALICE, 1, code=(OTHER, USAGE, REFUSED))
        self.read("attorney", ALICE, 8)

        step("Friday: a revoked credential, a freeze, its end")
        bob = Http(v, v.profile("bob"))
        bob.session()
        v.client("admin", "credential", "revoke", "--person", BOB, "--reason", "left the firm")
        self.act(ADAM, "credential-revoke")
        status, _, body = bob.read(bates(2))  # over a connection that is open; a new one gets no further than the handshake
        equal(status, 403, "revoked")
        self.books.refuse(BOB, "read", json.loads(body)["reason"], 2)
        freeze = v.client("auditor", "freeze", "--scope", "collection:demo", "--authority", "ECF No. 99").json["docket"]
        self.act(ADA, "freeze")
        self.refused("attorney", ALICE, 2)
        v.client("auditor", "unfreeze", freeze, "--authority", "ECF No. 100")
        self.act(ADA, "unfreeze")
        self.freeze = freeze
        self.read("attorney", ALICE, 2)


class Page(html.parser.HTMLParser):
    """A page's tables as lists of cells; anything that could act is a failure."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tables, self.cell = [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        check(tag in "html head meta title style body h1 table thead tbody tr th td footer".split(), "an element of the page", tag)
        check(not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs), "attributes", attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell)
            self.cell = None


def as_text(value):
    return "" if value is None else "%.15g" % value if isinstance(value, (int, float)) else value


def visible(text):
    return "".join("\\u%04x" % ord(c) if c in "\u202a\u202b\u202c\u202d\u202e" else c for c in text)


def safe(text):
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


class Desk:
    """Makes reports as one person, in every form, and compares the forms with one another."""

    def __init__(self, vault, who, export=None):
        self.vault, self.who, self.export = vault, who, export

    def run(self, args, *form, as_json=False, code=DONE):
        offline = ("--dir", self.export, "--vkey", os.path.join(self.export, "log.vkey")) if self.export else ()
        return self.vault.client(self.who, "audit", "report", *args, *offline, *form, as_json=as_json, code=code)

    def __call__(self, *args, code=DONE):
        report = self.run(args, as_json=True, code=code).json
        root, size = report["log"]["root"], report["log"]["size"]
        equal(len(base64_bytes(root)), 32, "a root hash")
        equal(report["log"]["verdict"], "OK", "verdict")
        if self.export is None:
            return report  # each run online is logged, so that the next is of a longer log
        equal(size, json.loads(self.vault.checkpoint_json)["size"], "the size of the export")
        self.compare(report, args, code)
        return report

    def compare(self, report, args, code):
        columns = list(report["rows"][0]) if report["rows"] else None
        cells = [[as_text(row[c]) for c in columns] for row in report["rows"]]
        root = report["log"]["root"]

        raw = self.run(args, "--csv", code=code).stdout.decode()
        check(raw.count("\n") == raw.count("\r\n") or any("\n" in c for row in cells for c in row), "lines of CSV end in CRLF")
        table = list(csv.reader(io.StringIO(raw, newline="")))
        check(len({len(line) for line in table}) == 1, "records of CSV have one length", table)
        rows = [line for line in table[1:] if line[0].isdigit()]
        if columns:
            equal(sorted(table[0][1:]), sorted(columns), "columns")
            at = [table[0].index(c) for c in columns]
            equal([[line[i] for i in at] for line in rows], [[safe(c) for c in row] for row in cells], "rows of CSV")
        about = {line[0]: line[1] for line in table[1:] if not line[0].isdigit()}
        equal(about["log root"].lstrip("'"), root, "root in CSV")
        equal(about["withheld"], "%d entries withheld" % report["withheld"], "withheld in CSV")
        for line in table:
            for c in line:
                check(c[:1] not in ("=", "+", "-", "@"), "no formula", line)

        page = Page(self.run(args, "--html", code=code).stdout.decode())
        if columns:
            at = [page.tables[0][0].index(c) for c in columns]
            equal([[row[i] for i in at] for row in page.tables[0][1:]], [[visible(c) for c in row] for row in cells], "rows of the page")
        footer = {row[0]: row[1] for row in page.tables[1]}
        equal((footer["log root"], footer["withheld"], footer["log origin"]),
              (root, "%d entries withheld" % report["withheld"], report["log"]["origin"]), "footer of the page")
        check(report["log"]["first"] in footer["range"] and report["log"]["last"] in footer["range"], "range on the page", footer)

        text = self.run(args, code=code).stdout.decode()
        check(root in text and "%d entries withheld" % report["withheld"] in text and "\u202e" not in text, "the text's footer", text)
        for row in cells:
            check(all(visible(c) in text for c in row), "cells in the text", row, text)


def base64_bytes(text):
    import base64
    return base64.b64decode(text, validate=True)


def column(report, *names):
    return [tuple(row[n] for n in names) if len(names) > 1 else row[names[0]] for row in report["rows"]]


def people_and_reading(week, desk):
    b = week.books
    for number in (1, 7, 9, 12, 2, 60):
        r = desk("who-saw", "demo/" + bates(number)[0])
        equal(column(r, "person", "how"), b.saw_record(number), "who saw %d" % number)
        equal(r["summary"]["times disclosed"], len(b.saw_record(number)), "and how often")
        check(any("batch" in n for n in r["notes"]), "where it came from", r["notes"])
    r = desk("who-saw", "demo/" + bates(1)[0])
    equal({(row["rule"], row["paragraph"]) for row in r["rows"] if row["how"] == "read"}, {(1, "7.1")}, "under which rule")

    for person in (ALICE, BOB):
        r = desk("person-history", "--person", person)
        want = sorted(x for p, x, _ in b.seen if p == person)
        got = []
        for row in r["rows"]:
            equal(row["person"], person, "whose")
            for part in (row["bates"] or "").split(", "):
                ends = [int(e[4:]) for e in part.split("-") if e]
                got += bates(*range(ends[0], ends[-1] + 1)) if ends else []
        equal(sorted(got), want, "everything that %s saw" % person)
    r = desk("person-history", "--party", "plaintiffs")
    equal(set(column(r, "person")), {ALICE, BOB}, "the party's people")
    equal(desk("person-history", "--person", ALICE, "--until", "2020-01-01")["rows"], [], "nothing so early")

    r = desk("denials")
    equal([d for d in column(r, "person", "action", "reason", "asked") if d[0]], b.denied, "refusals")
    counted = [(row["action"], row["reason"], row["count"]) for row in r["rows"] if not row["person"]]
    check(all(c[0] == "handshakes" and c[2] > 0 for c in counted), "what was only counted", counted)
    equal(r["summary"]["refusals"], len(b.denied), "all refusals")
    equal(r["summary"]["failed connections"], sum(c[2] for c in counted), "failed connections")
    equal(column(desk("denials", "--person", BOB), "reason"), [x for p, _, x, _ in b.denied if p == BOB], "Bob's refusals")
    equal(column(desk("denials", "demo/DEMO000000001"), "person"), [p for p, _, _, a in b.denied if a == "DEMO000000001"], "who asked for the first")

    r = desk("searches", "--person", BOB)
    equal(column(r, "query", "total"), [(q, t) for p, q, t in b.searches if p == BOB], "Bob's searches")


def repeated(week, desk):
    step("searches are repeated from what the log keeps of them")
    rows = [row for row in desk("searches")["rows"] if row["total"] is not None]
    equal([(row["person"], row["query"], row["total"]) for row in rows], week.books.searches, "each search has its total")
    for row in rows:
        again = week.vault.client("attorney", "search", row["collection"], row["query"], "--snapshot", row["snapshot"], "--purpose", "again",
                                  "--count").json
        check(row["total"] - 2 <= again["total"] + again.get("withdrawn", 0) and again["total"] <= row["total"], "the same search", row, again)
        equal(again["total"] + again["withdrawn"] if row["query"] == "*" else row["total"], row["total"], "and the same count")


def unusual(week, desk):
    b = week.books
    r = desk("anomalies", "--max-records", 20, "--max-run", 15, "--max-share", 50, "--max-outside", 1000)
    rows = {}
    for row in r["rows"]:
        rows.setdefault(row["person"], []).append(row)
    for person, requests in b.requests.items():
        mine = rows.get(person, [])
        if person == PETER:  # a load is a request too, and none for evidence
            continue
        equal(sum(row["requests"] for row in mine), requests, "requests of " + person)
        if len(mine) != 1:
            continue  # midnight has passed
        numbers = sorted(int(x[4:]) for x in b.distinct(person))
        run = best = 0
        for i, x in enumerate(numbers):
            run = run + 1 if i and x == numbers[i - 1] + 1 else 1
            best = max(best, run)
        equal((mine[0]["records"], mine[0]["longest_run"]), (len(numbers), best), "records and run of " + person)
        share = round(100 * len(numbers) / 80, 3) if numbers else None
        equal(mine[0]["share_percent"], share, "share of " + person)
        exceeded = [n for n, over in (("records", len(numbers) > 20), ("longest_run", best > 15), ("share_percent", (share or 0) > 50)) if over]
        equal(mine[0]["exceeded"], " ".join(exceeded) or None, "what was exceeded by " + person)
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    hours = "%d-%d" % ((0, 1) if hour > 2 else (20, 21))
    r = desk("anomalies", "--person", ALICE, "--hours", hours, "--max-outside", 3)
    equal(sum(row["outside_hours"] for row in r["rows"]), b.requests[ALICE], "outside working hours")
    check("outside_hours" in r["rows"][-1]["exceeded"], "and that is too many", r["rows"])


def things(week, desk):
    b = week.books
    r = desk("disclosures")
    equal(column(r, "copy", "person", "recipient", "records", "status"),
          [(i, p, to, len(records), status) for i, (p, to, records, status) in b.copies.items()], "copies")
    equal(r["rows"][0]["bates"], "DEMO000000001, DEMO000000004-DEMO000000005", "Bates numbers of the first")
    equal(column(desk("disposition"), "party", "copies", "records", "destroyed", "returned", "out", "copies_out"),
          [("plaintiffs", 2, 4, 1, 0, 1, "2")], "what became of them")
    r = desk("holdings")
    equal(column(r, "records", "duplicates", "loaded_by", "status"), [(n, d, PETER, "admitted") for n, d in b.batches], "batches")
    equal((r["summary"]["records"], r["rows"][0]["bates"], r["rows"][1]["bates"]),
          (80, "DEMO000000001-DEMO000000060", "DEMO000000061-DEMO000000080"), "records")
    check(all(re.fullmatch("[0-9a-f]{64}", row["manifest_root"]) for row in r["rows"]), "manifest roots", r["rows"])


def acts(week, desk):
    b = week.books
    r = desk("exceptions")
    equal(column(r, "person", "action", "decision", "reason", "by_the_acts"), [(BOB, "read", "deny", "revoked", "revoked")], "exceptions")
    equal(r["summary"]["allowed (expected: 0)"], 0, "none was allowed")
    check(r["summary"]["grants decided again by the order"] > 20, "every grant was decided again", r["summary"])
    r = desk("administration")
    did = [(row["person"], row["action"]) for row in r["rows"] if row["decision"] != "deny" and row["person"]]
    equal(did, [(ADAM, "unseal-share")] * 2 + b.acts, "privileged acts, and who gave a share")
    added = [row for row in r["rows"] if row["action"] == "person-add"][0]
    check(added["detail"].startswith(BOB) and added["docket"] == "person-5" and added["signed_by"].startswith(ALICE), "who signed for Bob", added)
    frozen = [row for row in r["rows"] if row["action"] == "freeze"][0]
    check("ECF No. 99" in frozen["detail"] and frozen["docket"] == week.freeze and frozen["signed_by"].startswith(ADA), "the freeze", frozen)
    equal(column(desk("administration", "--person", PETER), "action", "decision"), [("person-suspend", "deny"), ("clawback", "allow")],
          "Peter's acts")
    machine = {row["action"] for row in r["rows"] if not row["person"]}
    check({"init", "start", "unseal"} <= machine, "what the vault itself did", machine)
    r = desk("content-by-administrators")
    equal((r["summary"]["allowed (expected: 0)"], column(r, "person", "decision")), (0, [(ADAM, "deny")]), "administrators and content")

    for question in (("--clawback", week.clawback), ("--records", "demo/%s,demo/%s..%s" % tuple(bates(1, 9, 9)), "--since", week.noticed)):
        r = desk("after-notice", *question)
        touches = [(row["person"], row["bates"]) for row in r["rows"] if row["decision"] == "allow"]
        equal(touches, [(BOB, bates(9)[0])], "touched after the notice")
        attempts = [(row["person"], row["reason"], row["bates"]) for row in r["rows"] if row["decision"] == "deny"]
        equal(attempts, [(ALICE, "not-visible", bates(1)[0])], "attempts")
        equal((r["summary"]["refused after the notice"], r["summary"]["refusals that may have been about them"]), (1, 0), "how many")
        equal(r["summary"]["records of the notice"], 2, "records of the notice")
    r = desk("after-notice", "--clawback", week.clawback)
    equal((r["rows"][0]["when"], r["summary"]["of them after the clawback was in force"]), ("between notice and clawback", 0), "when")


def log_itself(week, desk):
    r = desk("verification")
    found = dict(column(r, "check", "finding"))
    equal((found["verdict"], found["entries checked"], found["indexes missing or out of order"], found["starts after an end that is not in the log"]),
          ("OK", r["log"]["size"], 0, 0), "the log")
    r = desk("certificate")
    check(r["log"]["root"] in column(r, "finding"), "what a certificate names", r["rows"])


def tampered(vault, export):
    step("a log that was altered gives a verdict and no answers")
    bad = export + "-bad"
    shutil.copytree(export, bad)
    path = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(bad, "tile", "entries")) for f in files][0]
    with open(path, "r+b") as f:
        f.seek(200)
        byte = f.read(1)
        f.seek(200)
        f.write(bytes([byte[0] ^ 1]))
    key = ("--vkey", os.path.join(export, "log.vkey"), "--dir", bad)
    r = vault.client("auditor", "audit", "report", "denials", *key, code=UNVERIFIED)
    equal(r.stdout, b"", "no answers")
    r = vault.client("auditor", "audit", "report", "verification", *key, code=UNVERIFIED).json
    equal(r["summary"]["verdict"], "TAMPERED", "the verdict")

    step("so does one whose keys are another's; one without keys withholds everything")
    shutil.rmtree(bad)
    shutil.copytree(export, bad)
    with open(bad + "/keys.jsonl") as f:
        lines = f.read().split("\n")
    first, second = json.loads(lines[0]), json.loads(lines[1])
    first["access"] = second["access"]
    with open(bad + "/keys.jsonl", "w") as f:
        f.write("\n".join([json.dumps(first, separators=(",", ":"))] + lines[1:]))
    vault.client("auditor", "audit", "report", "denials", *key, code=UNVERIFIED)
    r = vault.client("auditor", "audit", "report", "verification", *key, code=UNVERIFIED).json
    equal(r["summary"]["verdict"], "TAMPERED", "the verdict")
    os.remove(bad + "/keys.jsonl")
    for report in ("denials", "exceptions", "administration", "disclosures", "holdings", "anomalies", "searches", "disposition"):
        r = vault.client("auditor", "audit", "report", report, *key).json
        equal((r["rows"], r["withheld"]), ([], r["log"]["size"]), report)


def indexed(week, export):
    step("an index of the export gives the same answers, and is believed no further than it can be proved")
    vault = week.vault
    index = export + ".index"
    key = ("--vkey", os.path.join(export, "log.vkey"), "--dir", export)

    def saw(number, code=DONE):
        # an export without acts names nothing: there a record is what its lists show
        record = "demo/" + bates(number)[0] if os.path.exists(key[-1] + "/acts") else "collection 1/%d" % (number - 1)
        return vault.client("auditor", "audit", "report", "who-saw", record, *key, "--index", index, code=code)

    plain = {n: vault.client("auditor", "audit", "report", "who-saw", "demo/" + bates(n)[0], *key).json for n in (1, 7, 60)}
    for turn in ("made", "used"):
        for n, want in plain.items():
            got = saw(n).json
            equal((got["rows"], got["summary"], got["log"], got["withheld"]), (want["rows"], want["summary"], want["log"], want["withheld"]), turn)
    check(any("index" in n for n in got["notes"]), "it says so", got["notes"])
    equal(os.stat(index).st_mode & 0o777, 0o600, "nobody else reads it")
    vault.client("auditor", "audit", "report", "denials", *key, "--index", index, code=USAGE)
    whole = open(index, "rb").read()
    for at in sorted(set(range(0, len(whole), 97)) | {0, 30, 70, 90, len(whole) - 1}):
        with open(index, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
        got = saw(1, code=(DONE, UNVERIFIED))
        check(got.code == UNVERIFIED and got.stdout == b"", "a damaged index is noticed at byte %d" % at, got)
    for size in (0, 20, 100, len(whole) - 1):
        with open(index, "wb") as f:
            f.write(whole[:size])
        equal(saw(1, code=UNVERIFIED).stdout, b"", "a cut index")
    with open(index, "wb") as f:
        f.write(whole)
    path = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(export, "tile", "entries")) for f in files][0]
    entries = open(path, "rb").read()
    with open(path, "wb") as f:
        f.write(entries[:300] + bytes([entries[300] ^ 1]) + entries[301:])
    equal(saw(1, code=UNVERIFIED).stdout, b"", "a log that was altered after the index was made")
    with open(path, "wb") as f:
        f.write(entries)
    name, _, key_bytes = open(os.path.join(export, "log.vkey")).read().strip().split("+", 2)
    other = b"\x01" + bytes(32 * [7])
    with open(export + ".vkey", "w") as f:
        f.write("%s+%s+%s\n" % (name, hashlib.sha256(name.encode() + b"\n" + other).hexdigest()[:8], b64(other)))
    key = ("--vkey", export + ".vkey", "--dir", export)
    equal(saw(1, code=UNVERIFIED).stdout, b"", "a checkpoint that the key did not sign")

    week.read("attorney", ALICE, 2)
    for who, all_of_it in (("auditor", True), ("attorney", False)):
        later = "%s-of-%s" % (export, who)
        vault.client(who, "audit", "export", "--out", later)
        key = ("--vkey", os.path.join(later, "log.vkey"), "--dir", later)
        made, used = saw(2).json, saw(2).json
        want = week.books.saw_record(2)
        if all_of_it:
            equal(column(made, "person", "how"), want, "an index of another checkpoint is made anew")
        else:
            equal(column(made, "how"), [how for _, how in want], "an index of another checkpoint is made anew")
        equal((used["rows"], used["withheld"], used["log"]), (made["rows"], made["withheld"], made["log"]), "and used")
        check(any("index" in n for n in used["notes"]) and not any("index" in n for n in made["notes"]), "which it says", used["notes"])
        equal(made["withheld"] == 0, all_of_it, "what is withheld")


def own_party(week):
    step("counsel gets the own party's entries, and the count of the others")
    desk = Desk(week.vault, "attorney")
    everybody = week.vault.audit()
    r = desk("denials")
    equal(column(r, "person", "action", "reason", "asked"), [d for d in week.books.denied if d[0] in (ALICE, BOB)], "refusals of the own party")
    r = desk("who-saw", "demo/" + bates(1)[0])
    equal(column(r, "person", "how"), week.books.saw_record(1), "the own party's reading")
    others = [e for e in everybody if "plaintiffs" not in e["party"]]
    check(r["withheld"] >= len(others) - 3 and r["withheld"] > 10, "how many are withheld", r["withheld"], len(others))
    equal(set(column(desk("administration"), "person")), {ALICE}, "and no acts of others")
    r = desk.run(("person-history", "--person", PETER), as_json=True).json
    equal(r["rows"], [], "nothing of another party's people")
    bob = Desk(week.vault, "bob").run(("denials",), as_json=True, code=(OTHER, USAGE, REFUSED))
    check(b"rows" not in bob.stdout, "somebody whose credential is revoked gets no report", bob)


def own_records(week):
    """Who produced the records learns which of them were disclosed, and when: not to whom, and not what was asked."""
    step("the producer gets own entries, and that records were disclosed")
    vault = week.vault
    known = {e["index"]: e for e in vault.audit()}
    seen = [e for e in vault.audit(who="producer") if e["index"] in known]
    shown = [i for i, e in known.items() if e["kind"] == "disclosure" and e["decision"] == "allow" and e["records"] and e["collection"]]
    check(len(shown) > 5 and any(known[i]["person"] == ALICE for i in shown), "there is something to tell", shown)
    for e in seen:
        k = known[e["index"]]
        if k["person"] == PETER:
            equal(e, k, "an entry of the own party")
        elif e["index"] in shown:
            equal((e["records"], e["collection"], e["time"]), (k["records"], k["collection"], k["time"]), "what was disclosed")
            equal({e[m] for m in ("person", "party", "action", "decision", "kind", "rule", "query", "purpose", "address")}, {"withheld"}, "and no more")
        else:
            equal({e[m] for m in ("person", "records", "collection", "query")}, {"withheld"}, "nothing of other entries")
    for number in (1, 2, 7):
        record = "demo/" + bates(number)[0]
        everything, told = Desk(vault, "auditor")("who-saw", record)["rows"], Desk(vault, "producer")("who-saw", record)["rows"]
        equal([r["index"] for r in told], [r["index"] for r in everything], "when it was disclosed")
        equal({r["person"] for r in told}, {"withheld"} if told else set(), "not to whom")
        listed = [e["index"] for e in vault.audit("--record", record, who="producer")]
        equal(listed, [r["index"] for r in everything], "the same by audit list")


def authorised_offline(week, export):
    """From the acts in the export the order is evaluated again: as the vault does, and for the days before, too."""
    step("who was authorised, offline")
    vault, record, acts = week.vault, "demo/" + bates(2)[0], os.path.join(export, "acts")
    desk = Desk(vault, "auditor", export)
    at = [e["time"] for e in vault.audit() if e["action"] == "read"][-1]
    allowed = lambda r: {row["person"] for row in r["rows"] if row["decision"] == "allow"}
    online = {row["person"]: (row["decision"], row["reason"]) for row in Desk(vault, "auditor")("authorised", record, "--at", at)["rows"]}
    r = desk("authorised", record, "--at", at)
    equal({row["person"]: (row["decision"], row["reason"]) for row in r["rows"]}, online, "the same as the vault says")
    equal(allowed(r), {ALICE}, "who was authorised: the order has Bob too, whose only credential is revoked")
    equal(online[BOB], ("deny", "revoked"), "why Bob is not")
    check(any("from the acts in the export" in n for n in r["notes"]), "and what it rests on", r["notes"])
    r = desk("authorised", record, "--at", "2020-01-01")
    check(r["rows"] == [] and any("no such record" in n for n in r["notes"]), "before it was loaded nobody was", r)

    whole = open(acts, "rb").read()
    for bad, code in ((whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], UNVERIFIED), (whole[:-1], UNVERIFIED), (b"", INCOMPLETE)):
        with open(acts, "wb") as f:
            f.write(bad)
        desk.run(("authorised", record), as_json=True, code=code)
    os.remove(acts)
    r = desk.run(("authorised", record), as_json=True, code=INCOMPLETE)
    check("the acts are not there" in r.stderr, "without the acts the export is not whole", r)
    with open(acts, "wb") as f:
        f.write(whole)


def scenario():
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f:
        text = f.read() + OWN_LOG
    order = os.path.join(tempfile.mkdtemp(prefix="us-order-"), "order.yaml")
    with open(order, "w") as f:
        f.write(text)
    vault = Vault(20140, order=order).demo()
    week = Week(vault)
    week.run()

    step("the list of reports")
    listed = vault.client("auditor", "audit", "report").json["reports"]
    equal(tuple(r["report"] for r in listed), REPORTS, "fifteen reports")
    vault.client("auditor", "audit", "report", "no-such-report", code=USAGE)

    export = os.path.join(vault.base, "export")
    vault.client("auditor", "audit", "export", "--out", export)
    vault.checkpoint_json = json.dumps({"size": int(open(os.path.join(export, "checkpoint")).read().split("\n")[1])})
    for desk in (Desk(vault, "auditor", export), Desk(vault, "auditor")):
        step("the fifteen answers, " + ("from an export, in every form" if desk.export else "online"))
        for part in (people_and_reading, unusual, things, acts, log_itself):
            part(week, desk)
    r = Desk(vault, "auditor")("authorised", "demo/" + bates(2)[0], "--at", now())
    equal({row["person"] for row in r["rows"] if row["decision"] == "allow"}, {ALICE}, "who was authorised: not Bob, whose only credential is revoked")
    check(any("the vault's, not the log's" in n for n in r["notes"]), "and who says so", r["notes"])
    authorised_offline(week, export)
    tampered(vault, export)
    indexed(week, export)
    own_party(week)
    own_records(week)
    repeated(week, Desk(vault, "auditor"))
    vault.stop()


main(scenario)
