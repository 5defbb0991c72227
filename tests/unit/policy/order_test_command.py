#!/usr/bin/env python3
"""Goal: `underseal order test` says by its exit status, its text and its JSON what became of a suite, without a profile
or a vault.

The worked examples hold. A wrong statement is a 5, a suite that cannot be read is a 1 whatever the others do, and no suite at all
proves nothing.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CLIENT = sys.argv[1]
ORDERS = pathlib.Path("policy/orders")
ROOT = pathlib.Path.cwd()

HEAD = """order: order.yaml
people:
  - {id: nadia, party: news-plaintiffs, capacity: outside-counsel}
defaults: {at: 2026-03-03T15:00:00Z, purpose: liability}
statements:
  - {who: nadia, may: read, because: "7(a)"}
"""
WRONG = HEAD + """  - {who: nadia, may: load}
"""
UNREADABLE = HEAD + """  - {who: nadja, may: read}
"""


def run(*args):
    done = subprocess.run([CLIENT, "order", "test", *map(str, args)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={"PATH": "/nonexistent", "HOME": "/nonexistent"})
    return done.returncode, done.stdout, done.stderr


def want(what, ok, *shown):
    if not ok:
        print("not so:", what, *shown, sep="\n")
        sys.exit(1)


def examples():
    status, out, err = run(ORDERS)
    want("the examples hold", status == 0 and not err, status, out, err)
    status, out, err = run("--json", ORDERS)
    told = json.loads(out)
    want("JSON alone on stdout", status == 0 and not err and out.count("\n") == 1, out, err)
    want("three suites, at least 180 statements", told["files"] == 3 and told["statements"] >= 180, out)
    want("none fails", told["failed"] == 0 and told["failures"] == [] and told["errors"] == [], out)
    status, out, err = run("--verbose", ORDERS / "sdny-stipulated.test.yaml")
    want("each statement with its paragraph", status == 0 and out.count(": holds: ") + 1 == out.count("\n"), out)
    want("one of them", "holds: hanna may not read plan: refused under 8(a), not-visible\n" in out, out)


def failures(directory):
    suite = directory / "wrong.test.yaml"
    suite.write_text(WRONG)
    line = f"{suite}:7:5: failed: nadia may load: expected allowed; found refused under 3, not-in-order\n"
    status, out, err = run(suite)
    want("a wrong statement is a 5", status == 5 and not err, status, out, err)
    want("one line for it, and a summary", out == line + "2 statements, 1 failed\n", out)
    status, out, err = run("--verbose", suite)
    want("every rule is named", status == 5 and out.count("\n    ") == out.count("does not fit") and
         "    production (5): does not fit: party capacity\n" in out and "    counsel (7(a)): does not fit: action\n" in out, out)
    status, out, err = run("--json", suite)
    told = json.loads(out)
    want("the same as JSON", status == 5 and told["statements"] == 2 and told["failed"] == 1 and told["failures"] == [{
        "file": str(suite), "line": 7, "column": 5, "statement": "nadia may load", "expected": "allowed",
        "found": "refused under 3, not-in-order"}], out)
    suite.write_text(HEAD)
    want("mended, it holds", run(suite)[0] == 0)
    suite.write_text(WRONG)


def unreadable(directory):
    (directory / "unreadable.test.yaml").write_text(UNREADABLE)
    status, out, err = run(directory)
    want("what cannot be read is a 1, whatever the others do", status == 1, status)
    want("the others ran", "wrong.test.yaml:7:5: failed" in out and out.endswith("\n2 statements, 1 failed\n"), out)
    want("with its place", 'unreadable.test.yaml:7:11: error: unknown person "nadja"' in err, err)
    status, out, err = run("--json", directory)
    told = json.loads(out)
    want("and in JSON", status == 1 and not err and told["files"] == 2 and told["failed"] == 1 and len(told["errors"]) == 1 and
         told["errors"][0]["line"] == 7 and told["errors"][0]["column"] == 11, out)
    (directory / "unreadable.test.yaml").unlink()
    (directory / "wrong.test.yaml").write_text(HEAD.replace("order.yaml", "none.yaml"))
    status, out, err = run(directory)
    want("an order that is not there", status == 1 and "none.yaml: error: " in err, status, err)
    (directory / "none.yaml").write_text("order: {title: T, version: 1}\nrulse: []\n")
    status, out, err = run(directory)
    want("an order that is none", status == 1 and f"{directory}/none.yaml:2:1: error: " in err, status, err)
    empty = directory / "empty"
    empty.mkdir()
    (empty / "order.yaml").write_text("")
    want("a directory without suites proves nothing", run(empty)[0] == 1)
    want("a file that is not there", run(empty / "x.test.yaml")[0] == 1)
    want("no file at all", run()[0] == 2)
    want("an option that is none", run("--fast", empty)[0] == 2)


def schema():
    try:
        import jsonschema
        import yaml
    except ImportError:
        print("no jsonschema or yaml: the schema is not compared")
        return

    class Loader(yaml.SafeLoader):
        """Dates stay text, as in our reader."""
    Loader.yaml_implicit_resolvers = {first: [(tag, exp) for tag, exp in pairs if tag != "tag:yaml.org,2002:timestamp"]
                                      for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    form = json.loads((ROOT / "schema/order-test.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(form)
    check = jsonschema.Draft202012Validator(form)
    for suite in sorted(ORDERS.glob("*.test.yaml")):
        found = [f"{suite}: {e.json_path}: {e.message}" for e in check.iter_errors(yaml.load(suite.read_text(), Loader))]
        want("the schema knows what the examples say", not found, *found)
    for wrong in (WRONG.replace("may: load", "mya: load"), WRONG.replace("may: load", "may: load, may_not: load"),
                  WRONG.replace("may: load", "records: 3"), HEAD.split("  - {who")[0].replace("statements:", "statements: []")):
        want("the schema refuses what we refuse", any(True for _ in check.iter_errors(yaml.load(wrong, Loader))), wrong)


examples()
with tempfile.TemporaryDirectory() as temporary:
    where = pathlib.Path(temporary)
    (where / "order.yaml").write_bytes((ORDERS / "sdny-stipulated.yaml").read_bytes())
    failures(where)
    unreadable(where)
schema()
