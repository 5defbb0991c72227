"""Goal: on a terminal whoever signs is shown all that is signed and asked, and nothing is signed without a yes; where there is
no terminal, with --yes or --json, nobody is asked. What a lookup answers for another name is not signed. Against a faked vault.
"""
import hashlib
import os
import pty
import select
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_vault  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DONE, OTHER, UNVERIFIED, PENDING = 0, 1, 5, 7
QUESTION = "Sign it? (yes or no) [no] "

vault = fake_vault.Vault()
failures = []


def equal(got, want, what):
    if got != want:
        failures.append("%s:\n  got  %.900r\n  want %.900r" % (what, got, want))


def at_terminal(args, answer, early=b""):
    """Runs a command at a terminal, types the answer once it asks; its status and what the terminal showed."""
    ours, theirs = pty.openpty()
    os.write(ours, early)
    child = subprocess.Popen([CLIENT, *args], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True, start_new_session=True,
                             env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    os.close(theirs)
    text, asked, end = b"", False, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            text += data
        if not asked and text.endswith(QUESTION.encode()):
            asked = True
            os.write(ours, answer)
    status = child.wait(timeout=60)
    os.close(ours)
    return status, text.decode(errors="replace").replace("\r\n", "\n")


def piped(*args):
    done = subprocess.run([CLIENT, *args], stdin=subprocess.DEVNULL, capture_output=True, env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def listing(*items):
    return {"items": list(items), "next": None, "order": 1}


def signed():
    kinds = [act[1] for act in vault.acts]
    vault.acts.clear()
    return kinds


def setup():
    person = {"id": "person-5", "kind": "person", "name": "Eve Expert", "about": {"capacity": "expert", "parties": ["news"]},
              "waits_for": ["news"], "fingerprints": ["ab" * 32], "digest": "cd" * 32, "yours": True}
    clearance = {"id": "clearance-1", "kind": "clearance", "status": "waits", "name": "clearance expert for Eve", "digest": "cd" * 32}
    source = open(os.path.join(ROOT, "policy", "orders", "demo.yaml"), encoding="utf-8").read()
    order = {"version": 1, "title": "T", "status": "in-force", "instrument": None, "effective": None, "authority": "ECF No. 1",
             "source": source, "source_digest": hashlib.sha256(source.encode()).hexdigest()}
    vault.answers.update({
        "/v1/docket/person-5": listing(person), "/v1/docket/clearance-1": listing(clearance),
        "/v1/order": listing(order), "/v1/orders/1": listing(order),
        "/v1/collections": listing({"collection": 3, "name": "logs", "bates_prefix": "OAI"}),
        "/v1/collections/logs": listing({"collection": 3, "name": "logs", "bates_prefix": "OAI"}),
        "/v1/collections/mail": listing({"collection": 3, "name": "logs", "bates_prefix": "OAI"}),
        "/v1/people/Eve Expert": listing({"person": 9, "name": "Eve Expert"}),
        "/v1/people/Ada Attorney": listing({"person": 9, "name": "Eve Expert"})})
    vault.documents[hashlib.sha256(b"why").hexdigest()] = b"why"
    return source


COMMANDS = [  # what is typed, the act, what must have been shown before the question
    (["docket", "sign", "clearance-1"], "docket-sign", ["clearance expert for Eve", "signs an item of the docket", "cd" * 32]),
    (["docket", "resolve", "clearance-1", "--denied", "--authority", "ECF No. 5"], "docket-resolve", ["denied", "ECF No. 5", "clearance-1"]),
    (["docket", "withdraw", "clearance-1", "--reason", "moot"], "docket-withdraw", ["takes back", "moot"]),
    (["docket", "serve", "clearance-1", "--party", "news"], "docket-serve", ["served", "news"]),
    (["freeze", "--scope", "person:Eve Expert", "--authority", "oral"], "freeze", ["stops access", "Eve Expert", "oral"]),
    (["freeze", "--scope", "records:OAI000000017,OAI000000018", "--authority", "oral"], "freeze", ["logs", "OAI000000017 to OAI000000018"]),
    (["unfreeze", "freeze-1", "--authority", "ECF No. 9"], "unfreeze", ["lifted", "ECF No. 9"]),
    (["relabel", "OAI000000005", "--designation", "CONFIDENTIAL"], "relabel", ["OAI000000005", "CONFIDENTIAL", "logs"]),
    (["approval", "request", "read", "logs", "OAI000000007", "--purpose", "claim 3"], "approval-request", ["OAI000000007", "claim 3"]),
    (["matter", "set", "appeal", "--authority", "ECF No. 7"], "matter-set", ["appeal", "ECF No. 7"]),
    (["order", "suspend", "1", "--authority", "ECF No. 6"], "order-suspend", ["suspends", "ECF No. 6"]),
]


def asks(args, kind, shown):
    what = " ".join(args)
    for answer in (b"no\n", b"\n", b"yep\n", b"\x04"):
        if answer != b"no\n" and kind != "docket-sign":
            continue
        status, text = at_terminal(args, answer)
        equal((status, signed()), (OTHER, []), "%s, answered %r" % (what, answer))
    before = text.split(QUESTION)[0]
    equal([s for s in shown if s not in before], [], "shown before the question, of %s, in %s" % (what, before))
    status, text = at_terminal(args, b"yes\n")
    equal((status in (DONE, PENDING), signed()), (True, [kind]), "%s, answered yes: %s" % (what, text[-300:]))
    status, text = piped(*args)
    equal((status in (DONE, PENDING), signed(), QUESTION in text), (True, [kind], False), "%s, without a terminal" % what)


def not_asked():
    args, kind = COMMANDS[0][:2]
    for option in ("--yes", "--json"):
        status, text = at_terminal(args + [option], b"")
        equal((status in (DONE, PENDING), signed(), QUESTION in text), (True, [kind], False), "with " + option)
    status, _ = at_terminal(args, b"no\n", early=b"yes\nyes\n")
    equal((status, signed()), (OTHER, []), "what was typed before the question is no answer")


def acknowledges(source):
    args = ["acknowledge", "--address", "1 Main St", "--place", "Springfield"]
    status, text = at_terminal(args, b"no\n")
    equal((status, signed(), source in text), (OTHER, [], True), "acknowledge shows the order whole")
    equal("agrees to be bound" in text and "1 Main St" in text, True, "and what is said")
    status, text = at_terminal(args, b"y\n")
    equal((status, signed()), (DONE, ["acknowledge"]), "acknowledge")


def another_name():
    for args in (["freeze", "--scope", "collection:mail", "--authority", "x"], ["freeze", "--scope", "person:Ada Attorney", "--authority", "x"],
                 ["approval", "request", "read", "mail", "OAI000000001"], ["batch", "release", "mail/1"],
                 ["copy", "mail", "OAI000000001", "--recipient", "r", "-o", vault.path("c.jsonl")]):
        status, text = piped(*args)
        equal((status, signed()), (UNVERIFIED, []), "%s, answered for another: %s" % (" ".join(args), text))
    vault.answers["/v1/collections"] = listing({"collection": 3, "name": "logs", "bates_prefix": "OAI"},
                                               {"collection": 4, "name": "mail", "bates_prefix": "OAI"})
    status, text = piped("relabel", "OAI000000005", "--designation", "CONFIDENTIAL")
    equal((status, signed()), (UNVERIFIED, []), "one prefix for two collections: " + text)


def another_person():
    """A relay shows one person, and has the signature of another."""
    def text(s):
        return struct.pack(">H", len(s)) + s.encode()

    def item(kind="person", name="Eve Expert", capacity=("expert", 6), parties=("court", "news"), fingerprints=("ab" * 32, "cd" * 32)):
        said = b"underseal/docket/1" + fake_vault.VAULT_ID + text("person-5") + bytes([kind == "person"]) + text(name) + bytes(
            [capacity[1], len(parties)]) + b"".join(map(text, parties)) + struct.pack(">I", len(fingerprints)) + bytes.fromhex("".join(fingerprints))
        return {"id": "person-5", "kind": kind, "name": name, "about": {"capacity": capacity[0], "parties": list(parties)},
                "fingerprints": list(fingerprints), "digest": hashlib.sha256(said).hexdigest()}

    others = (item("credential"), item(name="Eva Expert"), item(capacity=("auditor", 12)), item(parties=("court",)), item(parties=("news", "court")),
              item(fingerprints=("ab" * 32,)), item(fingerprints=("cd" * 32, "ab" * 32)), item(fingerprints=()))
    for shown in (item(), item("credential"), item(parties=()), item(fingerprints=())):
        vault.answers["/v1/docket/person-5"] = listing(shown)
        status, said = piped("docket", "sign", "person-5")
        equal((status, [a[2]["digest"] for a in vault.acts]), (DONE, [shown["digest"]]), "an item that is what it shows: " + said)
        vault.acts.clear()
    for other in others:
        vault.answers["/v1/docket/person-5"] = listing(dict(item(), digest=other["digest"]))
        status, said = piped("docket", "sign", "person-5")
        equal((status, signed()), (UNVERIFIED, []), "the digest of %s: %s" % (other, said))
    for change in ({"id": "person-6"}, {"kind": "clearance"}, {"kind": ""}, {"fingerprints": None}, {"fingerprints": ["ab"]}, {"about": {}}):
        vault.answers["/v1/docket/person-5"] = listing(dict(item(), **change))
        status, said = piped("docket", "sign", "person-5")
        equal((status, signed()), (UNVERIFIED, []), "an item with %s: %s" % (change, said))


original = setup()
for command in COMMANDS:
    asks(*command)
not_asked()
acknowledges(original)
another_name()
another_person()
for line in failures:
    print(line)
print("%d failures" % len(failures))
sys.exit(1 if failures else 0)
