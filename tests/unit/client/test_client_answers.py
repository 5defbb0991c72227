"""Goal: whatever is asked, nothing is shown of an answer that the log does not bear out, and what it bears out is remembered. Commands of
every kind against a vault that is faked, by way of a relay that leaves out or changes entry and checkpoint; and a log that was put back.
"""
import base64
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_log  # noqa: E402
import fake_vault  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
DONE, OTHER, UNVERIFIED, INCOMPLETE = 0, 1, 5, 6
MARK = "SHOWN-TO-NOBODY"

vault = fake_vault.Vault()
failures = []
ITEM = {"name": MARK, "id": MARK, "person": 7, "collection": 1, "title": MARK, "recipient": MARK, "batch": MARK, "fingerprint": MARK}
PATHS = {"people": [["person", "list"]], "credentials": [["credential", "list"]], "collections": [["collection", "list"]],
         "copies": [["copy", "list"]], "docket": [["docket", "list"]], "acknowledgements": [["order", "acknowledgements"]]}
COMMANDS = [c for commands in PATHS.values() for c in commands] + [["search", "logs", "word", "--no-snippets"],
                                                                  ["search", "logs", "word", "--no-snippets", "--json"]]


def run(*args):
    done = subprocess.run([CLIENT, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=100,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    text = done.stderr.decode()
    if "Sanitizer" in text or "runtime error" in text:
        failures.append("%s: %s" % (" ".join(args), text))
    return done.returncode, done.stdout.decode(), text


def expect(what, args, status, shown):
    got, out, err = run(*args)
    if got != status or (MARK in out + err) != shown:
        failures.append("%s, %s: status %d, not %d; %s%s" % (" ".join(args), what, got, status, out[-200:], err[-300:]))


def remembered():
    with open(os.path.join(vault.profile, "checkpoint")) as f:
        return int(f.read().split("\n")[1])


def without(name):
    return lambda path, status, head, data: (status, {k: x for k, x in head.items() if k != name}, data)


def with_head(change):
    def tamper(path, status, head, data):
        if head:
            head = dict(head)
            change(head)
        return status, head, data
    return tamper


def flipped(head):
    note = bytearray(base64.b64decode(head["Underseal-Checkpoint"]))
    note[-10] ^= 1
    head["Underseal-Checkpoint"] = base64.b64encode(bytes(note)).decode()


def other_key(head):
    other = fake_log.Answering()
    other.ORIGIN, other.SEEDS = "other.example/log", {"other.example/log": b"\x05" * 32}
    for _ in range(int(head["Underseal-Entry"]) + 1):
        note = other.answer()[1]
    head["Underseal-Checkpoint"] = base64.b64encode(note).decode()


def old_checkpoint(head):
    old = fake_log.Answering()
    for _ in range(int(head["Underseal-Entry"])):
        note = old.answer()[1]
    head["Underseal-Checkpoint"] = base64.b64encode(note).decode()


TAMPERS = {
    "no entry": without("Underseal-Entry"),
    "no checkpoint": without("Underseal-Checkpoint"),
    "a checkpoint that was changed": with_head(flipped),
    "a checkpoint of another log": with_head(other_key),
    "a checkpoint of before": with_head(old_checkpoint),
    "an entry of before": with_head(lambda h: h.update({"Underseal-Entry": str(int(h["Underseal-Entry"]) - 1)})),
    "the first entry": with_head(lambda h: h.update({"Underseal-Entry": "0"})),
    "an entry that is not there": with_head(lambda h: h.update({"Underseal-Entry": "9999"})),
    "no number": with_head(lambda h: h.update({"Underseal-Entry": "-1"})),
}


def main():
    for path in PATHS:
        vault.answers["/v1/" + path] = {"items": [ITEM], "next": None}
    vault.searches = {"logs": [MARK]}
    for command in COMMANDS:
        expect("as it is", command, DONE, True)
    if remembered() != len(vault.answering.grown()):
        failures.append("%d entries are remembered, %d are there" % (remembered(), len(vault.answering.grown())))
    for what, tamper in TAMPERS.items():
        for command in COMMANDS:
            vault.tamper = None
            expect("as it is", COMMANDS[0], DONE, True)  # so that all there is has been seen
            vault.tamper = tamper
            expect(what, command, UNVERIFIED, False)
    vault.tamper = None
    before = remembered()
    for _ in range(5):
        expect("a search", COMMANDS[-1], DONE, True)
    vault.answering.extra = vault.answering.extra[:before]  # put back: five searches are lost
    expect("put back", ["person", "list"], UNVERIFIED, False)
    for failure in failures:
        print(failure)
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
