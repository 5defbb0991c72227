#!/usr/bin/env python3
"""Changes the story of a log at random, and wants both verifiers to judge it alike.

usage: random_log.py UNDERSEAL_VERIFY [--seconds N] [--seed N]

Each log is consistent and signed, so that the rules between entries decide; some of its boxes are
withheld. Verdict, index and rule must be the same.
"""
import argparse
import random
import struct
import sys
import tempfile
import time

import hostile_log
import mutants
import story as st
import verify_log as v

ACTIONS = (v.INIT, v.START, v.STOP, v.UNSEAL, v.SEAL, v.STATE_OPEN, v.ORDER_IN_FORCE, v.READ, v.COPY,
           v.COUNT, v.SESSION, v.AUDIT_WITNESS, v.ANSWERED)
SUMMARIES = (b"", b"approval\0\0\0\x05", b"approval\0\0\0\x06", b"\0\0\0\x01", b"\0\0\0\x02",
             struct.pack(">QQ", 0, 30), struct.pack(">QQ", 0, 42), struct.pack(">QQ", 30, 42), struct.pack(">QQ", 42, 44))
PEOPLE = (st.ALICE, st.BOB, st.CAROL, st.DAVE)
SHIFTS = (-1, 1, -st.SECOND, st.SECOND, v.SESSION_NS)


def change(pick, drafts):
    """One thing of one entry, or an entry too many, too few or elsewhere."""
    i = pick.randrange(len(drafts))
    d = drafts[i] = dict(drafts[i])
    other = pick.randrange(len(drafts))
    members = {
        "action": pick.choice(ACTIONS), "kind": pick.randint(1, 4), "decision": pick.randint(0, 3),
        "class": pick.randint(1, 4), "order": pick.randint(0, 3), "related": pick.randrange(45),
        "part": (pick.randrange(3), pick.randint(1, 3)), "summary": pick.choice(SUMMARIES),
        "person": pick.randint(7, 10), "session": pick.choice(PEOPLE)["session"],
        "credential": pick.choice(PEOPLE)["credential"],
        "sequence": pick.choice((1, 2, 3, 4, v.NONE)), "time": d["time"] + pick.choice(SHIFTS)}
    what = pick.choice(list(members) + ["who", "remove", "repeat", "swap"])
    if what in members:
        d[what] = members[what]
    elif what == "who":
        d.update(pick.choice(PEOPLE))
    elif what == "remove":
        del drafts[i]
    elif what == "repeat":
        drafts.insert(i, dict(drafts[other], time=d["time"]))
    else:
        drafts[i], drafts[other] = (dict(drafts[other], time=d["time"]),
                                    dict(d, time=drafts[other]["time"]))


def make(pick, log):
    drafts = st.story()
    for _ in range(pick.randint(1, 4)):
        change(pick, drafts)
    share = pick.choice((0, 0, 0, 0.05, 0.4))
    withheld = {(i, b) for i in range(len(drafts)) for b in range(3) if pick.random() < share}
    entries, keys = st.encode(drafts, withheld)
    log.rebuild(entries, vkey=True)
    log.write("keys.jsonl", keys)
    if pick.random() < 0.7:
        log.write("acts", st.commit(drafts)[:pick.choice((None, None, -1, 300))])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("verify")
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    pick, end, judged, differ = random.Random(args.seed), time.monotonic() + args.seconds, {}, 0
    with tempfile.TemporaryDirectory() as top:
        log = hostile_log.Log(top)
        while time.monotonic() < end:
            make(pick, log)
            python = mutants.judge(v, top, log.at("log.vkey"))
            c = hostile_log.run([args.verify, top, "--vkey", log.at("log.vkey"), "--json"])[:3]
            judged[python[2] or python[0]] = judged.get(python[2] or python[0], 0) + 1
            if c != python:
                differ += 1
                print("log %d of seed %d: underseal-verify says %s, verify_log.py %s"
                      % (sum(judged.values()), args.seed, c, python))
    print("%d logs, %d judged differently; %s" % (sum(judged.values()), differ, ", ".join(
        "%s %d" % pair for pair in sorted(judged.items()))))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
