#!/usr/bin/env python3
"""Goal: ./quickstart does what it says, the second time as the first, in a path with blanks, from elsewhere, with files of one's own.

The programs are those of this build, put where it builds; cmake, ctest and install-packages are stand-ins. All else is real: a vault, a daemon,
people. It runs in a checkout of its own, on ports that were free.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["UNDERSEAL_BUILD"]
PROGRAMS = ("undersealed", "underseal", "underseal-verify")
STANDIN = """#!/bin/sh
case $1 in
--preset) mkdir -p "$4"; printf 'CMAKE_CACHEFILE_DIR:INTERNAL=%s\\nCMAKE_HOME_DIRECTORY:INTERNAL=%s\\n' "$4" "$PWD" >"$4/CMakeCache.txt" ;;
--build) cp --remove-destination "$BUILT"/undersealed "$BUILT"/underseal "$BUILT"/underseal-verify "$2/" ;;
esac
"""


class Quickstart:
    """A checkout below a path with a blank, and what runs of it said."""

    def __init__(self, top):
        self.top = top
        self.place = os.path.join(top, "a check out")
        os.makedirs(os.path.join(self.place, "packaging"))
        os.makedirs(os.path.join(top, "bin"))
        for name in ("quickstart", "packaging/configure"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.place, name))
        shutil.copytree(os.path.join(ROOT, "policy"), os.path.join(self.place, "policy"))
        for path, text in ((os.path.join(self.place, "packaging", "install-packages"), "#!/bin/sh\n"), (os.path.join(top, "bin", "cmake"), STANDIN)):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(path, 0o755)
        self.failed = 0

    def run(self, *args, cwd=None, code=0, says=(), **variables):
        # the people of a machine are not ours to change: whoever runs this has the users, or one for all roles
        env = dict(os.environ, BUILT=BUILD, PATH=os.path.join(self.top, "bin") + ":" + os.environ["PATH"], **variables)
        env.pop("UNDERSEAL_BUILD_DIR", None)
        p = subprocess.run([os.path.join(self.place, "quickstart"), *args], cwd=cwd or self.top, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=400, check=False)
        said = p.stdout.decode("utf-8", "replace")
        for words in (says if isinstance(says, tuple) else (says,)):
            self.expect(words in said, "%s does not say %r" % (args, words), said)
        self.expect(p.returncode == code, "%s ends with %d, wanted %d" % (args, p.returncode, code), said)
        print("quickstart %s: %d" % (" ".join(args), p.returncode), flush=True)
        return said

    def expect(self, what, message, detail=""):
        if not what:
            self.failed += 1
            print("%s\n%s" % (message, detail[-3000:]), flush=True)

    def client(self, who, *args):
        p = subprocess.run([os.path.join(self.place, "build", "release", "underseal"), *args, "--profile", os.path.join(self.place, "build", "demo", "profiles", who)],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return p.returncode, p.stdout.decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def mine(path):
    """A record of one's own, in a file with a relative name."""
    with open(path, "w", encoding="ascii") as f:
        f.write(json.dumps({"id": "mine/1", "messages": [{"role": "user", "content": "please"}, {"role": "assistant", "content": "ownword71"}]}) + "\n")


def follow(q):
    port, other = free_port(), free_port()
    for option in ("--help", "-h"):
        q.expect("usage: ./quickstart" in q.run(option), "no usage")
    q.expect(not os.path.exists(os.path.join(q.place, "build")), "--help has made something")
    q.run("--frobnicate", code=2, says="there is no option --frobnicate")
    q.run("nowhere.jsonl", code=2, says="cannot read nowhere.jsonl")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(other)))
        taken.listen(1)
        q.run(code=2, says="listens on 127.0.0.1:%s already" % other, UNDERSEAL_PORT=other)
        q.expect(not os.path.exists(os.path.join(q.place, "build", "demo", "data")), "a taken port is found before anything is made")
    q.run(says=("entries match the signed checkpoint", "The vault is running on 127.0.0.1:%s" % port), UNDERSEAL_PORT=port)
    q.run(says="The vault is running on 127.0.0.1:%s" % port)  # the second time, on the port of the first
    elsewhere = os.path.join(q.top, "else where")
    os.mkdir(elsewhere)
    mine(os.path.join(elsewhere, "my own.jsonl"))
    q.run("my own.jsonl", cwd=elsewhere, says="The vault is running")
    q.expect("1" in q.client("attorney", "search", "demo", "ownword71", "--count")[1], "what was loaded from elsewhere is not found")
    q.run(says=("the vault listened on port %s: from now on it is %s" % (port, other), "running on 127.0.0.1:%s" % other), UNDERSEAL_PORT=other)
    code, said = q.client("auditor", "freeze", "--scope", "all", "--authority", "a stay")
    q.expect(code == 0, "a freeze", said)
    q.run(says="underseal unfreeze freeze-1")
    code, said = q.client("auditor", "unfreeze", "freeze-1", "--authority", "its end")
    q.expect(code == 0, "the freeze's end", said)
    q.run("--stop", says="has ended")
    os.rename(q.place, q.place + " moved")
    q.place += " moved"
    said = q.run(says="The vault is running")
    for line in re.findall(r"^  (underseal(?:-verify)? (?:search|audit|/).*)$", said, re.M):
        p = subprocess.run(["bash", "-c", 'PATH="$1:$PATH"; eval "$2"', "-", os.path.join(q.place, "build", "release"), line], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        q.expect(p.returncode == 0, "what it says to try: %s" % line, p.stdout.decode())
    q.run("--reset", "x", code=2)
    q.run("--reset", says="there is no demonstration's vault any more")
    q.expect(not os.path.exists(os.path.join(q.place, "build", "demo", "data")), "the vault is there after --reset")
    q.run(says="The vault is running")
    q.run("--reset")


def main():
    with tempfile.TemporaryDirectory() as top:
        q = Quickstart(os.path.realpath(top))
        try:
            follow(q)
        finally:
            q.run("--reset")
    print("%d complaints" % q.failed)
    return 1 if q.failed else 0


if __name__ == "__main__":
    sys.exit(main())
