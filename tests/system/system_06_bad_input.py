#!/usr/bin/env python3
"""Goal: bad input is named by its line, and takes nothing with it.

With "stop" a defective file admits nothing; with "skip" all but the lines the receipt names. A dry run admits
nothing. What is held is seen by its producer alone until released. The files of formats/broken (UNDERSEAL_TEST_DATA),
where they are at hand, come out record by record as expected.json says.
"""
from harness import *

GOOD = b'{"id":"%s","messages":[{"role":"user","content":"good %s"},{"role":"assistant","content":"indeed"}]}'


def good(identity):
    return GOOD.replace(b"%s", identity.encode())


BAD = {
    "truncated": b'{"id":"x","messages":[{"role":"user","content":"a',
    "not UTF-8": b'{"id":"x","messages":[{"role":"user","content":"\xc3\x28"},{"role":"assistant","content":"b"}]}',
    "control byte": b'{"id":"x","messages":[{"role":"user","content":"a\x01"},{"role":"assistant","content":"b"}]}',
    "no id": b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}',
    "no messages": b'{"id":"x"}',
    "deep": b'{"id":"x","messages":' + b"[" * 100000,
    "an array": b"[1,2]",
    "twice the same key": b'{"id":"x","id":"y","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}',
    "lone surrogate": b'{"id":"x","messages":[{"role":"user","content":"\\ud800"},{"role":"assistant","content":"b"}]}',
}


def total(vault, who="attorney"):
    return vault.client(who, "search", "demo", "*", "--count").json["total"]


def scenario():
    vault = Vault(20060).demo()
    path = vault.base + "/x.jsonl"
    step("one defect of each kind between good lines")
    admitted = 0
    for number, (name, line) in enumerate(BAD.items()):
        lines = [good("s%d-%d" % (number, i)) for i in range(5)]
        lines.insert(3, line)
        write_lines(path, lines)
        r = vault.load(path, code=None)
        check(r.code == OTHER and "line 4" in r.stderr, "stopped at a line that is %s" % name, r)
        equal(total(vault), admitted, "admitted of a file stopped at: %s" % name)
        r = vault.load(path, options=("--on-defect", "skip"))
        equal((r.json["received"], r.json["admitted"], r.json["refused"]), (6, 5, 1), "receipt with skip: %s" % name)
        check("line 4" in r.stderr or '"line":4' in r.stdout.decode(), "the line is named", r)
        admitted += 5
        equal(total(vault), admitted, "admitted with skip: %s" % name)

    step("an id that is there with other content")
    write_lines(path, [good("s0-0"), good("s0-1").replace(b"indeed", b"no")])
    r = vault.load(path, options=("--on-defect", "skip"))
    equal((r.json["admitted"], r.json["duplicates"], r.json["refused"]), (0, 1, 1), "receipt")

    step("a dry run")
    write_lines(path, generate(200, 6))
    r = vault.load(path, options=("--dry-run",)).json
    equal((r["received"], r["dry_run"], r["batches"]), (200, True, []), "receipt of the dry run")
    equal(total(vault), admitted, "admitted by a dry run")

    step("a load that is held")
    receipt = vault.load(path, options=("--hold",)).json
    equal(receipt["admitted"], 200, "admitted and held")
    equal(total(vault), admitted, "what the attorney sees of it")
    batch = receipt["batches"][0]
    r = vault.client("attorney", "read", "demo", batch["first"], code=None)
    check(r.code != DONE and b'"messages"' not in r.stdout, "a held record is not read", r)
    listed = vault.client("producer", "batch", "list", "demo").stdout.decode()
    check('"held"' in listed, "the producer sees the held batch", listed)
    vault.client("producer", "batch", "release", batch["batch"])
    admitted += 200
    equal(total(vault), admitted, "what the attorney sees after the release")
    equal(vault.load(path).json["duplicates"], 200, "the same again")

    step("withdrawn")
    vault.client("producer", "batch", "withdraw", batch["batch"], "--reason", "wrong file")
    equal(total(vault), admitted - 200, "what the attorney sees after the withdrawal")
    r = vault.client("attorney", "read", "demo", batch["first"], code=None)
    check(r.code != DONE, "a withdrawn record is not read", r)

    step("files that are no such thing")
    for name, data in (("a.gz", b"\x1f\x8b\x08\0broken"), ("a.zst", b"\x28\xb5\x2f\xfdbroken"), ("a.bin", os.urandom(5000))):
        with open(vault.base + "/" + name, "wb") as f:
            f.write(data)
        r = vault.load(vault.base + "/" + name, code=None)
        check(r.code == OTHER and r.stderr.strip(), "%s is refused with a message" % name, r)
    r = vault.load(vault.base + "/missing.jsonl", code=None)
    check(r.code == OTHER and "missing.jsonl" in r.stderr, "a file that is not there", r)
    with open(path, "wb") as f:
        f.write(b"")
    r = vault.load(path, code=OTHER)
    equal(r.json["received"], 0, "an empty file")
    check("nothing was loaded" in r.stderr, "an empty file is not taken for a load", r)

    folder = os.path.join(DATA, "formats", "broken")
    if os.path.exists(folder + "/expected.json"):
        step("the files of formats/broken")
        with open(folder + "/expected.json") as f:
            expected = [e for e in json.load(f)["files"] if e["format"] == "native"]
        wrong = []
        for e in expected:
            if e.get("expect") != "accept":
                r = vault.load(os.path.join(folder, e["file"]), options=("--on-defect", "skip"), code=None)
                if r.code == DONE and r.json["admitted"] > 0:
                    wrong.append("%s: should be refused as a whole, %d admitted" % (e["file"], r.json["admitted"]))
                continue
            r = vault.load(os.path.join(folder, e["file"]), options=("--on-defect", "skip"), code=None)
            if r.code != DONE:
                wrong.append("%s: exit %d: %s" % (e["file"], r.code, r.stderr[:200]))
                continue
            got = r.json
            free = sum("also_acceptable" in x for x in e.get("records", []))
            if abs(got["admitted"] - e["admitted"]) > free:
                wrong.append("%s (%s): %d admitted, %d duplicates, %d refused; expected %d and %d" % (
                    e["file"], e["defect"], got["admitted"], got["duplicates"], got["refused"], e["admitted"], e["refused"]))
        check(not wrong, "%d of %d files come out otherwise" % (len(wrong), len(expected)), *wrong)
        step("%d files" % len(expected))
    vault.stop()


main(scenario)
