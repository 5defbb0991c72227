#!/usr/bin/env python3
"""Goal: compare passes over what is another each time, and over nothing else.

Two made-up recordings that differ only in times, keys, ports, paths and indexes are the same. Each of the changes below, put into the second,
is reported, unless it is allowed.
"""
import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare")
BUILD = "/somewhere/build/release"


def chance(seed, n):
    return hashlib.sha512(b"%d %d" % (seed, n)).hexdigest()[:64]


def recording(seed):
    """The events of a scenario, as another seed would have them."""
    base, port, day = "/tmp/us-system-%s" % chance(seed, 1)[:8], 20000 + seed, "2026-11-30T16:1%d" % (seed % 10)
    digest, other, entry = chance(seed, 2), chance(seed, 3), 40 + seed
    answer = '{"total":3,"digest":"%s","again":"%s","other":"%s","entry":%d,"time":"%s:05.123456789Z"}' % (digest, digest, other, entry, day)
    clock = '{"index":%d,"time":"%s:07.5Z","class":"noise","action":"handshakes","counts":{"timeout":%d}}\n' % (entry + 1, day, seed)
    listed = '{"index":%d,"time":"%s:08.25Z","class":"access","action":"read","decision":"deny"}\n' % (entry, day)
    return [
        {"kind": "begin", "root": "/somewhere", "build": BUILD, "time_ns": 1796055124258343152, "tmp": "/tmp", "main": True},
        {"kind": "vault", "base": base, "port": port, "main": True},
        {"kind": "command", "argv": [BUILD + "/underseal", "search", "demo", "x", "--profile", base + "/p"], "input": None, "code": 3,
         "stdout": answer + "\n", "stderr": "underseal: https://127.0.0.1:%d says no\n" % port, "main": True},
        {"kind": "wire", "method": "GET", "path": "/v1/log/tile/0/000.p/%d" % entry, "asked": {}, "body": "", "status": "200 OK",
         "answered": {"underseal-entry": str(entry)}, "answer": "", "main": True},
        {"kind": "command", "argv": [BUILD + "/underseal", "audit", "list"], "input": None, "code": 0,
         "stdout": listed + clock if seed % 2 else clock + clock + listed, "stderr": "", "main": True},
        {"kind": "http", "method": "PUT", "path": "/v1/status", "asked": {}, "body": None, "status": 405,
         "answered": {"allow": "GET, POST"}, "answer": '{"type":"urn:underseal:problem:method","title":"Not so"}', "main": True},
        {"kind": "file", "option": "--out", "name": "a.txt", "mode": 0o600, "content": "receipt of %s\n" % digest, "main": True},
        {"kind": "http", "method": "GET", "path": "/v1/loads/%d" % seed, "asked": {}, "body": None, "status": 409, "answered": {},
         "answer": '{"type":"urn:underseal:problem:gone"}', "main": False},
        {"kind": "log", "text": "notice monitor: ready on 127.0.0.1:%d\n" % port, "main": True},
        {"kind": "end", "code": 0, "said": "passed"},
    ]


CHANGES = (
    ("a word of a title", 5, "answer", "Not so", "Not thus"),
    ("a key", 2, "stdout", '"total"', '"totals"'),
    ("a blank between members", 2, "stdout", ',"other"', ', "other"'),
    ("a number that is no index", 2, "stdout", '"total":3', '"total":4'),
    ("an exit status", 2, "code", 3, 2),
    ("an HTTP status", 5, "status", 405, 404),
    ("a header", 5, "answered", "GET, POST", "POST, GET"),
    ("a word on stderr", 2, "stderr", "says no", "says yes"),
    ("a digest that is not the same twice any more", 2, "stdout", '"again":"%s"' % chance(2, 2), '"again":"%s"' % chance(2, 9)),
    ("a digest in another form", 2, "stdout", '"other":"%s"' % chance(2, 3), '"other":"%s"' % chance(2, 3)[:32]),
    ("a file's mode", 6, "mode", 0o600, 0o644),
    ("a file's text", 6, "content", "receipt of", "receipt for"),
    ("another file's digest", 6, "content", chance(2, 2), chance(2, 3)),
    ("a decision in the log", 4, "stdout", '"deny"', '"allow"'),
    ("what another thread saw", 7, "status", 409, 410),
    ("a line of the daemon's log", 8, "text", "ready on", "listening on"),
    ("how the scenario ended", 9, "code", 0, 1),
)


def write(folder, events):
    os.makedirs(os.path.join(folder, "raw"), exist_ok=True)
    with open(os.path.join(folder, "raw", "one.jsonl"), "w") as f:
        f.write("".join(json.dumps(e) + "\n" for e in events))


def compare(*args):
    p = subprocess.run([sys.executable, COMPARE, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return p.returncode, p.stdout.decode()


def changed(events, at, member, one, two):
    events = copy.deepcopy(events)
    value = events[at][member]
    made = {k: v.replace(one, two) for k, v in value.items()} if isinstance(value, dict) else \
        value.replace(one, two) if isinstance(value, str) else two
    assert made != value, (at, member, one)
    events[at][member] = made
    return events


def main():
    with tempfile.TemporaryDirectory() as folder:
        one, two, allow = (os.path.join(folder, x) for x in ("one", "two", "allow"))
        write(one, recording(1))
        write(two, recording(2))
        code, said = compare(one, two)
        assert code == 0, said
        for what, *change in CHANGES:
            write(two, changed(recording(2), *change))
            code, said = compare(one, two)
            assert code == 1 and "one: " in said, "%s is not noticed:\n%s" % (what, said)
            print("noticed: " + what)

        write(two, changed(recording(2), *CHANGES[0][1:]))
        with open(allow, "w") as f:
            f.write("# a better word\none\t-\t.*Not so.*\none\t+\t.*Not thus.*\n")
        code, said = compare(one, two, "--allow", allow)
        assert code == 0 and "not seen" not in said, said
        with open(allow, "a") as f:
            f.write("one\t-\tnever\n")
        code, said = compare(one, two, "--allow", allow)
        assert code == 0 and "not seen: lines 4" in said, said
        write(two, changed(changed(recording(2), *CHANGES[0][1:]), *CHANGES[4][1:]))
        code, said = compare(one, two, "--allow", allow)
        assert code == 1, "one change is allowed, and two pass:\n" + said

        # what is the same in two recordings of one build is no chance, and kept
        fixed = recording(1)[:2] + [dict(recording(1)[2], stdout=chance(7, 7) + "\n")] + recording(1)[3:]
        again = recording(3)[:2] + [dict(recording(3)[2], stdout=chance(7, 7) + "\n")] + recording(3)[3:]
        other = recording(2)[:2] + [dict(recording(2)[2], stdout=chance(7, 8) + "\n")] + recording(2)[3:]
        write(one, fixed)
        write(two, other)
        code, said = compare(one, two)
        assert code == 0, said
        write(os.path.join(folder, "again"), again)
        compare("--learn", one, os.path.join(folder, "again"))
        code, said = compare(one, two)
        assert code == 1 and chance(7, 7) in said, said
        write(two, again)
        code, said = compare(one, two)
        assert code == 0, said
    print("passed")


main()
