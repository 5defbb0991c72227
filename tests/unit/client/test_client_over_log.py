"""Goal: what the client says of a log rests on proofs. Over a log that an independent encoder wrote and a vault that is faked: lists,
reports, exports, receipts and cosignatures are made of it; the same reports are made of the export; a log that goes on is followed; one
that was changed, cut or forked, and answers that are malformed or refused, are noticed, with the status that scripts rely on.
"""
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_log  # noqa: E402
import fake_vault  # noqa: E402
import said  # noqa: E402
import witness  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
DONE, OTHER, USAGE, REFUSED, UNVERIFIED, INCOMPLETE = 0, 1, 2, 3, 5, 6
ENTRIES, EARLIER = 600, 300
REPORTS = [["who-saw", "demo/DEMO000000005"], ["person-history", "--person", "Dave"], ["person-history", "--party", "pl\u00e4ntiffs"],
           ["denials"], ["denials", "demo/DEMO000000001..DEMO000000100"], ["verification"], ["anomalies", "--max-records", "5"],
           ["disclosures"], ["administration"], ["content-by-administrators"], ["exceptions"],
           ["after-notice", "--records", "demo/DEMO000000005,demo/DEMO000000007..DEMO000000009", "--since", "2023-11-14"],
           ["holdings"], ["searches"], ["certificate"], ["disposition"]]
PEOPLE = {"items": [{"person": n, "name": name, "capacity": role} for n, name, role in
                    ((7, "Alice", "outside-counsel"), (8, "Bob", "administrator"), (9, "Carol", "expert"), (10, "Dave", "expert"))]}
COLLECTIONS = {"items": [{"collection": 1, "name": "demo", "bates_prefix": "DEMO"}]}

vault = fake_vault.Vault()
words = said.Said("over_log.txt", [("profile", vault.profile), ("dir", vault.directory)])
failures = []


