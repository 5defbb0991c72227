#!/usr/bin/env python3
"""Goal: limits over time hold through the whole daemon, and everybody is told what is left.

Counsel and their staff share a limit a day; an expert has one for life; a vendor may not take a run of records; house counsel may see a
twentieth of all. Each reads up to the edge and is refused beyond it, citing the paragraph; sealing, and killing the daemon, changes no number, nor does restoring a backup.
"""
from harness import *

RULES = """
  - id: team
    paragraph: "7.1"
    effect: permit
    who: {party: plaintiffs, capacity: [outside-counsel, counsel-staff]}
    what: all
    actions: [count, search, read]
    limits: {records_per_request: 20, per_day: 30, life: 900, per: party}
  - id: copies
    paragraph: "7.2"
    effect: permit
    who: {party: plaintiffs, capacity: outside-counsel}
    what: all
    actions: [copy]
    limits: {life: 3}
  - id: experts
    paragraph: "8.3"
    effect: permit
    who: {party: plaintiffs, capacity: expert}
    what: all
    actions: [read]
    limits: {life: 5}
  - id: vendors
    paragraph: "8.1"
    effect: permit
    who: {party: plaintiffs, capacity: vendor}
    what: all
    actions: [read]
    limits: {consecutive: 3}
  - id: house
    paragraph: "8.2"
    effect: permit
    who: {party: plaintiffs, capacity: house-counsel}
    what: all
    actions: [read]
    limits: {share: "5%"}
  - id: production
    paragraph: "5.1"
    effect: permit
    who: {party: defendant, capacity: producer}
    actions: [load, batch-list, batch-hold, batch-release, batch-withdraw]
  - id: audit
    paragraph: "9.1"
    effect: permit
    who: {party: court, capacity: auditor}
    actions: [audit]
    boxes: all
"""


def bates(*numbers):
    return ["DEMO%09d" % n for n in numbers]


def over(vault, who, paragraph, rule, *numbers):
    """A read that goes too far: the problem."""
    r = vault.read(bates(*numbers), who=who, code=REFUSED)
    problem = json.loads(r.stdout.split(b"\n")[0])
    equal((problem["reason"], problem["paragraph"], problem["rule"]), ("quota", paragraph, rule), "reason, paragraph, rule")
    check(problem["cure"] and problem["entry"] > 0, "what would help, and where it is logged", problem)
    return problem


def reopen(vault):
    vault.kill()
    vault.serve().unseal()


def seal_and_open(vault):
    vault.client("admin", "seal")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20,
             "the vault is sealed and answers")
    vault.unseal()


def team(vault):
    step("a limit a day that a party shares")
    header = vault.read(bates(*range(1, 16)))[0]
    equal(header["quota"], {"records_per_request": 20, "consecutive": None, "per_day": 15, "life": 885, "share": None},
          "what is left")
    header = vault.read(bates(1, 2, 3))[0]
    equal(header["quota"]["per_day"], 15, "what was had already costs nothing")
    header = vault.read(bates(*range(11, 26)), who="staff")[0]
    equal(header["quota"]["per_day"], 5, "staff share the limit")
    problem = over(vault, "attorney", "7.1", "team", *range(100, 106))
    equal(problem["quota"]["per_day"], 5, "left when refused")
    hits = vault.client("attorney", "search", "demo", "*", "--limit", 5).json
    equal(hits["quota"]["per_day"], 5, "snippets of records that were had")
    r = vault.client("staff", "read", "demo", *bates(100, 101), as_json=False)
    check("left: 3 today, 873 in all" in r.stderr, "the client says what is left", r)
    r = vault.client("staff", "search", "demo", "*", as_json=False, code=(DONE, REFUSED))
    check("left: 3 today" in r.stderr, "after a search too", r)


