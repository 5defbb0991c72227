#!/usr/bin/env python3
"""Goal: whoever verifies says which witnesses are enough. The verifier, the one in Python and the client, with an export and without,
say up to where they vouch for the log, what is not witnessed yet, and who is missing; and they take no policy for another log's.
Receipts of single entries verify with nothing but the key.
"""
from harness import *


def vkey_of(vault, who):
    return vault.client(who, "audit", "witness", "--vkey", as_json=False).stdout.decode().strip()


class Policy:
    """A file: the log's key, witnesses, and which of them are enough."""

    def __init__(self, vault, log, witnesses):
        self.path, self.log, self.witnesses = vault.base + "/witnesses.policy", log, witnesses

    def write(self, rule, log=None):
        with open(self.path, "w") as f:
            f.write("log %s\n" % (log or self.log))
            for name, key in self.witnesses.items():
                f.write("witness %s %s\n" % (name, key))
            f.write(rule + "\n")
        return self.path


def verdicts(vault, policy, want, export, key=None):
    """What the three say of an export, which must be the same."""
    key = ["--vkey", key] if key else []
    python = [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]
    runs = [run(command + [export, "--policy", policy, "--json"] + key, env=vault.env)
            for command in ([VERIFY], [CLIENT, "audit", "verify", "--dir"], python)]
    equal([r.returncode for r in runs], [want] * 3, "exit status %s" % [(r.stdout, r.stderr) for r in runs])
    said = [json.loads(r.stdout) for r in runs]
    check(said[0]["witnessed"] == said[1]["witnessed"] == said[2]["witnessed"], "they agree", said)
    return said[0]


def receipt_verdicts(vault, path, want, *options):
    python = [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]
    runs = [run(command + ["--receipt", path, "--json", *options], env=vault.env)
            for command in ([VERIFY], [CLIENT, "audit", "verify"], python)]
    equal([r.returncode for r in runs], [want] * 3, "exit status %s" % [(r.stdout, r.stderr) for r in runs])
    return json.loads(runs[0].stdout) if want != USAGE else None


def receipts(vault, policy, witnessed, key):
    """Files that verify offline with nothing but the key, each of one entry."""
    step("receipts")
    vault.client("admin", "collection", "create", "demo", "--bates", "DEMO", "--designation", "CONFIDENTIAL")
    vault.load(write_lines(vault.base + "/records.jsonl", generate(20, 22)))
    files = {name: vault.base + "/%s.receipt" % name for name in ("read", "search", "copy", "early", "witnessed", "late")}
    vault.client("attorney", "read", "demo", "DEMO000000001", "--purpose", "claim 3", "--receipt", files["read"])
    vault.client("attorney", "search", "demo", "own", "--purpose", "claim 3", "--receipt", files["search"])
    vault.client("attorney", "copy", "demo", "DEMO000000002", "--purpose", "claim 3", "--recipient", "Dr. Expert", "-o",
                 vault.base + "/copy.txt", "--receipt", files["copy"])
    entries = {e["index"]: e["action"] for e in vault.audit()}
    for action in ("read", "search", "copy"):
        said = receipt_verdicts(vault, files[action], DONE, "--vkey", key)
        equal(entries[said["entry"]], action, "the entry that the receipt is about")
        receipt_verdicts(vault, files[action], DONE, "--policy", policy_without_quorum(vault, policy))
        receipt_verdicts(vault, files[action], INCOMPLETE, "--vkey", key, "--policy", policy)
        receipt_verdicts(vault, files[action], USAGE)

    vault.client("auditor", "audit", "receipt", 2, "-o", files["early"])
    vault.client("auditor", "audit", "receipt", 2, "-o", files["early"], code=OTHER)           # it is there already
    vault.client("auditor", "audit", "receipt", 2, "--policy", policy, "-o", files["witnessed"])
    said = receipt_verdicts(vault, files["witnessed"], DONE, "--vkey", key, "--policy", policy)
    equal((said["entry"], said["size"], said["witnessed"]["by"]), (2, witnessed, ["plaintiffs", "defendant"]), "a witnessed one")
    vault.client("auditor", "audit", "receipt", witnessed, "--policy", policy, "-o", files["late"], code=INCOMPLETE)
    vault.client("auditor", "audit", "receipt", 10**6, "-o", files["late"], code=USAGE)
    check(not os.path.exists(files["late"]), "nothing was written")

    with open(files["early"], "rb") as f:
        data = f.read()
    other = vault.base + "/other"
    for what, change, want in (("another entry", data.replace(b"index 2\n", b"index 3\n"), UNVERIFIED),
                               ("cut short", data[:-10], INCOMPLETE)):
        with open(other, "wb") as f:
            f.write(change)
        receipt_verdicts(vault, other, want, "--vkey", key)
    with open(other, "w") as f:
        f.write(vault_key_of_another(vault) + "\n")
    receipt_verdicts(vault, files["early"], UNVERIFIED, "--vkey", other)


def policy_without_quorum(vault, policy):
    path = vault.base + "/quorum-none.policy"
    with open(policy) as f, open(path, "w") as to:
        to.write("".join(line for line in f if line.startswith("log")) + "quorum none\n")
    return path


