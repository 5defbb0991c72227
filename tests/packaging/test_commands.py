#!/usr/bin/env python3
"""Goal: ./check builds what the chosen tests need and ./quickstart the programs, where they are told to; a copied or moved tree is configured anew.

Both run in a checkout of their own that has nothing but them; cmake, ctest and install-packages are stand-ins that write down how they are called.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("UNDERSEAL_BUILD")
NEEDS = "test_one test_one\ntest_two programs tool\ntest_three tool other\ntest_none\n"
STANDINS = {
    "cmake": """echo "cmake $*" >>"$CALLS"
case $1 in
--preset) mkdir -p "$4/tests"; printf '%s' "$NEEDS" >"$4/tests/needs"
    printf 'CMAKE_CACHEFILE_DIR:INTERNAL=%s\\nCMAKE_HOME_DIRECTORY:INTERNAL=%s\\n' "$4" "$PWD" >"$4/CMakeCache.txt" ;;
--build) exit "${BUILD_STATUS:-0}" ;;
esac""",
    "ctest": """case " $* " in
*" -N "*) echo "Test project /x"; n=0; for t in $CHOSEN; do n=$((n + 1)); printf '  Test %3s: %s\\n' "#$n" "$t"; done; echo; echo "Total Tests: $n" ;;
*) echo "ctest $*" >>"$CALLS" ;;
esac""",
}


class Checkout:
    def __init__(self, top, name):
        self.top, self.path, self.calls = top, os.path.join(top, name), os.path.join(top, "calls")
        os.makedirs(os.path.join(self.path, "packaging"))
        for file in ("check", "quickstart", "packaging/configure"):
            shutil.copy(os.path.join(ROOT, file), os.path.join(self.path, file))
        with open(os.path.join(self.path, "packaging", "install-packages"), "w", encoding="ascii") as f:
            f.write('#!/bin/sh\necho "install-packages $*" >>"$CALLS"\n')
        os.chmod(os.path.join(self.path, "packaging", "install-packages"), 0o755)

    def run(self, command, *arguments, **variables):
        """Exit status, calls, what was said."""
        open(self.calls, "w", encoding="ascii").close()
        env = dict(os.environ, CALLS=self.calls, NEEDS=NEEDS, CHOSEN=variables.pop("chosen", ""), **variables)
        env["PATH"] = os.path.join(self.top, "bin") + ":" + env["PATH"]
        p = subprocess.run([os.path.join(self.path, command), *arguments], cwd=self.top, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
        with open(self.calls, encoding="ascii") as f:
            return p.returncode, f.read().split("\n")[:-1], p.stdout.decode()

    def files(self):
        return sorted(os.path.join(w, n) for w, _, names in os.walk(self.path) for n in names)


def main():
    bad = []

    def equal(got, want, what):
        if got != want:
            bad.append(what)
            print("%s: got %r, want %r" % (what, got, want))

    with tempfile.TemporaryDirectory() as top:
        top = os.path.realpath(top)
        os.mkdir(os.path.join(top, "bin"))
        for name, text in STANDINS.items():
            with open(os.path.join(top, "bin", name), "w", encoding="ascii") as f:
                f.write("#!/bin/sh\n" + text + "\n")
            os.chmod(os.path.join(top, "bin", name), 0o755)
        tree = Checkout(top, "one")
        run = "ctest --test-dir %s/debug --output-on-failure --no-tests=error -j " + str(2 * len(os.sched_getaffinity(0)))
        for command in ("check", "quickstart"):
            for option in ("--help", "-h"):
                code, calls, said = tree.run(command, option)
                equal((code, calls, "UNDERSEAL_BUILD_DIR" in said and "usage: ./" + command in said), (0, [], True), "%s %s" % (command, option))

        # what is built
        build = tree.path + "/build"
        start = ["install-packages test", "cmake --preset debug -B %s/debug" % build]
        equal(tree.run("check")[:2], (0, start + ["cmake --build %s/debug" % build, run % build]), "everything")
        for chosen, targets in (("test_one", "test_one"), ("test_two test_three", "programs tool other"), ("test_none test_one", "test_one")):
            equal(tree.run("check", "-R", "x", chosen=chosen)[:2],
                  (0, start + ["cmake --build %s/debug --target %s" % (build, targets), run % build + " -R x"]), "what %s needs" % chosen)
        equal(tree.run("check", "-R", "none", chosen="test_none")[:2], (0, start + [run % build + " -R none"]), "a test that needs nothing")
        equal(tree.run("check", "-R", "y")[:2], (0, start + [run % build + " -R y"]), "no such test: said by ctest")
        equal(tree.run("check", "-N", chosen="test_one")[:2], (0, start), "a list of tests")
        equal(tree.run("check", "-R", "x", chosen="test_one", BUILD_STATUS="1")[:2],
              (1, start + ["cmake --build %s/debug --target test_one" % build]), "what does not build is not run")
        equal(tree.run("quickstart", BUILD_STATUS="1")[:2],
              (1, ["install-packages build", "cmake --preset release -B %s/release" % build, "cmake --build %s/release --target programs" % build]),
              "the quickstart builds programs")

        # elsewhere, and nothing in the checkout
        shutil.rmtree(build)
        before = tree.files()
        for where in (top + "/elsewhere", "beside"):
            there = os.path.join(top, where)
            equal(tree.run("check", UNDERSEAL_BUILD_DIR=where)[1][1:], ["cmake --preset debug -B %s/debug" % there, "cmake --build %s/debug" % there, run % there],
                  "a build in " + where)
            equal(tree.run("quickstart", UNDERSEAL_BUILD_DIR=where, BUILD_STATUS="1")[1][1:],
                  ["cmake --preset release -B %s/release" % there, "cmake --build %s/release --target programs" % there], "a quickstart in " + where)
        equal(tree.files(), before, "nothing is written in the checkout")

        # a tree that was copied, then moved
        tree.run("check")
        copy = Checkout(top, "two")
        shutil.copytree(build, copy.path + "/build")
        anew = "cmake --preset debug -B %s/debug --fresh"
        equal(copy.run("check")[1][1], anew % (copy.path + "/build"), "a copy")
        equal(copy.run("check")[1][1], (anew % (copy.path + "/build"))[:-8], "a copy, the second time")
        os.rename(copy.path, top + "/three")
        copy.path = top + "/three"
        equal(copy.run("check")[1][1], anew % (copy.path + "/build"), "a tree that was moved")
        tree.run("check", UNDERSEAL_BUILD_DIR="shared")
        equal(copy.run("check", UNDERSEAL_BUILD_DIR="shared")[1][1], anew % (top + "/shared"), "the build directory of another tree")

    # what each test needs is written down
    if BUILD:
        listed = subprocess.run(["ctest", "--test-dir", BUILD, "-N"], stdout=subprocess.PIPE, check=True).stdout.decode()
        with open(os.path.join(BUILD, "tests", "needs"), encoding="ascii") as f:
            equal(sorted(line.split()[0] for line in f), sorted(re.findall(r"^ *Test +#\d+: (\S+)", listed, re.M)), "every test says what it needs")
    print("%d complaints" % len(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
