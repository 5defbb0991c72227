#!/usr/bin/env python3
"""Goal: sealed means that no key is left.

The keys that follow from the shares are looked for in the memory of every process: before sealing some are in the
keeper and none in front, intake or sealer; after it there are none anywhere. Sealed, it answers with 4; a wrong share is
named, a mistyped one is not sent; two right ones open it again.
"""
from harness import *

TOOL = os.path.join(BUILD, "tests", "known_keys")
REGION_MAX = 1 << 30  # a sanitizer's shadow is larger


def memory_holds(pid, keys):
    """The names of the keys that stand anywhere in the memory of a process."""
    found = set()
    with open("/proc/%d/maps" % pid) as f:
        maps = f.read().splitlines()
    with open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if rights[0] != "r" or end - start > REGION_MAX or "[v" in line:
                continue
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except OSError:
                continue
            for name, key in keys.items():
                if key in data:
                    found.add(name)
    return found


def look(vault, keys):
    found = {}
    pids = dict(vault.roles(), monitor=[vault.process.pid])
    for role, ps in pids.items():
        for pid in ps:
            found.setdefault(role, set()).update(memory_holds(pid, keys))
    equal(set(pids), {"monitor", "front", "intake", "sealer", "vault", "keeper"}, "roles that run")
    return found


def scenario():
    if not is_root():
        skip("reading the memory of other processes needs root")
    vault = Vault(20050).demo()
    lines = generate(800, 5)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    vault.count("harbour")
    vault.read("DEMO000000001")
    open_connection = Http(vault, vault.profile("attorney"))
    equal(open_connection.read("DEMO000000002")[0], 200, "a read on an open connection")

    r = run([TOOL, vault.data, vault.share(1), vault.share(2)])
    check(r.returncode == 0, "the known keys", r.stderr)
    keys = {}
    for line in r.stdout.decode().splitlines():
        name, key = line.split()
        keys[name] = bytes.fromhex(key)
    step("%d keys are known: %s" % (len(keys), ", ".join(keys)))
    own = bytes(range(200, 232))  # the scan itself works: it finds what this process holds
    equal(memory_holds(os.getpid(), {"own": own}), {"own"}, "control")
    before = look(vault, keys)
    step("open: " + "; ".join("%s: %s" % (r, ", ".join(sorted(k)) or "none") for r, k in sorted(before.items())))
    check(len(before["keeper"]) >= 3, "the keeper of an open vault holds keys", before)
    for role in ("monitor", "front", "intake"):
        equal(before[role], set(), "keys in %s" % role)
    check(not before["vault"] & {"root", "keyring-kek", "collection-1", "tree-root", "term-root", "log-box",
                                 "log-box-private", "ca-wrap"}, "the vault holds no key above its requests", before)
    check(not before["sealer"] & {"root", "keyring-kek", "collection-1", "tree-root", "term-root", "log-box", "state"},
          "the sealer holds no key above its batch", before)

    step("sealing")
    vault.client("admin", "seal", "--reason", "system test")
    wait_for(lambda: vault.process.poll() is None and len(vault.roles()) == 5 and
             vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed",
             20, "the vault is sealed and answers")
    after = look(vault, keys)
    step("sealed: " + "; ".join("%s: %s" % (r, ", ".join(sorted(k)) or "none") for r, k in sorted(after.items())))
    equal({r: k for r, k in after.items() if k}, {}, "keys left after sealing")

    step("what a sealed vault answers")
    for who, args in (("attorney", ("search", "demo", "harbour")), ("attorney", ("read", "demo", "DEMO000000001")),
                      ("producer", ("load", "demo", vault.base + "/a.jsonl")), ("admin", ("person", "list")),
                      ("auditor", ("audit", "list"))):
        vault.client(who, *args, code=SEALED)
    try:
        status = open_connection.read("DEMO000000002")[0]
        equal(status, 503, "a read on the connection that was open")
    except (OSError, http.client.HTTPException):
        pass  # closed with its front: as good
    equal(vault.client("admin", "status").json["sealed"], True, "status")

    step("wrong shares")
    with open(vault.share(1)) as f:
        words = f.read().split()
    bad = vault.base + "/bad.txt"
    for change in (lambda w: w[:10] + ["academic" if w[10] != "academic" else "acid"] + w[11:], lambda w: w[:-1],
                   lambda w: w[:5] + ["notaword"] + w[6:]):
        with open(bad, "w") as f:
            f.write(" ".join(change(words)) + "\n")
        vault.client("admin", "unseal", bad, code=UNVERIFIED)
        vault.client("admin", "share", "check", bad, code=UNVERIFIED, as_json=False)
    equal(vault.client("admin", "status").json["shares"]["given"], 0, "shares given after mistyped ones")
    other = Vault(20051)
    other.init()
    r = vault.client("admin", "unseal", other.share(1), code=None)
    check(r.code in (UNVERIFIED, OTHER, REFUSED) and "share" in r.stderr, "a share of another vault is named as wrong", r)
    equal(vault.client("admin", "status").json["shares"]["given"], 0, "shares given after a wrong one")
    vault.client("admin", "unseal", vault.share(2))
    vault.client("admin", "unseal", vault.share(2), code=None)
    equal(vault.client("admin", "status").json["shares"]["given"], 1, "the same share counts once")

    step("opening again")
    vault.client("admin", "unseal", vault.share(3))
    vault.wait_open()
    check(lines[0] in vault.read("DEMO000000001")[1][0], "the evidence is there again")
    equal(vault.count("ownsys5x3"), 1, "and is found")
    check(any(e["action"] == "seal" for e in vault.audit()), "sealing stands in the log")
    vault.stop()


main(scenario)