def scenario():
    vault = Vault(20220).init()
    keys = {"court": vkey_of(vault, "auditor"), "plaintiffs": vkey_of(vault, "attorney"), "defendant": vkey_of(vault, "producer")}
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        f.write("witnesses=%s\n" % " ".join(keys.values()))
    vault.serve().unseal()
    http = Http(vault, vault.profile("auditor"))
    log = http.once("GET", "/v1/log/vkey")[2].decode().strip()
    http.close()
    key = vault.base + "/log.vkey"
    with open(key, "w") as f:
        f.write(log + "\n")
    policy = Policy(vault, log, keys)
    two = "group two 2 court plaintiffs defendant\nquorum two"

    step("nobody has cosigned yet")
    export = vault.base + "/none"
    vault.client("auditor", "audit", "export", "--out", export)
    said = verdicts(vault, policy.write(two), INCOMPLETE, export, key)
    equal((said["verdict"], said["witnessed"]["met"], said["witnessed"]["missing"]), ("UNVERIFIABLE", False, list(keys)), "verdict")
    r = vault.client("auditor", "audit", "verify", "--policy", policy.path, code=INCOMPLETE).json
    equal(r["witnessed"]["met"], False, "and so online")
    equal(vault.client("auditor", "audit", "verify").json["witnessed"], None, "nothing is judged without a policy")
    equal(verdicts(vault, policy.write("quorum none"), DONE, export, key)["witnessed"]["met"], True, "nobody is wanted")

    step("two cosign, one of them goes on")
    first = vault.client("attorney", "audit", "witness").json["size"]
    equal(vault.client("producer", "audit", "witness").json["size"], first, "the same checkpoint")
    later = vault.client("attorney", "audit", "witness").json["size"]
    check(later > first, "a later one", first, later)
    export = vault.base + "/two"
    vault.client("auditor", "audit", "export", "--out", export)
    for name in ("checkpoint.witnessed", "checkpoint.witnessed.2"):
        check(os.path.exists(os.path.join(export, name)), name + " is in the export")
    said = verdicts(vault, policy.write(two), DONE, export, key)["witnessed"]
    equal((said["size"], said["by"], said["missing"]), (first, ["plaintiffs", "defendant"], ["court"]), "up to where")
    said = verdicts(vault, policy.write("quorum plaintiffs"), DONE, export, key)["witnessed"]
    equal((said["size"], said["by"]), (later, ["plaintiffs"]), "whom one is enough")
    said = verdicts(vault, policy.write("group all3 all court plaintiffs defendant\nquorum all3"), INCOMPLETE, export, key)
    equal(said["witnessed"]["missing"], ["court"], "who is missing")
    r = vault.client("auditor", "audit", "verify", "--keys", "--policy", policy.write(two)).json
    equal((r["verdict"], r["witnessed"]["size"]), ("OK", first), "online")
    text = run([VERIFY, export, "--policy", policy.path, "--vkey", key], env=vault.env).stdout.decode()
    for line in ("witnessed as the policy wants up to entry %d, " % (first - 1), "not witnessed yet: the ", "missing      court"):
        check(line in text, "the verifier says so", line, text)

    step("the policy says whose log it is")
    said = verdicts(vault, policy.path, DONE, export)
    equal(said["own_vkey"], False, "a key that the policy names is as good as one that was given")
    other = "other.example/log+" + log.split("+", 1)[1]
    said = verdicts(vault, policy.write(two, log=vault_key_of_another(vault)), INCOMPLETE, export, key)
    equal(said["verdict"], "UNVERIFIABLE", "a policy for another log")
    vault.client("auditor", "audit", "verify", "--policy", policy.path, code=INCOMPLETE)
    for argv in ([VERIFY, export], [CLIENT, "audit", "verify", "--dir", export]):
        r = run(argv + ["--policy", policy.write(two, log=other)], env=vault.env)
        equal(r.returncode, USAGE, "a key that is none")
        r = run(argv + ["--policy", vault.base + "/nowhere"], env=vault.env)
        equal(r.returncode, USAGE, "a policy that is not there")

    receipts(vault, policy.write(two), first, key)

    step("what a witness signed elsewhere does not count")
    for name in ("checkpoint.witnessed", "checkpoint.witnessed.2"):
        with open(os.path.join(export, name), "rb") as f:
            note = f.read()
        with open(os.path.join(export, name), "wb") as f:
            f.write(note[:-8] + bytes([note[-8] ^ 1]) + note[-7:])
        said = verdicts(vault, policy.write(two), UNVERIFIED, export, key)
        check(said["verdict"] == "TAMPERED" and name in said["detail"], "a changed cosignature", said)
        with open(os.path.join(export, name), "wb") as f:
            f.write(note)
    vault.stop()


def vault_key_of_another(vault):
    """A log's key that is well-formed, and not this one's."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(ROOT, "tests", "independent"))
    import witness as independent
    return independent.vkey("other.example/log", 1, independent.public(b"\5" * 32))


main(scenario)
