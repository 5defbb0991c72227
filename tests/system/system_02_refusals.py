#!/usr/bin/env python3
"""Goal: who may not gets nothing but the paragraph, the auditor sees it all, and a stranger can verify that.

Administrator and auditor cannot search or read; a missing purpose, too many records, an unknown Bates number
are refused; all of it is in the log; the export passes both verifiers, a changed export neither.
"""
import shutil

from harness import *

CHECKER = os.path.join(ROOT, "tests", "independent", "verify_log.py")


def refused(r, paragraph=True):
    equal(r.code, REFUSED, "exit status of %s" % " ".join(r.argv[1:3]))
    problem = json.loads(r.stdout.split(b"\n")[0])
    check(problem["type"].startswith("urn:underseal:problem:"), "a stable type", problem)
    if paragraph:
        check(problem.get("paragraph"), "the refusal cites a paragraph", problem)
        check("paragraph" in r.stderr, "and says so to people", r.stderr)
    return problem


def scenario():
    vault = Vault(20020).demo()
    lines = generate(1200, 2)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))

    step("administrator, auditor and producer")
    for who in ("admin", "auditor", "producer"):
        equal(refused(vault.client(who, "search", "demo", "harbour", "--purpose", "x", code=None))["paragraph"], "4",
              "paragraph")
        refused(vault.client(who, "search", "demo", "harbour", "--count", "--purpose", "x", code=None))
        refused(vault.client(who, "read", "demo", "DEMO000000001", "--purpose", "x", code=None))
    for who in ("attorney", "admin"):
        refused(vault.load(vault.base + "/a.jsonl", who=who, code=None))
        refused(vault.client(who, "audit", "list", code=None))
    denied_before = len(vault.audit("--denied"))
    check(denied_before >= 13, "refusals stand in the log", denied_before)

    step("purpose, cap, unknown record")
    conf = os.path.join(vault.profile("attorney"), "profile.conf")
    with open(conf) as f:
        text = f.read()
    with open(conf, "w") as f:
        f.write("".join(line + "\n" for line in text.splitlines() if not line.startswith("purpose=")))
    r = refused(vault.client("attorney", "search", "demo", "harbour", code=None))
    check("purpose" in json.dumps(r), "the refusal says that a purpose is missing", r)
    refused(vault.client("attorney", "read", "demo", "DEMO000000001", code=None))
    purpose = ("--purpose", "claim 3")
    many = ["DEMO%09d" % i for i in range(1, 1002)]
    refused(vault.read(many, code=None, options=purpose))
    equal(len(vault.read(many[:1000], options=purpose)[1]), 1000, "records at the cap")
    for unknown in ("DEMO000009999", "DEMO000000000", "OTHER000000001", "DEMO1"):
        r = vault.client("attorney", "read", "demo", unknown, *purpose, code=None)
        check(r.code in (OTHER, USAGE, REFUSED), "a record that is not there", r)
        check(b'"messages"' not in r.stdout, "nothing is shown", r)
    r = vault.client("attorney", "search", "nosuch", "harbour", *purpose, code=None)
    check(r.code in (OTHER, USAGE, REFUSED), "a collection that is not there", r)
    r = vault.client("attorney", "search", "demo", "harbour AND (", *purpose, code=None)
    check(r.code in (OTHER, USAGE) and ("position" in r.stdout.decode() or "character" in r.stdout.decode()),
          "a query that cannot be honoured points at the character", r)
    denied = vault.audit("--denied")
    check(len(denied) >= denied_before + 3, "these refusals stand in the log too", len(denied), denied_before)
    for e in denied:
        equal(e["decision"], "deny", "decision")
    who = {e["person"] for e in denied}
    check({"Adam Administrator", "Ada Auditor", "Peter Producer", "Alice Attorney"} <= who, "everybody refused is named", who)
    check(any(e["action"] == "read" and e["reason"] == "quota" for e in denied), "the cap is a reason of its own",
          {(e["action"], e["reason"]) for e in denied})
    check(any(e["reason"] == "purpose-missing" for e in denied), "so is the missing purpose")

    step("who read a record")
    header, _ = vault.read("DEMO000000007", options=purpose)
    entries = vault.audit("--record", "demo/DEMO000000007")
    hit = [e for e in entries if e["index"] == header["entry"]]
    check(hit and hit[0]["person"] == "Alice Attorney" and hit[0]["records"] == ["DEMO000000007"] and
          hit[0]["purpose"] == "claim 3" and hit[0]["decision"] == "allow", "the read's entry", hit)
    r = vault.client("auditor", "audit", "list", "--person", "Nobody", code=USAGE)
    check("there is no person 'Nobody'" in r.stderr, "nobody", r.stderr)
    for report, options, says in (("who-saw", ["demo/DEMO999999999"], "there is no record demo/DEMO999999999: demo has DEMO000000001 to"),
                                  ("person-history", ["--person", "Alice"], "did you mean 'Alice Attorney'?"),
                                  ("denials", ["--party", "plaintif"], "did you mean 'plaintiffs'?")):
        r = vault.client("auditor", "audit", "report", report, *options, code=USAGE)
        check(says in r.stderr, report, r.stderr)

    step("copies leave with a line on the ledger")
    out = vault.base + "/copy.txt"
    vault.client("attorney", "copy", "demo", "DEMO000000003", "--recipient", "Dr. Expert", "-o", out, *purpose)
    with open(out, encoding="utf-8") as f:
        page = f.read()
    check("DEMO000000003" in page and "Dr. Expert" in page, "the copy names record and recipient", page[:500])
    ledger = vault.client("attorney", "copy", "list").json
    check("Dr. Expert" in json.dumps(ledger), "the ledger", ledger)
    refused(vault.client("admin", "copy", "demo", "DEMO000000003", "--recipient", "X", "-o", out + "2", *purpose, code=None))

    step("verifying online, exporting, verifying with both programs")
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "verdict online")
    export = vault.base + "/export"
    vault.client("auditor", "audit", "export", "--out", export)
    vkey = os.path.join(vault.out, "log.vkey")
    programs = ([VERIFY, export, "--vkey", vkey], [sys.executable, CHECKER, export, "--vkey", vkey],
                [CLIENT, "audit", "verify", "--dir", export, "--vkey", vkey])
    for argv in programs:
        r = run(argv, env=vault.env)
        equal(r.returncode, 0, "%s on a sound export (%s)" % (argv[0], (r.stdout + r.stderr)[:300]))
    vault.stop()

    step("an export that was changed")
    bundles = [os.path.join(d, f) for d, _, fs in os.walk(export + "/tile/entries") for f in fs]
    tiles = [os.path.join(d, f) for d, _, fs in os.walk(export + "/tile/0") for f in fs]
    for path, want in ((bundles[0], 5), (tiles[0], 5), (export + "/checkpoint", 5), (bundles[0], 6)):
        with open(path, "rb") as f:
            sound = f.read()
        changed = bytearray(sound)
        changed[len(sound) // 2] ^= 1
        if want == 6:
            os.rename(path, path + ".gone")
        else:
            with open(path, "wb") as f:
                f.write(changed)
        for argv in programs:
            r = run(argv, env=vault.env)
            check(r.returncode in (5, 6) if path.endswith("checkpoint") else r.returncode == want,
                  "%s on a changed %s: %d" % (argv[0], path, r.returncode), r.stdout[:300])
        if want == 6:
            os.rename(path + ".gone", path)
        with open(path, "wb") as f:
            f.write(sound)


main(scenario)
