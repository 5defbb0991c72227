#!/usr/bin/env python3
"""Goal: a log goes on under another key, and whoever remembers it follows, or refuses what is concealed.

In place: the old key signs for the new one and is gone; keyholders follow before they give a share, readers and witnesses the next time they look;
a copy from before is refused. A directory that was put back: who saw no more than it holds follows; who saw more refuses, unless the hand-over
admits the loss; then loudly. A second successor of a key is refused by who followed the first.

From a backup: the archive holds neither the keyring nor the log's key, and is no vault until it is restored; what is restored opens with the same shares,
finds the same, and counts on from what was disclosed. Hostile archives are refused, and leave nothing.
"""
import io
import tarfile

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


def told_and_unsealed(vault):
    """Who gives a share is told of the hand-over first, and gives it with the second call."""
    said = vault.client("admin", "unseal", vault.share(1), code=OTHER).stderr
    check(MOVED in said and "has NOT been sent" in said, "the share's giver is told", said)
    vault.unseal()


def keep_profiles(vault, name):
    copy(vault.profiles, os.path.join(vault.base, name))


def take_profiles(vault, name):
    copy(os.path.join(vault.base, name), vault.profiles)


def in_place(vault, bates):
    step("in place")
    vault.client("auditor", "audit", "receipt", "7", "-o", os.path.join(vault.base, "early.receipt"))
    error = handover(vault, "--reason", "move", code=OTHER)
    check("end the daemon first" in error, "not while the daemon runs", error)
    equal([n for n in os.listdir(vault.base) if n.startswith("while-it-runs")], [], "what a refused backup leaves behind")
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
        who, share = ("admin", "producer")[i % 2], os.path.join(vault.out, "share-%d.txt" % (i + 1))
        said = vault.client(who, "unseal", share, code=OTHER).stderr
        check(MOVED in said and "nothing that this profile has seen is missing" in said, "the share's giver is told", said)
        check("has NOT been sent" in said, "and gives it knowingly", said)
        equal(vault.client("admin" if i else "auditor", "status").json["shares"]["given"], i, "shares given")
        vault.client(who, "unseal", share)
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
    old = vault.client("auditor", "audit", "verify", "--receipt", os.path.join(vault.base, "early.receipt"))
    equal(old.json["verdict"], "OK", "a receipt of before")
    check("had before it was handed over" in old.stderr, "is known as such", old)
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
        header, _ = vault.read(bates[0])
    lost = os.path.join(vault.base, "lost.receipt")
    vault.client("attorney", "read", "demo", bates[0], "--receipt", lost)
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
    vault.serve()
    told_and_unsealed(vault)
    refused = vault.client("auditor", "audit", "checkpoint", code=UNVERIFIED)
    check("no hand-over leads to it" in refused.stderr, "the other successor is refused", refused)
    loud = vault.client("attorney", "audit", "verify")
    check(loud.stderr.count("WARNING") == 2 and str(seen - 1) in loud.stderr, "the loss is said loudly", loud)
    equal(remembered(vault, "attorney", "checkpoint.2"), seen, "the proof is kept")
    r = vault.client("attorney", "audit", "verify", "--receipt", lost)
    check(r.json["verdict"] == "OK" and "has lost it since" in r.stderr, "the receipt of an entry that is lost", r)
    _, records = vault.read(bates[:3])
    equal(len(records), 3, "records read")
    copy(os.path.join(vault.base, "profiles.then", "auditor"), vault.profile("auditor"))


def daemon(vault, *args, code=DONE):
    r = run([DAEMON] + [str(a) for a in args] + ["--json"], env=vault.env)
    check(r.returncode in (code if isinstance(code, tuple) else (code,)), "%s ends with %d, wanted %s" % (args[0], r.returncode, code),
          r.stderr.decode())
    check("AddressSanitizer" not in r.stderr.decode() and "runtime error:" not in r.stderr.decode(), "a sanitizer reports", r.stderr.decode())
    return json.loads(r.stdout) if code == DONE else r.stderr.decode()


def backup(vault, name, code=DONE):
    return daemon(vault, "backup", "--data", vault.data, "--to", os.path.join(vault.base, name + ".tar"),
                  "--keyring-to", os.path.join(vault.base, name + ".keyring"), code=code)


def restore(vault, name, *args, code=DONE, keyring=None):
    shutil.rmtree(vault.data, ignore_errors=True)
    r = daemon(vault, "restore", "--from", os.path.join(vault.base, name + ".tar"), "--keyring-from",
               os.path.join(vault.base, (keyring or name) + ".keyring"), "--data", vault.data, *vault.place(), *args, code=code)
    check(not os.path.exists(vault.data + ".restoring"), "nothing is left beside it")
    check(code == DONE or not os.path.exists(vault.data), "nothing is left of what was refused")
    if code == DONE:  # the backup's settings are not in effect: the operator puts them back
        with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
            f.write(vault.settings)
    return r


