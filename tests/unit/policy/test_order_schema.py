#!/usr/bin/env python3
"""The JSON Schema accepts the examples and an order with everything in it, and refuses what the compiler refuses by form.

Exits with 77 (skipped) without PyYAML or jsonschema: nothing of ours needs them otherwise."""
import json
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Plain(yaml.SafeLoader):
    """Times and dates stay text, as the compiler reads them."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

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


def main():
    schema = json.loads((ROOT / "schema/order.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    everything = pathlib.Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")
    failures = 0
    orders = [p for p in sorted((ROOT / "policy/orders").glob("*.yaml")) if not p.name.endswith(".test.yaml")]
    for path in orders + [pathlib.Path(__file__).with_name("everything.yaml")]:
        for error in validator.iter_errors(yaml.load(path.read_text(encoding="utf-8"), Loader=Plain)):
            print(f"{path.name}: {error.json_path}: {error.message}")
            failures += 1
    for old, new in WRONG:
        assert everything.count(old) == 1, old
        if validator.is_valid(yaml.load(everything.replace(old, new), Loader=Plain)):
            print(f"accepted: {new}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
