"""YAML as the files of this tree use it, read without a library: block and flow collections, plain, quoted, literal and folded scalars,
comments. No anchors, aliases, tags, directives or several documents: those are refused, and so is a key that stands twice.

What a plain scalar is depends on whose rules a loader follows. Here both are known: YAML 1.2's core schema, and what the common loaders of
YAML 1.1 make of it (yes and no, 12:30 as a number in base 60, dates). A file that means the same under both may be read by anybody.
"""
import datetime
import re

CORE, OLD = "1.2", "1.1"


class Wrong(Exception):
    pass


def plain(text, rules):
    """The value of a plain scalar."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if rules == OLD:
        if text.lower() in ("yes", "on") and text in (text.lower(), text.title(), text.upper()):
            return True
        if text.lower() in ("no", "off") and text in (text.lower(), text.title(), text.upper()):
            return False
        if re.fullmatch(r"[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+", text):
            n = 0
            for part in text.lstrip("+-").replace("_", "").split(":"):
                n = n * 60 + int(part)
            return -n if text[0] == "-" else n
        if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?", text):
            return datetime.datetime.min  # a time: no text, whatever it is
        if re.fullmatch(r"[-+]?0[0-7_]+", text):
            return int(text.replace("_", ""), 8)
        if re.fullmatch(r"[-+]?(0|[1-9][0-9_]*)", text):
            return int(text.replace("_", ""))
        if re.fullmatch(r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?", text):
            return float(text.replace("_", ""))
    elif re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    elif re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    if re.fullmatch(r"0x[0-9a-fA-F]+", text):
        return int(text, 16)
    if rules == CORE and re.fullmatch(r"0o[0-7]+", text):
        return int(text[2:], 8)
    return text


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "/": "/", " ": " ", "e": "\x1b", "_": "\xa0"}


class Reader:
    def __init__(self, text, rules):
        self.lines, self.at, self.rules = text.split("\n"), 0, rules
        if "\t" in re.sub(r"[^\n\t]\t", "", text):
            raise Wrong("a tab at the start of a line")

    # -- lines -----------------------------------------------------------------------------------

    def fail(self, why):
        raise Wrong("line %d: %s" % (self.at + 1, why))

    def peek(self):
        """(indent, text) of the next line that says something; None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            text = line.lstrip(" ")
            if text.strip() and not text.startswith("#"):
                if text.startswith(("---", "...", "%")):
                    self.fail("one document, and no directives")
                return len(line) - len(text), text
            self.at += 1
        return None

    def block(self, least):
        """What begins on the next line, indented by at least so much."""
        here = self.peek()
        if here is None or here[0] < least:
            return None
        indent, text = here
        if text.startswith("- ") or text.rstrip() == "-":
            return self.sequence(indent)
        if self.key_of(text) is not None:
            return self.mapping(indent)
        self.at += 1
        return self.value(text, indent - 1)

    def sequence(self, indent):
        found = []
        while True:
            here = self.peek()
            if here is None or here[0] < indent or not (here[1].startswith("- ") or here[1].rstrip() == "-"):
                return found
            if here[0] > indent:
                self.fail("indented too far")
            rest = here[1][1:]
            text = rest.lstrip(" ")
            if not text.strip() or text.startswith("#"):
                self.at += 1
                found.append(self.block(indent + 1))
            elif self.key_of(text) is not None or text.startswith("- "):
                self.lines[self.at] = " " * (indent + 1 + len(rest) - len(text)) + text
                found.append(self.block(indent + 1))
            else:
                self.at += 1
                found.append(self.value(text, indent))

    def key_of(self, text):
        """(key, rest of the line) if the line begins with a key."""
        quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*:(?:\s+|$)""", text)
        if quoted:
            return Flow(self, quoted.group(1), 0).quoted(), text[quoted.end():]
        if text[0] in "\"'[{":
            return None
        found = re.match(r"([^#]*?(?:\S#[^#]*?)*):(?:\s+|$)", text)
        return None if found is None else (plain(found.group(1).strip(), self.rules), text[found.end():])

    def mapping(self, indent):
        found = {}
        while True:
            here = self.peek()
            if here is None or here[0] < indent:
                return found
            if here[0] > indent:
                self.fail("indented too far")
            pair = self.key_of(here[1])
            if pair is None:
                self.fail("a key is wanted")
            key, rest = pair
            if key in found:
                self.fail("the key %r stands twice" % (key,))
            self.at += 1
            if not rest.strip() or rest.startswith("#"):
                next_ = self.peek()
                # a sequence may stand as far out as its key
                least = indent if next_ and next_[0] == indent and next_[1].startswith("-") else indent + 1
                found[key] = self.block(least)
            else:
                found[key] = self.value(rest, indent)

    # -- scalars ---------------------------------------------------------------------------------

    def value(self, text, indent):
        """What begins with the rest of a line; its further lines are indented by more than indent."""
        if text[0] in "&*!@`":
            self.fail("anchors, aliases and tags are not used here")
        if text[0] in "|>":
            return self.literal(text, indent)
        if text[0] in "[{\"'":
            flow = Flow(self, text, indent)
            found = flow.any() if text[0] in "[{" else flow.quoted()
            if flow.text[flow.at:].strip() and not flow.text[flow.at:].lstrip().startswith("#"):
                self.fail("more behind a value")
            return found
        parts = [self.uncommented(text)]
        while len(parts[0]) == len(text.rstrip()):
            here = self.peek()
            if here is None or here[0] <= indent:
                break
            if self.key_of(here[1]) is not None:
                self.fail("a key where a text goes on")
            parts.append(self.uncommented(here[1]))
            self.at += 1
        return plain(parts[0], self.rules) if len(parts) == 1 else " ".join(parts)

    def uncommented(self, text):
        found = re.search(r"\s#", text)
        text = (text[:found.start()] if found else text).rstrip()
        if re.search(r":\s", text):
            self.fail("': ' in a plain text")
        return text

    def literal(self, text, indent):
        style, chomp = text[0], text[1:2] if text[1:2] in ("-", "+") else ""
        lines, own = [], None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            n = len(line) - len(line.lstrip(" "))
            if line.strip():
                if n <= indent:
                    break
                own = n if own is None else own
                if n < own:
                    break
            lines.append(line[own or 0:])
            self.at += 1
        empty = 0
        while lines and not lines[-1].strip():
            lines.pop()
            empty += 1
        body = "\n".join(lines) if style == "|" else re.sub(r"(?<!\n)\n(?!\n)", " ", "\n".join(lines)).replace("\n\n", "\n")
        return body + ("" if chomp == "-" or not lines else "\n" * (1 + (empty if chomp == "+" else 0)))


class Flow:
    """A value that brackets or quotes bound; it may go on over lines."""

    def __init__(self, reader, text, indent):
        self.reader, self.text, self.at, self.indent = reader, text, 0, indent

    def more(self):
        """The next line is a part of it."""
        r = self.reader
        if r.at >= len(r.lines):
            r.fail("a bracket or quote is not closed")
        self.text += "\n" + r.lines[r.at].strip()
        r.at += 1

    def space(self):
        while True:
            found = re.compile(r"(\s|(?<=\s)#[^\n]*)*").match(self.text, self.at)
            self.at = found.end()
            if self.at < len(self.text):
                return self.text[self.at]
            self.more()

    def any(self):
        c = self.space()
        if c == "{":
            return self.object()
        if c == "[":
            return self.list()
        if c in "\"'":
            return self.quoted()
        if c in "&*!@`|>":
            self.reader.fail("%r is not used here" % c)
        return self.bare(False)

    def bare(self, key):
        while True:
            found = re.compile(r"[^,\[\]{}\n]*?(?=\s*(?:[,\[\]{}\n]|:[\s,\[\]{}]|:$|\s#|$))").match(self.text, self.at)
            self.at = found.end()
            rest = self.text[self.at:].lstrip(" ")
            if rest and rest[0] != "\n":
                break
            self.more()
            start = found.start()
            self.text = self.text[:found.end()] + " " + self.text[found.end():].lstrip()
            self.at = start
        return plain(found.group(0).strip(), self.reader.rules)

    def object(self):
        found = {}
        self.at += 1
        while self.space() != "}":
            key = self.quoted() if self.space() in "\"'" else self.bare(True)
            if self.space() != ":":
                self.reader.fail("a colon is wanted in { }")
            self.at += 1
            if key in found:
                self.reader.fail("the key %r stands twice" % (key,))
            found[key] = None if self.space() in ",}" else self.any()
            if self.space() == ",":
                self.at += 1
            elif self.space() != "}":
                self.reader.fail("a comma is wanted in { }")
        self.at += 1
        return found

    def list(self):
        found = []
        self.at += 1
        while self.space() != "]":
            found.append(self.any())
            if self.space() == ",":
                self.at += 1
            elif self.space() != "]":
                self.reader.fail("a comma is wanted in [ ]")
        self.at += 1
        return found

    def quoted(self):
        quote, out = self.text[self.at], ""
        self.at += 1
        while True:
            if self.at >= len(self.text):
                self.more()
                continue
            c = self.text[self.at]
            self.at += 1
            if c == quote and quote == "'" and self.text[self.at:self.at + 1] == "'":
                out, self.at = out + "'", self.at + 1
            elif c == quote:
                return out
            elif c == "\\" and quote == '"':
                e, self.at = self.text[self.at:self.at + 1], self.at + 1
                if e in ("x", "u"):
                    n = 2 if e == "x" else 4
                    out, self.at = out + chr(int(self.text[self.at:self.at + n], 16)), self.at + n
                elif e in ESCAPES:
                    out += ESCAPES[e]
                else:
                    self.reader.fail("unknown escape \\%s" % e)
            else:
                out += " " if c == "\n" else c


def load(text, rules=CORE):
    reader = Reader(text, rules)
    found = reader.block(0)
    if reader.peek() is not None:
        reader.fail("more behind the document")
    return found


def load_file(path, rules=CORE):
    with open(path, encoding="utf-8") as f:
        return load(f.read(), rules)
