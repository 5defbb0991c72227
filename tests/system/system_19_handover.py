#!/usr/bin/env python3
"""Goal: a log goes on under another key, and whoever remembers it follows, or refuses what is concealed.

In place: the old key signs for the new one and is gone; keyholders follow before they give a share, readers and witnesses the next time they look;
a copy from before is refused. A directory that was put back: who saw no more than it holds follows; who saw more refuses, unless the hand-over
admits the loss; then loudly. A second successor of a key is refused by who followed the first.
"""
import glob

from harness import *

MOVED = "the log was handed over at entry"


def handover(vault, *args, code=DONE):
    r = run([DAEMON, "handover", "--data", vault.data, "--json"] + [str(a) for a in args], env=vault.env)
    check(r.returncode == code, "handover ends with %d, wanted %d" % (r.returncode, code), r.stderr.decode())
    return json.loads(r.stdout) if code == DONE else r.stderr.decode()


def pinned(vault, who):
    with open(os.path.join(vault.profile(who), "profile.conf")) as f:
        return re.search("^vkey=(.*)$", f.read(), re.M).group(1)


def remembered(vault, who, name="checkpoint"):
    with open(os.path.join(vault.profile(who), name)) as f:
        return int(f.read().split("\n")[1])


def seed(data):
    with open(os.path.join(data, "keeper", "boot.keys"), "rb") as f:
        return f.read()[4:36]


def files_with(directory, needle):
    found = []
    for where, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(where, name), "rb") as f:
                if needle in f.read():
                    found.append(os.path.join(where, name))
    return found


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    run(["cp", "-a", source, target])


def keep_profiles(vault, name):
    copy(vault.profiles, os.path.join(vault.base, name))


def take_profiles(vault, name):
    copy(os.path.join(vault.base, name), vault.profiles)


def in_place(vault, bates):
    step("in place")
    error = handover(vault, "--reason", "move", code=OTHER)
    check("end the daemon first" in error, "not while the daemon runs", error)
    handover(vault, "--reason", "boredom", code=USAGE)
    old_vkey, old_seed, seen = pinned(vault, "attorney"), seed(vault.data), remembered(vault, "attorney")
    vault.stop()
    old_data = os.path.join(vault.base, "old")
    copy(vault.data, old_data)
    equal(len(files_with(vault.data, old_seed)), 1, "files with the old key's seed")
    r = handover(vault, "--reason", "move")
    equal((r["reason"], r["lost"], r["completed"], r["old_vkey"]), ("move", 0, False, old_vkey), "what was done")
    check(r["vkey"].split("+")[0] == old_vkey.split("+")[0] + "/2", "the next origin", r)
    equal(files_with(vault.data, old_seed), [], "files with the old key's seed")

    step("who gives a share follows first")
    vault.serve()
    equal(vault.state(), "sealed", "state")
    for i in range(vault.threshold):
        who = ("admin", "producer")[i % 2]
        said = vault.client(who, "unseal", os.path.join(vault.out, "share-%d.txt" % (i + 1))).stderr
        check(MOVED in said and "nothing that this profile has seen is missing" in said, "the share's giver is told", said)
    vault.wait_open()
    equal(pinned(vault, "admin"), r["vkey"], "the key that the profile pins now")

    step("readers and witnesses follow")
    _, records = vault.read(bates[:2])
    equal(len(records), 2, "records read")
    equal(pinned(vault, "attorney"), r["vkey"], "the key that the profile pins now")
    equal(remembered(vault, "attorney", "checkpoint.1"), seen, "what it had seen is kept")
    check(MOVED not in vault.client("attorney", "audit", "checkpoint").stderr, "it is said once")
    w = vault.client("auditor", "audit", "witness")
    check(MOVED in w.stderr and "this witness" in w.stderr, "the witness says that it follows", w)
    with open(os.path.join(vault.profile("auditor"), "witness.checkpoint")) as f:
        equal(f.readline().strip(), r["vkey"].split("+")[0], "origin of what the witness has signed")
    check(os.path.exists(os.path.join(vault.profile("auditor"), "witness.checkpoint.1")), "what it signed before is kept")
    check("witness" not in vault.client("auditor", "audit", "witness").stderr, "it is said once")
    verified = vault.client("auditor", "audit", "verify", "--keys").json
    equal(verified["verdict"], "OK", "the log")
    entries = [e for e in vault.audit() if e.get("action") == "handover"]
    equal([e["index"] for e in entries], [r["entry"]], "the entry of the hand-over")
    vault.stop()

    step("the old vault still runs somewhere")
    new_data, vault.data = vault.data, old_data
    vault.serve()
    refused = vault.client("attorney", "audit", "checkpoint", code=UNVERIFIED)
    check("may never sign again" in refused.stderr, "a key that was left is refused", refused)
    refused = vault.client("auditor", "audit", "witness", code=UNVERIFIED)
    check("may never sign again" in refused.stderr, "a key that was left is refused", refused)
    refused = vault.client("admin", "unseal", os.path.join(vault.out, "share-1.txt"), code=UNVERIFIED)
    check("has not been sent" in refused.stderr, "no share for it", refused)
    vault.stop()
    vault.data = new_data
    vault.serve().unseal()