def alone(vault):
    # all of the party's people count for the party: what they read here the team has had
    step("a limit for life, of one person")
    equal(vault.read(bates(1, 3, 5), who="expert")[0]["quota"]["life"], 2, "left for life")
    over(vault, "expert", "8.3", "experts", 7, 9, 11)
    equal(vault.read(bates(7, 9), who="expert")[0]["quota"]["life"], 0, "none left")

    step("runs")
    equal(vault.read(bates(11, 12, 13), who="vendor")[0]["quota"]["consecutive"], 3, "the cap")
    over(vault, "vendor", "8.1", "vendors", 10)
    over(vault, "vendor", "8.1", "vendors", 14)
    vault.read(bates(15, 17), who="vendor")
    vault.read(bates(16), who="vendor")  # 15, 16, 17
    over(vault, "vendor", "8.1", "vendors", 14)

    step("a share of the collection")
    equal(vault.read(bates(*range(1, 16)), who="house")[0]["quota"]["share"], 5, "a twentieth of 400 is 20")
    over(vault, "house", "8.2", "house", *range(16, 22))

    step("copies are counted apart")
    out = os.path.join(vault.base, "copy")
    r = vault.client("attorney", "copy", "demo", *bates(1, 2, 3, 4), "--recipient", "Dr. X", "-o", out + "1", code=REFUSED)
    problem = json.loads(r.stdout.split(b"\n")[0])
    equal((problem["reason"], problem["paragraph"], problem["rule"]), ("quota", "7.2", "copies"), "four are one too many")
    vault.client("attorney", "copy", "demo", *bates(1, 2, 3), "--recipient", "Dr. X", "-o", out + "2")
    vault.client("attorney", "copy", "demo", *bates(4), "--recipient", "Dr. X", "-o", out + "3", code=REFUSED)


def same(vault, how):
    step("the ledger after " + how)
    equal(over(vault, "staff", "7.1", "team", *range(110, 114))["quota"]["per_day"], 3, "the party's day")
    equal(vault.read(bates(1), who="attorney")[0]["quota"]["life"], 873, "the party's life")
    equal(over(vault, "expert", "8.3", "experts", 11)["quota"]["life"], 0, "the expert's life")
    over(vault, "vendor", "8.1", "vendors", 14)
    equal(vault.read(bates(5), who="house")[0]["quota"]["share"], 5, "the share")
    vault.client("attorney", "copy", "demo", *bates(5), "--recipient", "Dr. X", "-o", os.path.join(vault.base, "c"), code=REFUSED)


def restore(vault):
    """The vault burns down right after a backup."""
    archive, keyring = os.path.join(vault.base, "backup.tar"), os.path.join(vault.base, "backup.keyring")
    vault.stop()
    for argv in ([DAEMON, "backup", "--data", vault.data, "--to", archive, "--keyring-to", keyring],
                 [DAEMON, "restore", "--from", archive, "--keyring-from", keyring, "--data", vault.data] + vault.place()):
        r = run(argv, env=vault.env)
        check(r.returncode == DONE, "%s ends with %d" % (argv[1], r.returncode), r.stderr.decode())
        if argv[1] == "backup":
            shutil.rmtree(vault.data)
    vault.serve()
    vault.client("admin", "unseal", vault.share(1), code=OTHER)  # who gives a share is told of it first
    vault.unseal()


def scenario():
    left = 86400 - time.time() % 86400
    if left < 30 * SLOW:  # the limit a day would begin anew in the middle
        step("midnight is near: waiting")
        time.sleep(left + 1)
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f:
        text = f.read()
    order = os.path.join(tempfile.mkdtemp(prefix="us-order-"), "order.yaml")
    with open(order, "w") as f:
        f.write(text[:text.index("rules:\n")] + "rules:" + RULES)
    vault = Vault(20110, order=order).demo()
    vault.load(write_lines(vault.base + "/a.jsonl", generate(400, 11)))
    for name, who, capacity in (("Stan Staff", "staff", "counsel-staff"), ("Edith Expert", "expert", "expert"),
                                ("Vera Vendor", "vendor", "vendor"), ("Hugo House", "house", "house-counsel")):
        vault.add_person(name, who, capacity)
        with open(os.path.join(vault.profile(who), "profile.conf"), "a") as f:
            f.write("purpose=system test\n")
    team(vault)
    alone(vault)
    same(vault, "nothing")
    seal_and_open(vault)
    same(vault, "sealing and unsealing")
    reopen(vault)
    same(vault, "a kill")
    restore(vault)
    same(vault, "a restore from a backup")

    step("refusals in the log")
    refused = [e for e in vault.audit() if e.get("reason") == "quota"]
    check(len(refused) > 10, "refusals are logged", len(refused))
    equal({e["paragraph"] for e in refused}, {"7.1", "7.2", "8.1", "8.2", "8.3"}, "with their paragraphs")
    for e in refused:  # also those by the keeper, which alone knows what was had before
        equal(e["records"], [], "no record in the disclosure box of a refusal")
        check(e["action"] not in ("read", "copy") or e.get("asked"), "what was asked for", e)
    vault.stop()


main(scenario)
