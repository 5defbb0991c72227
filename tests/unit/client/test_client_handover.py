"""Goal: a log that was handed over to another key is followed exactly when docs/PROTOCOL.md, section 9, lets a profile or a witness follow
it: the chain leads from the pinned key to the one that signs, each tree that was handed over is in the log, and what was seen before is in
it, or the hand-over itself says that so much is lost. Everything else is refused, with the status for what is not verified, and leaves the
profile as it was. Logs by the independent encoder, against a vault that is faked.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_log  # noqa: E402
import fake_vault  # noqa: E402
import hostile_handover as handover  # noqa: E402
import hostile_log  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
DONE, UNVERIFIED, INCOMPLETE = 0, 5, 6
st, v = fake_log.st, fake_log.v
fake_log.Answering.SEEDS.update(zip(handover.NAMES, handover.SEEDS))
AT = handover.M   # entries of the log when it was handed over first
SIZE = AT + 4     # and of the log under its third key
LOST = AT + 5     # entries that the first key signed, in a hand-over that says so
FOLLOWED = "nothing that this profile has seen is missing"
MEMORY = ("checkpoint", "witness", "batches", "handovers")

vault = fake_vault.Vault()
failures = []


def run(*args, expect=DONE, says=(), never=()):
    done = subprocess.run([CLIENT, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=200,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    text = done.stderr.decode()
    wrong = [s for s in says if s not in text] + [s for s in never if s in text]
    if done.returncode != expect or wrong or "Sanitizer" in text or "runtime error" in text:
        line = sys._getframe(1).f_lineno
        failures.append("line %d: %s: status %d, not %d; %s; %s" % (line, " ".join(args), done.returncode, expect, wrong, text.strip()[-600:]))
    return done.stdout.decode()


def equal(got, want, what):
    if got != want:
        failures.append("line %d: %s:\n  got  %.300r\n  want %.300r" % (sys._getframe(1).f_lineno, what, got, want))


# -- logs ----------------------------------------------------------------------------------------------------

class Handed(fake_log.Log):
    """What a vault serves of a log that hostile_handover.told() wrote."""

    def __init__(self, name, tell=handover.told, *args, size=SIZE, **kw):
        self.files = hostile_log.Log(vault.path(name))
        os.makedirs(self.files.path, exist_ok=True)
        tell(self.files, *args, **kw)
        self.entries = self.files.bundle(0, size)
        self.acts = st.commit([dict(d) for d in st.story()])
        self.keys = [json.loads(line) for line in bytes(self.files.read("keys.jsonl")).decode().splitlines()]
        self.changed, self.delivered, self.drafts = {}, [], None

    def chain(self):
        return bytes(self.files.read("handovers"))

    def note(self):
        return bytes(self.files.read("checkpoint"))


def first_key(name, n, other=()):
    """The log by its first key, with n entries; those named say something else."""
    drafts = st.long_story(n) if n > AT else st.story()[:n]
    for i in other:
        drafts[i] = dict(drafts[i], records=[1])
    log = fake_log.Log(vault.path(name), drafts)
    log.files.rebuild(log.entries, seed=handover.SEEDS[0], name=handover.NAMES[0], origin=handover.NAMES[0], vkey=True)
    log.root = v.tree_head([v.leaf_hash(e) for e in log.entries])
    return log


# -- the profile ---------------------------------------------------------------------------------------------

def path(name):
    return os.path.join(vault.profile, name)


def read(name):
    if not os.path.exists(path(name)):
        return None
    with open(path(name), "rb") as f:
        return f.read()


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)


def pinned():
    with open(path("profile.conf")) as f:
        return next(line[5:-1] for line in f if line.startswith("vkey="))


def key(n):
    return handover.vkey(handover.SEEDS[n], handover.NAMES[n])


def begin(seen=None, n=0):
    """A profile that pins that key and has seen that log."""
    for name in os.listdir(vault.profile):
        if name.startswith(MEMORY):
            os.remove(path(name))
    vault.pin(key(n))
    if seen is not None:
        vault.log = seen
        run("audit", "verify")
        equal(read("checkpoint") is not None, True, "something is remembered")


def state():
    return {name: read(name) for name in os.listdir(vault.profile) if name.startswith(MEMORY) or name == "profile.conf"}


def follows(log, says=(FOLLOWED,), never=(), command=("audit", "verify")):
    """The profile is one of the newest key afterwards, and keeps the chain and what it had."""
    before = read("checkpoint")
    vault.log = log
    run(*command, says=says + ("the log was handed over at entry %d" % AT,), never=never + ("REFUSED",))
    equal(pinned(), key(2), "the key that is pinned")
    equal(read("handovers"), log.chain(), "the chain that is kept")
    if command == ("audit", "verify"):  # else the log has grown by that command
        equal(read("checkpoint"), log.note(), "what is remembered")
    equal(read("checkpoint.1"), before, "what was remembered by the first key")
    run(*command, never=("handed over", "REFUSED"))  # once


def refuses(log, *says, expect=UNVERIFIED, command=("audit", "verify")):
    before = state()
    vault.log = log
    run(*command, expect=expect, says=says, never=(FOLLOWED,))
    equal(state(), before, "the profile is as it was")


# -- cases ---------------------------------------------------------------------------------------------------

def nothing_is_missing(log, logs):
    begin()
    follows(log, says=("it goes on as %s, under another key" % handover.NAMES[1], "it goes on as %s" % handover.NAMES[2], "(restore)",
                       "on 2027-01-15T08:01:00Z"), never=("WARNING",))
    for seen in (logs[20], logs[AT]):
        begin(seen)
        follows(log, never=("WARNING",))
    begin(logs[20])
    follows(log, command=("audit", "list"))
    begin(n=1)  # of two hand-overs the first was followed before, by whoever gave the key
    vault.log = log
    run("audit", "verify", says=("handed over at entry %d" % (AT + 2),), never=("at entry %d," % AT,))
    equal(pinned(), key(2), "the key that is pinned")
    begin(n=2)
    vault.log = log
    run("audit", "verify", never=("handed over",))
    equal(read("handovers"), None, "nothing was followed")


def in_two_steps(log, logs, once):
    begin(logs[20])
    vault.log = once
    run("audit", "verify", says=(FOLLOWED,))
    equal((pinned(), read("handovers"), read("checkpoint.1")), (key(1), once.chain(), logs[20].note), "after the first")
    vault.log = log
    run("audit", "verify", says=(FOLLOWED, "handed over at entry %d" % (AT + 2)))
    equal((pinned(), read("handovers"), read("checkpoint.1"), read("checkpoint.2")), (key(2), log.chain(), logs[20].note, once.note()),
          "after the second")
    other = Handed("other", handover.told, dict(time="2027-01-15T08:02:00Z"))
    begin(logs[20])
    vault.log = once
    run("audit", "verify")
    refuses(other, "another history of hand-overs")


def something_is_lost(logs):
    lossy = Handed("lossy", handover.told, dict(last=LOST, last_root=logs[LOST].root))
    lost = "WARNING: entries %d to %d had been signed and are lost" % (AT, LOST - 1)
    for n in (20, AT):
        begin(logs[n])
        follows(lossy, says=(FOLLOWED, lost))
    for n in (AT + 1, LOST):
        begin(logs[n])
        batches = [b"1 %d %d %s\n" % (slot, entry, b"ab" * 32) for slot, entry in enumerate((7, AT - 1, AT, AT + 4))]
        write("batches", b"".join(batches))
        follows(lossy, says=("WARNING: this profile has seen %d entries of the old log" % n, "those from %d on" % AT, lost), never=(FOLLOWED,))
        equal(read("batches"), b"".join(batches[:2]), "batches that the log still has")
    begin(logs[LOST + 1])
    refuses(lossy, "Entries are concealed", "this profile has seen %d" % (LOST + 1), "the hand-over knows of %d entries" % LOST)
    begin(first_key("fork", LOST, other=[AT + 1]))
    refuses(lossy, "the old key signed two histories")
    whole = Handed("whole")
    begin(logs[AT + 1])
    refuses(whole, "Entries are concealed")
    begin(first_key("fork-at", AT, other=[12]))
    refuses(whole, "the old key signed two histories")
    begin(first_key("fork-before", 20, other=[12]))
    refuses(whole, "not the one that this profile has seen")


def proofs(log, logs):
    """No hand-over is followed without its proofs."""
    for n, what in ((20, "not the one that this profile has seen"), (AT, "not the one that was handed over at entry %d" % AT),
                    (AT + 2, "not the one that was handed over at entry %d" % (AT + 2))):
        for bad in (b"AA==\n", b"", 404, log.consistency(n - 1, SIZE)):
            begin(logs[20])
            log.changed = {"consistency/%d/%d" % (n, SIZE): bad}
            refuses(log, what)
        log.changed = {"consistency/%d/%d" % (n, SIZE): 503}
        before = state()
        run("audit", "verify", expect=INCOMPLETE)  # the log does not answer
        equal(state(), before, "the profile is as it was")
        log.changed = {}
    short = Handed("short")  # the newest key signs no more than what was handed over to it
    short.files.rebuild(short.entries[:AT + 2], seed=handover.SEEDS[2], name=handover.NAMES[2], origin=handover.NAMES[2])
    begin(logs[20])
    refuses(short, "not the one that was handed over at entry %d" % (AT + 2))


def chains(log, logs):
    begin(logs[20])
    unknown = "a key that this profile does not know"
    half = len(log.chain()) // 2
    for bad in (404, b"", b"nonsense\n", log.chain()[:-1], log.chain() + b"\n", log.chain()[:half]):
        log.changed = {"handovers": bad}
        refuses(log, unknown)
    log.changed = {"handovers": 403}
    refuses(log, expect=INCOMPLETE)
    log.changed = {}
    refuses(Handed("stranger", handover.told, signer=(b"\x09" * 32, handover.NAMES[2])), unknown)
    refuses(Handed("first-only", handover.told, chain=lambda a, b: a), unknown)
    begin()
    vault.pin(handover.vkey(b"\x08" * 32, handover.NAMES[0]))
    refuses(log, unknown)


def who_left(log, logs):
    """A key that handed over may never sign again."""
    begin(logs[20])
    follows(log)
    refuses(logs[AT + 1], "the key of %s, which handed the log over at entry %d and may never sign again" % (handover.NAMES[0], AT))
    vault.log = log
    run("audit", "verify")


def cut_off(log, logs):
    """Following was cut off after the key was written, before what is remembered was."""
    begin(logs[20])
    follows(log)
    write("checkpoint", logs[20].note)
    run("audit", "verify")
    equal(read("checkpoint"), log.note(), "what is remembered")
    write("checkpoint", logs[20].note)
    write("handovers", log.chain()[:-1])
    run("audit", "verify", expect=UNVERIFIED, says=("the profile has been changed",))
    os.remove(path("handovers"))
    run("audit", "verify", expect=UNVERIFIED, says=("the profile has been changed",))


def receipts(log, logs):
    """A receipt of before a hand-over counts by the key of then."""
    begin(logs[LOST])
    for n in (20, AT + 1):
        run("audit", "receipt", str(n), "-o", vault.path("%d.receipt" % n))
    follows(Handed("lossy-2", handover.told, dict(last=LOST, last_root=logs[LOST].root)), says=())
    run("audit", "verify", "--receipt", vault.path("20.receipt"), says=("before it was handed over at entry %d" % AT,), never=("WARNING",))
    run("audit", "verify", "--receipt", vault.path("%d.receipt" % (AT + 1)), says=("WARNING", "has lost it since"))
    write("handovers", b"")
    run("audit", "verify", "--receipt", vault.path("20.receipt"), expect=UNVERIFIED)


def witnesses(log, logs):
    """A witness asks for itself what a profile asks."""
    begin()
    vault.log = logs[20]
    run("audit", "witness")
    vault.log = log
    run("audit", "witness", "--newest", says=("nothing that this witness has seen is missing",))
    equal(len(log.delivered), 1, "cosignatures that were delivered")
    equal(pinned(), key(2), "the key that is pinned")
    begin()
    vault.log = logs[AT + 1]
    run("audit", "witness")
    os.remove(path("checkpoint")) if read("checkpoint") else None
    vault.log = log
    run("audit", "witness", "--newest", expect=UNVERIFIED, says=("Entries are concealed", "this witness has seen %d" % (AT + 1)))
    equal(len(log.delivered), 1, "nothing is cosigned")


def exports(log):
    """What is exported of it is judged by the key that the reader has, whichever it is."""
    begin(n=2)
    vault.log = log
    out = vault.path("export")
    run("audit", "export", "--out", out)
    with open(os.path.join(out, "handovers"), "rb") as f:
        equal(f.read(), log.chain(), "the chain in the export")
    for n in range(3):
        with open(vault.path("vkey"), "w") as f:
            f.write(key(n) + "\n")
        run("audit", "verify", "--dir", out, "--vkey", vault.path("vkey"))
        document = json.loads(run("audit", "report", "denials", "--dir", out, "--vkey", vault.path("vkey"), "--json"))
        equal([row["index"] for row in document["rows"]], [13, 21, 25], "what was denied")
    with open(vault.path("vkey"), "w") as f:
        f.write(handover.vkey(b"\x08" * 32, handover.NAMES[0]) + "\n")
    run("audit", "verify", "--dir", out, "--vkey", vault.path("vkey"), expect=UNVERIFIED)


def main():
    vault.answers["/v1/people"] = vault.answers["/v1/collections"] = {"items": []}
    log = Handed("handed")
    once = Handed("once", handover.told_once, size=AT + 2)
    logs = {n: first_key("first-%d" % n, n) for n in (20, AT, AT + 1, LOST, LOST + 1)}
    logs[20].later = log.entries[20:]
    for one in logs.values():
        one.note = bytes(one.files.read("checkpoint"))
    nothing_is_missing(log, logs)
    in_two_steps(log, logs, once)
    something_is_lost(logs)
    proofs(log, logs)
    chains(log, logs)
    who_left(log, logs)
    cut_off(log, logs)
    receipts(log, logs)
    witnesses(log, logs)
    exports(log)
    for failure in failures:
        print(failure)
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