def run(*args, expect=DONE, says=None, what=""):
    done = subprocess.run([CLIENT, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=200, umask=0,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    text = done.stderr.decode()
    words.note(args, done.returncode, done.stdout.decode(), text)
    if "Sanitizer" in text or "runtime error" in text:
        failures.append("%s: %s" % (" ".join(args), text))
    if done.returncode != expect or (says is not None and says not in text):
        failures.append("%s: status %d, not %d; %s %s" % (" ".join(args), done.returncode, expect, what, text.strip()[-400:]))
    return done.stdout.decode()


def equal(got, want, what):
    if got != want:
        failures.append("%s:\n  got  %.900r\n  want %.900r" % (what, got, want))


def forget():
    """The profile has seen nothing yet."""
    for name in os.listdir(vault.profile):
        if name.startswith(("checkpoint", "witness", "batches", "handovers")):
            os.remove(os.path.join(vault.profile, name))
    unmirror()


def unmirror():
    """The profile has nothing of the log."""
    shutil.rmtree(os.path.join(vault.profile, "mirror"), ignore_errors=True)


def remembered():
    with open(os.path.join(vault.profile, "checkpoint")) as f:
        return int(f.read().split("\n")[1])


def lists(log):
    lines = [json.loads(line) for line in run("audit", "list", "--json").splitlines()]
    equal([e["index"] for e in lines], list(range(ENTRIES)), "every entry is listed, in order")
    equal([e["index"] for e in map(json.loads, run("audit", "list", "--denied", "--json").splitlines())], [13, 21, 25], "what was denied")
    equal({e["person"] for e in map(json.loads, run("audit", "list", "--person", "Carol", "--json").splitlines())}, {"Carol"}, "one person's")
    saw = [i for i, d in enumerate(log.drafts) if 4 in d.get("records", [])]
    equal([e["index"] for e in map(json.loads, run("audit", "list", "--record", "demo/DEMO000000005", "--json").splitlines())],
          saw, "one record's")
    shown = run("audit", "list").splitlines()
    equal((shown[0].split(), len(shown)), (["entry", "time", "person", "action", "purpose", "about"], ENTRIES + 1), "lines for people")
    equal([json.loads(x)["index"] for x in run("audit", "list", "--limit", "2", "--json").splitlines()], [ENTRIES - 2, ENTRIES - 1], "the newest")
    equal(len(run("audit", "list", "--csv", "--since", "2023-11-14", "--until", "2023-11-14").splitlines()), ENTRIES + 1, "a day to its end")
    for wrong in (["--since", "7"], ["--since", "7 days"], ["--until", "2023-02-30"], ["--since", "2023-11-15", "--until", "2023-11-14"],
                  ["--since", "2100-01-01"], ["--limit", "0"], ["--limit", "-1"], ["--csv", "--json"]):
        run("audit", "list", *wrong, expect=USAGE)
        if "--json" not in wrong:
            run("audit", "report", "denials", *wrong, expect=USAGE)
    run("audit", "report", "denails", expect=USAGE)
    run("audit", "list", "--record", "nonsense", expect=USAGE)
    run("audit", "list", "--since", "nonsense", expect=USAGE)
    equal(json.loads(run("audit", "checkpoint", "--json"))["size"], ENTRIES, "the checkpoint")
    run("audit", "checkpoint")


def rows(report, *where):
    document = json.loads(run("audit", "report", *report, *where, "--json"))
    for name in ("made", "notes"):
        document.pop(name)
    return document


def reports(export):
    """From the vault and from its export the same; in every form."""
    for report in REPORTS:
        if report == ["exceptions"]:
            continue
        online = rows(report)
        equal(rows(report, "--dir", export), online, " ".join(report))
        equal(online["log"]["size"], ENTRIES, "the log of " + report[0])
        for form in ([], ["--csv"], ["--html"]) if report[0] in ("person-history", "anomalies") else ([],):
            text = run("audit", "report", *report, *form)
            if not all(str(row["index"]) in text for row in online["rows"] if row.get("index")):
                failures.append("%s %s: a row is missing" % (" ".join(report), form))
    alice = rows(["person-history", "--person", "Alice"])["rows"]
    equal([row["index"] for row in alice], [6, 7, 8, 9, 10, 11, 12, 19, 25], "what Alice did")
    dave = {row["index"]: row["left"] for row in rows(["person-history", "--person", "Dave"])["rows"]}
    equal((dave[39], dave[40], dave[43], dave[46]), (None, "0 of 1, cut", "0 of 1, cut", "not settled"), "how Dave's answers ended")
    run("audit", "report", "exceptions", expect=UNVERIFIED, says="do not follow from one another")  # these acts are none
    run("audit", "report", "exceptions", "--dir", export, expect=UNVERIFIED, says="do not follow from one another")
    equal(len(json.loads(run("audit", "report", "--json"))["reports"]), 15, "the list of reports")
    run("audit", "report")
    for wrong in (["nonsense"], ["who-saw"], ["who-saw", "demo"], ["who-saw", "demo/X1"], ["who-saw", "nowhere/X000000001"],
                  ["denials", "demo/DEMO000000009..DEMO000000001"], ["person-history"], ["after-notice"], ["after-notice", "--clawback", "x"],
                  ["after-notice", "--records", "demo/DEMO000000001"], ["denials", "--csv", "--html"], ["anomalies", "--hours", "9-9"],
                  ["authorised"], ["denials", "--index", vault.path("x")]):
        run("audit", "report", *wrong, "--dir", export, expect=USAGE)
    run("audit", "report", "after-notice", "--clawback", "clawback-1", expect=INCOMPLETE, says="holds clawback-1 whole")
    vault.answers["/v1/order/who?action=read&collection=demo&bates=DEMO000000005"] = {
        "at": "2026-01-01T00:00:00Z", "order": 1, "entry": 9, "people": [{"name": "Alice", "decision": "allow", "reason": "none"}]}
    equal(rows(["authorised", "demo/DEMO000000005"])["summary"]["people who may"], 1, "who was authorised, as the vault says")


def indexed(export):
    """By way of an index the answer is the same, and whoever changes the index is noticed."""
    index, vkey = vault.path("index"), os.path.join(export, "log.vkey")
    ask = ["who-saw", "demo/DEMO000000005", "--dir", export, "--vkey", vkey]
    plain = rows(ask)["rows"]
    equal(rows(ask + ["--index", index])["rows"], plain, "the answer when the index is made")
    equal(rows(ask + ["--index", index])["rows"], plain, "the answer from the index")
    with open(index, "r+b") as f:
        f.seek(-9, os.SEEK_END)
        byte = f.read(1)
        f.seek(-9, os.SEEK_END)
        f.write(bytes([byte[0] ^ 1]))
    run("audit", "report", *ask, "--index", index, expect=UNVERIFIED, says="Remove the index")


def exports(log, export):
    run("audit", "export", "--out", export)
    for directory, _, names in os.walk(os.path.join(log.files.path, "tile")):
        for name in names:
            path = os.path.join(directory, name)
            there = os.path.join(export, os.path.relpath(path, log.files.path))
            equal(os.path.exists(there) and filecmp.cmp(path, there, shallow=False), True, "exported " + there)
    with open(os.path.join(export, "acts"), "rb") as f:
        equal(f.read(), log.acts, "the exported acts")
    run("audit", "export", "--out", export, expect=OTHER, says="exists already")
    run("audit", "verify", "--dir", export)
    run("audit", "verify", "--dir", export, "--json")
    with open(os.path.join(export, "acts"), "ab") as f:
        f.write(b"\0")
    run("audit", "verify", "--dir", export, expect=UNVERIFIED)
    run("audit", "report", "denials", "--dir", export, expect=UNVERIFIED, says="TAMPERED")
    with open(os.path.join(export, "acts"), "wb") as f:
        f.write(log.acts)


def receipts():
    path = vault.path("40.receipt")
    run("audit", "receipt", "40", "-o", path)
    run("audit", "verify", "--receipt", path)
    run("audit", "receipt", "40", "-o", path, expect=OTHER, says="exists already")
    run("audit", "receipt", str(ENTRIES), "-o", vault.path("none"), expect=USAGE, says="the log has 600 entries")
    run("audit", "receipt", "nonsense", "-o", vault.path("none"), expect=USAGE)
    with open(path, "r+b") as f:
        f.seek(60)
        f.write(b"A")
    run("audit", "verify", "--receipt", path, expect=UNVERIFIED)


def waivers(export):
    """Keys of single entries, for an export that had none of them."""
    keys, all_of_it = vault.path("waived.keys"), os.path.join(export, "keys.jsonl")
    run("audit", "disclose", "12", "40", "--to", "defendant", "-o", keys)
    run("audit", "disclose", "12", "--to", "defendant", "-o", keys, expect=OTHER, says="exists already")
    run("audit", "disclose", str(ENTRIES), "--to", "defendant", "-o", vault.path("none"), expect=USAGE)
    os.rename(all_of_it, all_of_it + ".away")
    run("audit", "accept", keys, "--dir", export)
    with open(all_of_it) as f:
        equal([json.loads(line)["index"] for line in f], [12, 40], "the keys that were taken")
    equal([row["index"] for row in rows(["who-saw", "demo/DEMO000000005"], "--dir", export)["rows"]], [12], "what they open")
    with open(keys) as f:
        lines = f.read().replace('"index":12', '"index":13')
    with open(keys, "w") as f:
        f.write(lines)
    run("audit", "accept", keys, "--dir", export, expect=UNVERIFIED)
    os.rename(all_of_it + ".away", all_of_it)


def files_of(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names)


def whole(package, export):
    """The package has the export byte for byte, and the sums of all that is in it."""
    log = os.path.join(package, "log")
    equal(files_of(log), files_of(export), "the files of the log in the package")
    equal(filecmp.cmpfiles(export, log, files_of(export), shallow=False)[1:], ([], []), "their bytes")
    sums = {}
    with open(os.path.join(package, "SHA256SUMS")) as f:
        for line in f:
            digest, _, name = line.rstrip("\n").partition("  ")
            sums[name] = digest
    equal(sorted(sums), [name for name in files_of(package) if name != "SHA256SUMS"], "what has a sum")
    for name, digest in sums.items():
        with open(os.path.join(package, name), "rb") as f:
            equal(hashlib.sha256(f.read()).hexdigest(), digest, "the sum of " + name)


def papers(export):
    """What goes to the court, and to who stamps the time."""
    run("certify", "902-13", "--log", export, "--out", vault.path("902-13"))
    for name in ("SHA256SUMS", "log"):
        equal(os.path.exists(vault.path(os.path.join("902-13", name))), True, "the package has " + name)
    whole(vault.path("902-13"), export)
    run("certify", "902-13", "--log", export, "--out", vault.path("902-13"), expect=OTHER)
    run("audit", "timestamp-request", "-o", vault.path("monday.tsq"))
    equal(os.path.getsize(vault.path("monday.tsq")) > 40, True, "the request for a timestamp")


def changes(log):
    """Whatever is changed on the way is noticed."""
    tile = "tile/0/000"
    for what, changed, expect in (
            ("a tile with one bit changed", {tile: bytes([log.get(tile)[0] ^ 1]) + log.get(tile)[1:]}, UNVERIFIED),
            ("a tile that is cut", {tile: log.get(tile)[:-1]}, INCOMPLETE),
            ("a tile that is not there", {tile: 404}, INCOMPLETE),
            ("entries that are not there", {"tile/entries/001": 404}, INCOMPLETE),
            ("keys of another entry", {"keys": dict(log.get_keys(0, 1), boxes=log.get_keys(1, 2)["boxes"])}, OTHER),
            ("keys that are none", {"keys": {"from": 0, "next": 1, "boxes": [{"access": "AA=="}]}}, OTHER),
            ("keys that are refused", {"keys": 403}, REFUSED)):
        log.changed = changed
        for command in (["audit", "verify", "--keys"], ["audit", "list"], ["audit", "report", "denials"]):
            unmirror()
            run(*command, expect=expect, what=what)
        log.changed = {}
    acts, log.acts = log.acts, log.acts[:-1]
    run("audit", "report", "denials", expect=OTHER, says="the vault's answer with the acts is malformed")
    log.acts = acts.replace(b"Alice", b"Alicf")
    run("audit", "report", "denials", expect=UNVERIFIED, says="the acts beside the log are not those that it commits to")
    log.acts = acts
    log.changed = {"checkpoint": 503}
    run("audit", "verify", expect=OTHER)
    log.changed = {"tile/entries/000": 403}
    unmirror()
    run("audit", "report", "denials", expect=REFUSED)
    log.changed = {}


def goes_on(earlier, log, fork):
    """The profile remembers what it has seen: what follows is followed, nothing else is."""
    forget()
    vault.log = earlier
    run("audit", "checkpoint")
    run("audit", "verify")
    equal(remembered(), EARLIER, "what is remembered at first")
    vault.log = log
    for changed in ({"consistency/%d/%d" % (EARLIER, ENTRIES): x} for x in (b"nonsense\n", b"", log.consistency(EARLIER - 1, ENTRIES), b"AA==\n")):
        log.changed = changed
        run("audit", "verify", expect=UNVERIFIED)
        equal(remembered(), EARLIER, "what is remembered without a proof")
    log.changed = {"consistency/%d/%d" % (EARLIER, ENTRIES): 404}
    run("audit", "verify", expect=INCOMPLETE)
    log.changed = {}
    run("audit", "verify")
    equal(remembered(), ENTRIES, "what is remembered once it is proven")
    vault.log = earlier  # an answer that overtook another: the larger tree is asked for the proof
    earlier.changed = {"consistency/%d/%d" % (EARLIER, ENTRIES): log.consistency(EARLIER, ENTRIES)}
    run("audit", "verify")
    equal(remembered(), ENTRIES, "what is remembered after a smaller tree")
    earlier.changed = {}
    run("audit", "verify", expect=UNVERIFIED)
    vault.log = fork
    run("audit", "verify", expect=UNVERIFIED)
    run("audit", "report", "denials", expect=UNVERIFIED)
    equal(remembered(), ENTRIES, "what is remembered after a fork")
    vault.log = log


def witnesses(earlier, log, fork):
    """Cosigns what goes on from what it has seen; has others do so."""
    forget()
    vault.log = earlier
    key = run("audit", "witness", "--vkey", "--name", "ada.example/witness").strip()
    run("audit", "witness")
    vault.log = log
    document = json.loads(run("audit", "witness", "--newest", "--json"))
    equal((document["size"], document["delivered"]), (ENTRIES, True), "what was cosigned")
    equal(len(witness.good_signatures(log.delivered[-1], key)), 1, "the cosignature is good")
    vault.log = fork
    run("audit", "witness", "--newest", expect=UNVERIFIED, says="Both checkpoints")
    equal(os.path.exists(os.path.join(vault.profile, "witness.fork")), True, "both checkpoints are kept")
    vault.log = log
    other = witness.Witness("other.example/w", b"\x07" * 32, [bytes(log.files.read("log.vkey")).decode().strip()])
    server = other.serve(0)
    policy = vault.path("policy")
    with open(policy, "w") as f:
        f.write("log %s\nwitness W %s http://127.0.0.1:%d\nquorum W\n"
                % (bytes(log.files.read("log.vkey")).decode().strip(), other.vkey, server.server_port))
    forget()
    vault.log = earlier
    run("audit", "submit", "--policy", policy)
    vault.log = log
    equal(json.loads(run("audit", "submit", "--policy", policy, "--json"))["quorum"], True, "the quorum is met")
    equal(other.asked, [("old 0", 200), ("old 0", 409), ("old %d" % EARLIER, 200)], "what the witness was asked")
    log.files.write("checkpoint.witnessed", log.delivered[-1])
    log.changed = {"checkpoint.witnessed/1": log.delivered[-1]}
    run("audit", "verify", "--policy", policy)
    run("audit", "receipt", "41", "-o", vault.path("41.receipt"), "--policy", policy)
    run("audit", "verify", "--receipt", vault.path("41.receipt"), "--policy", policy)
    log.changed = {}
    os.remove(log.files.at("checkpoint.witnessed"))
    run("audit", "receipt", "42", "-o", vault.path("42.receipt"), "--policy", policy, expect=INCOMPLETE)
    server.shutdown()


def names_that_are_not(export):
    """Somebody, a party, a collection or a record that is not there is an error with the nearest that is, never nothing that happened."""
    wrong = [(["--person", "Davy"], "there is no person 'Davy': did you mean 'Dave'?"),
             (["--person", "dav"], "there is no person 'dav': did you mean 'Dave'?"),
             (["--person", ""], "there is no person ''"),
             (["--person", "person 7"], "there is no person 'person 7'"),  # who has a name
             (["--person", "person 99"], "there is no person 'person 99'"),  # of whom no entry is
             (["--party", "plantiffs"], "did you mean 'pl\u00e4ntiffs'?"),
             (["--party", "zzzz"], "there is no party with people in it 'zzzz'")]
    reports = ["who-saw demo/DEMO000000005", "person-history", "denials", "anomalies", "disclosures", "exceptions", "searches"]
    for options, says in wrong:
        run("audit", "list", *options, expect=USAGE, says=says)
        for report in reports:
            if options[0] == "--person" or report != "who-saw":
                run("audit", "report", *report.split(), *options, expect=USAGE, says=says)
                run("audit", "report", *report.split(), *options, "--dir", export, expect=USAGE, says=says)
    run("audit", "list", "--record", "dem/DEMO000000005", expect=USAGE, says="there is no collection 'dem': did you mean 'demo'?")
    run("audit", "list", "--record", "demo/EX000000005", expect=USAGE, says="is no Bates number of demo: they begin with DEMO and have 9 digits")
    run("audit", "list", "--credential", "ab" * 32, expect=USAGE, says="no entry that you may see is of a credential")
    run("audit", "report", "who-saw", "dem/DEMO000000005", expect=USAGE, says="there is no collection 'dem': did you mean 'demo'?")
    # and who is there and did nothing is no error
    equal(json.loads(run("audit", "report", "denials", "--person", "Bob", "--until", "2001-01-01", "--json"))["rows"], [], "Bob's refusals")


def main():
    drafts = fake_log.with_names(fake_log.st.long_story(ENTRIES), [("Person %d" % i, 3) for i in range(1, 7)] + [
        ("Alice", 3), ("Bob", 1), ("Carol", 6), ("Dave", 6)], ("demo", "DEMO"))
    log = fake_log.Log(vault.path("log"), drafts)
    earlier = log.beginning(vault.path("earlier"), EARLIER)
    other = [dict(d) for d in drafts]
    other[100]["records"] = [1]
    fork = fake_log.Log(vault.path("fork"), other)
    export = vault.path("export")
    vault.pin(bytes(log.files.read("log.vkey")).decode().strip())
    vault.answers["/v1/people"], vault.answers["/v1/collections"] = PEOPLE, COLLECTIONS
    vault.log = log
    lists(log)
    exports(log, export)
    reports(export)
    names_that_are_not(export)
    without = export + "-without"
    shutil.copytree(export, without)
    os.remove(os.path.join(without, "acts"))
    run("audit", "report", "exceptions", "--dir", without, expect=INCOMPLETE, says="every box is opened, but the acts are not there")
    indexed(export)
    waivers(export)
    papers(export)
    receipts()
    changes(log)
    goes_on(earlier, log, fork)
    witnesses(earlier, log, fork)
    failures.extend(fake_vault.open_to_others(vault.directory))
    shutil.rmtree(export)
    failures.extend(filter(None, [words.compare()]))
    for failure in failures:
        print(failure)
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