def put_back(vault, bates):
    step("a copy is put back: who saw more refuses")
    vault.client("auditor", "audit", "checkpoint")
    vault.stop()
    before = os.path.join(vault.base, "before")
    copy(vault.data, before)
    vault.serve().unseal()
    for _ in range(3):
        vault.read(bates[0])
    seen = remembered(vault, "attorney")
    vault.stop()
    copy(before, vault.data)
    keep_profiles(vault, "profiles.then")
    first = handover(vault, "--reason", "restore")
    check(first["entry"] < seen, "the copy is older", first)
    vault.serve()
    check(MOVED in vault.client("auditor", "audit", "checkpoint").stderr, "who saw no more follows")
    refused = vault.client("attorney", "audit", "checkpoint", code=UNVERIFIED)
    check("concealed" in refused.stderr and str(seen) in refused.stderr, "who saw more refuses, and says why", refused)
    equal(remembered(vault, "attorney"), seen, "the proof is kept")
    check(not os.path.exists(os.path.join(vault.profile("attorney"), "checkpoint.2")), "nothing was followed")
    vault.stop()

    step("and once more, with what is known: who followed the first successor refuses the second")
    copy(before, vault.data)
    checkpoint = os.path.join(vault.profile("attorney"), "checkpoint")
    with open(os.path.join(vault.base, "forged"), "w") as f:
        with open(checkpoint) as g:
            f.write(g.read().replace("\n%d\n" % seen, "\n%d\n" % (seen + 9)))
    error = handover(vault, "--reason", "restore", "--last-checkpoint", f.name, code=UNVERIFIED)
    check("signed" in error, "a checkpoint that the log did not sign is refused", error)
    second = handover(vault, "--reason", "restore", "--last-checkpoint", checkpoint)
    equal((second["last"], second["lost"]), (seen, seen - first["entry"]), "what is lost")
    vault.serve().unseal()
    refused = vault.client("auditor", "audit", "checkpoint", code=UNVERIFIED)
    check("no hand-over leads to it" in refused.stderr, "the other successor is refused", refused)
    loud = vault.client("attorney", "audit", "verify")
    check(loud.stderr.count("WARNING") == 2 and str(seen - 1) in loud.stderr, "the loss is said loudly", loud)
    equal(remembered(vault, "attorney", "checkpoint.2"), seen, "the proof is kept")
    _, records = vault.read(bates[:3])
    equal(len(records), 3, "records read")
    take_profiles(vault, "profiles.then")


def scenario():
    vault = Vault(20189)
    vault.demo()
    path = os.path.join(vault.base, "records.jsonl")
    rng = random.Random(19)
    with open(path, "w") as f:
        for i in range(40):
            f.write(json.dumps({"id": "h-%d" % i, "created": "2023-05-01T12:00:00Z", "model": "gpt-4",
                                "messages": [{"role": "user", "content": "?"},
                                             {"role": "assistant", "content": text_of(rng, 30)[1]}]}) + "\n")
    vault.load(path)
    bates = ["DEMO%09d" % (i + 1) for i in range(40)]
    vault.client("auditor", "audit", "witness", "--vkey", "--name", "test.example/w1", as_json=False)
    vkey = vault.client("auditor", "audit", "witness", "--vkey", as_json=False).stdout.decode().strip().split("\n")[-1]
    vault.stop()
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        f.write("witnesses=%s\n" % vkey)
    vault.serve().unseal()
    vault.read(bates[:5])
    vault.client("auditor", "audit", "witness")
    in_place(vault, bates)
    put_back(vault, bates)
    vault.stop()


main(scenario)
