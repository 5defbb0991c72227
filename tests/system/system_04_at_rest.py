#!/usr/bin/env python3
"""Goal: the disk tells nothing.

After loading and searching, no run of 12 bytes of any message, query, purpose or person's name stands in any
file of the data directory, SQLite's write-ahead log and shared memory included; nor in the daemon's log.
"""
import struct

from harness import *

QUERIES = ("harbour AND restaurant AND NOT bicycle", "(newspaper OR weather) AND plaintiff", "seventeen lawyer evidence")
PURPOSE = "preparing the deposition of the third witness"


def files_of(directory):
    return [os.path.join(d, f) for d, _, fs in os.walk(directory) for f in fs]


def scenario():
    vault = Vault(20040).demo("archive-of-the-newspaper", "DEMO")
    lines = generate(4000, 4)
    vault.load(write_lines(vault.base + "/a.jsonl", lines), collection="archive-of-the-newspaper")
    vault.add_person("Wilhelmina Featherstonehaugh", "new")
    for query in QUERIES:
        vault.client("attorney", "search", "archive-of-the-newspaper", query, "--purpose", PURPOSE)
    vault.read(["DEMO%09d" % i for i in range(1, 500)], collection="archive-of-the-newspaper")
    vault.client("admin", "search", "archive-of-the-newspaper", QUERIES[0], "--purpose", PURPOSE, code=REFUSED)

    texts = [c.encode() for line in lines for c in contents(line) if c]
    texts += [line for line in lines]
    texts += [t.encode() for t in QUERIES + (PURPOSE, "Wilhelmina Featherstonehaugh", "archive-of-the-newspaper",
                                             "Alice Attorney", "Peter Producer", "Adam Administrator")]
    # the order is a public filing, and its rules say who signs; but its people are no business of the disk's
    needles = vault.base + "/needles"
    with open(needles, "wb") as f:
        for text in texts:
            f.write(struct.pack(">I", len(text)) + text)
    finder = os.path.join(BUILD, "tests", "find_runs")
    control = vault.base + "/control"
    with open(control, "wb") as f:
        f.write(b"\0" * 100 + texts[77][5:17] + b"\0" * 100)
    equal(run([finder, needles, control]).returncode, 1, "the finder finds a run that is there")

    for when in ("while it runs", "after it has ended"):
        files = files_of(vault.data)
        step("%s: %d files of the data directory, and the daemon's log" % (when, len(files)))
        if when == "while it runs":
            check(any(f.endswith("-wal") for f in files), "there is a write-ahead log", files)
        r = run([finder, needles] + files + [vault.log])
        equal(r.returncode, 0, "runs of evidence, queries or names at rest:\n%s" % r.stdout.decode("utf-8", "replace"))
        step(r.stdout.decode().strip())
        if when == "while it runs":
            vault.stop()


main(scenario)
