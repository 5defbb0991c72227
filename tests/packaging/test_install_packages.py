#!/usr/bin/env python3
"""Goal: install-packages installs what is missing, and of packages that differ between releases the one that this release has.

dpkg-query, apt-cache, apt-get and sudo are stand-ins that work on three lists: what is installed, what apt offers, and what it will
offer once its lists are fetched.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMAND = os.path.join(ROOT, "packaging", "install-packages")
STANDINS = {
    "dpkg-query": 'for last; do :; done; grep -qx "$last" "$LISTS/installed" && printf "install ok installed"',
    "apt-cache": 'if grep -qx "$2" "$LISTS/offered"; then echo "  Candidate: 1.0"; else echo "  Candidate: (none)"; fi',
    "apt-get": """case $1 in
update) echo update >>"$LISTS/done"; cat "$LISTS/offered-later" >"$LISTS/offered" ;;
install) shift; for p; do case $p in -*) continue ;; esac
    grep -qx "$p" "$LISTS/offered" || { echo "Unable to locate package $p"; exit 100; }
    echo "$p" | tee -a "$LISTS/done" >>"$LISTS/installed"; done ;;
esac""",
    "sudo": 'exec "$@"',
}


def wanted():
    """What the command lists, each a list of alternatives."""
    with open(COMMAND, encoding="ascii") as f:
        lists = re.findall('^(?:build|tests)="([^"]*)"', f.read(), re.M)
    return [one.rstrip("?").split("|") for text in lists for one in text.split()]


class Release:
    def __init__(self, top, name, offered, later=None, installed=()):
        self.lists = os.path.join(top, name)
        os.mkdir(self.lists)
        for file, names in (("offered", offered), ("offered-later", offered if later is None else later), ("installed", installed), ("done", ())):
            with open(os.path.join(self.lists, file), "w", encoding="ascii") as f:
                f.write("".join(n + "\n" for n in names))
        self.env = dict(os.environ, LISTS=self.lists, PATH=os.path.join(top, "bin") + ":" + os.environ["PATH"])

    def run(self):
        """Exit status, what was done, what was said."""
        p = subprocess.run(["sh", COMMAND, "test"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        path = os.path.join(self.lists, "done")
        with open(path, encoding="ascii") as f:
            done = f.read().split()
        open(path, "w", encoding="ascii").close()
        return p.returncode, done, p.stdout.decode()


def main():
    bad = []

    def equal(got, want, what):
        if got != want:
            bad.append(what)
            print("%s: got %r, want %r" % (what, got, want))

    first, last = ([one[i] for one in wanted()] for i in (0, -1))
    every = sorted(set(first + last))
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(os.path.join(top, "bin"))
        for name, text in STANDINS.items():
            with open(os.path.join(top, "bin", name), "w", encoding="ascii") as f:
                f.write("#!/bin/sh\n" + text + "\n")
            os.chmod(os.path.join(top, "bin", name), 0o755)
        equal(first != last, True, "some packages differ between releases")
        for name, offered, want in (("new", every, first), ("old", last, last), ("newest", first, first)):
            release = Release(top, name, (), later=offered)
            equal(release.run()[:2], (0, ["update"] + want), "a new machine, whose lists are not fetched: " + name)
            equal(release.run(), (0, [], ""), "the second time: " + name)
        equal(Release(top, "has_old", every, installed=last).run()[:2], (0, ["update"] + [f for f in first if f not in last]),
              "what this release no longer builds with does not count")
        bare = [p for p in first if p != "clang-format-14"]
        equal(Release(top, "without", bare).run()[:2], (0, ["update"] + bare), "what is only worth having, and is not offered")
        equal(Release(top, "all_but", first, installed=bare).run(), (0, [], ""), "what is only worth having is not asked for alone")
        equal(Release(top, "only_old", (), later=last, installed=last).run(), (0, [], ""), "what is there is enough")
        code, done, said = Release(top, "none", (), later=[p for p in every if p != "zlib1g-dev"]).run()
        equal((code, "Unable to locate package zlib1g-dev" in said and "could not install:" in said), (1, True), "what apt does not have")
    print("%d packages, %d complaints" % (len(every), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
