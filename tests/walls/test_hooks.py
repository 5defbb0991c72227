#!/usr/bin/env python3
"""Goal: what only tests can do is in no program that is shipped.

The daemon that is built beside those for tests, of the same libraries, has neither the names nor the words of a hook;
those for tests have them, so that it would be noticed if the search found nothing anywhere. The names are read from
the hooks' own source. What the settings of a hook come to is in system_07_faults.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("UNDERSEAL_BUILD", os.path.join(ROOT, "build", "debug"))
HOOKED = ("undersealed-hooks", "undersealed-zero-slices", "undersealed-small-batches")
SHIPPED = ("undersealed", "underseal", "underseal-verify")


def marks():
    """Words in the text, and variables, of the hooks' source."""
    with open(os.path.join(ROOT, "tests", "hooks", "hooks.c")) as f:
        source = f.read()
    words = re.findall(r'^#define \w+ "([^"]+)"', source, re.M)
    variables = re.findall(r"^static \w+ (\w+);", source, re.M)
    return words, variables


def findings(program):
    with open(program, "rb") as f:
        image = f.read()
    symbols = subprocess.run(["nm", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    words, variables = marks()
    return [w for w in words if w.encode() in image] + [v for v in variables if re.search(r"\b%s\b" % v, symbols)]


def main():
    words, variables = marks()
    failed = [] if words and variables else ["the hooks' source has no word or no variable: what is searched for?"]
    for name in SHIPPED:
        failed += ["%s holds a hook: %s" % (name, w) for w in findings(os.path.join(BUILD, name))]
    for name in HOOKED:
        if set(findings(os.path.join(BUILD, name))) != set(words + variables):
            failed.append("%s does not hold the hooks" % name)
    for f in failed:
        print(f)
    return bool(failed)


sys.exit(main())