def from_backup(vault, bates):
    step("a backup")
    vault.client("auditor", "audit", "witness")
    vault.client("auditor", "audit", "checkpoint")
    error = backup(vault, "while-it-runs", code=OTHER)
    check("end the daemon first" in error, "not while the daemon runs", error)
    total = vault.count("harbour OR water")
    vault.stop()
    old_seed = seed(vault.data)
    first = backup(vault, "first")
    error = backup(vault, "first", code=OTHER)
    check("nothing is replaced" in error, "a backup is not replaced", error)
    archive = os.path.join(vault.base, "first.tar")
    with open(archive, "rb") as f:
        data = f.read()
    with open(os.path.join(vault.data, "keeper", "keyring"), "rb") as f:
        keyring = f.read()
    check(old_seed not in data, "the log's key is not in the archive")
    check(not any(keyring[i:i + 32] in data for i in range(16, len(keyring) - 32, 32)), "nor is any part of the keyring")
    equal(os.stat(archive).st_mode & 0o777, 0o600, "mode of the archive")
    equal([c["number"] for c in daemon(vault, "backup", "--data", vault.data, "--list")], [1], "copies of the keyring")

    step("the live vault goes on under its key")
    vault.serve().unseal()
    equal([e["index"] for e in vault.audit() if e.get("action") == "backup"], [first["entry"] - 1], "the entry of the backup")
    vault.read(bates[:4])
    vkey = pinned(vault, "attorney")
    vault.read(bates[:4])
    equal(pinned(vault, "attorney"), vkey, "the key that the profile pins")
    seen = remembered(vault, "attorney")
    vault.stop()
    keep_profiles(vault, "profiles.live")

    step("a stolen backup is not the old vault")
    stolen = os.path.join(vault.base, "stolen")
    os.mkdir(stolen)
    with tarfile.open(archive) as tar:
        for m in tar:
            os.makedirs(os.path.dirname(os.path.join(stolen, m.name)), exist_ok=True)
            with open(os.path.join(stolen, m.name), "wb") as f:
                f.write(tar.extractfile(m).read())
    if own_users():
        for role in ("keeper", "vault"):
            run(["chown", "-R", "underseal-%s:" % role, os.path.join(stolen, role)])
    live, vault.data = vault.data, stolen
    vault.serve(wait=False)
    check(vault.wait_end() != 0, "the daemon does not start on it")
    check("comes from a backup" in vault.log_text(), "and says why", vault.log_text()[-1500:])
    vault.data = live
    shutil.rmtree(stolen)

    step("the machine burns down; the backup is restored")
    shutil.rmtree(vault.data)
    r = restore(vault, "first", "--last-checkpoint", os.path.join(vault.profile("attorney"), "checkpoint"))
    equal((r["entry"], r["reason"], r["last"]), (first["entry"], "restore", seen), "what was handed over")
    equal(r["vkey"], first["successor"], "the successor is the one that the old key signed for")
    equal(files_with(vault.data, old_seed), [], "files with the old key's seed")
    vault.serve()
    told_and_unsealed(vault)
    loud = vault.client("attorney", "audit", "checkpoint")
    check("WARNING" in loud.stderr and str(seen) in loud.stderr, "who saw what is lost is told", loud)
    equal(vault.count("harbour OR water"), total, "what is found")
    header, records = vault.read(bates[:7])
    equal(len(records), 7, "records read")
    w = vault.client("auditor", "audit", "witness")
    check("nothing that this witness has seen is missing" in w.stderr, "the witness follows: it had signed nothing behind the backup", w)
    equal([e["index"] for e in vault.audit() if e.get("action") == "handover"][-1], first["entry"], "the entry of the hand-over")
    vault.load(os.path.join(vault.base, "more.jsonl"))
    verified = vault.client("auditor", "audit", "verify", "--keys").json
    equal((verified["verdict"], verified["handovers"][-1]["lost"]), ("OK", seen - first["entry"]), "the log")
    exported(vault, r["vkey"], verified["handovers"])
    vault.stop()

    step("and restored once more: who followed the first time refuses")
    copy(vault.data, os.path.join(vault.base, "restored"))
    restore(vault, "first")
    vault.serve()
    refused = vault.client("admin", "unseal", os.path.join(vault.out, "share-1.txt"), code=UNVERIFIED)  # who unsealed the first one
    check("VERIFICATION FAILED" in refused.stderr, "whatever is asked, the log is held against what was seen", refused)
    vault.client("attorney", "audit", "checkpoint", code=UNVERIFIED)
    vault.client("auditor", "audit", "witness", code=UNVERIFIED)
    vault.stop()
    handover(vault, "--reason", "key")  # the chain leads on from the key that was followed, and came to it otherwise
    vault.serve()
    refused = vault.client("auditor", "audit", "checkpoint", code=UNVERIFIED)
    check("another history of hand-overs" in refused.stderr, "the second restored log is refused after a hand-over, too", refused)
    take_profiles(vault, "profiles.live")
    refused = vault.client("attorney", "audit", "checkpoint", code=UNVERIFIED)
    check("concealed" in refused.stderr, "who saw more than the backup refuses a hand-over that admits nothing", refused)
    vault.stop()


