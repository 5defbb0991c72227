#!/usr/bin/env python3
"""Goal: the walls of the house stand. What may include what is one list; a name says where it is from; nothing gets longer.

The figures are those of tests/figures/structure; limits.txt says how many of each there may be, and no more than there are.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return [line.strip() for line in f if line.strip() and not line.startswith("#")]


def arrows(measured):
    allowed, order = set(), ["base"]
    for line in lines("arrows.txt"):
        folder, _, targets = line.partition(":")
        for target in targets.split():
            if target not in order:
                yield "arrows.txt: %s stands above %s, which it names" % (folder, target)
            allowed.add((folder, target))
        order.append(folder)
    there = {(a, b) for a, b, _ in measured["arrows"] if b != "base"}
    for a, b in sorted(there - allowed):
        yield "%s includes what is in %s: not in arrows.txt" % (a, b)
    for a, b in sorted(allowed - there):
        yield "%s includes nothing of %s: arrows.txt need not allow it" % (a, b)
    for circle in measured["folder_circles"]:
        yield "a circle of folders: " + " ".join(circle)


def names(measured):
    for path, tag in measured["tags"]:
        yield "%s: %s does not begin with us_" % (path, tag)
    for tag, paths in measured["twice"]:
        yield "%s means more than one thing: %s" % (tag, " ".join(paths))
    for path, name in measured["unprefixed"]:
        if not name.isupper():  # a list of X() in a file that applies it
            yield "%s: %s() is exported and does not begin with us_" % (path, name)
    for path, name in measured["macro_made"] or []:
        yield "%s: %s() is made by a macro: nobody finds it" % (path, name)
    for path, name in measured["exported"] or []:
        yield "%s: the symbol %s is exported and does not begin with us_" % (path, name)


def limits(measured):
    for line in lines("limits.txt"):
        name, most = line.split()
        here = measured[name] if isinstance(measured[name], int) else len(measured[name] or [])
        if here > int(most):
            yield "%s: %d, and limits.txt allows %s (tests/figures/structure --list names them)" % (name, here, most)
        elif here < int(most):
            yield "%s: %d; limits.txt still allows %s: lower it" % (name, here, most)


def main():
    build = ["--build", os.environ["UNDERSEAL_BUILD"]] if "UNDERSEAL_BUILD" in os.environ else []
    said = subprocess.run([os.path.join(ROOT, "tests", "figures", "structure"), "--json"] + build + [ROOT], stdout=subprocess.PIPE, check=True)
    measured = json.loads(said.stdout)
    found = [f for wall in (arrows, names, limits) for f in wall(measured)]
    for f in found:
        print(f)
    return 1 if found else 0


sys.exit(main())
