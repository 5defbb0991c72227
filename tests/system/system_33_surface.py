#!/usr/bin/env python3
"""Goal: what does not exist is told as that, a wrong method is told the right ones, and an act that is sent again gets what it got.

Every answer of every scenario is held against schema/openapi.yaml by the harness, those that the client got too; here are those that no
other scenario asks for.
"""
from route_callers import *

ABSENT = {  # what is there is in the first, what is not in the second
    "/v1/people/": ("Alice%20Attorney", "Nobody"),
    "/v1/collections/": ("demo", "nosuch"),
    "/v1/collections/demo/batches/": ("0", "77"),
    "/v1/docket/": ("person-5", "person-99"),
    "/v1/orders/": ("1", "9"),
    "/v1/filings/": ("freeze-1", "freeze-9"),
    "/v1/copies/": ("1", "99"),
}
FILTERED = ("/v1/credentials", "/v1/acknowledgements", "/v1/documents", "/v1/designations")


def problem(answer, status, kind, message):
    told = json.loads(answer[2])
    equal((answer[0], told.get("type")), (status, answers.PREFIX + kind), message)
    return told


def absent(vault):
    counsel, producer = Http(vault, vault.profile("attorney")), Http(vault, vault.profile("producer"))
    for path, (there, not_there) in ABSENT.items():
        http = producer if "batches" in path else counsel
        equal(http("GET", path + there)[0], 200, path + there)
        before = http("GET", "/v1/status")
        answer = http("GET", path + not_there)
        told = problem(answer, 404, "not-found", path + not_there)
        equal(int(answer[1]["underseal-entry"]), told["entry"], "the entry of the request")
        check(told["entry"] >= json.loads(before[2])["log"]["size"], "the question is logged")
        equal(http("GET", path + there + "?after=4000")[0], 200, "a further page of %s is empty, not absent" % there)
    for path in FILTERED:
        answer = counsel("GET", path + "?argument=nobody")
        equal((answer[0], json.loads(answer[2])["items"]), (200, []), "a list of which nothing is left")
    problem(counsel("GET", "/v1/collections/nosuch/batches"), 404, "not-found", "batches of no collection")
    problem(counsel("POST", "/v1/collections/nosuch/search", {"query": "a", "purpose": "x"}), 404, "not-found", "search of no collection")
    # the client says it as it always did
    for command, text in ((("person", "show", "Nobody"), "there is no such person"), (("docket", "show", "freeze-9"), "no such item"),
                          (("collection", "show", "nosuch"), "there is no such collection")):
        r = vault.client("attorney", *command, code=USAGE)
        check(text in r.stderr, "the client says that it is not there", r)


def snapshots(vault):
    http = Http(vault, vault.profile("attorney"))
    bates = http.search("harbour")[2]
    hit = json.loads(bates)["hits"][0]["bates"]
    size = json.loads(http("GET", "/v1/status")[2])["log"]["size"]
    for snapshot in (0, size - 1):
        equal(http.search("harbour", snapshot=snapshot)[0], 200, "a snapshot in the log")
    equal(http("POST", "/v1/collections/demo/read", {"bates": [hit], "purpose": "x", "snapshot": size - 1})[0], 200, "a read of it")
    for snapshot in (size + 1000, 10**15):
        for answer in (http.search("harbour", snapshot=snapshot), http.search("harbour", snapshot=snapshot, count=True),
                       http("POST", "/v1/collections/demo/read", {"bates": [hit], "purpose": "x", "snapshot": snapshot}),
                       http("GET", "/v1/collections/demo/records/%s?purpose=x&snapshot=%d" % (hit, snapshot))):
            told = problem(answer, 404, "not-found", "a snapshot beyond the log")
            equal(told["reason"], "not-found", "its reason")
            check("underseal-entry" in answer[1], "it is logged", told)
    for answer in (http("GET", "/v1/people?limit=0"), http.search("harbour", limit=0), http.search("harbour", limit=0, count=True)):
        equal(problem(answer, 400, "bad-request", "a page of nothing")["member"], "limit", "what is wrong")


