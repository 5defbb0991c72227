#!/usr/bin/env python3
"""Goal: whoever trusts two witnesses need not trust the vault. What they cosign is kept and served, checked here by a
reader that shares nothing with ours; a log that was put back or forked is refused by the witness and by the daemon.
"""
import glob
import shutil
import sys

from harness import *

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "independent"))
import witness as independent  # noqa: E402


def vkey_of(vault, who, *options):
    return vault.client(who, "audit", "witness", "--vkey", *options, as_json=False).stdout.decode().strip()


def configure(vault, keys):
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        f.write("witnesses=%s\n" % " ".join(keys))


def witnessed(http, count=None):
    """(size, note) of what the log serves, or (0, None)."""
    status, headers, note = http.once("GET", "/v1/log/checkpoint.witnessed" + ("/%d" % count if count else ""))
    if status == 404:
        return 0, None
    equal(status, 200, "status of checkpoint.witnessed")
    check(headers["content-type"].startswith("text/plain"), "it is text", headers)
    return int(note.split(b"\n")[1]), note


def cosigners(note, log, keys):
    """Which of the keys have cosigned, by the independent reader; the log must have signed."""
    equal(len(independent.good_signatures(note, log)), 1, "signatures of the log")
    return [k for k in keys if independent.good_signatures(note, k)]


def post(http, note):
    return http.once("POST", "/v1/log/cosignature", note, {"Content-Type": "application/octet-stream"})


def forgeries(vault, http, log, name, seed):
    """Each differs in one thing from a note that is taken."""
    step("cosignatures that are refused")
    _, _, note = http.once("GET", "/v1/log/checkpoint")
    text = note[:note.index(b"\n\n") + 1]
    now = int(time.time())
    line = independent.cosign(name, seed, text, now).encode()
    other = text.replace(b"\n%s\n" % text.split(b"\n")[1], b"\n1\n", 1)
    raw = bytearray(base64_of(line))
    raw[11] ^= 1                                              # the last byte of the time
    changed = ("\u2014 %s %s\n" % (name, b64(bytes(raw)))).encode()
    strange = text.replace(text.split(b"\n")[0], b"other.example/log", 1)
    other_log = independent.DASH.encode() + b"other.example/log " + b64(
        independent.key_id("other.example/log", 1, independent.public(seed)) + independent.sign(seed, strange)).encode()
    cases = {
        "of nobody": (note, 403),
        "of an unknown key": (note + independent.cosign("nobody.example", b"\5" * 32, text, now).encode(), 403),
        "of an unknown key with a witness's name": (note + independent.cosign(name, b"\5" * 32, text, now).encode(), 403),
        "of another checkpoint": (note + independent.cosign(name, seed, other, now).encode(), 403),
        "with another time": (note + changed, 403),
        "with a time to come": (note + independent.cosign(name, seed, text, now + 86400).encode(), 403),
        "that was not signed by the log": (other + note[len(text):] + independent.cosign(name, seed, other, now).encode(), 403),
        "without the log's signature": (text + b"\n" + line, 403),
        "of another log": (strange + b"\n" + other_log + b"\n" + independent.cosign(name, seed, strange, now).encode(), 403),
        "that is rubbish": (b"rubbish", 400),
        "that ends in the middle": (note + line[:-1], 400),
        "that is too large": (note + line * 200, 413),
    }
    before = witnessed(http)
    for what, (body, want) in cases.items():
        status, _, answer = post(http, body)
        equal(status, want, "a cosignature " + what + " " + answer.decode("utf-8", "replace"))
        equal(witnessed(http), before, "what is served after a cosignature " + what)
    status, _, answer = post(http, note + line)
    equal(status, 200, "the one that is right: " + answer.decode())
    equal(witnessed(http)[0], int(text.split(b"\n")[1]), "what is served then")


def base64_of(line):
    import base64
    return base64.b64decode(line.split(b" ")[2])


