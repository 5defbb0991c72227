#!/usr/bin/env python3
"""Goal: the life of an order through the whole daemon.

An expert reads after Exhibit A and a clearance that was served, objected to and resolved; a copy leaves after an approval that is used once; a
relabel changes who sees a record; a clawback takes records out of every count and view, says how many had them, and is withdrawn; a second
version is proposed with its instrument, compared, signed by the court alone, takes effect at its time, is suspended; what held at a
past moment is explained again. All of it outlasts a restart, and the log verifies.
"""
from harness import *

MORE = """
  - id: experts
    paragraph: "8.3"
    effect: permit
    who: {party: plaintiffs, capacity: expert}
    what: all
    actions: [count, search, read]
    conditions: {acknowledgement: true, clearance: expert}
  - id: house-counsel
    paragraph: "8.4"
    effect: permit
    who: {party: plaintiffs, capacity: house-counsel}
    what: {designation: CONFIDENTIAL}
    actions: [count, search, read]
  - id: clearances
    paragraph: "8.5"
    effect: permit
    who: {party: plaintiffs, capacity: outside-counsel}
    actions: [clearance]
"""


NO = (OTHER, USAGE, REFUSED)  # what is not shown to somebody cannot be signed either: not found, or refused


def order_text(version, designations=True, house=True):
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f:
        text = f.read()
    text = text.replace("version: 1", "version: %d" % version, 1)
    text = text.replace("workflows:\n", "designations: [\"ATTORNEYS' EYES ONLY\", CONFIDENTIAL]\n\n"
                        "clearances:\n  - {id: expert, paragraph: \"8.3\", serve: defendant, days: 14, confirm: court}\n\n"
                        "workflows:\n", 1)
    text = text.replace('    actions: [copy]\n    conditions:\n      purpose: required\n',
                        '    actions: [copy]\n    conditions:\n      purpose: required\n'
                        '      approvals: {count: 1, party: court, capacity: auditor, hours: 48}\n', 1)
    more = MORE if house else MORE.replace('    what: {designation: CONFIDENTIAL}\n    actions: [count, search, read]',
                                           '    what: {designation: CONFIDENTIAL}\n    actions: [count]')
    if version > 1:
        text = text.replace('carries_over: true', 'carries_over: false', 1)
    return text + more


def write(vault, name, text):
    path = os.path.join(vault.base, name)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    return path


def reason(r):
    problem = json.loads(r.stdout.split(b"\n")[0])
    return problem["reason"], problem.get("paragraph")


def exhibit_a(vault, bates):
    step("Exhibit A, then a clearance")
    equal(reason(vault.read(bates, who="expert", code=REFUSED)), ("no-acknowledgement", "8.3"), "before Exhibit A")
    vault.client("expert", "acknowledge", "--address", "1 Main Street", "--place", "New York")
    equal(reason(vault.read(bates, who="expert", code=REFUSED)), ("clearance", "8.3"), "after Exhibit A")
    statement = write(vault, "statement.txt", "Edith Expert, statistician; no interest in the outcome.\n")
    r = vault.client("attorney", "clearance", "request", "Edith Expert", "--statement", statement, code=(DONE, PENDING))
    clearance = r.json["docket"]
    vault.client("expert", "docket", "sign", clearance, code=NO)
    vault.client("auditor", "docket", "sign", clearance, code=NO)  # nobody is served yet
    vault.client("producer", "docket", "show", clearance, code=USAGE)  # served on nobody yet, so nobody's business
    vault.client("attorney", "docket", "serve", clearance, "--party", "defendant")
    item = vault.client("producer", "docket", "show", clearance).json
    equal((item["kind"], item["status"], item["filed_by"]), ("clearance", "waits", "Alice Attorney"), "the item")
    vault.client("producer", "docket", "receive", clearance)
    served = vault.client("attorney", "docket", "show", clearance).json["served"]
    check(len(served) == 1 and served[0]["party"] == "defendant" and served[0]["due"] and served[0]["received"], "served", served)
    vault.client("auditor", "docket", "sign", clearance, code=NO)  # the term runs
    grounds = write(vault, "grounds.txt", "She consults for a competitor.\n")
    vault.client("producer", "docket", "object", clearance, "--file", grounds)
    equal(vault.client("attorney", "docket", "show", clearance).json["status"], "objected", "status")
    vault.read(bates, who="expert", code=REFUSED)
    vault.client("attorney", "docket", "resolve", clearance, "--granted", "--authority", "mine", code=REFUSED)
    vault.client("auditor", "docket", "resolve", clearance, "--granted", "--authority", "ECF No. 20")
    equal(len(vault.read(bates, who="expert")[1]), 1, "the cleared expert reads")
    register = vault.client("auditor", "order", "acknowledgements").stdout.decode()
    check("Edith Expert" in register and "1 Main Street" in register, "the register", register)


