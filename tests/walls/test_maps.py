#!/usr/bin/env python3
"""Goal: who looks for a file finds it. Each folder of the product has a README with a line for each of its files and folders, no file is left out,
and none is named that is not there."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOPS = ("base", "crypto", "case", "policy", "registry", "log", "verify", "evidence", "daemon", "client", "schema", "bench", "cmake")
UNNAMED = ("README.md", "CMakeLists.txt")


def files():
    """What git has or would have, by folder."""
    said = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--"] + list(TOPS),
                          stdout=subprocess.PIPE)
    if said.returncode != 0:
        paths = [os.path.relpath(os.path.join(d, f), ROOT) for top in TOPS for d, _, names in os.walk(os.path.join(ROOT, top)) for f in names]
    else:
        paths = [p for p in said.stdout.decode().split("\n") if p and os.path.exists(os.path.join(ROOT, p))]
    found = {}
    for path in paths:
        folder, name = os.path.split(path)
        found.setdefault(folder, set()).add(name)
        while "/" in folder:  # a folder is in the one above it
            folder, name = os.path.split(folder)
            found.setdefault(folder, set()).add(name + "/")
    return found


def named(text):
    """What the lines of a README name: `name`, `name/` or `name.[ch]`, one a line."""
    names = []
    for name in re.findall(r"^- `([^`]+)` \S", text, re.M):
        parts = re.fullmatch(r"(.*\.)\[(\w+)\]", name)
        names += [parts.group(1) + c for c in parts.group(2)] if parts else [name]
    return names


def main():
    found = []
    for folder, names in sorted(files().items()):
        if "README.md" not in names:
            found.append("%s/ has no README.md" % folder)
            continue
        with open(os.path.join(ROOT, folder, "README.md"), encoding="utf-8") as f:
            text = f.read()
        told = named(text)
        there = {n for n in names if n not in UNNAMED}
        found += ["%s/README.md does not name %s" % (folder, n) for n in sorted(there - set(told))]
        found += ["%s/README.md names %s, which is not there" % (folder, n) for n in sorted(set(told) - there)]
        found += ["%s/README.md names %s twice" % (folder, n) for n in sorted({n for n in told if told.count(n) > 1})]
        lines = [line for line in text.split("\n") if line.startswith("- ")]
        if len(lines) != len(re.findall(r"^- `([^`]+)` \S", text, re.M)):
            found.append("%s/README.md has a line that names nothing, or says nothing of it" % folder)
    for text in found:
        print(text)
    return 1 if found else 0


sys.exit(main())
