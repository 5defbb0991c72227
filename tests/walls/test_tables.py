#!/usr/bin/env python3
"""Goal: the tables say what is so. An action that case/actions.def calls PERFORMED is named where something is done (an act, or
daemon/); one that it calls PLANNED or UNUSED is not. A word of a capacity or action stands in the schema of orders. An act is in the
table that registry/acts.def names. A report and a table of commands are in the list of them."""
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def rows(path):
    """The rows of a table, each a list of its columns."""
    return [[c.strip().strip('"') for c in row.split(",")] for row in re.findall(r"^\s*X\(([A-Z].*)\) ?\\?$", text(path), re.M)]


def performed():
    """Actions that the daemon or a kind of request names, or that an act is."""
    code = "".join(text(os.path.relpath(p, ROOT)) for p in glob.glob(os.path.join(ROOT, "daemon", "**", "*.[ch]"), recursive=True))
    of_requests = re.findall(r"^REQUEST\((?:\w+, ){4}([A-Z_]+),", text("daemon/process/requests.def"), re.M)
    return set(re.findall(r"\bUS_ACTION_([A-Z_]+)\b", code)) | {*of_requests} | {row[3] for row in rows("registry/acts.def")}


def faults():
    actions = rows("case/actions.def")
    done = performed()
    for row in actions:
        if (row[-1] == "PERFORMED") != (row[0] in done) and row[0] != "NONE":
            yield "case/actions.def says %s of %s, which %s names" % (row[-1], row[2], "something" if row[0] in done else "nothing")
    schema = text("schema/order.schema.json")
    acts = "".join(text(os.path.relpath(p, ROOT)) for p in glob.glob(os.path.join(ROOT, "registry", "acts", "*.c")))
    for row in actions:
        if (row[3] != "INTERNAL") != ('"%s"' % row[2] in schema):
            yield "schema/order.schema.json and the action %s" % row[2]
        if row[0] != "NONE" and '"%s"' % row[2] not in text("schema/order-test.schema.json"):
            yield "schema/order-test.schema.json lacks the action %s" % row[2]
    for row in rows("registry/acts.def"):
        table = re.search(r"us_acts_%s\[\] = \{\n(.*?)^\};" % row[4], acts, re.M | re.S)
        own = table and re.search(r"\.type = US_ACT_%s,(.*?)\}" % row[0], table.group(1), re.S)
        if not own:
            yield "registry/acts/ has nothing of the act %s in us_acts_%s" % (row[2], row[4])
        for part in ("code", "check", "fold"):
            if own and ".%s = " % part not in own.group(1):
                yield "the act %s has no .%s in us_acts_%s: nothing asks whether there is one" % (row[2], part, row[4])
    for row in rows("case/capacities.def"):
        for path in ("schema/order.schema.json", "schema/order-test.schema.json"):
            if '"%s"' % row[2] not in text(path):
                yield "%s lacks the capacity %s" % (path, row[2])

    for path, what, where in (("client/report/*.c", r"^const struct us_report_kind us_report_(\w+) = ", "client/report/kinds.h"),
                              ("client/*/*.c", r"^const struct us_command us_commands_(\w+)\[\] = ", "client/core/commands.h")):
        listed = set(re.findall(r"\bX\((?:[A-Z]+, )?(\w+)\)", text(where)))
        made = {name for p in glob.glob(os.path.join(ROOT, path)) for name in re.findall(what, text(os.path.relpath(p, ROOT)), re.M)}
        for name in sorted(made - listed):
            yield "%s does not list %s" % (where, name)
        if not made:
            yield "nothing of %s was found" % where


def main():
    json.loads(text("schema/order.schema.json"))
    found = list(faults())
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
