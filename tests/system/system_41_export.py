#!/usr/bin/env python3
"""Goal: everything in an export is checked: a flipped byte of any file is found by both verifiers, what is left out is missed, and what mail does to lines is told
from tampering.

The export has all there can be: acts, keys of all boxes, a hand-over, cosignatures (judged by a policy that names the witness). What lies in it is listed here: a file that is new
fails until its bytes are checked.
"""
from harness import *

VERIFIERS = [[VERIFY], [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]]
FILES = r"checkpoint(\.witnessed(\.\d+)?)?|log\.vkey|handovers|keys\.jsonl|acts|tile/(entries|\d)/[x0-9/]+(\.p/\d+)?"
TEXTS = ("checkpoint", "checkpoint.witnessed", "log.vkey", "handovers", "keys.jsonl")
FLIPS = 3  # of each file, beside its first and its last byte


def files_of(directory):
    return sorted(os.path.relpath(os.path.join(where, name), directory) for where, _, names in os.walk(directory) for name in names)


class Export:
    """A copy that is spoilt in one place, and what both verifiers say of it."""

    def __init__(self, vault, source, policy):
        self.vault, self.source, self.policy, self.copy = vault, source, policy, source + ".copy"
        self.tried = 0

    def spoilt(self, name, change):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.source, self.copy)
        path = os.path.join(self.copy, name)
        with open(path, "rb") as f:
            data = change(f.read())
        os.unlink(path)
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
        return self.verdicts(self.copy)

    def verdicts(self, directory):
        out = []
        for program in VERIFIERS:
            r = run(program + [directory, "--json", "--policy", self.policy], env=self.vault.env)
            said = json.loads(r.stdout)
            out.append((r.returncode, said["verdict"], said["index"], said["detail"]))
        self.tried += 1
        equal(out[0][:3], out[1][:3], "both verifiers say the same: %s" % (out,))
        return out[0]


def make_export(vault):
    vault.load(write_lines(vault.base + "/a.jsonl", generate(300, 41, long_every=0)))
    for i in range(3):
        vault.read(["DEMO%09d" % (i + 1)])
    vault.client("auditor", "audit", "witness", "--vkey", "--name", "test.example/w1", as_json=False)
    key = vault.client("auditor", "audit", "witness", "--vkey", as_json=False).stdout.decode().strip().split("\n")[-1]
    vault.stop()
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        f.write("witnesses=%s\n" % key)
    r = run([DAEMON, "handover", "--data", vault.data, "--reason", "key"], env=vault.env)
    equal(r.returncode, DONE, "a hand-over: %s" % r.stderr.decode())
    vault.serve()
    vault.client("admin", "unseal", vault.share(1), code=None)  # the profile is told of the hand-over first
    vault.unseal()
    vault.read(["DEMO000000004"])
    vault.client("auditor", "audit", "witness")
    vault.read(["DEMO000000005"])
    export = os.path.join(vault.base, "export")
    equal(vault.client("auditor", "audit", "export", "--out", export).json["verdict"], "OK", "the export")
    policy = os.path.join(vault.base, "policy")
    with open(policy, "w") as f:
        f.write("witness w %s\nquorum w\n" % key)
    return export, policy


def scenario():
    vault = Vault(20410).demo()
    export, policy = make_export(vault)
    names = files_of(export)
    for name in names:
        check(re.fullmatch(FILES, name), "%s lies in the export, and this test does not know whether its bytes are checked" % name)
    for name in TEXTS + ("acts", "tile/entries/000.p/%s" % "*"):
        check(any(n == name or n.startswith(name[:-1]) for n in names), "the export has %s" % name, names)
    spoilt = Export(vault, export, policy)
    equal(spoilt.verdicts(export)[:2], (0, "OK"), "the export as it is")
    step("a flipped byte in each of %d files" % len(names))
    rng = random.Random(41)
    for name in names:
        size = os.path.getsize(os.path.join(export, name))
        for at in sorted({0, size - 1} | {rng.randrange(size) for _ in range(FLIPS)}):
            bit = 1 << rng.randrange(8)
            code, verdict = spoilt.spoilt(name, lambda b: b[:at] + bytes([b[at] ^ bit]) + b[at + 1:])[:2]
            check(code in (UNVERIFIED, INCOMPLETE) and verdict != "OK", "byte %d of %s, changed, is found (%s)" % (at, name, verdict))
    step("what is left out")
    equal(spoilt.spoilt("acts", lambda b: None)[1], "INCOMPLETE", "without acts, though every box is open")
    n = struct.unpack(">I", open(os.path.join(export, "acts"), "rb").read(4))[0]
    code, verdict, index, _ = spoilt.spoilt("acts", lambda b: b[:4 + n])
    check(verdict == "INCOMPLETE" and index is not None, "without the later acts", verdict, index)
    step("line ends of mail")
    for name in TEXTS:
        code, verdict, index, detail = spoilt.spoilt(name, lambda b: b.replace(b"\n", b"\r\n"))
        check((code, verdict, index) == (INCOMPLETE, "UNVERIFIABLE", None) and "no tampering" in detail and name in detail, "%s with CR LF" % name, verdict, detail)
    step("%d times verified" % spoilt.tried)
    vault.stop()


main(scenario)
