#!/usr/bin/env python3
"""Goal: a certification is drafted only over what verifies, and its package checks itself.

A copy is taken, the log exported; drafts under 902(13) and 902(14) are made offline. The list of digests fits every file of each package, the
verifier in the package accepts the log in it, the declaration names the copy's digest, the log's size and its root. A log with one flipped
bit is certified by nobody.
"""
import base64

from harness import *


def check_package(vault, dir):
    r = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(r.returncode, 0, "sha256sum: %s" % r.stdout.decode())
    listed = {line.split("  ", 1)[1] for line in open(os.path.join(dir, "SHA256SUMS")).read().splitlines()}
    there = {os.path.relpath(os.path.join(d, f), dir) for d, _, files in os.walk(dir) for f in files}
    equal(listed, there - {"SHA256SUMS"}, "every file is listed")
    vkey = open(os.path.join(vault.profile("attorney"), "profile.conf")).read().split("vkey=", 1)[1].split("\n", 1)[0]
    key = os.path.join(vault.base, "published.vkey")
    with open(key, "w") as f:
        f.write(vkey + "\n")
    for verifier in ([os.path.join(dir, "underseal-verify")], [sys.executable, os.path.join(dir, "verify_log.py")]):  # both come with it
        r = run(verifier + [os.path.join(dir, "log"), "--vkey", key], env=vault.env)
        equal(r.returncode, 0, "the package's verifier: %s" % (r.stdout + r.stderr).decode())
    return open(os.path.join(dir, "declaration.txt")).read()


def scenario():
    vault = Vault(20160).demo()
    vault.load(write_lines(vault.base + "/a.jsonl", generate(40, 16, long_every=0)))
    copy = os.path.join(vault.base, "copy-1.txt")
    vault.client("attorney", "copy", "demo", "DEMO000000001", "DEMO000000002", "--recipient", "Expert E", "-o", copy, as_json=False)
    export = os.path.join(vault.base, "export")
    vault.client("auditor", "audit", "export", "--out", export)
    checkpoint = open(os.path.join(export, "checkpoint")).read().splitlines()

    step("902(13): the system and its record")
    one = os.path.join(vault.base, "one")
    vault.client("attorney", "certify", "902-13", "--log", export, "--out", one)
    text = check_package(vault, one)
    for part in ("902(13)", "under penalty of perjury", checkpoint[0], checkpoint[2], "Entries:         " + checkpoint[1]):
        check(part in text, "the declaration says", part, text)
    check("Executed on ____" in text, "nobody has signed it", text)

    step("902(14): copies by digest")
    two = os.path.join(vault.base, "two")
    r = vault.client("attorney", "certify", "902-14", copy, "--log", export, "--out", two).json
    equal((r["rule"], r["files"]), ("902-14", 1), "the answer")
    text = check_package(vault, two)
    digest = hashlib.sha256(open(copy, "rb").read()).hexdigest()
    check("data/copy-1.txt" in text and digest in text and checkpoint[2] in text, "the declaration names the copy", text)

    step("what does not verify is not certified; nothing is overwritten")
    vault.client("attorney", "certify", "902-13", "--log", export, "--out", one, code=OTHER)
    vault.client("attorney", "certify", "902-14", "--log", export, "--out", vault.base + "/x", code=USAGE)
    bundle = next(os.path.join(d, f) for d, _, files in os.walk(os.path.join(export, "tile", "entries")) for f in files)
    os.chmod(bundle, 0o600)
    data = bytearray(open(bundle, "rb").read())
    data[len(data) // 2] ^= 1
    with open(bundle, "wb") as f:
        f.write(data)
    r = vault.client("attorney", "certify", "902-13", "--log", export, "--out", vault.base + "/three", code=UNVERIFIED)
    check("TAMPERED" in r.stderr and not os.path.exists(vault.base + "/three"), "and no package is made", r)
    vault.stop()


main(scenario)