def approvals(vault, bates):
    step("an approval is for one copy")
    out = os.path.join(vault.base, "copy.html")
    r = vault.client("attorney", "copy", "demo", bates, "--recipient", "Firm", "-o", out, code=REFUSED)
    equal(reason(r)[0], "approval", "without approval")
    r = vault.client("attorney", "approval", "request", "copy", "demo", bates, code=(DONE, PENDING))
    approval = r.json["docket"]
    vault.client("attorney", "docket", "sign", approval, code=NO)
    vault.client("producer", "docket", "sign", approval, code=NO)
    mine = [i for i in vault.client("auditor", "docket", "list").json["items"] if i["id"] == approval]
    check(len(mine) == 1 and mine[0]["yours"], "the auditor is told", mine)
    vault.client("auditor", "docket", "sign", approval, code=(DONE, PENDING))
    other = bates[:-1] + ("8" if bates[-1] != "8" else "9")
    vault.client("attorney", "copy", "demo", other, "--recipient", "Firm", "-o", out, code=REFUSED)
    vault.client("attorney", "copy", "demo", bates, "--recipient", "Firm", "-o", out)
    vault.client("attorney", "copy", "demo", bates, "--recipient", "Firm", "-o", out + "2", code=REFUSED)


def relabels(vault, bates):
    step("a relabel changes who sees a record")
    header = vault.read(bates)[1]
    equal(json.loads(header[0])["designation"], "ATTORNEYS' EYES ONLY", "the strictest at load")
    vault.read(bates, who="house", code=NO)
    equal(vault.client("house", "search", "demo", "*", "--count").json["total"], 0, "house counsel counts")
    vault.client("attorney", "relabel", bates, "--designation", "CONFIDENTIAL", "--reason", "mine", code=REFUSED)
    vault.client("producer", "relabel", bates, "--designation", "CONFIDENTIAL", "--reason", "ECF No. 30")
    equal(len(vault.read(bates, who="house")[1]), 1, "house counsel reads")
    equal(json.loads(vault.read(bates)[1][0])["designation"], "CONFIDENTIAL", "as it is shown")
    equal(vault.client("house", "search", "demo", "*", "--count").json["total"], 1, "house counsel counts")
    equal(vault.count('designation:CONFIDENTIAL'), 1, "search")
    vault.client("producer", "relabel", bates, "--designation", "NOT A WORD OF THE ORDER", "--reason", "x", code=NO)


def clawbacks(vault, total):
    step("a clawback takes records out of everything at once")
    two = ["DEMO000000011", "DEMO000000012"]
    vault.read(two[0])
    before = vault.client("attorney", "search", "demo", "*", "--count").json
    notice = write(vault, "notice.txt", "These two are privileged.\n")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    mine = write(vault, "mine.txt", "I should like to see these gone.\n")
    vault.client("attorney", "clawback", *two, "--notice", mine, "--noticed-at", now, code=REFUSED)
    r = vault.client("producer", "clawback", *two, "--notice", notice, "--noticed-at", now, code=(DONE, PENDING))
    clawback = r.json["docket"]
    equal(vault.client("attorney", "search", "demo", "*", "--count").json["total"], total - 2, "the count")
    for b in two:
        vault.read(b, code=NO)
        equal(vault.count("bates:" + b), 0, "search")
    again = vault.client("attorney", "search", "demo", "*", "--count", "--snapshot", before["snapshot"]).json
    equal((again["total"], again["withdrawn"]), (total - 2, 2), "an earlier snapshot says so")
    vault.client("attorney", "docket", "receive", clawback)
    report = vault.client("producer", "clawback", "report", clawback).json
    equal((report["people"], report["records"]), (1, 1), "who had any of them")
    check("Alice" not in json.dumps(report), "the producer learns numbers alone", report)
    check(report["served"][0]["received"], "and who has it", report)
    vault.client("producer", "docket", "withdraw", clawback, "--reason", "not privileged after all")
    equal(vault.client("attorney", "search", "demo", "*", "--count").json["total"], total, "seen again")


