#!/usr/bin/env python3
"""Goal: what is loaded is found and read as it was, exactly.

Plain, .gz and .zst files; the same bytes again admit nothing; counts of words and of AND, OR, NOT equal a
plain count over the source; paging gives every hit once; reads give back every byte; a snapshot stays.
"""
import gzip
import json
import random
import subprocess

from harness import *


def scenario():
    vault = Vault(20010).demo()
    lines = generate(1500, 1)
    plain = write_lines(vault.base + "/a.jsonl", lines[:500])
    with gzip.open(vault.base + "/b.jsonl.gz", "wb") as f:
        f.write(b"\r\n".join(lines[500:1000]) + b"\r\n")
    rest = write_lines(vault.base + "/c.jsonl", lines[1000:])
    subprocess.run(["zstd", "-q", rest, "-o", rest + ".zst"], check=True)
    step("loading 1,500 records as plain, gzip and zstd")
    first = vault.load(plain).json
    equal((first["received"], first["admitted"], first["duplicates"], first["refused"]), (500, 500, 0, 0),
          "receipt of the plain file")
    batch = first["batches"][0]
    equal((batch["first"], batch["last"]), ("DEMO000000001", "DEMO000000500"), "Bates numbers")
    both = vault.load(vault.base + "/b.jsonl.gz", rest + ".zst").json
    equal((both["admitted"], both["duplicates"]), (1000, 0), "receipt of the compressed files")
    again = vault.load(plain, vault.base + "/b.jsonl.gz", rest + ".zst").json
    equal((again["received"], again["admitted"], again["duplicates"]), (1500, 0, 1500), "the same bytes again")
    equal(again["batches"], [], "batches of a load that admits nothing")

    step("counting words against the source")
    words = [words_of(line) for line in lines]
    for word in WORDS:
        want = sum(fold(word) in w for w in words)
        equal(vault.count(word), want, "count of %s" % word)
    equal(vault.count("*"), 1500, "count of *")
    han = ("新闻", "法院", "书")
    for text in han:
        want = sum(any(text in (c or "") for c in contents(line)) for line in lines)
        equal(vault.count(text), want, "count of %s" % text)
    a, b, c = "harbour", "water", "river"
    has = [(a in w, b in w, c in w) for w in words]
    for query, test in (
            ("harbour AND water", lambda x, y, z: x and y),
            ("harbour OR water", lambda x, y, z: x or y),
            ("harbour AND NOT water", lambda x, y, z: x and not y),
            ("(harbour OR water) AND NOT river", lambda x, y, z: (x or y) and not z),
            ("NOT (harbour OR river)", lambda x, y, z: not (x or z))):
        equal(vault.count(query), sum(test(*h) for h in has), "count of %s" % query)
    models = [json.loads(line)["model"] for line in lines]
    equal(vault.count("harbour AND model:gpt-4"), sum(h[0] and m == "gpt-4" for h, m in zip(has, models)),
          "count with a field")
    equal(vault.count("ownsys1x777"), 1, "count of one record's own word")

    step("paging")
    want = [i for i, h in enumerate(has) if h[0]]
    hits, snapshot, total = all_hits(vault, a, limit=37)
    equal(total, len(want), "total while paging")
    equal(hits, ["DEMO%09d" % (i + 1) for i in want], "every hit once, in order")

    step("reading everything back in requests of up to 1,000")
    for at, n in ((0, 1000), (1000, 500)):
        asked = ["DEMO%09d" % (i + 1) for i in range(at, at + n)]
        random.Random(3).shuffle(asked)
        header, records = vault.read(asked)
        check("Underseal" not in header.get("receipt", "") and header["receipt"].startswith("c2sp.org/tlog-proof"),
              "the receipt is a tlog-proof", header["receipt"][:200])
        equal(len(records), n, "records of a bulk read")
        for bates, record in zip(asked, records):
            source = lines[int(bates[4:]) - 1]
            got = json.loads(record)
            equal(got["bates"], bates, "order of a bulk read")
            check(source in record, "the bytes of %s are those loaded" % bates, record[:300], source[:300])
            equal([m["content"] for m in got["record"]["messages"]], contents(source), "contents of %s" % bates)
            own = json.loads(source).get("designation")  # a record's own is shown case-folded
            equal(got["designation"], "CONFIDENTIAL" if own is None else own.casefold(), "designation")

    step("a snapshot stays as it was")
    more = write_lines(vault.base + "/d.jsonl", generate(300, 2))
    equal(vault.load(more).json["admitted"], 300, "admitted later")
    equal(vault.count("*"), 1800, "count now")
    r = vault.client("attorney", "search", "demo", "*", "--count", "--snapshot", snapshot).json
    equal((r["total"], r["snapshot"]), (1500, snapshot), "count on the earlier snapshot")
    r = vault.client("attorney", "read", "demo", "DEMO000001700", "--snapshot", snapshot, code=None)
    check(r.code != DONE, "a record that came later is not in the earlier snapshot")

    step("a snippet shows the word, and is logged as disclosed")
    answer = vault.client("attorney", "search", "demo", "ownsys1x5", "--limit", "5").json
    check("ownsys1x5" in json.dumps(answer["hits"][0], ensure_ascii=False), "the snippet holds the word", answer)
    entries = vault.audit("--record", "demo/" + answer["hits"][0]["bates"])
    check(any(e["index"] == answer["entry"] and e["action"] == "search" for e in entries),
          "the snippet's record is in the log", entries[-3:], answer["entry"])

    step("after a restart it is all there")
    vault.stop()
    vault.serve().unseal()
    equal(vault.count("*"), 1800, "count after a restart")
    header, records = vault.read("DEMO000000042")
    check(lines[41] in records[0], "a record after a restart")
    vault.stop()


main(scenario)
