#!/usr/bin/env python3
"""Goal: what the order hides stays hidden through the whole daemon.

A vendor reads records whose identifiers and system messages are masked and cannot search behind the mask; house counsel, who may only
count, gets no small numbers; an expert is refused from a network the order does not name; counsel opens the log entries of the own party alone.
"""
from harness import *

RULES = """
  - id: vendors
    paragraph: "8.1"
    effect: permit
    who: {party: plaintiffs, capacity: vendor}
    what: all
    actions: [count, search, read]
    masks: {identifiers: all, roles: system, fields: model}
  - id: house-counsel
    paragraph: "8.2"
    effect: permit
    who: {party: plaintiffs, capacity: house-counsel}
    what: all
    actions: [count]
  - id: experts
    paragraph: "8.3"
    effect: permit
    who: {party: plaintiffs, capacity: expert}
    what: all
    actions: [read]
    conditions: {networks: 10.9.0.0/16}
  - id: witnesses
    paragraph: "8.4"
    effect: permit
    who: {party: plaintiffs, capacity: witness}
    what: all
    actions: [read]
    masks: {identifiers: [email], except_match: true}
  - id: reporters
    paragraph: "8.5"
    effect: permit
    who: {party: plaintiffs, capacity: reporter}
    what: all
    actions: [read]
    conditions: {hours: never-now}
  - id: staff
    paragraph: "8.6"
    effect: forbid
    who: {party: plaintiffs, capacity: counsel-staff}
    actions: [person-list]
  - id: staff-copies
    paragraph: "8.7"
    effect: permit
    who: {party: plaintiffs, capacity: counsel-staff}
    what: all
    actions: [copy]
    conditions: {period: over}
  - id: house-samples
    paragraph: "8.8"
    effect: permit
    who: {party: plaintiffs, capacity: house-counsel}
    what: all
    actions: [sample]
    conditions: {credential: {days: 1}}
  - id: own-log
    paragraph: "9.2"
    effect: permit
    who: {party: plaintiffs, capacity: outside-counsel}
    actions: [audit]
    boxes: all
    log: own-party
"""

RECORD = {"id": "secretid77", "model": "gpt-secret", "language": "en", "custom": "hiddenfield", "messages": [
    {"role": "system", "content": "plantedsystem words"},
    {"role": "user", "content": "write to jane.roe@example.org about harbour"},
    {"role": "assistant", "content": "done"}]}


