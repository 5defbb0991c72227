#!/usr/bin/env python3
"""The JSON Schema accepts the examples, those of docs/ORDER.md and an order with everything in it, whichever common loader of YAML reads
them, and refuses what the compiler refuses by form."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "schema"))
import json_schema
import simple_yaml

# what stands in everything.yaml, what takes its place
WRONG = [
    ("designations: [\"ATTORNEYS' EYES ONLY\", CONFIDENTIAL, 'so-called \"public\"']", "designations: []"),
    ("designations: [\"ATTORNEYS' EYES ONLY\", CONFIDENTIAL, 'so-called \"public\"']", "designations: CONFIDENTIAL"),
    ("{id: test-runs, query: 'model:test'}", "{id: test-runs}"),
    ("matter: [open, judgment,", "matter: [Open, judgment,"),
    ("matter: [open, judgment,", "matter: [appeal, judgment,"),
    ("days: 7, confirm: court", "days: 7"),
    ("days: 7, confirm: court", "days: 0, confirm: court"),
    ("days: 7, confirm: court", "days: 3651, confirm: court"),
    ("days: 7, confirm: court", "days: 7, confirm: [court]"),
    ("working_days: true", "working_days: 'true'"),
    ("{paragraph: \"Exhibit A\", carries_over: true,", "{paragraph: \"Exhibit A\","),
    ("amend: [[court], [plaintiffs, defendant]]", "amend: [[]]"),
    ("freeze: [court, plaintiffs]", "freeze: [[court]]"),
    ("clawback_visible: [court, special-master]", "clawback_visible: any"),
    ("challenge: {confer_days: 14, move_days: 21}", "challenge: {}"),
    ("what: {except: old}", "what: {}"),
    ("what: {except: old}", "what: {excepts: old}"),
    ("category: [test-runs, old]", "category: []"),
    ("acknowledgement: true", "acknowledgement: false"),
    ("clearance: expert", "clearance: [expert]"),
    ("matter: [open, appeal]", "matter: []"),
    ("count: 2, party", "count: 0, party"),
    ("count: 2, party", "count: 9, party"),
    ("special-master], hours: 48", "special-master]"),
    ("consecutive: 10", "consecutive: 65537"),
    ("share: 0.5%", "share: 0.00001%"),
    ("share: 0.5%", "share: 0%"),
    ("share: 0.5%", "share: 0.000%"),
    ("share: 0.5%", "share: 100.1%"),
    ("share: 0.5%", "share: 05%"),
    ("share: 0.5%", "share: 0.5"),
    ("per: party}", "per: firm}"),
    ("{records_per_request: 25, consecutive: 10, per_day: 500, life: 20000, share: 0.5%, per: party}",
     "{records_per_request: 25, per: party}"),
    ("except_match: true", "except_match: false"),
]


def schema_of(name):
    return json.loads((ROOT / "schema" / name).read_text(encoding="utf-8"))


def examples():
    """(name, text, schema) of every order and suite that somebody may copy."""
    order, suite = schema_of("order.schema.json"), schema_of("order-test.schema.json")
    for path in sorted((ROOT / "policy/orders").glob("*.yaml")) + [pathlib.Path(__file__).with_name("everything.yaml")]:
        yield path.name, path.read_text(encoding="utf-8"), suite if path.name.endswith(".test.yaml") else order
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ORDER.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 2, "docs/ORDER.md has an order and a suite"
    for text, schema in zip(blocks, (order, suite)):
        yield "docs/ORDER.md", text, schema


def main():
    order = schema_of("order.schema.json")
    everything = pathlib.Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")
    failures = 0
    for name, text, schema in examples():
        read = [simple_yaml.load(text, rules) for rules in (simple_yaml.CORE, simple_yaml.OLD)]
        if repr(read[0]) != repr(read[1]):
            print(f"{name}: means one thing to loaders of YAML 1.1 and another to those of 1.2")
            failures += 1
        for error in json_schema.Schema(schema).errors(read[0], schema):
            print(f"{name}: {error}")
            failures += 1
    for old, new in WRONG:
        assert everything.count(old) == 1, old
        if not json_schema.Schema(order).errors(simple_yaml.load(everything.replace(old, new)), order):
            print(f"accepted: {new}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