def methods(vault):
    http = Http(vault, vault.profile("attorney"))
    for path, allowed in (("/v1/status", "GET"), ("/v1/people", "GET, POST"), ("/v1/loads/1", "GET, DELETE"), ("/v1/loads/1/finish", "POST"),
                          ("/v1/collections/demo/search", "POST"), ("/v1/log/tile/0/000", "GET")):
        for method in ("GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD"):
            if method not in allowed.split(", "):
                answer = http(method, path, b"" if method == "POST" else None)
                if method != "HEAD":
                    problem(answer, 405, "method-not-allowed", "%s %s" % (method, path))
                equal((answer[0], answer[1]["allow"]), (405, allowed), "what %s allows" % path)
                equal(answer[1].get("connection"), "close" if method == "HEAD" else None, "nobody reads the body of an answer to HEAD")
    for method in ("GET", "PUT"):
        problem(http(method, "/v1/nosuch"), 404, "not-found", "no such path, whatever the method")
        check("allow" not in http(method, "/v1/nosuch")[1], "nothing is allowed where nothing is")


class World:
    """What a Caller needs to know of the vault."""

    def __init__(self, vault, types):
        self.vault, self.acts = vault, types
        self.id = bytes.fromhex(json.loads(Http(vault, vault.profile("admin"))("GET", "/v1/status")[2])["vault"])

    def now_ns(self):
        return time.time_ns()


def acts(vault, types):
    admin = Caller(World(vault, types), vault.profile("admin"))

    def send(body):
        return Http(vault, vault.profile("admin"))("POST", "/v1/acts", body, {"Content-Type": "application/octet-stream"})

    for name, payload in (("person-add", s16("Again Person") + b"\x03\x01" + s16("plaintiffs")),
                          ("collection-create", s16("again") + s16("AGAIN") + s16("")),
                          ("document-add", hashlib.sha256(b"text").digest() + struct.pack(">Q", 4) + s16("text") + u32(0) + u32(4) + b"text")):
        body = admin.act(name, payload)
        first = send(body)
        equal(first[0] // 100, 2, "the act is done (%s)" % first[2])
        again = send(body)
        equal((again[0], again[2]), (first[0], first[2]), "%s, sent again, is answered as the first time" % name)
        equal(again[1]["underseal-entry"], first[1]["underseal-entry"], "with the entry of the first time")
        other = bytearray(body)
        other[-1] ^= 1  # of the signature
        equal(send(bytes(other))[0], 403, "the same act with another's signature is not answered so")
    n = len([p for p in json.loads(Http(vault, vault.profile("admin"))("GET", "/v1/people")[2])["items"] if p["name"] == "Again Person"])
    equal(n, 1, "how often the person was added")
    # the same nonce in another act is another act, as long as the first or not
    nonce = body[4 + len(b"underseal/act/1\n") + 1 + 64:][:16]
    for text in (b"text", b"tex"):
        other = admin.act("document-add", hashlib.sha256(text).digest() + struct.pack(">Q", len(text)) + s16("text") + u32(0) + s32(text), nonce)
        equal(problem(send(other), 409, "conflict", "a nonce twice")["reason"], "replay", "its reason")
    vault.stop()
    vault.serve()
    vault.unseal()
    equal(send(body)[2], first[2], "and after a start, while the act's time is near")


def scenario():
    types = json.loads(run([os.path.join(BUILD, "tests", "route_table")]).stdout)["acts"]
    vault = Vault(20340).demo()
    vault.load(write_lines(vault.base + "/a.jsonl", generate(40, 90, long_every=0)))
    vault.client("admin", "person", "add", "Carl Counsel", "--party", "plaintiffs", "--capacity", "outside-counsel", code=PENDING)
    vault.client("auditor", "freeze", "--scope", "collection:demo", "--authority", "ECF No. 1")
    vault.client("auditor", "unfreeze", "freeze-1", "--authority", "ECF No. 2")
    vault.client("attorney", "copy", "demo", "DEMO000000003", "--recipient", "Dr. Expert", "-o", vault.base + "/copy", "--purpose", "x")
    asked = DESCRIBED.asked
    vault.client("attorney", "person", "list")
    check(DESCRIBED.asked > asked or not os.path.exists(os.path.join(BUILD, "tests", "libtap.so")), "the client's answers are looked at too")
    step("what is not there")
    absent(vault)
    cut = [e for e in vault.audit() if e["kind"] == "outcome" and e["class"] == "access"]
    equal(cut, [], "an answer that says that nothing is there has left whole")
    step("snapshots and pages")
    snapshots(vault)
    step("methods")
    methods(vault)
    step("acts that are sent again")
    acts(vault, types)
    vault.stop()


main(scenario)
