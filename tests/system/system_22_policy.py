#!/usr/bin/env python3
"""Goal: whoever verifies says which witnesses are enough. The verifier, the one in Python and the client, with an export and without,
say up to where they vouch for the log, what is not witnessed yet, and who is missing; and they take no policy for another log's.
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
