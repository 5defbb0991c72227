#!/usr/bin/env python3
"""Goal: `cmake --install` puts programs, man pages, units and completions where they belong, units start what was installed, the completion offers what there
is, and docs/OPERATING.md names the libraries that each program needs.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["UNDERSEAL_BUILD"]
PROGRAMS = {"underseal": "bin", "underseal-verify": "bin", "undersealed": "sbin"}
# what a library is called without its version, and the package that has it, without its own
PACKAGES = {"libcrypto": "libssl", "libssl": "libssl", "libsqlite3": "libsqlite", "libevent_core-2.1": "libevent-core-", "libzstd": "libzstd", "libz": "zlib1g",
            "libutf8proc": "libutf8proc", "libyaml-0": "libyaml-0-", "libyajl": "libyajl", "libcjson": "libcjson", "libcurl": "libcurl",
            "libroaring": "libroaring", "libarchive": "libarchive", "libllhttp": "libllhttp"}
OF_THE_SYSTEM = re.compile(r"lib(c|m|asan|ubsan|tsan|gcc_s)\.so|ld-linux")


def installed(prefix):
    """{path: text, or None of a program} below a prefix, installed from a root of its own."""
    with tempfile.TemporaryDirectory() as top:
        p = subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], env=dict(os.environ, DESTDIR=top), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        if p.returncode != 0:
            sys.exit(p.stdout.decode())
        found = {}
        for where, _, names in os.walk(top):
            for name in names:
                path = os.path.join(where, name)
                program = os.path.basename(where) in ("bin", "sbin")
                if os.stat(path).st_mode & 0o777 != (0o755 if program else 0o644):
                    print("%s has mode %o" % (name, os.stat(path).st_mode & 0o777))
                    found["mode"] = None
                if program:
                    said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, check=False).stdout.decode()
                    found[os.path.relpath(path, top)] = said
                else:
                    with open(path, encoding="utf-8") as f:
                        found[os.path.relpath(path, top)] = f.read()
        return found


def libraries(program):
    said = subprocess.run(["readelf", "-d", os.path.join(BUILD, program)], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {name.split(".so")[0] for name in re.findall(r"NEEDED.*\[(.*)\]", said) if not OF_THE_SYSTEM.match(name)}


def completed(*words):
    """What the shell offers for the last word of a command of the client."""
    program = os.path.join(BUILD, "underseal")
    script = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _underseal; printf "%s\\n" "${COMPREPLY[@]}"'
    said = subprocess.run(["bash", "-c", script, os.path.join(ROOT, "packaging", "completions", "underseal"), program, *words],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    return said.split()


def options(command):
    said = subprocess.run([os.path.join(BUILD, "underseal"), *command.split(" "), "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return sorted(set(re.findall("^  (--[a-z-]+)", said, re.M)) | {"--help"})


def main():
    bad = []

    def equal(got, want, what):
        if got != want:
            bad.append(what)
            print("%s: got %r, want %r" % (what, got, want))

    for prefix in ("/usr", "/usr/local"):
        at = prefix.lstrip("/") + "/"
        want = {at + "%s/%s" % (where, name) for name, where in PROGRAMS.items()}
        want |= {at + "share/man/man%s/%s" % (n[-1], n) for n in os.listdir(os.path.join(ROOT, "packaging", "man"))}
        units = os.listdir(os.path.join(ROOT, "packaging", "systemd"))
        want |= {at + "lib/systemd/system/" + n for n in units} | {at + "share/bash-completion/completions/underseal"}
        found = installed(prefix)
        equal(set(found), want, "what is installed below " + prefix)
        starts = 0
        for unit in units:
            for program in re.findall("^ExecStart=(\\S+)", found.get(at + "lib/systemd/system/" + unit, ""), re.M):
                starts += 1
                equal(program.lstrip("/") in found, True, "%s starts %s, which is there" % (unit, program))
        equal(starts > 2, True, "units that start something")
        for name, where in PROGRAMS.items():
            equal(found.get(at + "%s/%s" % (where, name), "").split(" ")[0].strip(), name, name + " says what it is")
    with tempfile.TemporaryDirectory() as top:  # a bare machine: what cannot be tested there is left out, and the programs build
        said = subprocess.run(["cmake", "--preset", "release", "-B", top, "-DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON",
                               "-DCMOCKA_LIBRARY=CMOCKA_LIBRARY-NOTFOUND"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        equal((said.returncode, b"no Python" in said.stdout), (0, True), "a tree is configured without Python and cmocka")
    text = subprocess.run([os.path.join(BUILD, "underseal"), "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    commands = re.findall(r"^  (\S+(?: \S+)?)  +\S", text, re.M)
    equal(len(commands) > 60, True, "commands of the client")
    equal(completed(""), sorted({c.split(" ")[0] for c in commands}), "completion of a command")
    equal(completed("--profile", "x", "--json", "per"), ["person"], "completion behind options")
    for word in ("person", "audit", "copy"):
        equal(completed(word, ""), [c.split(" ")[1] for c in commands if c.startswith(word + " ")], "completion of %s" % word)
    for command in ("person add", "search", "copy", "copy return", "audit verify"):
        equal(completed(*command.split(" "), "--"), options(command), "completion of the options of %s" % command)
    equal(completed("search", "--profile", ""), [], "a directory is completed as such")
    with open(os.path.join(ROOT, "docs", "OPERATING.md"), encoding="utf-8") as f:
        text = f.read()
    if shutil.which("readelf"):
        for name in PROGRAMS:
            row = re.search(r"^\| `%s` \| (.*?) \|" % name, text, re.M)
            listed = set(re.findall(r"`([^`]*)`", row[1] if row else "")) - {"tzdata"}
            needed = {PACKAGES[library] for library in libraries(name)} - {"libllhttp"}
            equal({p for p in needed if not any(l.startswith(p) for l in listed)}, set(), "libraries of %s that OPERATING.md does not list" % name)
            equal({l for l in listed if not any(l.startswith(p) for p in needed)}, set(), "libraries that OPERATING.md lists and %s does not need" % name)
    print("%d complaints" % len(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