def put_back(vault):
    """A copy of the directory, more entries, and the copy again."""
    step("a log that is put back")
    data, copy, newer = vault.data, vault.base + "/copy", vault.base + "/newer"
    vault.stop()
    run(["cp", "-a", data, copy])
    vault.serve().unseal()
    for _ in range(3):
        vault.client("attorney", "audit", "witness", "--newest", "-o", vault.base + "/newer.note")
    vault.stop()
    os.rename(data, newer)

    # everything but what was cosigned: the daemon notices by itself
    run(["cp", "-a", copy, data])
    shutil.copy2(glob.glob(newer + "/*/cosignatures")[0], glob.glob(data + "/*/cosignatures")[0])
    vault.serve(wait=False)
    check(vault.wait_end() != 0, "the daemon does not start")
    check("cosigned is not one of this log" in vault.log_text(), "and says why", vault.log_text()[-1500:])

    # a file that is of no log: it is not passed over
    with open(glob.glob(data + "/*/cosignatures")[0], "wb") as f:
        f.write(bytes([0, 0, 0, 4]) + b"a\n\nb")
    vault.process = None
    vault.serve(wait=False)
    check(vault.wait_end() != 0, "the daemon does not start with a damaged file")
    check("is damaged" in vault.log_text(), "and says why", vault.log_text()[-1500:])

    # everything: the daemon cannot know, the witness does
    shutil.rmtree(data)
    run(["cp", "-a", copy, data])
    vault.serve()
    vault.client("admin", "unseal", vault.share(1), code=UNVERIFIED)  # nor does anybody who has seen what is gone
    forget(vault)
    if vault.threshold > 1:
        vault.client("admin", "unseal", vault.share(2))
    vault.wait_open()
    r = vault.client("attorney", "audit", "witness", code=UNVERIFIED)
    check("does not go on from" in r.stderr, "the witness says what it saw", r)
    for _ in range(6):                                        # a fork: larger than what was seen, and another
        vault.audit()
    http = Http(vault, vault.profile("auditor"))
    newer_note = open(vault.base + "/newer.note", "rb").read()
    sizes = [int(x.split(b"\n")[1]) for x in (newer_note, http.once("GET", "/v1/log/checkpoint")[2])]
    check(sizes[0] < sizes[1], "the fork is larger by now", sizes)
    status, _, answer = post(http, newer_note)
    equal(status, 403, "what its own key signed, and a witness cosigned, but is no part of it: " + answer.decode())
    http.close()
    r = vault.client("attorney", "audit", "witness", "--newest", code=UNVERIFIED)
    check(os.path.exists(vault.profile("attorney") + "/witness.fork"), "the proof of two histories is kept", r)
    vault.client("attorney", "audit", "witness", "--every", "1s", "--newest", code=UNVERIFIED, timeout=20)
    vault.stop()
    shutil.rmtree(data)
    os.rename(newer, data)
    forget(vault)


def forget(vault):
    """What these two have seen of the log."""
    for who in ("admin", "auditor"):
        for name in glob.glob(vault.profile(who) + "/checkpoint*"):
            os.remove(name)


class Remote:
    """A witness of the independent implementation, served on a port; over TLS if there is a certificate."""

    def __init__(self, name, seed, log, port, pem=None):
        self.witness = independent.Witness(name, seed, [log])
        self.key, self.url = self.witness.vkey, "http%s://127.0.0.1:%d/" % ("s" if pem else "", port)
        self.server = self.witness.serve(port, pem)

    def asked(self):
        asked, self.witness.asked = self.witness.asked, []
        return asked

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def certificate(vault):
    """A key and its own certificate for 127.0.0.1, in one file."""
    pem = vault.base + "/witness.pem"
    r = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
              "/CN=witness", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", pem + ".crt"])
    check(r.returncode == 0, "openssl makes a certificate", r.stderr)
    with open(pem, "ab") as f:
        f.write(open(pem + ".crt", "rb").read())
    return pem


def policy(vault, log, remotes, rule, more=""):
    path = vault.base + "/policy"
    with open(path, "w") as f:
        f.write("# for this test\nlog %s\n" % log)
        for i, r in enumerate(remotes, 1):
            f.write("witness r%d %s %s\n" % (i, r.key, r.url))
        f.write(more + rule)
    return path


