#!/usr/bin/env python3
"""Goal: every HTTP route of schema/openapi.yaml, as everybody, in every way that is wrong: what there is and what there is not, methods
that a route has not, bodies that are none, parameters that cannot be; and all of it once more while the vault is sealed.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import *  # noqa: E402,F403

PEOPLE = ("admin", "attorney", "producer", "auditor")
VALUES = {  # of what stands in braces, by the route; the last one is not there
    "/v1/people/{name}": ("Alice%20Attorney", "Nobody"),
    "/v1/collections/{name}": ("demo", "nosuch"),
    "/v1/collections/{collection}/batches/{id}": ("demo/0", "demo/1", "demo/77", "demo/x", "nosuch/0"),
    "/v1/collections/{collection}/records/{bates}": ("demo/DEMO000000001", "demo/DEMO000009999", "demo/x", "nosuch/DEMO000000001"),
    "/v1/docket/{id}": ("freeze-1", "person-5", "clawback-1", "nosuch-1", "x"),
    "/v1/copies/{id}": ("1", "99", "x"),
    "/v1/orders/{version}": ("1", "9", "x"),
    "/v1/orders/{from}/diff/{to}": ("1/1", "1/9", "x/y"),
    "/v1/filings/{id}": ("clawback-1", "nosuch-1"),
    "/v1/documents/{digest}": ("00" * 32, "x"),
    "/v1/clawbacks/{number}/report": ("1", "9"),
    "/v1/log/checkpoint.witnessed/{count}": ("1", "x"),
    "/v1/log/tile/{path}": ("0/000", "0/999", "entries/000", "x"),
    "/v1/log/entry-proof/{index}": ("0", "99999", "x"),
    "/v1/log/consistency/{old}/{new}": ("1/2", "2/1", "1/99999", "x/y"),
}
JSON, BYTES = {"Content-Type": "application/json"}, {"Content-Type": "application/octet-stream"}
ACT = b"underseal/act/1\n"
BODIES = ((None, {}), (b"{}", {}), (b"{}", JSON), (b"[]", JSON), (b'{"unknown":1}', JSON), (b"{", JSON), (b"\xff\xfe", JSON), (b"", BYTES),
          (b"\0\0\0\x04abcd", BYTES), (struct.pack(">I", 105) + ACT + b"\x0d" + bytes(88) + b"\0\0\0\0", BYTES),
          (struct.pack(">I", 109) + ACT + b"\x0d" + bytes(88) + b"\0\0\0\0" + b"\0\x01x", BYTES))
WRONG = ("?limit=0", "?limit=1", "?limit=x", "?after=x", "?unknown=1")
REQUESTS = (
    ("search", {"query": "harbour", "purpose": "x"}), ("search", {"query": "harbour", "purpose": "x", "count": True}),
    ("search", {"query": "harbour", "purpose": "x", "limit": 0}), ("search", {"query": "harbour AND (", "purpose": "x"}),
    ("search", {"query": "w/5", "purpose": "x"}), ("search", {"query": "", "purpose": "x"}), ("search", {"query": "harbour"}),
    ("search", {"query": "harbour", "purpose": "x", "snapshot": "999999"}), ("search", {"query": "harbour", "purpose": "x", "after": "x"}),
    ("search", {"query": "*", "purpose": "x", "limit": 3, "snippets": False}), ("search", {"query": "harbour", "query2": "x"}),
    ("read", {"bates": ["DEMO000000001", "DEMO000000002"], "purpose": "x"}), ("read", {"bates": [], "purpose": "x"}),
    ("read", {"bates": ["DEMO000009999"], "purpose": "x"}), ("read", {"bates": ["DEMO000000001"]}), ("read", {"bates": "x", "purpose": "x"}),
    ("read", {"bates": ["DEMO000000001", "DEMO000000001"], "purpose": "x"}), ("read", {"bates": ["DEMO000000001"], "purpose": "x", "match": "a"}),
    ("read", {"bates": ["x"], "purpose": "x"}),
)


def routes():
    """[(path, [method])] as the document has them."""
    found = []
    with open(os.path.join(ROOT, "schema", "openapi.yaml")) as f:
        text = f.read()
    for line in text[text.index("\npaths:"):].split("\n"):
        path, method = re.match(r"  (/\S*):$", line), re.match(r"    (get|post|put|delete|patch):$", line)
        if path:
            found.append((path.group(1), []))
        elif method:
            found[-1][1].append(method.group(1).upper())
        elif re.match(r"\S", line) and not line.startswith("paths"):
            break
    return found


def paths(route):
    """What the route stands for: with each value in the place of what is in braces."""
    if "{" not in route:
        return [route]
    head = route[:route.index("{")]
    tail = re.sub(r"^.*\}", "", route)
    return [head + value + tail for value in VALUES.get(route, ("demo", "1", "nosuch"))]


def everything(vault, who):
    http = Http(vault, vault.profile(who))
    for route, methods in routes():
        for path in paths(route):
            for method in ("GET", "PUT", "DELETE", "HEAD"):
                if method in methods or method in ("GET", "PUT"):
                    http(method, path)
        path = paths(route)[0]
        if "GET" in methods:
            for wrong in WRONG:
                http("GET", path + wrong)
        for body, headers in BODIES if "POST" in methods else BODIES[:1]:
            http("POST", path, body, headers)
    for path in ("/", "/v1", "/v1/", "/v2/status", "/v1/nosuch", "/v1/status/", "/v1//status"):
        http("GET", path)
    for route, body in REQUESTS:
        http("POST", "/v1/collections/demo/" + route, body)
    http.close()


def furnish(vault):
    """Something of everything that a list can hold."""
    vault.load(write_lines(vault.base + "/a.jsonl", generate(40, 90, long_every=0)))
    vault.load(write_lines(vault.base + "/b.jsonl", generate(10, 91, long_every=0)), options=("--hold",))
    vault.client("admin", "person", "add", "Carl Counsel", "--party", "plaintiffs", "--capacity", "outside-counsel", code=PENDING)
    vault.client("attorney", "copy", "demo", "DEMO000000003", "--recipient", "Dr. Expert", "-o", vault.base + "/copy", "--purpose", "x")
    with open(vault.base + "/notice", "w") as f:
        f.write("privileged\n")
    vault.client("producer", "clawback", "DEMO000000005", "--notice", vault.base + "/notice", "--noticed-at", "2026-01-05T10:00:00Z",
                 code=(DONE, PENDING))
    vault.client("auditor", "freeze", "--scope", "collection:demo", "--authority", "ECF No. 1")
    vault.client("auditor", "unfreeze", "freeze-1", "--authority", "ECF No. 2")


def scenario():
    vault = Vault(20320).demo()
    furnish(vault)
    for who in PEOPLE:
        step("every route as " + who)
        everything(vault, who)
    step("sealed")
    vault.client("admin", "seal", "--reason", "end")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "the vault is sealed")
    everything(vault, "attorney")
    vault.stop()


main(scenario)
