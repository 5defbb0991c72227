#!/usr/bin/env python3
"""Goal: what a slip would let through is stopped at the door, and says what was probably meant.

A designation that the order's list does not have (a curly apostrophe) comes in with no record, no collection, no relabel, no rule and no
version of the order, so that house counsel sees nothing of what is for attorneys' eyes only. A query with "or" for OR is an error at its
place, in a search, a selection, a read and an order. A load that leaves nothing behind does not end with 0.

Every door is tried, whatever became of the one before; what stands open is listed at the end.
"""
import gzip

from harness import *

CURLY = "\u2019"  # as a word processor writes an apostrophe
AEO, CONFIDENTIAL = "ATTORNEYS' EYES ONLY", "CONFIDENTIAL"
AEO_CURLY = AEO.replace("'", CURLY)
LIST = "designations: [\"%s\", %s]\n\n" % (AEO, CONFIDENTIAL)
RULES = """
  - id: house-counsel
    paragraph: "7.4"
    effect: permit
    who: {party: plaintiffs, capacity: house-counsel}
    what: all
    actions: [count, search, read]
  - id: attorneys-eyes
    paragraph: "7.5"
    effect: forbid
    who: {party: plaintiffs, capacity: house-counsel}
    what: {designation: "ATTORNEYS' EYES ONLY"}
    actions: [count, search, read]
  - id: own-searches
    paragraph: "7.6"
    effect: permit
    who: {party: defendant, capacity: producer}
    what: all
    actions: [count, search]
"""


def order_text(version=1, designations=LIST, rules=RULES):
    with open(os.path.join(ROOT, "policy", "orders", "demo.yaml")) as f:
        text = f.read()
    return text.replace("version: 1", "version: %d" % version, 1).replace("workflows:\n", designations + "workflows:\n", 1) + rules