def submissions(vault, http, log, keys, remotes):
    """Witnesses that speak tlog-witness: k of n, late ones, liars."""
    step("carried to witnesses elsewhere")
    two = "group two 2 r1 r2 r3\nquorum two\n"
    path = policy(vault, log, remotes, two)
    r = vault.client("auditor", "audit", "submit", "--policy", path, "-o", vault.base + "/submitted").json
    equal([w["outcome"] for w in r["witnesses"]], ["cosigned"] * 3, "who cosigned")
    equal(r["quorum"], True, "a quorum")
    size, note = witnessed(http, 3)
    equal(size, r["size"], "what is served")
    equal(cosigners(note, log, keys), [x.key for x in remotes], "who has cosigned it")
    equal(open(vault.base + "/submitted", "rb").read(), note, "the file")
    equal([x.asked() for x in remotes], [[("old 0", 200)]] * 3, "what they were asked")

    step("again: each says what it has seen, and gets a proof")
    r = vault.client("auditor", "audit", "submit", "--policy", path).json
    check(r["size"] > size and r["quorum"], "a larger tree", r)
    equal([x.asked() for x in remotes], [[("old 0", 409), ("old %d" % size, 200)]] * 3, "what they were asked")

    step("one is away, one lies")
    remotes[0].close()
    vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5")
    lies = {"a wrong signature": lambda line: line[:-20] + ("A" if line[-20] != "A" else "B") + line[-19:],
            "another's key": lambda line: independent.cosign("witness.example/away", b"\x0b" * 32, b"x\n", 5),
            "nothing": lambda line: "", "rubbish": lambda line: "rubbish\n" * 9000}
    before = witnessed(http, 2)[0]
    for what, lie in lies.items():
        remotes[1].witness.spoil = lie
        r = vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5", code=INCOMPLETE).json
        equal([w["outcome"] == "cosigned" for w in r["witnesses"]], [False, False, True], "who cosigned: " + what)
        equal(r["quorum"], False, "no quorum: " + what)
        equal(witnessed(http, 2)[0], before, "what two have cosigned: " + what)
        check(witnessed(http)[0] == r["size"], "what one has cosigned is kept")
    remotes[1].witness.spoil = lambda line: line
    honest = remotes[1].witness.add_checkpoint
    for answer in [(409, b""), (409, b"-1\n"), (409, b"01\n"), (409, b"5"), (409, b"9" * 19 + b"\n"), (409, b"5\n\n"),
                   (409, b"0\n"), (500, b""), (302, b"")]:
        remotes[1].witness.add_checkpoint = lambda body: (answer[0], "text/x.tlog.size", answer[1])
        r = vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5", code=INCOMPLETE).json
        equal([w["outcome"] == "cosigned" for w in r["witnesses"]], [False, False, True], "who cosigned: %d %r" % answer)
    remotes[1].witness.add_checkpoint = honest

    step("one that has seen a fork")
    origin = independent.parse_vkey(log)[0]
    remotes[1].witness.seen[origin] = (5, b"\1" * 32)
    r = vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5", code=INCOMPLETE).json
    check("does not go on" in r["witnesses"][1]["outcome"], "it is told", r)
    remotes[1].witness.seen[origin] = (10**9, b"\1" * 32)
    r = vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5", code=INCOMPLETE).json
    check("larger tree" in r["witnesses"][1]["outcome"], "it is told", r)
    remotes[1].witness.seen[origin] = remotes[2].witness.seen[origin]
    vault.client("auditor", "audit", "submit", "--policy", path, "--timeout", "5")

    step("policies that are none, and one for another log")
    other = independent.vkey("other.example/log", 1, independent.public(b"\4" * 32))
    r = vault.client("auditor", "audit", "submit", "--policy", policy(vault, other, remotes, two), code=OTHER)
    check("other logs" in r.stderr, "the reason", r)
    for x in remotes[1:]:
        x.asked()
    r = vault.client("auditor", "audit", "submit", "--policy", policy(vault, log, remotes, "quorum r9\n"), code=OTHER)
    check("line 6" in r.stderr, "where it is wrong", r)
    vault.client("auditor", "audit", "submit", code=USAGE)
    stranger = "witness s1 %s ftp://127.0.0.1/\n" % independent.vkey("s.example", 4, independent.public(b"\3" * 32))
    r = vault.client("auditor", "audit", "submit", "--policy", policy(vault, log, remotes[2:], "quorum r1\n", more=stranger)).json
    check("neither https nor http" in r["witnesses"][1]["outcome"], "a URL of another kind", r)
    for x in remotes[1:]:
        x.close()

    step("over https")
    pem = certificate(vault)
    safe = Remote("witness.example/away", b"\x0b" * 32, log, 20151, pem)
    path = policy(vault, log, [safe], "quorum r1\n")
    r = vault.client("auditor", "audit", "submit", "--policy", path, code=INCOMPLETE).json
    check("ertificate" in r["witnesses"][0]["outcome"], "a certificate of nobody's", r)
    equal(safe.asked(), [], "nothing was asked")
    vault.client("auditor", "audit", "submit", "--policy", path, "--ca", pem)
    safe.close()


