#!/usr/bin/env python3
"""test_protocol.py BUILD: what docs/PROTOCOL.md lists in sections 17 to 20 is what the code has, byte for byte.

BUILD/tests has record_entries, which prints the names of all that an entry can be about and entries with the keys of their boxes,
record_acts, which prints an act of every type, and route_table. The layouts are read from the document as they stand there, by the few rules
that it gives, and must take these bytes to the last one. Labels are looked for in the source.
"""
import glob
import importlib.util
import json
import os
import re
import subprocess
import sys

import simple_yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = ("base", "crypto", "case", "policy", "registry", "log", "verify", "evidence", "daemon", "client")
LIMITS = {"a signed act": "ACT_SIGNED_MAX", "a result": "ACT_RESULT_MAX", "a name of a person": "ORDER_NAME_MAX", "a reason": "REASON_TEXT_MAX",
          "a purpose": "PURPOSE_MAX", "a recipient": "RECIPIENT_MAX", "a name of a collection": "COLLECTION_NAME_MAX",
          "a Bates prefix": "BATES_PREFIX_MAX", "a designation": "DESIGNATION_MAX", "a docket id": "DOCKET_ID_MAX",
          "an authority": "AUTHORITY_TEXT_MAX", "an address or place": "ADDRESS_TEXT_MAX", "a document's name": "DOCUMENT_NAME_MAX",
          "a query": "APPROVAL_QUERY_MAX", "parts of": "DOCUMENT_PART"}
found = []


def expect(what, message):
    if not what:
        found.append(message)


# -- layouts ---------------------------------------------------------------------------------------

class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise ValueError("cut short at byte %d" % self.at)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n, signed=False):
        return int.from_bytes(self.take(n), "big", signed=signed)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value


def split(text, separator="‖"):
    """At the separators that stand in no bracket."""
    parts, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "[{(") - (c in "]})")
        if c == separator and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    return [p.strip() for p in parts + [text[last:]] if p.strip()]


