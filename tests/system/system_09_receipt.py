#!/usr/bin/env python3
"""Goal: the receipt says which source record got which Bates number, and it is right for every one.

Several files in many parts, loaded over concurrent connections, with duplicates, defects, blank lines, CRLF
and a byte order mark; every record is read back by its number and compared with the receipt.
"""
import hashlib
import os
import stat

from harness import *


def read_back(vault, records, sources):
    for at in range(0, len(records), 1000):
        some = records[at:at + 1000]
        header, answers = vault.read([r["bates"] for r in some])
        equal(len(answers), len(some), "records read back")
        for want, line in zip(some, answers):
            got = json.loads(line)
            source = sources[want["file"]][want["line"]]
            equal(got["bates"], want["bates"], "Bates number")
            equal(got["record"]["id"], want["id"], "id of %s" % want["bates"])
            check(source in line, "%s is line %d of file %d" % (want["bates"], want["line"], want["file"]))
            equal(want["sha256"], hashlib.sha256(source).hexdigest(), "digest of %s" % want["bates"])


def scenario():
    vault = Vault(20090).demo()
    lines = generate(2600, 9)
    a = lines[:1400]
    for i in range(0, 1400, 37):
        a[i] += b'{"broken'                                   # invalid
    for i in range(5, 1400, 41):
        a.insert(i, lines[i - 1] if i % 2 else b"  ")        # said twice, or blank
    b = lines[1200:2600]                                      # 200 are in the first file, too
    changed = json.loads(b[300])
    changed["id"], b[301] = json.loads(b[299])["id"], b""
    b[300] = json.dumps(changed).encode()                     # a second record of one id
    names = [vault.base + "/a.jsonl", vault.base + "/b.jsonl"]
    with open(names[0], "wb") as f:
        f.write(b"\xef\xbb\xbf" + b"\r\n".join(a) + b"\r\n")
    with open(names[1], "wb") as f:
        f.write(b"\n".join(b))                                # no end of the last line
    sources = [dict(enumerate(a, 1)), dict(enumerate(b, 1))]

    step("loading with --on-defect skip")
    path = vault.base + "/receipt.json"
    receipt = vault.load(*names, options=("--on-defect", "skip", "--receipt", path)).json
    equal(receipt["files"], names, "files")
    records, refused = receipt["records"], receipt["refused_records"]
    equal(len(records), receipt["admitted"], "records in the receipt")
    equal(len(refused), receipt["refused"], "refused ones in the receipt")
    check(receipt["duplicates"] > 50 and receipt["refused"] > 30, "there are duplicates and defects", receipt["refused"])
    equal(records[0]["bates"], "DEMO000000001", "the first number")
    equal([r["bates"] for r in records], ["DEMO%09d" % (i + 1) for i in range(len(records))], "numbers in order")
    check(any(r["code"] == "duplicate-id" for r in refused), "the second record of one id is refused")
    taken = set((r["file"], r["line"]) for r in records + refused)
    equal(len(taken), len(records) + len(refused), "no line stands in the receipt twice")
    with open(path) as f:
        equal(json.load(f), receipt, "the file")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the file")
    vault.load(names[0], options=("--on-defect", "skip", "--receipt", path), code=USAGE)

    step("reading every record back")
    read_back(vault, records, sources)

    step("a load that adds to what is there")
    more = generate(50, 10)
    mixed = [line for pair in zip(more, lines[1550:1600]) for line in pair]
    name = write_lines(vault.base + "/c.jsonl", mixed)
    r = vault.load(name).json
    equal((r["admitted"], r["duplicates"], r["refused_records"]), (50, 50, []), "receipt of the mixture")
    equal([x["line"] for x in r["records"]], list(range(1, 101, 2)), "lines admitted")
    read_back(vault, r["records"], [dict(enumerate(mixed, 1))])
    r = vault.load(name).json
    equal((r["records"], r["duplicates"]), ([], 100), "receipt of a repetition")

    step("many lines that are no records")
    name = write_lines(vault.base + "/d.jsonl", [b"x"] * 9000 + generate(3, 11))
    r = vault.load(name, options=("--on-defect", "skip")).json
    equal((len(r["refused_records"]), [x["line"] for x in r["records"]]), (9000, [9001, 9002, 9003]), "named ones")
    read_back(vault, r["records"], [dict(enumerate(open(name, "rb").read().split(b"\n"), 1))])

    step("a batch that the log does not prove")
    slot = r["batches"][-1]["slot"] + 1
    with open(vault.profile("producer") + "/batches", "a") as f:
        f.write("1 %d 0 %s\n" % (slot, "00" * 32))            # as if another root had been seen there
    name = write_lines(vault.base + "/e.jsonl", generate(3, 12))
    path = vault.base + "/unproven.json"
    r = vault.load(name, options=("--receipt", path), code=UNVERIFIED)
    equal(r.stdout, b"", "what an unproven load prints")
    check(not any(f.startswith("unproven") for f in os.listdir(vault.base)), "no receipt of it is left")
    vault.stop()


main(scenario)
