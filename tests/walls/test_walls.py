#!/usr/bin/env python3
"""Goal: the walls of the house stand. What may include what is one list; a name says where it is from; nothing gets longer.

The figures are those of tests/figures/structure; limits.txt says how many of each there may be, and no more than there are.
"""
import json
import os
import re
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


# What one file does for all others: a call of it stands nowhere else in the product.
HOMES = {"base/number.c": r"\b(?:strto(?:l|ul|ll|ull|imax|umax)|atoi|atol|atoll)\(", "base/array.c": r"\brealloc(?:array)?\("}


def homes(_):
    folders = ["base"] + [line.partition(":")[0] for line in lines("arrows.txt")]
    for path in (os.path.join(folder, name) for folder in folders for name in os.listdir(os.path.join(ROOT, folder))):
        if not path.endswith((".c", ".h")):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                for home, call in HOMES.items():
                    if path != home and re.search(call, line) and not re.match(r"\s*(?:/?\*|//)", line):
                        yield "%s:%d: %s does this for everybody" % (path, number, home)


# Nothing else in the client puts a byte on a stream, or makes a file: what is safe there is decided once. A pattern, and who may.
WRITERS = {
    r"\b(?:v?f?printf|v?dprintf|f?puts|f?putc|f?putwc|putchar(?:_unlocked)?|put[cs]_unlocked|fwrite(?:_unlocked)?|fputs_unlocked|psignal|"
    r"v?warnx?|v?errx?|perror|writev|pwrite|sendfile|copy_file_range|splice|system|popen)\(": {"core/out.c"},
    r"\bwrite\(": {
        "core/profile.c",  # keys, synced before they are renamed
        "log/mirror_files.c",  # a bundle, before it is renamed
        "core/show.c",  # a prompt, on the terminal itself
    },
    r'\b(?:fopen|freopen)\([^;]*"(?:[wa]|r[be]*\+)|\bcreat\(|\bmko?stemps?\(|\bO_CREAT\b': {"core/file.c", "core/profile.c", "log/witness.c", "log/mirror_files.c"},
    r"\b(?:mkdir|mkdirat|fchmod|chmod)\([^;]*\b0?(?!700|600)[0-7]{3}\)|\bumask\(": set(),
}


def writers(_):
    """One writer for what is shown, one maker of files (0600) in the client."""
    used = set()
    for where, _, names in os.walk(os.path.join(ROOT, "client")):
        for path in (os.path.relpath(os.path.join(where, name), os.path.join(ROOT, "client")) for name in names if name.endswith((".c", ".h"))):
            with open(os.path.join(ROOT, "client", path), encoding="utf-8") as f:
                text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), f.read(), flags=re.S)
            for pattern, allowed in WRITERS.items():
                for call in re.finditer(pattern, text):
                    if path in allowed:
                        used.add((pattern, path))
                    else:
                        yield "client/%s:%d: %s is for %s alone" % (path, text.count("\n", 0, call.start()) + 1, call.group().split("(")[0],
                                                                   " ".join(sorted(allowed)) or "nobody")
    for pattern, allowed in WRITERS.items():
        for path in allowed:
            if (pattern, path) not in used:
                yield "client/%s does no longer what it is allowed here: %s" % (path, pattern)


def guards(_):
    """A header is guarded by its path, so that no two of them can take each other's place."""
    seen = 0
    for where, folders, names in os.walk(ROOT):
        folders[:] = [d for d in folders if not d.startswith(".") and d != "build"]
        for path in (os.path.relpath(os.path.join(where, name), ROOT) for name in names if name.endswith(".h")):
            seen += 1
            guard = "US_%s" % re.sub(r"[^A-Za-z0-9]", "_", path).upper()
            with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                if "#ifndef %s\n#define %s\n" % (guard, guard) not in f.read():
                    yield "%s: its guard is not %s" % (path, guard)
    if not seen:
        yield "there are no headers to look at"


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
    found = [f for wall in (arrows, names, homes, writers, guards, limits) for f in wall(measured)]
    for f in found:
        print(f)
    return 1 if found else 0


sys.exit(main())
