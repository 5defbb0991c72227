#!/usr/bin/env python3
"""Goal: an answer that comes from an index of an export is proved against the log each time. An export is made, and the index of it; asked
again, the answer is the same. Then one bit of an entry that the answer rests on is flipped where no box that is open shows it, or of a
tile, of the keys, or of the index: each is noticed, and nothing is answered. What the answer does not rest on is not looked at.
"""
import json
import os
import shutil
import tempfile

from harness import BUILD, CLIENT, DONE, UNVERIFIED, check, equal, main, run, step

ENTRIES = 3000
OFTEN, TWICE = "collection 1/4711", "collection 1/4712"  # a log without acts names nothing


def ask(base, record):
    r = run([CLIENT, "audit", "report", "who-saw", record, "--dir", base + "/export", "--vkey", base + "/export/log.vkey", "--index",
             base + "/index", "--json"])
    return r.returncode, [row["index"] for row in json.loads(r.stdout)["rows"]] if r.returncode == DONE else r.stderr


def entry_at(bundle, i):
    """Where entry i of a bundle begins and ends."""
    at = 0
    for _ in range(i):
        at += 2 + int.from_bytes(bundle[at:at + 2], "big")
    return at + 2, at + 2 + int.from_bytes(bundle[at:at + 2], "big")


class Flipped:
    """One bit of a file, for a while."""

    def __init__(self, path, at):
        self.path, self.at = path, at

    def flip(self):
        with open(self.path, "r+b") as f:
            f.seek(self.at)
            byte = f.read(1)[0]
            f.seek(self.at)
            f.write(bytes([byte ^ 1]))

    def __enter__(self):
        self.flip()

    def __exit__(self, *_):
        self.flip()


def scenario():
    base = tempfile.mkdtemp(prefix="us-who-saw-")
    try:
        export = base + "/export"
        os.makedirs(export)
        r = run([os.path.join(BUILD, "us_log_bench"), "make-seen", export, str(ENTRIES)])
        check(r.returncode == 0, "the export", r.stderr)
        with open(export + "/keys.jsonl") as f:
            lines = [json.loads(line) for line in f]
        with open(export + "/keys.jsonl", "w") as f:  # of every second entry without its query box
            for line in lines:
                if line["index"] % 2 == 0:
                    line.pop("query")
                f.write(json.dumps(line, separators=(",", ":")) + "\n")

        step("the index is made, and used")
        made = [ask(base, OFTEN), ask(base, TWICE)]
        equal(made[0], (DONE, [500, 1500, 2500]), "who saw the one that was read often")
        equal((made[1][0], len(made[1][1])), (DONE, 2), "who saw the one that was read twice")
        equal([ask(base, OFTEN), ask(base, TWICE)], made, "the same again")

        step("what is changed is noticed")
        bundle = export + "/tile/entries/005"  # entries 1280 to 1535
        with open(bundle, "rb") as f:
            begin, end = entry_at(f.read(), 1500 - 1280)
        with open(export + "/keys.jsonl", "rb") as f:
            key_line = f.read().index(b'{"index":1500,')
        with open(base + "/index", "rb") as f:
            index = f.read()
        first_posting = len(index) - 32 * int.from_bytes(index[89:97], "big")
        for what, path, at in (("the entry, in a box that is not open", bundle, end - 1), ("its time", bundle, begin + 25),
                               ("its length", bundle, begin - 1), ("its tile", export + "/tile/0/005", (1500 - 1280) * 32),
                               ("another hash of its tile", export + "/tile/0/005", 3), ("its keys", export + "/keys.jsonl", key_line + 40),
                               ("the checkpoint", export + "/checkpoint", 60), ("the index", base + "/index", first_posting + 10), ("the head of the index", base + "/index", 30)):
            with Flipped(path, at):
                code, said = ask(base, OFTEN)
                equal(code, UNVERIFIED, "%s is changed: %s" % (what, said))
        equal(ask(base, OFTEN), made[0], "all as before")
        with Flipped(bundle, end - 1):
            equal(ask(base, TWICE), made[1], "an entry that the answer does not rest on")
    finally:
        shutil.rmtree(base, ignore_errors=True)


main(scenario)