def scenario():
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f:
        text = f.read().replace('paragraph: "4"\n', 'paragraph: "4"\n  smallest_count: 5\n', 1) + RULES
    # a calendar with no working hours today or tomorrow, whatever the day, and a period that is over
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%A").lower()
    text = text.replace("workflows:\n", "calendars:\n  - {id: never-now, time_zone: America/New_York, days: [%s]}\n"
                        "periods:\n  - {id: over, until: 2025-01-01T00:00:00Z}\n\nworkflows:\n" % day, 1)
    order = os.path.join(tempfile.mkdtemp(prefix="us-order-"), "order.yaml")
    with open(order, "w") as f:
        f.write(text)
    vault = Vault(20100, order=order).demo()
    lines = [json.dumps(RECORD).encode()] + generate(50, 10)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    for name, who, capacity in (("Vera Vendor", "vendor", "vendor"), ("Hugo House", "house", "house-counsel"),
                                ("Edith Expert", "expert", "expert"), ("Wanda Witness", "witness", "witness"), ("Rita Reporter", "reporter", "reporter"),
                                ("Stan Staff", "staff", "counsel-staff")):
        vault.add_person(name, who, capacity)

    step("a masked record")
    full = b"".join(vault.read("DEMO000000001")[1])
    masked = b"".join(vault.read("DEMO000000001", who="vendor")[1])
    for planted in (b"secretid77", b"gpt-secret", b"hiddenfield", b"plantedsystem", b"jane.roe"):
        check(planted in full, "counsel sees it all", planted)
        check(planted not in masked, "the vendor does not", planted)
    record = json.loads(masked)
    check(record["masked"] is True and record["manifest"] is None, "the mask is visible", record)
    check("harbour" in masked.decode() and "[masked: email]" in masked.decode(), "the rest is there", masked)
    equal(record["record"]["masked"]["identifiers"]["email"], 1, "masks are counted")

    step("nothing but the match")
    shown = lambda *options: json.loads(vault.read("DEMO000000001", who="witness", options=options)[1][0])["record"]["messages"]
    texts = [m["content"] for m in shown("--match", "harbour OR example")]
    check(any("harbour" in t for t in texts) and "write to" not in " ".join(texts) and "example" not in " ".join(texts), "harbour alone", texts)
    check("harbour" not in json.dumps(shown()), "no query, no text")
    vault.read("DEMO000000001", who="witness", options=("--match", "(harbour"), code=OTHER)
    check("harbour" in json.dumps([e for e in vault.audit() if e.get("action") == "read" and e.get("query") == "harbour OR example"]),
          "what was asked for stands in the log")

    step("no search behind the mask")
    for query in ("plantedsystem", "NOT plantedsystem", "model:gpt-secret", '"roe example"'):
        r = vault.client("vendor", "search", "demo", query, code=3)
        equal(json.loads(r.stdout)["reason"], "masked", "reason")
    r = vault.client("vendor", "search", "demo", "language:en").json
    check(r["total"] > 0 and all("snippet" not in h for h in r["hits"]), "metadata, without snippets", r)

    step("small numbers")
    r = vault.client("house", "search", "demo", "plantedsystem", "--count").json
    check(r["total"] is None and r["fewer_than"] == 5, "one is fewer than five", r)
    r = vault.client("house", "search", "demo", "nosuchwordatall", "--count").json
    check(r["total"] is None and r["fewer_than"] == 5, "none is fewer than five", r)
    equal(vault.client("house", "search", "demo", "*", "--count").json["total"], len(lines), "all")
    vault.client("house", "search", "demo", "bates:DEMO000000001", "--count", code=3)
    vault.client("house", "read", "demo", "DEMO000000001", code=3)
    equal(vault.count("plantedsystem"), 1, "counsel, who may read, gets the number")

    step("from a network that is not named")
    r = vault.client("expert", "read", "demo", "DEMO000000001", code=3)
    problem = json.loads(r.stdout.split(b"\n")[0])
    equal((problem["reason"], problem["paragraph"]), ("network", "8.3"), "reason and paragraph")

    step("outside its hours, after its period, and what a prohibition takes from what is open to all")
    r = vault.client("reporter", "read", "demo", "DEMO000000001", code=3)
    equal([json.loads(r.stdout.split(b"\n")[0])[k] for k in ("reason", "paragraph")], ["hours", "8.5"], "hours")
    r = vault.client("staff", "copy", "demo", "DEMO000000001", "--recipient", "x", "--purpose", "y", "-o", vault.base + "/x", code=3)
    equal([json.loads(r.stdout.split(b"\n")[0])[k] for k in ("reason", "paragraph")], ["period", "8.7"], "period")
    r = vault.client("staff", "person", "list", code=3)
    equal([json.loads(r.stdout.split(b"\n")[0])[k] for k in ("reason", "paragraph")], ["prohibited", "8.6"], "prohibited")
    why = vault.client("auditor", "order", "explain", "--person", "Hugo House", "--action", "sample", "demo", "DEMO000000001").json
    equal((why["decision"], why["reason"], why["paragraph"]), ("deny", "credential", "8.8"), "a credential for too long")

    step("the own party's entries")
    everybody = vault.audit()
    own = vault.audit(who="attorney")
    check(len(own) > 0, "counsel lists the log")
    names = {e.get("person") for e in own if isinstance(e.get("person"), str)} - {"withheld"}
    check("Vera Vendor" in names and "Alice Attorney" in names, "people of the own party", names)
    check("Peter Producer" not in names and "Ada Auditor" not in names, "and nobody else", names)
    check("Peter Producer" in {e.get("person") for e in everybody}, "whom the auditor sees")

    step("a waiver: one entry of the own party, for an export of somebody else's")
    mine = [e for e in vault.audit(who="attorney") if e.get("query") == "harbour OR example"][0]["index"]
    theirs = [e for e in everybody if e.get("person") == "Peter Producer"][0]["index"]
    vault.client("attorney", "audit", "disclose", theirs, "--to", "defendant", "-o", vault.base + "/no", code=REFUSED)
    waived, half = vault.base + "/waived", vault.base + "/half"
    vault.client("attorney", "audit", "disclose", mine, "--to", "defendant", "-o", waived)
    vault.client("attorney", "audit", "disclose", mine, "--to", "defendant", "-o", half, "--without-query")
    export = vault.base + "/export"
    vault.client("attorney", "audit", "export", "--out", export)
    own = open(export + "/keys.jsonl").read()
    os.remove(export + "/keys.jsonl")  # as the other side has it: the leaves, and no key
    vault.client("attorney", "audit", "accept", half, "--dir", export)
    check("query" not in open(export + "/keys.jsonl").read(), "without the query", open(export + "/keys.jsonl").read())
    equal(vault.client("attorney", "audit", "accept", waived, "--dir", export).json["opened"], 1, "one entry opens")
    line = json.loads(open(export + "/keys.jsonl").read())
    check(line["index"] == mine and {"access", "disclosure", "query"} <= set(line), "all three boxes, once", line)
    before = open(export + "/keys.jsonl").read()
    with open(vault.base + "/forged", "w") as f:
        f.write(json.dumps(dict(line, index=mine - 1)) + "\n")
    vault.client("attorney", "audit", "accept", vault.base + "/forged", "--dir", export, code=UNVERIFIED)
    equal(open(export + "/keys.jsonl").read(), before, "a key of another entry changes nothing")
    check(own.count("\n") > 1, "the export had more")


main(scenario)