def scenario():
    vault = Vault(20150).init()
    step("keys of witnesses")
    name, seed = "witness.example/third", b"\7" * 32
    keys = [vkey_of(vault, "attorney"), vkey_of(vault, "producer", "--name", "witness.example/producer"),
            independent.vkey(name, 4, independent.public(seed))]
    ports, seeds = (20151, 20152, 20153), [bytes([11 + i]) * 32 for i in range(3)]
    names = ["witness.example/away", "witness.example/liar", "witness.example/true"]
    keys += [independent.vkey(n, 4, independent.public(s)) for n, s in zip(names, seeds)]
    equal(vkey_of(vault, "attorney"), keys[0], "the key stays")
    check(keys[1].startswith("witness.example/producer+"), "the name that was asked for", keys[1])
    vault.client("producer", "audit", "witness", "--name", "another", code=USAGE)
    equal(os.stat(vault.profile("attorney") + "/witness.key").st_mode & 0o777, 0o600, "mode of witness.key")
    configure(vault, keys)
    vault.serve().unseal()
    http = Http(vault, vault.profile("auditor"))
    log = http.once("GET", "/v1/log/vkey")[2].decode().strip()
    equal(witnessed(http), (0, None), "nobody has cosigned yet")

    step("two witnesses, one after the other, sign the same checkpoint")
    first = vault.client("attorney", "audit", "witness", "-o", vault.base + "/cosigned").json
    equal((first["witness"], first["cosignatures"], first["delivered"]), (keys[0], 1, True), "answer")
    size, note = witnessed(http)
    equal(size, first["size"], "size of what is served")
    equal(cosigners(note, log, keys), keys[:1], "who has cosigned")
    equal(open(vault.base + "/cosigned", "rb").read(), note, "the file")
    second = vault.client("producer", "audit", "witness").json
    equal((second["size"], second["cosignatures"]), (size, 2), "the second takes up what the first has cosigned")
    equal(cosigners(witnessed(http, 2)[1], log, keys), keys[:2], "both")
    equal(witnessed(http, 3), (0, None), "not three")
    third = vault.client("attorney", "audit", "witness").json
    check(third["size"] > size, "then the first goes on", third)
    equal(witnessed(http)[0], third["size"], "the newest")
    equal(witnessed(http, 2)[0], size, "the newest that two have cosigned")

    step("a witness that the vault does not know")
    r = vault.client("auditor", "audit", "witness", code=REFUSED)
    check(vkey_of(vault, "auditor") in r.stderr, "is told what the setting takes", r)
    equal(witnessed(http)[0], third["size"], "what is served")
    entries = [e for e in vault.audit() if e["action"] == "audit-witness"]
    equal([e["decision"] for e in entries], ["none", "allow", "allow", "allow", "deny"], "entries")
    equal(entries[-1]["reason"], "unknown-credential", "why")

    forgeries(vault, http, log, name, seed)

    submissions(vault, http, log, keys, [Remote(*x) for x in zip(names, seeds, [log] * 3, ports)])

    step("what was witnessed stands in a log that verifies")
    vault.client("auditor", "audit", "verify", "--keys")
    export = vault.base + "/export"
    vault.client("auditor", "audit", "export", "--out", export)
    key = vault.base + "/log.vkey"
    with open(key, "w") as f:
        f.write(log + "\n")
    for argv in ([VERIFY, export, "--vkey", key],
                 [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py"), export, "--vkey", key]):
        r = run(argv, env=vault.env)
        check(r.returncode == 0, "the export verifies", r.stdout[-600:], r.stderr[-600:])

    step("after a restart, sealed")
    before = witnessed(http, 2)
    http.close()
    vault.stop()
    vault.serve()
    http = Http(vault, vault.profile("auditor"))
    equal(witnessed(http, 2), before, "what two have cosigned")
    r = vault.client("producer", "audit", "witness").json
    check(r["size"] > before[0], "a sealed vault's log is cosigned, too", r)
    http.close()

    put_back(vault)
    vault.serve().unseal()
    vault.client("attorney", "audit", "witness")              # the true one is still good
    vault.stop()


main(scenario)
