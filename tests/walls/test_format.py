#!/usr/bin/env python3
"""Goal: C is laid out as .clang-format says, by clang-format 14, which wrote it; other versions differ in details.

Skipped without it. Line lengths are held by test_walls.py in any case. To lay out what is changed:
    git ls-files '*.c' '*.h' | xargs clang-format-14 -i
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT = ("build",)


def formatter():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and re.search(rb"version 14\.", subprocess.run([path, "--version"], stdout=subprocess.PIPE).stdout):
            return path
    return None


def sources():
    for where, folders, names in os.walk(ROOT):
        folders[:] = [d for d in folders if not d.startswith(".") and d not in NOT]
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(where, name), ROOT)


def main():
    tool = formatter()
    if tool is None:
        print("clang-format 14 is not here: skipped")
        return 77
    p = subprocess.run([tool, "--dry-run", "-Werror"] + sorted(sources()), cwd=ROOT, stderr=subprocess.PIPE)
    found = sorted({line.split(b":")[0] for line in p.stderr.split(b"\n") if b": error: " in line or b": warning: " in line})
    for path in found:
        print("%s is not laid out as .clang-format says" % path.decode())
    return 1 if p.returncode or found else 0


sys.exit(main())