def versions(vault, bates):
    step("a second version: proposed, compared, signed by the court, in force, suspended")
    pdf = write(vault, "order2.pdf", b"%PDF-1.4\n" + os.urandom(1200000))
    two = write(vault, "order2.yaml", order_text(2, house=False))
    held = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    r = vault.client("admin", "order", "propose", two, "--instrument", pdf, "--authority", "ECF No. 40", code=PENDING)
    equal(r.json["docket"], "order-2", "the proposal")
    equal(vault.client("attorney", "status").json["order"]["version"], 1, "nothing follows from a proposal")
    diff = vault.client("auditor", "order", "diff", 1, 2).json
    house = [p for p in diff["people"] if p["name"] == "Hugo House"]
    check({p["action"] for p in house} == {"search", "read"} and all(p["loses"] == 1 and p["gains"] == 0 for p in house),
          "who loses what", diff["people"])
    vault.client("admin", "docket", "sign", "order-2", code=REFUSED)
    vault.client("attorney", "order", "sign", "order-2", code=REFUSED)
    vault.client("auditor", "order", "sign", "order-2")
    equal(vault.client("attorney", "status").json["order"]["version"], 2, "in force")
    vault.read(bates, who="house", code=REFUSED)
    equal(reason(vault.read(bates, who="expert", code=REFUSED))[0], "no-acknowledgement", "Exhibit A anew")
    vault.client("expert", "acknowledge", "--address", "1 Main Street", "--place", "New York")
    header, records = vault.read(bates, who="expert")
    equal(header["order"], 2, "the decision names its version")
    got = os.path.join(vault.base, "got.pdf")
    digest = vault.client("attorney", "order", "show", "order-2").json["instrument"]
    vault.client("attorney", "document", "get", digest, "-o", got)
    check(open(got, "rb").read() == open(pdf, "rb").read(), "the instrument comes back")
    past = vault.client("auditor", "order", "explain", "--person", "Hugo House", "--action", "read", "--at", held, "demo", bates).json
    present = vault.client("auditor", "order", "explain", "--person", "Hugo House", "--action", "read", "demo", bates).json
    equal((past["decision"], past["order"], present["decision"], present["order"]), ("allow", 1, "deny", 2), "then and now")
    who = vault.client("auditor", "order", "who", "demo", bates, "--action", "read").json
    may = {p["name"] for p in who["people"] if p["decision"] == "allow"}
    equal(may, {"Alice Attorney", "Edith Expert"}, "who may read it")

    step("a third takes effect at its time; suspending the second changes nothing then, suspending the third brings the first back")
    three = write(vault, "order3.yaml", order_text(3))
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4 * SLOW)
    vault.client("auditor", "order", "propose", three, "--authority", "ECF No. 41", "--effective",
                 at.strftime("%Y-%m-%dT%H:%M:%SZ"), code=PENDING)
    vault.client("auditor", "order", "sign", "order-3")
    equal(vault.client("attorney", "status").json["order"]["version"], 2, "not yet")
    wait_for(lambda: vault.client("attorney", "status").json["order"]["version"] == 3, 10, "the third is in force", 0.2)
    vault.client("attorney", "order", "suspend", 3, "--authority", "mine", code=REFUSED)
    vault.client("auditor", "order", "suspend", 2, "--authority", "ECF No. 42")
    equal(vault.client("attorney", "status").json["order"]["version"], 3, "still the third")
    vault.client("auditor", "order", "suspend", 3, "--authority", "ECF No. 43")
    equal(vault.client("attorney", "status").json["order"]["version"], 1, "its predecessor")
    equal(len(vault.read(bates, who="house")[1]), 1, "as it was")
    states = {o["version"]: o["status"] for o in vault.client("attorney", "order", "list").json["items"]}
    equal(states, {1: "in-force", 2: "suspended", 3: "suspended"}, "all versions")
    named = {e["order"] for e in vault.audit() if e.get("action") == "order-in-force"}
    check(named >= {1, 2, 3}, "the log says when each began to hold", named)


def scenario():
    order = os.path.join(tempfile.mkdtemp(prefix="us-order-"), "order.yaml")
    with open(order, "w") as f:
        f.write(order_text(1))
    vault = Vault(20130, order=order).start()
    vault.client("admin", "collection", "create", "demo", "--bates", "DEMO")
    lines = [line for line in generate(120, 13, long_every=0) if b'"designation"' not in line]
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    vault.add_person("Edith Expert", "expert", "expert")
    vault.add_person("Hugo House", "house", "house-counsel")
    exhibit_a(vault, "DEMO000000001")
    approvals(vault, "DEMO000000002")
    relabels(vault, "DEMO000000003")
    clawbacks(vault, len(lines))
    versions(vault, "DEMO000000003")

    step("after a restart")
    vault.stop()
    vault.serve().unseal()
    equal(vault.client("attorney", "status").json["order"]["version"], 1, "version")
    equal(len(vault.read("DEMO000000003", who="house")[1]), 1, "the relabel")
    vault.client("attorney", "copy", "demo", "DEMO000000002", "--recipient", "Firm", "-o", vault.base + "/c3", code=REFUSED)
    vault.client("auditor", "audit", "verify")
    vault.stop()


main(scenario)
