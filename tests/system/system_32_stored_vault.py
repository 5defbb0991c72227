#!/usr/bin/env python3
"""Goal: a vault, made by programs of November 2026 and stored since, opens, reads, verifies and goes on; its export is accepted.

stored/vault_2026_11.tar.zst was made by those programs' own scenario harness: 400 lines of generated words, a search, reads, a copy, a
refused read, a person added, a challenge, a freeze that was lifted, a credential revoked, a load that is held, an export. Its people's certificates end in
2027, so the clock of the test is the day after it was made.
"""
import atexit
import calendar
import os

os.environ.setdefault("UNDERSEAL_TEST_DAEMON", "undersealed-hooks")  # a clock that is moved
from harness import *

STORED = os.path.join(ROOT, "tests", "system", "stored", "vault_2026_11.tar.zst")
CLOCK = os.path.join(os.environ.get("UNDERSEAL_TEST_TOOLS", os.path.join(BUILD, "tests")), "shifted_clock.so")
DAY_AFTER = calendar.timegm((2026, 12, 1, 0, 0, 0))
PORT = 18900
ADMITTED = 386  # of 400 lines: the others say again what an earlier one says
VERIFIERS = [[VERIFY], [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]]


def unpack(base):
    packed = subprocess.Popen(["zstd", "-dc", STORED], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", base], stdin=packed.stdout, check=True)
    equal(packed.wait(), 0, "the stored vault is unpacked")


def replace(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def stored_vault():
    """As it was, on the port of this test; its roles run as one user, as those did that made it."""
    vault = Vault(PORT)
    unpack(vault.base)
    conf = os.path.join(vault.data, "undersealed.conf")
    replace(conf, "listen=127.0.0.1:%d" % PORT, "listen=127.0.0.1:%d" % vault.port)
    replace(conf, "users=shared\n", "users=nobody\n" if is_root() else "")
    if is_root():  # the programs that made it ran every role as root, these none
        for role in ("keeper", "vault"):
            run(["chown", "-R", "nobody:", os.path.join(vault.data, role)])
    for who in os.listdir(vault.profiles):
        replace(os.path.join(vault.profile(who), "profile.conf"), ":%d" % PORT, ":%d" % vault.port)
    return vault


def set_clock(vault):
    clock = tempfile.mkdtemp(prefix="us-clock-", dir="/tmp")  # where every role's user may go
    os.chmod(clock, 0o755)
    atexit.register(shutil.rmtree, clock, True)
    shutil.copy(CLOCK, clock)
    with open(os.path.join(clock, "shift"), "wb") as f:
        f.write(struct.pack("=q", DAY_AFTER - int(time.time())))
    vault.env.update(LD_PRELOAD=os.path.join(clock, "shifted_clock.so"), SHIFTED_CLOCK=os.path.join(clock, "shift"),
                     ASAN_OPTIONS=vault.env["ASAN_OPTIONS"] + ":verify_asan_link_order=0")


def bates(i):
    return "DEMO%09d" % (i + 1)


def loaded(vault, name="a.jsonl"):
    with open(os.path.join(vault.base, name), "rb") as f:
        return {json.loads(line)["id"]: line for line in f.read().split(b"\n")[:-1]}


def accepted(vault, export, what):
    for verifier in VERIFIERS:
        p = subprocess.run(verifier + [export, "--vkey", os.path.join(vault.out, "log.vkey")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env={k: v for k, v in vault.env.items() if k != "LD_PRELOAD"})
        equal(p.returncode, 0, "%s is accepted by %s: %s" % (what, os.path.basename(verifier[-1]), p.stdout.decode("utf-8", "replace")[-600:]))


def reads(vault, lines):
    _, records = vault.read([bates(i) for i in range(ADMITTED)])
    found = [json.loads(record)["record"]["id"] for record in records]
    equal(len(set(found)), ADMITTED, "records read, each once")
    for record, name in zip(records, found):
        check(lines[name] in record, "record %s is the line that was loaded" % name)
    return found


def finds(vault, texts):
    word = re.compile(r"\bharbour\b", re.I)
    want = sum(1 for line in texts if word.search(" ".join(m["content"] for m in json.loads(line)["messages"])))
    equal(vault.count("harbour"), want, "records with a word")
    return want


def scenario():
    vault = stored_vault()
    set_clock(vault)
    lines = loaded(vault)
    step("what it exported then")
    accepted(vault, os.path.join(vault.base, "export"), "the export of then")
    step("it opens")
    vault.serve().unseal()
    step("it reads")
    found = reads(vault, lines)
    step("%d records, %d with a word" % (len(found), finds(vault, [lines[name] for name in found])))
    step("it verifies")
    vault.client("auditor", "audit", "verify")
    step("it goes on")
    more = write_lines(os.path.join(vault.base, "more.jsonl"), generate(20, 9, long_every=0))
    vault.load(more)
    vault.add_person("Carol Clerk", "clerk", capacity="counsel-staff")
    vault.stop()
    vault.serve().unseal()
    reads(vault, lines)
    vault.client("auditor", "audit", "verify")
    export = os.path.join(vault.base, "export-now")
    vault.client("auditor", "audit", "export", "--out", export)
    accepted(vault, export, "the export of now")
    vault.stop()


main(scenario)