def exported(vault, newest, handovers):
    """By both verifiers, from the first key and from the newest; and what is changed is noticed by both."""
    step("an export, verified from the first key and from the newest")
    out, keys = os.path.join(vault.base, "export"), os.path.join(vault.base, "newest.vkey")
    vault.client("auditor", "audit", "export", "--out", out)
    with open(keys, "w") as f:
        f.write(newest + "\n")
    verifiers = [[VERIFY], [sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py")]]

    def judge(key):
        answers = [json.loads(run(v + [out, "--vkey", key, "--json"], env=vault.env).stdout) for v in verifiers]
        equal(*[(a["verdict"], a["index"], a["rule"], a["handovers"]) for a in answers], "both verifiers")
        return answers[0]["verdict"], answers[0]["handovers"]

    first = os.path.join(vault.out, "log.vkey")
    equal(judge(first), ("OK", handovers), "from the first key")
    equal(judge(keys), ("OK", handovers), "from the newest")
    equal(len(handovers), 3, "hand-overs")
    path = os.path.join(out, "handovers")
    with open(path, "rb") as f:
        chain = f.read()
    other = b"B" if chain[-5:-4] == b"A" else b"A"
    for bad in (chain[:-5] + other + chain[-4:], chain[:len(chain) // 2], b""):
        with open(path, "wb") as f:
            f.write(bad)
        equal(judge(first)[0], "TAMPERED", "a chain that was changed")
    os.remove(path)
    equal(judge(first)[0], "TAMPERED", "no chain, from the first key")
    equal(judge(keys)[0], "INCOMPLETE", "no chain, from the newest")


def tar_with(path, source, change):
    """A copy of an archive whose members pass through change(tarinfo, data) -> list of (tarinfo, data)."""
    with tarfile.open(source) as old, tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as new:
        for m in old:
            for info, data in change(m, old.extractfile(m).read()):
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))


def hostile(vault):
    step("hostile archives")
    source, keyring = os.path.join(vault.base, "first.tar"), os.path.join(vault.base, "first.keyring")
    path = os.path.join(vault.base, "bad.tar")
    shutil.copy(keyring, os.path.join(vault.base, "bad.keyring"))

    def extra(name, kind=tarfile.REGTYPE, link="", data=b"x", before="undersealed.conf"):
        def change(m, old):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            return ([(info, data if kind == tarfile.REGTYPE else b"")] if m.name == before else []) + [(m, old)]
        return change

    def instead(name, data):
        return lambda m, old: [(m, data(old) if m.name == name else old)]

    def without(name):
        return lambda m, old: [] if m.name.startswith(name) else [(m, old)]

    flip = lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:]
    for what, why, change in (
            ("a path upwards", "part of a backup", extra("../evil")), ("a path upwards within", "part of a backup", extra("keeper/../evil")), ("an absolute path", "part of a backup", extra("/tmp/evil")),
            ("the keyring", "part of a backup", extra("keeper/keyring")), ("a stranger's file", "part of a backup", extra("keeper/x")), ("a file twice", "a member twice", extra("keeper/vault.conf", before="vault/store.db")),
            ("the label twice", "begin with its label", extra("underseal-backup")),
            ("a directory", "part of a backup", extra("keeper", tarfile.DIRTYPE)), ("a symbolic link", "not a plain file", extra("keeper/checkpoint", tarfile.SYMTYPE, "/etc/passwd")),
            ("a hard link", "not a plain file", extra("keeper/handovers", tarfile.LNKTYPE, "undersealed.conf")), ("a device", "not a plain file", extra("keeper/handovers", tarfile.CHRTYPE)),
            ("a large file", "too large", extra("keeper/handovers", data=b"0" * (1 << 20))), ("a partial tile", "part of a backup", extra("keeper/tile/0/000.p/3")),
            ("a journal of another name", "part of a backup", extra("keeper/journal/next")),
            ("no label", "begin with its label", without("underseal-backup")), ("another label", "that this program knows", instead("underseal-backup", lambda b: b.replace(b"number=1", b"number=01"))),
            ("no keys", "lacks a part", without("keeper/boot.keys")), ("no store", "lacks a part", without("vault/store.db")), ("no journal", "lacks a part", without("keeper/journal")),
            ("no succession", "lacks a part", without("keeper/succession")), ("another succession", "the log's word", instead("keeper/succession", flip)),
            ("another key", "the log's word", instead("keeper/boot.keys", lambda b: b[:4] + bytes(32) + b[36:])),
            ("another vault", "two vaults", instead("keeper/vault.conf", lambda b: re.sub(b"vault=..", b"vault=00", b))),
            ("no configuration at all", "", instead("keeper/vault.conf", lambda b: b"")),
            ("an entry changed", "not the one that was signed", instead("keeper/journal/0000000000000000", lambda b: b[:400] + bytes([b[400] ^ 1]) + b[401:]))):
        tar_with(path, source, change)
        error = restore(vault, "bad", code=(OTHER, UNVERIFIED))
        check("nothing was restored" in error and why in error, "refused: " + what, error)
    weaker = b"listen=0.0.0.0:1\nusers=shared\nwitnesses.max-age=0\nkeeper.fail-sync=3\n\x1b[2Jfronts=1"
    tar_with(path, source, instead("undersealed.conf", lambda b: weaker))
    restore(vault, "bad")
    with open(os.path.join(vault.data, "undersealed.conf"), "rb") as f:
        settings = f.read()
    equal([l for l in settings.replace(vault.settings.encode(), b"").split(b"\n") if l and not l.startswith(b"#")],
          [("%s=%s" % (n[2:].replace("user", "users"), v)).encode() for n, v in zip(vault.place()[::2], vault.place()[1::2])],
          "the settings that are in effect")
    check(b"# users=shared\n" in settings and b"\x1b" not in settings, "what the backup said can be read", settings)
    shutil.rmtree(vault.data)
    with open(source, "rb") as f:
        whole = f.read()
    for n in (0, 100, 512, 5000, len(whole) // 2, len(whole) - 20000):
        with open(path, "wb") as f:
            f.write(whole[:n])
        restore(vault, "bad", code=(OTHER, UNVERIFIED))
    with open(path, "wb") as f:
        f.write(random.Random(4).randbytes(100000))
    restore(vault, "bad", code=(OTHER, UNVERIFIED))
    shutil.copy(source, path)
    with open(keyring, "rb") as f:
        whole = f.read()
    for name, data in (("empty", b""), ("cut", whole[:60]), ("another vault's", re.sub(b"vault=..", b"vault=00", whole)),
                       ("an older one", whole.replace(b"USK1" + whole[whole.index(b"USK1") + 4:][:8], b"USK1" + bytes(8))
                        .replace(b"keyring=%d" % struct.unpack(">Q", whole[whole.index(b"USK1") + 4:][:8])[0], b"keyring=0"))):
        with open(os.path.join(vault.base, "bad.keyring"), "wb") as f:
            f.write(data)
        error = restore(vault, "bad", code=(OTHER, UNVERIFIED))
        check("copy" in error, "refused: a keyring's copy that is " + name, error)
    os.mkdir(vault.data)
    with open(os.path.join(vault.data, "x"), "w"):
        pass
    r = run([DAEMON, "restore", "--from", source, "--keyring-from", keyring, "--data", vault.data], env=vault.env)
    check(r.returncode == OTHER and b"is not empty" in r.stderr, "not over what is there", r.stderr)
    shutil.rmtree(vault.data)
    equal(os.listdir("/tmp").count("evil"), 0, "nothing was written elsewhere")


def write_records(path, prefix, n):
    rng = random.Random(prefix)
    with open(path, "w") as f:
        for i in range(n):
            f.write(json.dumps({"id": "%s-%d" % (prefix, i), "created": "2023-05-01T12:00:00Z", "model": "gpt-4",
                                "messages": [{"role": "user", "content": "?"},
                                             {"role": "assistant", "content": text_of(rng, 30)[1]}]}) + "\n")


def scenario():
    vault = Vault(20189)
    vault.demo()
    path = os.path.join(vault.base, "records.jsonl")
    write_records(path, "h", 40)
    vault.load(path)
    bates = ["DEMO%09d" % (i + 1) for i in range(40)]
    vault.client("auditor", "audit", "witness", "--vkey", "--name", "test.example/w1", as_json=False)
    vkey = vault.client("auditor", "audit", "witness", "--vkey", as_json=False).stdout.decode().strip().split("\n")[-1]
    vault.stop()
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        vault.settings = "witnesses=%s\n" % vkey
        f.write(vault.settings)
    vault.serve().unseal()
    vault.read(bates[:5])
    vault.client("auditor", "audit", "witness")
    in_place(vault, bates)
    put_back(vault, bates)
    write_records(os.path.join(vault.base, "more.jsonl"), "more", 5)
    from_backup(vault, bates)
    hostile(vault)


main(scenario)