def record(name, designation, text, **more):
    r = {"id": name, "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "So it is."}]}
    if designation is not None:
        r["designation"] = designation
    return json.dumps(dict(r, **more), ensure_ascii=False).encode()


class Doors:
    def __init__(self):
        self.tried, self.open = 0, []

    def closed(self, name, test, *args):
        self.tried += 1
        try:
            test(*args)
            step("closed: " + name)
        except (Failure, KeyError, ValueError, OSError) as e:
            self.open.append(name)
            step("OPEN:   %s\n           %s" % (name, str(e)[:300].replace("\n", "\n           ")))

    def report(self):
        step("%d doors tried, %d closed, %d open" % (self.tried, self.tried - len(self.open), len(self.open)))
        check(not self.open, "open doors", *self.open)


class Story:
    def __init__(self, vault):
        self.vault, self.n = vault, 0
        self.doors = Doors()

    def file(self, *lines, name=None):
        self.n += 1
        return write_lines(os.path.join(self.vault.base, name or "f%d.jsonl" % self.n), lines)

    def text(self, name, text):
        path = os.path.join(self.vault.base, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def create(self, name, prefix, *options, code=DONE):
        return self.vault.client("admin", "collection", "create", name, "--bates", prefix, *options, code=code)

    def load(self, collection, *args, code=DONE):
        return self.vault.client("producer", "load", collection, *args, code=code)


# -- designations -------------------------------------------------------------------------------------

def says(r, *parts):
    for part in parts:
        check(part in r.stderr or part.encode() in r.stdout, "it says %r" % part, r)


def house_sees(story, collection, word):
    return story.vault.client("house", "search", collection, word, "--count").json["total"]


def designated_records(story):
    vault, doors = story.vault, story.doors
    # the record that was seen: marked attorneys' eyes only, with an apostrophe that the order's entry does not have
    curly = record("curly", AEO_CURLY, "The secret formula is sevenfold.")
    lines = [record("straight", AEO, "A straight one."), curly, record("open", CONFIDENTIAL, "For many."),
             record("lower", "attorneys' eyes\u00a0only", "Written otherwise, the same."), record("none", None, "Nobody has marked it.")]
    story.create("logs", "LOGS")
    path = story.file(*lines)

    def stop():
        r = story.load("logs", path, code=OTHER)
        says(r, "line 2: unlisted-designation", "underseal order show")
        equal(house_sees(story, "logs", "*"), 0, "records that house counsel sees")
    doors.closed("a load with a record of an unlisted designation stops", stop)

    def dry():
        says(story.load("logs", path, "--dry-run", code=OTHER), "line 2: unlisted-designation")
        r = story.load("logs", path, "--dry-run", "--on-defect", "skip")
        equal((r.json["admitted"], r.json["refused"]), (4, 1), "what a dry run says")
    doors.closed("a dry run says so before", dry)

    def skip_it():
        r = story.load("logs", path, "--on-defect", "skip")
        equal([(x["line"], x["code"]) for x in r.json["refused_records"]], [(2, "unlisted-designation")], "refused")
        equal(r.json["admitted"], 4, "admitted")
    doors.closed("with --on-defect skip it is left out, and named", skip_it)

    def house():
        equal(house_sees(story, "logs", "sevenfold"), 0, "what house counsel finds of it")
        seen, _, _ = all_hits(vault, "*", who="house", collection="logs")
        texts = [json.loads(line) for bates in seen for line in vault.read(bates, who="house", collection="logs")[1]]
        check(not any("sevenfold" in json.dumps(t) for t in texts), "house counsel reads the formula", *texts)
        equal([t["designation"] for t in texts], [CONFIDENTIAL], "what house counsel reads")
    doors.closed("house counsel reads nothing of what is for attorneys' eyes only", house)

    def spelled():
        found = {}
        for bates in all_hits(vault, "*", collection="logs")[0]:
            line = json.loads(vault.read(bates, collection="logs")[1][0])
            found[line["record"]["id"]] = line["designation"], line["record"].get("designation")
        equal(found, {"straight": (AEO, AEO), "open": (CONFIDENTIAL,) * 2, "none": (AEO, None),
                      "lower": (AEO, "attorneys' eyes\u00a0only")}, "as the order spells them; the source as it came")
    doors.closed("the list's own, in another spelling, is the list's", spelled)

    def again():
        r = story.load("logs", path, "--on-defect", "skip")
        equal((r.json["admitted"], r.json["duplicates"], r.json["refused"]), (0, 4, 1), "the same load again")
    doors.closed("a repeated load admits nothing twice and ends with 0", again)

    def blank():
        r = story.load("logs", story.file(record("blank", "\u200b \u00ad", "Marked with nothing.")), code=OTHER)
        says(r, "line 1: unknown-designation")
    doors.closed("a designation of nothing that is seen is none of the list's either", blank)


def collections_and_relabels(story):
    vault, doors = story.vault, story.doors

    def create():
        r = story.create("curly", "CURLY", "--designation", AEO_CURLY, code=OTHER)
        says(r, "the order knows no designation", "did you mean \"%s\"?" % AEO)
    doors.closed("no collection with an unlisted designation", create)

    def through():
        """What was seen: its records without a mark of their own are the collection's."""
        story.load("curly", story.file(record("own", None, "The second formula is eightfold.")), code=(OTHER, USAGE))
        story.vault.client("house", "search", "curly", "eightfold", "--count", code=(OTHER, USAGE))
    doors.closed("and nothing to load into it", through)

    def spelling():
        story.create("ours", "OURS", "--designation", "Attorneys' Eyes Only")
        items = vault.client("admin", "collection", "list").json["items"]
        equal([i["designation"] for i in items if i["name"] == "ours"], [AEO], "as the list spells it")
    doors.closed("a listed one is kept as the list spells it", spelling)

    def relabel():
        bates = all_hits(vault, "designation:confidential", collection="logs")[0][0]
        r = vault.client("producer", "relabel", bates, "--designation", AEO_CURLY, "--reason", "x", code=OTHER)
        says(r, "the order knows no designation", "did you mean")
        equal(json.loads(vault.read(bates, collection="logs")[1][0])["designation"], CONFIDENTIAL, "unchanged")
        vault.client("producer", "relabel", bates, "--designation", "con\ufb01dential", "--reason", "x")
        equal(json.loads(vault.read(bates, collection="logs")[1][0])["designation"], CONFIDENTIAL, "the ligature fi is an f and an i")
    doors.closed("no relabel to an unlisted one", relabel)

    def noted():
        r = vault.client("attorney", "search", "logs", "designation:\"%s\"" % AEO_CURLY, "--count")
        equal(r.json["total"], 0, "total")
        check(any("did you mean \"%s\"?" % AEO in n for n in r.json["notes"]), "a note", r)
        says(r, "note: the order lists no designation")
        equal(vault.client("attorney", "search", "logs", "designation:confidential", "--count").json["notes"], [], "none of a listed one")
    doors.closed("a search for an unlisted one says that it is", noted)


def versions(story):
    vault, doors = story.vault, story.doors

    def propose(text, code):
        path = story.text("version.yaml", text)
        return vault.client("admin", "order", "propose", path, "--authority", "ECF No. 1", code=code)

    def dropped():
        for listed, lost in (("designations: [\"%s\"]\n" % AEO, CONFIDENTIAL), ("", AEO), (LIST.replace("'", CURLY), AEO)):
            says(propose(order_text(2, listed, RULES.split("  - id: attorneys-eyes")[0]), OTHER), "does not list the designation \"%s\", which version 1 has" % lost)
    doors.closed("no version that drops a designation", dropped)

    def check_only(rule, *wanted):
        path = story.text("rule.yaml", order_text(2, rules=RULES + rule))
        r = vault.client("admin", "order", "check", path, code=UNVERIFIED, as_json=False)
        says(r, "rule.yaml:", *wanted)
        says(propose(order_text(2, rules=RULES + rule), (OTHER, UNVERIFIED)), *wanted)
    rule = ("  - {id: slip, paragraph: \"9\", effect: forbid, who: {party: plaintiffs, capacity: house-counsel}, actions: read,\n"
            "     what: {query: '%s'}}\n")
    doors.closed("no rule about a designation that the list does not have", check_only,
                 rule % ('designation:"' + AEO_CURLY + '"'), "the order's list has no designation",
                 "did you mean %s?" % AEO)
    doors.closed("no rule with a word for an operator", check_only, rule % "formula or recipe", "write OR", "in quotation marks")

    more = LIST.replace("[", "[\"TOP DRAWER\", ")

    def in_force():
        return vault.client("auditor", "status").json["order"]["version"]

    def amend():
        version = 1 + max(v["version"] for v in vault.client("auditor", "order", "list").json["items"])
        propose(order_text(version, more), (DONE, PENDING))
        vault.client("auditor", "docket", "sign", "order-%d" % version)
        equal(in_force(), version, "the version in force")

    def kept():
        amend()
        r = story.load("logs", story.file(record("drawer", "Top Drawer", "Of the new kind.")))
        equal(r.json["admitted"], 1, "admitted")
    doors.closed("a version that keeps all and adds one takes effect, for loads too", kept)

    def suspended():
        """The one way in which a designation leaves the list: what would come in under it waits."""
        story.create("top", "TOP", "--designation", "Top Drawer")
        path = story.file(record("t", None, "Of the collection's kind."), record("u", CONFIDENTIAL, "Of its own."))
        vault.client("auditor", "order", "suspend", in_force(), "--authority", "ECF No. 2")
        for options in ((), ("--dry-run",), ("--on-defect", "skip")):
            r = story.load("top", path, *options, code=OTHER)
            says(r, "The order in force does not list the collection's designation \"TOP DRAWER\"")
        http_ = Http(vault, vault.profile("producer"))
        status, _, body = http_("POST", "/v1/collections/top/loads", {"on_defect": "skip"})
        equal((status, json.loads(body)["type"]), (409, "urn:underseal:problem:conflict"), "over HTTP")
        http_.close()
        says(story.load("logs", story.file(record("v", "TOP DRAWER", "Of its own.")), code=OTHER), "line 1: unlisted-designation")
        amend()
        equal(story.load("top", path).json["admitted"], 2, "admitted")
    doors.closed("a collection whose designation the order does not list any more takes no load", suspended)


# -- queries ------------------------------------------------------------------------------------------

def queries(story):
    vault, doors = story.vault, story.doors
    story.create("words", "WORDS", "--designation", CONFIDENTIAL)
    story.load("words", story.file(record("1", None, "a recipe for bread"), record("2", None, "a poem"), record("3", None, "or so"),
                                   record("4", None, "a recipe or a poem, and not both")))
    equal(vault.count("recipe OR poem", collection="words"), 3, "either")
    http_ = Http(vault, vault.profile("attorney"))

    def bare(query, at, operator):
        r = vault.client("attorney", "search", "words", query, "--count", code=(OTHER, USAGE))
        says(r, "write %s," % operator, "in quotation marks")
        equal(r.json["position"], at, "where")
        r = vault.client("attorney", "search", "words", "-", input=query.encode(), code=(OTHER, USAGE))
        equal(r.json["position"], at, "where, from standard input")
        status, _, body = http_.search(query, "words")
        problem = json.loads(body)
        equal((status, problem["position"]), (400, at), "over HTTP")
        check("write %s," % operator in problem["detail"], "over HTTP it says", problem)
    for query, at, operator in (("recipe or poem", 7, "OR"), ("recipe Or poem", 7, "OR"), ("recipe and poem", 7, "AND"),
                                ("recipe AND (poem or bread)", 17, "OR"), ("not", 0, "NOT"), ("not recipe", 0, "NOT"),
                                ("recipe Not poem", 7, "NOT"), ("recipe OR, poem", 7, "OR"), ("model:a or model:b", 8, "OR")):
        doors.closed("the query %r is an error" % query, bare, query, at, operator)

    def words():
        for query, found in (('"or"', 2), ('recipe "or" poem', 1), ('"and not both"', 1), ("recipe/poem", 0), ("NOT \"or\"", 2)):
            equal(vault.count(query, collection="words"), found, query)
    doors.closed("the words themselves are found in quotation marks", words)

    def selections():
        r = vault.client("producer", "relabel", "--query", "recipe or poem", "--collection", "words", "--designation", AEO,
                         "--reason", "x", code=(OTHER, USAGE))
        says(r, "write OR,", "nothing was done")
        equal(vault.count("designation:\"%s\"" % AEO, collection="words"), 0, "relabelled")
        vault.client("producer", "relabel", "--query", "recipe OR poem", "--collection", "words", "--designation", AEO, "--reason", "x")
        equal(vault.count("designation:\"%s\"" % AEO, collection="words"), 3, "relabelled")
    doors.closed("nor does a selection take one", selections)

    def match():
        r = vault.client("attorney", "read", "words", "WORDS000000001", "--match", "recipe or poem", code=(OTHER, USAGE))
        says(r, "write OR,")
    doors.closed("nor a read of what matches", match)
    http_.close()


# -- loads that come to nothing -----------------------------------------------------------------------

def empty_loads(story):
    vault, doors = story.vault, story.doors
    story.create("empty", "EMPTY", "--designation", CONFIDENTIAL)
    nothing = story.file()
    blank = story.file(b"", b"   ", b"\t", b"")
    packed = os.path.join(vault.base, "nothing.jsonl.gz")
    with gzip.open(packed, "wb"):
        pass
    bad = story.file(b'{"id":1}', b"no JSON at all", record("x", AEO_CURLY, "not listed"))
    directory = os.path.join(vault.base, "nothing-in-it")
    os.mkdir(directory)

    def none(path, *options):
        r = story.load("empty", path, *options, code=OTHER)
        says(r, "nothing was loaded: there is no record in", "the file you meant")
    for name, path in (("an empty file", nothing), ("a file of blank lines", blank), ("a packed file of nothing", packed)):
        for options in ((), ("--on-defect", "skip"), ("--dry-run",)):
            doors.closed("%s does not end with 0%s" % (name, " (%s)" % " ".join(options) if options else ""), none, path, *options)
    doors.closed("nor do several of them", lambda: says(story.load("empty", nothing, blank, code=OTHER), "no record in these files"))
    doors.closed("nor a directory", lambda: story.load("empty", directory, code=OTHER))

    def refused(*options):
        receipt = os.path.join(vault.base, "receipt-%d.json" % story.doors.tried)
        r = story.load("empty", bad, "--on-defect", "skip", "--receipt", receipt, *options, code=OTHER)
        says(r, "nothing was loaded: all records were refused", "correct what the lines above name")
        with open(receipt) as f:
            equal(len(json.load(f)["refused_records"]), 3, "what the receipt names")
    doors.closed("nor one whose records are all refused, whose receipt names them", refused)
    doors.closed("nor a dry run of it", refused, "--dry-run")
    one = story.file(record("y", None, "one record"))

    def some():
        equal(story.load("empty", nothing, one, bad, "--on-defect", "skip").json["admitted"], 1, "admitted")
        equal(story.load("empty", one).json["duplicates"], 1, "there already")
        equal(story.load("empty", one, "--dry-run").json["duplicates"], 1, "there already, in a dry run")
        equal(vault.count("*", collection="empty"), 1, "records")
    doors.closed("one record is something, and so is one that is there already", some)


def scenario():
    vault = Vault(8480)
    story = Story(vault)
    vault.order = story.text("order.yaml", order_text())
    vault.start()
    vault.add_person("Hanna House", "house", capacity="house-counsel")
    for part in (designated_records, collections_and_relabels, versions, queries, empty_loads):
        step("-- " + part.__name__.replace("_", " "))
        part(story)
    step("-- after a restart")

    def restart():
        vault.stop()
        vault.serve().unseal()
        equal(house_sees(story, "logs", "sevenfold"), 0, "what house counsel finds")
        equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")
    story.doors.closed("the same after a restart, and the log verifies", restart)
    vault.stop()
    story.doors.report()


main(scenario)
