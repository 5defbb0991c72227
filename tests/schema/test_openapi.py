#!/usr/bin/env python3
"""test_openapi.py TABLES: schema/openapi.yaml describes the routes that the daemon has, and no others.

TABLES is tests/system/route_table, which prints the daemon's own tables. And the document keeps its own rules: an operationId each, what every
reference leads to, types of problems that the code has and no others.
"""
import glob
import json
import os
import re
import subprocess
import sys

import answers


def pattern_of(path):
    """As daemon/process/requests.def writes it."""
    return re.sub(r"\{(\w+)\}", lambda m: "**" if m.group(1) == "path" else "*", path.lstrip("/"))


def operations(document):
    for path, methods in document["paths"].items():
        for method in methods:
            yield path, method, methods[method]


def routes(document, tables):
    theirs = {(r["method"], r["pattern"]): r for r in tables["routes"]}
    ours = {(m.upper(), pattern_of(p)): (p, o) for p, m, o in operations(document)}
    found = ["%s %s is not described" % r for r in set(theirs) - set(ours)] + ["%s %s is no route" % r for r in set(ours) - set(theirs)]
    for key in set(theirs) & set(ours):
        path, o = ours[key]
        where, row = "%s %s" % (key[0], path), theirs[key]
        if o.get("x-underseal-authorisation") != row["needs"]:
            found.append("%s needs %s" % (where, row["needs"]))
        acts = row["acts"]
        body = json.dumps(o.get("requestBody", {}))
        if bool(acts) != ("requestBodies/Act" in body):
            found.append("%s takes an act, or does not" % where)
        numbers = {int(n) for n in re.findall(r"\d+", o["summary"].split(":")[0])} if o["summary"].startswith("act") else None
        if acts and numbers is not None and numbers != {tables["acts"][a] for a in acts}:
            found.append("%s takes the acts %s" % (where, sorted(tables["acts"][a] for a in acts)))
        named = {p["name"] for p in (answers_.follow(p) for p in o.get("parameters", [])) if p["in"] == "path"}
        if named != set(re.findall(r"\{(\w+)\}", path)):
            found.append("%s: parameters of the path" % where)
    return found


def consistent(document, tables):
    found, ids = [], {}
    for path, method, o in operations(document):
        where = "%s %s" % (method.upper(), path)
        name = o.get("operationId")
        if name is None or name in ids:
            found.append("%s: operationId %s" % (where, name))
        ids[name] = where
        if "default" not in o["responses"] or not any(s.startswith("2") for s in o["responses"]):
            found.append("%s: no success, or no default" % where)
        for status, r in o["responses"].items():
            for media, content in answers_.follow(r).get("content", {}).items():
                if "schema" not in content:
                    found.append("%s, %s: %s without a schema" % (where, status, media))
    text = json.dumps(document)
    used = set(re.findall(r'"\$ref": "(#/[^"]+)"', text))
    for ref in used:
        try:
            answers_.schema.find(ref)
        except KeyError:
            found.append("%s leads nowhere" % ref)
    for kind, things in document["components"].items():
        for name in things:
            # requests' schemas stand for themselves; lines of answers are named, not referred to
            if "#/components/%s/%s" % (kind, name) not in used and name not in ("mutualTLS", "ReadHead", "ReadRecord", "BadRequest"):
                found.append("nothing refers to %s/%s" % (kind, name))
    schemas = document["components"]["schemas"]
    for name, ours, theirs in (("Capacity", schemas["Capacity"]["enum"], tables["capacities"]),
                               ("ActType", schemas["ActType"]["enum"], [a for a, n in tables["acts"].items() if n < 128]),
                               ("PersonStatus", schemas["PersonStatus"]["enum"], tables["person_states"]),
                               ("Reason", schemas["Reason"]["enum"], tables["reasons"])):
        if set(ours) != set(theirs):
            found.append("%s: %s" % (name, sorted(set(ours) ^ set(theirs))))
    return found


def problems(document):
    """Every type of problem stands in the code, and every one in the code is described."""
    code = ""
    for path in glob.glob(os.path.join(answers.ROOT, "daemon", "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            code += f.read()
    written = set(re.findall(r'\.type = "([a-z-]+)"', code)) | set(re.findall(r'us_decode_refuse\([^;]*?\d+,\s*"([a-z-]+)"', code))
    written |= set(re.findall(r'p\.type = "([a-z-]+)"', code)) | set(re.findall(r'us_vault_problem_set\([^;]*?\d+,\s*"([a-z-]+)"', code))
    described = set(document["x-underseal-problems"])
    found = ["the code has problems of type %s, which is not described" % t for t in written - described]
    return found + ["no code makes a problem of type %s" % t for t in described if '"%s"' % t not in code]


def main(program):
    tables = json.loads(subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout)
    document = answers_.document
    found = routes(document, tables) + consistent(document, tables) + problems(document)
    for text in sorted(found):
        print(text)
    return 1 if found else 0


answers_ = answers.Answers()
sys.exit(main(sys.argv[1]))