class Layout:
    """named: layouts that stand for themselves ("selection")."""

    def __init__(self, named):
        self.named = named

    def read(self, text, data):
        """What the layout finds, by name; everything must be taken."""
        source, values = Bytes(data), {}
        self.all(text, source, values)
        if source.at != len(data):
            raise ValueError("%d bytes are left over" % (len(data) - source.at))
        return values

    def all(self, text, source, values):
        for part in split(text):
            self.one(part, source, values)

    def one(self, part, source, values):
        optional = re.fullmatch(r"\[(?:([\w ]+) ([=&]) (\d+): )?(.*)\]", part)
        many = re.fullmatch(r"(\w) × (?:\{ (.*) \}|(.*))", part)
        simple = re.fullmatch(r"(u8|u16|u32|u64|i64|str16|str32|varint) ([\w ]+?)(?: = (\d+))?", part)
        fixed = re.fullmatch(r"([\w ]+)\((\d+)\)", part)
        if optional:
            name, relation, number, inside = optional.groups()
            if name is None:
                there = source.at < len(source.data)
            else:
                there = values[name] == int(number) if relation == "=" else values[name] & int(number)
            if there:
                self.all(inside, source, values)
        elif many:
            for _ in range(values[many.group(1)]):
                self.all(many.group(2) or many.group(3), source, values)
        elif simple:
            kind, name, wanted = simple.groups()
            if kind.startswith("str"):
                value = source.take(source.number(int(kind[3:]) // 8))
            elif kind == "varint":
                value = source.varint()
            else:
                value = source.number(int(kind[1:]) // 8, kind[0] == "i")
            if wanted is not None and value != int(wanted):
                raise ValueError("%s is %r, and not %s" % (name, value, wanted))
            values[name] = value
        elif fixed:
            values[fixed.group(1)] = source.take(int(fixed.group(2)))
        elif part in self.named:
            self.all(self.named[part], source, values)
        else:
            raise ValueError("the document's %r is no layout" % part)


# -- the document ----------------------------------------------------------------------------------

def document():
    with open(os.path.join(ROOT, "docs", "PROTOCOL.md"), encoding="utf-8") as f:
        text = f.read()
    return {int(n): body for n, body in re.findall(r"^## (\d+)\. .*?\n(.*?)(?=^## |\Z)", text, re.M | re.S)}


def codes(section, title):
    """{number: name} of the block behind a line that begins with title."""
    block = re.search(r"^%s.*?\n\n((?:    .*\n)+)" % title, section, re.M).group(1)
    return {int(n): name for n, name in re.findall(r"(?:^|, )\s*(\d+) ([a-z-]+)", block, re.M)}


def definitions(section):
    return dict(re.findall(r"^    (\w+) = (.*)$", section, re.M))


def run(build, program):
    return subprocess.run([os.path.join(build, "tests", program)], stdout=subprocess.PIPE, check=True).stdout.decode()


def check_codes(section, entries, tables):
    for title, what in (("Classes", "classes"), ("Kinds", "kinds"), ("Decisions", "decisions"), ("Reasons", "reasons"), ("Actions", "actions")):
        line = re.search(r"^%s:(.*)$" % what, entries, re.M).group(1)
        theirs = {int(n): name for n, name in re.findall(r"(\d+) ([a-z-]+),", line)}
        expect(codes(section, title) == theirs, "%s: %s" % (title, sorted(set(codes(section, title).items()) ^ set(theirs.items()))))
    expect(codes(section, "Capacities") == dict(enumerate(tables["capacities"], 1)), "Capacities")


def check_acts(section, acts, tables):
    layout = Layout(definitions(section))
    rows = {int(r[0]): r[1:] for r in re.findall(r"^\| (\d+) \| `([a-z-]+)` \| (.*?) \| (.*?) \| (.*?) \|$", section, re.M)}
    expect({n: r[0] for n, r in rows.items()} == {n: name for name, n in tables["acts"].items()}, "the types of acts are others")
    shown = re.findall(r"^(\d+) ([a-z-]+), logged as.*\n payload ([0-9a-f]*)$", acts, re.M)
    expect({int(n) for n, _, _ in shown} == set(rows), "record_acts shows other acts")
    for number, name, payload in shown:
        try:
            layout.read(rows[int(number)][1], bytes.fromhex(payload))
        except (ValueError, KeyError) as e:
            found.append("the payload of %s is not of the layout: %s" % (name, e))
    openapi = simple_yaml.load_file(os.path.join(ROOT, "schema", "openapi.yaml"))
    described = set(openapi["components"]["schemas"]["ActDone"]["properties"]) - {"type", "status", "sequence", "entry", "order"}
    told = {m for r in rows.values() for m in re.split(r", ?", r[3].strip()) if re.fullmatch(r"\w+", m)}
    expect(told == described, "answers of acts have other members in schema/openapi.yaml: %s" % sorted(told ^ described))


def check_limits(section):
    defined = {}
    for path in glob.glob(os.path.join(ROOT, "registry", "**", "*.h"), recursive=True) + [os.path.join(ROOT, *p) for p in (("policy", "order.h"), ("case", "limits.h"), ("case", "bates.h"))]:
        with open(path, encoding="utf-8") as f:
            defined.update(re.findall(r"^#define US_(\w+) (\d+)\b", f.read(), re.M))
    text = " ".join(section.split())
    for phrase, name in LIMITS.items():
        told = re.search(r"\b%s ([\d,]+\d)" % re.escape(phrase), text)
        expect(told and told.group(1).replace(",", "") == defined.get(name), "at most: %s is %s" % (phrase, defined.get(name)))


def check_boxes(section, entries):
    spec = importlib.util.spec_from_file_location("verify_log", os.path.join(ROOT, "tests", "independent", "verify_log.py"))
    verifier = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(verifier)
    layouts, layout, seen = definitions(section), Layout({}), dict.fromkeys(verifier.BOXES, 0)
    expect(set(layouts) == set(verifier.BOXES), "the boxes are others")
    for data, keys in re.findall(r"^ bytes ([0-9a-f]+)\n((?: key [0-9a-f]+\n)+)", entries, re.M):
        entry = verifier.Entry(bytes.fromhex(data))
        for box, key in enumerate(keys.split()[1::2]):
            content = entry.open(box, bytes.fromhex(key))
            name = verifier.BOXES[box]
            seen[name] += bool(content)
            try:
                if content:
                    layout.read(layouts[name], content)
            except (ValueError, KeyError) as e:
                found.append("a box of %s is not of the layout: %s" % (name, e))
    expect(min(seen.values()) > 3, "too few boxes were looked into: %s" % seen)


def check_labels(section, sections):
    listed = set(re.findall(r"^\| `underseal/([a-z0-9/-]+)` \|", section, re.M))
    used = set()
    for folder in PRODUCT:
        for path in glob.glob(os.path.join(ROOT, folder, "**", "*.[ch]"), recursive=True):
            with open(path, encoding="utf-8") as f:
                used |= set(re.findall(r'"underseal/([a-z0-9-]+(?:/[a-z-]+)*/\d+)', f.read()))
    for label in sorted(used ^ listed):
        found.append("the label underseal/%s is %s" % (label, "not listed" if label in used else "in no source"))
    for n, text in sections.items():
        for label in set(re.findall(r"underseal/([a-z0-9-]+(?:/[a-z-]+)*/\d+)(?![\w>])", text)) - listed:
            found.append("section %d has a label underseal/%s that is not listed" % (n, label))


def main(build):
    sections = document()
    entries, acts, tables = run(build, "record_entries"), run(build, "record_acts"), json.loads(run(build, "route_table"))
    check_codes(sections[17], entries, tables)
    check_acts(sections[18], acts, tables)
    check_limits(sections[18])
    check_boxes(sections[19], entries)
    check_labels(sections[20], sections)
    for text in found:
        print(text)
    return 1 if found else 0


sys.exit(main(sys.argv[1]))
