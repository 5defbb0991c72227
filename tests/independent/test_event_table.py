#!/usr/bin/env python3
"""Goal: what entries say is written down once in C (log/event.h), once for people (docs/PROTOCOL.md) and once by hand for the second
verifier (verify_log.py), and the three agree.

usage: test_event_table.py EVENT_TABLE, the program that prints the first
"""
import os
import re
import struct
import subprocess
import sys

import verify_log as v

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTHS = {"u8": "B", "u32": "I", "u64": "Q", "i64": "q"}
SETS = {"class": ("ACCESS", "STATE", "SYSTEM"), "kind": ("INTENT", "DISCLOSURE", "OUTCOME", "EVENT"), "decision": ("ALLOW",),
        "action": ("COUNT", "READ", "COPY", "SESSION", "AUDIT_WITNESS", "INIT", "START", "STOP", "UNSEAL", "SEAL", "STATE_OPEN",
                   "ORDER_IN_FORCE", "ANSWERED", "BACKUP", "HANDOVER")}


def document():
    """The table under "### Summaries", without what its last column tells of each."""
    with open(os.path.join(ROOT, "docs", "PROTOCOL.md"), encoding="utf-8") as f:
        section = re.search(r"^### Summaries\n(.*?)^(?:\*\*|#)", f.read(), re.M | re.S)[1]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return [tuple(row[:4]) for row in rows[2:]]


def by_struct(text):
    """How struct writes such a summary; None if it has no one length."""
    out = ">"
    for part in text.split(" ‖ "):
        word = re.fullmatch(r'"(\w+)"', part)
        number = re.fullmatch(r"(u8|u32|u64|i64) \w+", part)
        if not word and not number:
            return None
        out += "%ds" % len(word[1]) if word else WIDTHS[number[1]]
    return out


def main():
    lines = [line.split("\t") for line in subprocess.run(sys.argv[1:2], check=True, capture_output=True, encoding="utf-8").stdout.splitlines()]
    wrong = []

    def same(what, one, other):
        if one != other:
            wrong.append("%s: %s and %s" % (what, one, other))

    summaries = [tuple(line[1:]) for line in lines if line[0] == "summary"]
    written = document()
    for i in range(max(len(summaries), len(written))):
        same("row %d of docs/PROTOCOL.md, and log/event.h" % (i + 1), written[i] if i < len(written) else None,
             summaries[i] if i < len(summaries) else None)
    numbers = {(line[1], line[3]): int(line[2]) for line in lines if line[0] == "number"}
    for name, members in SETS.items():
        for member in members:
            same("%s of verify_log.py, and case/action.h" % member, getattr(v, member),
                 numbers.get((name, member.lower().replace("_", "-"))))
    actions = {number: name for (which, name), number in numbers.items() if which == "action"}
    for action, form in v.SUMMARIES.items():
        same("a summary of %s in verify_log.py, and log/event.h" % actions[action], form,
             next((by_struct(text) for _, named, _, text in summaries if actions[action] in named.split(", ")), None))
    same("bytes of verify_log.py's summary of a read", struct.calcsize(v.SUMMARIES[v.READ]), len(b"approval") + 4)
    for line in wrong:
        print(line)
    print("%d rows, %d numbers, %d summaries of the second verifier" % (len(summaries), len(numbers), len(v.SUMMARIES)))
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
