#!/usr/bin/env python3
"""What holds answers against their description notices when they are not that: each of these is a good answer, with one thing wrong."""
import copy
import json
import sys

import answers
import simple_yaml

ANSWERS = answers.Answers()
PROBLEM = {"content-type": "application/problem+json"}
JSON = {"content-type": "application/json", "underseal-entry": "7"}
PERSON = {"person": 1, "name": "A", "capacity": "court", "status": "active", "parties": [], "added": "2026-01-01T00:00:00Z", "added_by": 0,
          "changed": "2026-01-01T00:00:00.5Z"}
PEOPLE = {"items": [PERSON], "next": None, "order": 1, "entry": 7}
HEAD = {"snapshot": 1, "order": 1, "entry": 7, "quota": dict.fromkeys(("records_per_request", "consecutive", "per_day", "life", "share")),
        "records": 1, "receipt": "x"}
RECORD = {"bates": "D000000001", "record": {}, "designation": None, "legend": None, "masked": True, "manifest": None}


def problem(kind, status, **more):
    return dict({"type": answers.PREFIX + kind, "title": "T", "status": status}, **more)


def changed(document, path, value):
    """A copy with the member at path set, or gone if value is Ellipsis."""
    document = copy.deepcopy(document)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


def lines(*documents):
    return "".join(json.dumps(d) + "\n" for d in documents)


READ = ("POST", "/v1/collections/demo/read", 200, dict(JSON, **{"content-type": "application/jsonl"}))
ALLOW = dict(PROBLEM, allow="GET, POST")
GOOD = [
    ("GET", "/v1/people?limit=3", 200, JSON, PEOPLE),
    ("GET", "/v1/people/Nobody", 404, dict(PROBLEM, **{"underseal-entry": "7"}), problem("not-found", 404, reason="not-found", entry=7)),
    ("GET", "/v1/people", 503, PROBLEM, problem("sealed", 503, reason="sealed")),
    ("GET", "/v1/people", 503, dict(PROBLEM, **{"retry-after": "60"}), problem("low-space", 503, reason="low-space")),
    ("PUT", "/v1/people", 405, ALLOW, problem("method-not-allowed", 405)),
    ("GET", "/v1/nosuch", 404, PROBLEM, problem("not-found", 404)),
    ("GET", "/v1/log/tile/entries/000", 200, {"content-type": "application/octet-stream"}, b"\0"),
    READ + (lines(HEAD, RECORD),),
    READ + (lines(HEAD, problem("denied", 403, reason="frozen")),),
    READ + (lines(HEAD),),
]
BAD = [
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["more"], 1)),
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["items", 0, "nickname"], "B")),
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["order"], ...)),
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["items", 0, "capacity"], "king")),
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["items", 0, "added"], "yesterday")),
    ("GET", "/v1/people", 200, JSON, changed(PEOPLE, ["entry"], True)),
    ("GET", "/v1/people", 200, dict(JSON, **{"underseal-entry": "-1"}), PEOPLE),
    ("GET", "/v1/people", 200, dict(JSON, **{"retry-after": "1"}), PEOPLE),
    ("GET", "/v1/people", 200, {"content-type": "text/html"}, PEOPLE),
    ("GET", "/v1/people", 200, JSON, b"{"),
    ("GET", "/v1/people", 202, JSON, PEOPLE),
    ("GET", "/v1/people/Nobody", 404, PROBLEM, problem("no-such-type", 404)),
    ("GET", "/v1/people/Nobody", 404, PROBLEM, problem("denied", 404)),
    ("GET", "/v1/people/Nobody", 404, PROBLEM, problem("not-found", 403)),
    ("GET", "/v1/people/Nobody", 404, PROBLEM, problem("not-found", 404, reason="mood")),
    ("GET", "/v1/people", 503, PROBLEM, problem("low-space", 503)),
    ("GET", "/v1/people", 403, dict(PROBLEM, **{"retry-after": "1"}), problem("denied", 403)),
    ("GET", "/v1/people", 418, PROBLEM, problem("denied", 418)),
    ("PUT", "/v1/people", 405, dict(ALLOW, allow="GET"), problem("method-not-allowed", 405)),
    ("PUT", "/v1/people", 405, PROBLEM, problem("method-not-allowed", 405)),
    ("GET", "/v1/nosuch", 200, JSON, PEOPLE),
    ("GET", "/v1/nosuch", 405, PROBLEM, problem("method-not-allowed", 405)),
    READ + (lines(HEAD, RECORD, RECORD),),
    READ + (lines(HEAD, changed(RECORD, ["legend"], ...)),),
    READ + (lines(HEAD, problem("denied", 403), RECORD),),
    READ + (lines(RECORD),),
]
REFUSED = ("a: 1\na: 2\n", "a: &x 1\n", "a: *x\n", "a: !t 1\n", "a: [1, 2\n", "a: 1\n  b: 2\n", "a: 'x\n", "{a: 1, a: 2}\n", "---\na: 1\n", "a: b: c\n",
           "a:\n\t- 1\n", "a: [1] x\n")
SAME = (("a: [1, 'b', \"c\\n\"]\nd:\n- e\n- {f: ~}\n", {"a": [1, "b", "c\n"], "d": ["e", {"f": None}]}),
        ("a: |\n  x\n   y\n\nb: >-\n  c\n  d\n", {"a": "x\n y\n", "b": "c d"}), ("a: x # no\nb: 'x # yes'\n", {"a": "x", "b": "x # yes"}),
        ("a: b\n  c\n", {"a": "b c"}), ("- a: 1\n  b: 2\n-\n  - 3\n", [{"a": 1, "b": 2}, [3]]))
OTHER = ("a: yes\n", "a: 2026-01-01\n", "a: 12:30\n", "a: 010\n", "a: Off\n")  # one thing by YAML 1.1, another by 1.2


def errors(answer):
    method, path, status, headers, body = answer
    return ANSWERS.errors(method, path, status, headers, json.dumps(body) if isinstance(body, dict) else body)


def main():
    wrong = [("good, and refused: %s: %s" % (a[:3], errors(a))) for a in GOOD if errors(a)]
    wrong += ["bad, and passed: %s" % (a,) for a in BAD if not errors(a)]
    for text in REFUSED:
        try:
            wrong.append("read as YAML: %r: %r" % (text, simple_yaml.load(text)))
        except simple_yaml.Wrong:
            pass
    wrong += ["%r is read as %r" % (text, simple_yaml.load(text)) for text, value in SAME if simple_yaml.load(text) != value]
    wrong += ["%r means the same to all" % text for text in OTHER if simple_yaml.load(text) == simple_yaml.load(text, simple_yaml.OLD)]
    for text in wrong:
        print(text)
    return 1 if wrong else 0


sys.exit(main())
