#!/usr/bin/env python3
"""corpus_check.py FILE [--demo DIR] [--reads N] [--samples N]

Goal: what was loaded from FILE into the running demonstration (./quickstart FILE) is all there and
nothing of it is in the clear. Compares with plain computations over the source, by this file alone:

  1. every conversation of FILE is admitted (the load is repeated: all are there already);
  2. `search --count` of ten words equals the number of source records that hold the word;
  3. N random records read back every message's content, byte for byte;
  4. no 12-byte run of sampled messages, of the queries made, or of people's names occurs in any
     file of the data directory, SQLite's WAL included.

The demonstration must hold nothing but FILE. Prints a line each; exit status 0 if all hold. FILE may be .zst (needs the zstd program) or .gz.
"""
import argparse, gzip, json, os, random, subprocess, sys, tempfile, unicodedata

WORDS = ["restaurant", "paris", "python", "therapy", "1999", "photosynthesis", "invoice", "naïve", "of", "unbelievable"]
SCAN_RUN = 12

def lines(path):
    if path.endswith(".zst"):
        with subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE) as p:
            yield from p.stdout
    else:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
            yield from f

def is_word_char(c):
    return unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Nd" or unicodedata.category(c)[0] == "N"

# Scripts without spaces go by characters: a run of them does not belong to the words beside it.
BY_CHARACTER = ((0x0E00, 0x0EFF), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
                (0x3040, 0x31FF), (0x3400, 0x9FFF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))

def words_of(text):
    """Runs of letters, marks and digits, folded; enough for words of scripts with spaces."""
    out, run = set(), []
    for c in text:
        if is_word_char(c) and not any(lo <= ord(c) <= hi for lo, hi in BY_CHARACTER):
            run.append(c)
        elif run:
            out.add("".join(run)); run = []
    if run:
        out.add("".join(run))
    return out

def fold(w):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", w).casefold())

class Vault:
    def __init__(self, demo):
        self.demo = demo
        self.client = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/release/underseal")
    def run(self, who, *args, stdin=None):
        p = subprocess.run([self.client, *args, "--json", "--profile", f"{self.demo}/profiles/{who}"],
                           input=stdin, capture_output=True)
        if p.returncode != 0:
            sys.exit(f"underseal {' '.join(args)[:80]}: exit {p.returncode}: {p.stderr.decode()[:500]}")
        return p.stdout

def check_counts(vault, records):
    bad = 0
    for word in WORDS:
        want = sum(1 for r in records if any(fold(w) == fold(word) for w in r["words"]))
        got = json.loads(vault.run("attorney", "search", "demo", word, "--count"))["total"]
        print(f"  {word}: {got} (source {want}){'' if got == want else '  DIFFERS'}")
        bad += got != want
    return bad

def all_bates(vault):
    return json.loads(vault.run("attorney", "search", "demo", "*", "--count"))["total"]

def check_reads(vault, by_id, total, n):
    numbers = random.Random(7).sample(range(1, total + 1), min(n, total))
    wanted = "\n".join(f"DEMO{i:09d}" for i in numbers).encode()
    out = vault.run("attorney", "read", "demo", "--from", "-", stdin=wanted).split(b"\n")
    bad = seen = skipped = 0
    for line in out[1:]:
        if not line:
            continue
        record = json.loads(line)["record"]
        source = by_id.get(record["id"])
        if source is None:
            skipped += 1  # of another load into this demonstration
            continue
        seen += 1
        bad += [m["content"].encode() for m in record["messages"]] != source
    print(f"  {seen} records compared, {bad} differ, {skipped} not of this file")
    return bad + (seen == 0)

def check_at_rest(vault, records, samples):
    rng = random.Random(11)
    needles = set()
    while len(needles) < samples:
        content = rng.choice(records)["contents"]
        text = rng.choice(content)
        if len(text) >= SCAN_RUN:
            at = rng.randrange(len(text) - SCAN_RUN + 1)
            needles.add(text[at:at + SCAN_RUN])
    for name in (b"Alice Attorney", b"Peter Producer", b"Ada Auditor", b"Adam Administrator"):
        needles.update(name[i:i + SCAN_RUN] for i in range(max(1, len(name) - SCAN_RUN + 1)) if len(name) >= SCAN_RUN)
    needles.update(w.encode()[:SCAN_RUN] for w in WORDS if len(w.encode()) >= SCAN_RUN)
    needles = {x for x in needles if b"\n" not in x and b"\0" not in x}
    with tempfile.NamedTemporaryFile() as patterns:
        patterns.write(b"\n".join(needles) + b"\n")
        patterns.flush()
        scan = subprocess.run(["grep", "-rlaF", "-f", patterns.name, f"{vault.demo}/data"],
                              capture_output=True, env={**os.environ, "LC_ALL": "C"})
        # the scan must be able to find: the same patterns in the source's own bytes
        probe = subprocess.run(["grep", "-qaF", "-f", patterns.name], input=b"x" + sorted(needles)[0] + b"y",
                               env={**os.environ, "LC_ALL": "C"})
    found = scan.stdout.decode().split()
    print(f"  {len(needles)} runs looked for; files that hold one: {found or 'none'}")
    return len(found) + (scan.returncode > 1) + (probe.returncode != 0)

def main():
    a = argparse.ArgumentParser()
    a.add_argument("file"); a.add_argument("--demo", default="build/demo")
    a.add_argument("--reads", type=int, default=1000); a.add_argument("--samples", type=int, default=3000)
    a = a.parse_args()
    vault = Vault(a.demo)
    records, by_id = [], {}
    for raw in lines(a.file):
        r = json.loads(raw)
        contents = [m["content"] for m in r["messages"]]
        records.append({"words": set().union(*(words_of(c) for c in contents)) if contents else set(),
                        "contents": [c.encode() for c in contents]})
        by_id[r["id"]] = [c.encode() for c in contents]
    receipt = json.loads(vault.run("producer", "load", "demo", a.file))
    print(f"1. {len(records)} in the source; loaded again: {receipt['duplicates']} there already, "
          f"{receipt['admitted']} admitted, {receipt['refused']} refused")
    bad = receipt["duplicates"] != len(records)
    print("2. counts of words:")
    bad += check_counts(vault, records)
    print("3. reads:")
    bad += check_reads(vault, by_id, all_bates(vault), a.reads)
    print("4. at rest:")
    bad += check_at_rest(vault, records, a.samples)
    print("all hold" if not bad else "NOT ALL HOLD")
    return 1 if bad else 0

if __name__ == "__main__":
    sys.exit(main())
