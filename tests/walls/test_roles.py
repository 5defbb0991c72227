#!/usr/bin/env python3
"""Goal: what a role can call is a list by hand. All roles are one program, so nothing but this keeps a parser out of the keeper.

From the objects of a role's own folder the test goes on to every object whose names these use, and so on (nm), and holds the
folders, the files, and the libraries of others that are reached against roles.txt, both ways. It looks at whole objects: what
shares a file with what is used counts as used.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("UNDERSEAL_BUILD", os.path.join(ROOT, "build", "release"))
PROGRAM = os.path.join(BUILD, "undersealed")
# Part of the C library and the compiler, in a sanitizer build too.
EVERYBODYS = re.compile(r"lib(c|m|gcc_s|asan|ubsan|tsan|pthread)\b|ld-linux")


def out(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode("utf-8", "replace")


def product():
    """{object: source} of the product, sources of others by the name of their folder."""
    found = {}
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        for c in json.load(f):
            made = c.get("output") or re.search(r" -o (\S+)", c["command"]).group(1)
            made, source = os.path.join(c["directory"], made), os.path.realpath(c["file"])
            inside = os.path.relpath(source, ROOT)
            inside = re.sub(r"^.*/generated/", "", source) if "/generated/" in source else inside
            if inside.startswith(".."):
                inside = "(%s)" % os.path.basename(os.path.dirname(source))
            if not inside.startswith(("tests/", "bench/")) and os.path.exists(made):
                found[made] = inside
    return found


def names(objects):
    """({object: names it uses}, {name: object that has it})"""
    used, home = {}, {}
    objects = sorted(objects)
    for at in range(0, len(objects), 200):
        for line in out("nm", "-g", "-A", "-P", *objects[at:at + 200]).split("\n"):
            m = re.match(r"(.*?): (\S+) (\w)", line)
            if m and m.group(3) in "Uvw":
                used.setdefault(m.group(1), set()).add(m.group(2))
            elif m:
                home.setdefault(m.group(2), m.group(1))
    return used, home


def libraries():
    """{name: library of others}, of all that the daemon is linked with."""
    found = {}
    for path in re.findall(r"=> (\S+)", out("ldd", PROGRAM)):
        library = re.match(r"lib(.*?)(-[\d.]+)?\.so", os.path.basename(path))
        if not library or EVERYBODYS.match(os.path.basename(path)):
            continue
        for line in out("nm", "-D", "-g", "-P", path).split("\n"):
            f = line.split()
            if len(f) > 1 and f[1] not in "Uvw":
                found.setdefault(f[0].split("@")[0], library.group(1))
    return found


def reached(folder, objects, used, home, others):
    """What the role reaches: ({folder or file}, {library: names of it})."""
    todo = [o for o, source in objects.items() if os.path.dirname(source) == folder]
    seen, outside = set(todo), {}
    while todo:
        for name in used.get(todo.pop(), ()):
            at = home.get(name)
            if at is None and name in others:
                outside.setdefault(others[name], set()).add(name)
            elif at is not None and at not in seen:
                seen.add(at)
                todo.append(at)
    for o in seen:
        if objects[o].startswith("("):
            outside.setdefault(objects[o].strip("()"), set())
    return {objects[o] for o in seen if not objects[o].startswith("(")}, outside


def lists():
    """[(role, kind, words)] of roles.txt; kind is "folders", "libraries", "never" or "files FOLDER"."""
    found = []
    with open(os.path.join(HERE, "roles.txt"), encoding="utf-8") as f:
        for line in f:
            line = line.split("#")[0].strip()
            if line:
                head, _, rest = line.partition(":")
                role, _, kind = head.partition(" ")
                found.append((role, kind, rest.split()))
    return found


def compare(what, allowed, there):
    for x in sorted(there - allowed):
        yield "%s reaches %s: not in roles.txt" % (what, x)
    for x in sorted(allowed - there):
        yield "%s does not reach %s: roles.txt need not have it" % (what, x)


def main():
    if not os.path.exists(PROGRAM):
        print("%s is not built" % PROGRAM)
        return 77
    objects, others = product(), libraries()
    used, home = names(objects)
    found, roles = [], {}
    for role, kind, words in lists():
        if role not in roles:
            roles[role] = reached("daemon/" + role, objects, used, home, others)
        files, outside = roles[role]
        if not files:
            found.append("%s has no objects" % role)
        elif kind == "folders":
            own = "daemon/" + role
            found += compare(role, set(words), {os.path.dirname(f) for f in files} - {own})
        elif kind == "libraries":
            found += compare(role, set(words), set(outside))
        elif kind == "never":
            calls = {n for names_of in outside.values() for n in names_of}
            found += ["%s calls %s, which it never may" % (role, n) for n in sorted(calls) if any(re.fullmatch(w, n) for w in words)]
        elif kind.startswith("files "):
            where = kind.split()[1]
            found += compare(role, set(words), {os.path.basename(f) for f in files if os.path.dirname(f) == where})
        else:
            found.append("roles.txt: %s of %s is no kind of list" % (kind, role))
    missing = {d for d in os.listdir(os.path.join(ROOT, "daemon")) if os.path.isdir(os.path.join(ROOT, "daemon", d))}
    for role in sorted(missing - set(roles) - {"process", "offline"}):
        found.append("roles.txt says nothing of %s" % role)
    for f in found:
        print(f)
    return 1 if found else 0


sys.exit(main())
