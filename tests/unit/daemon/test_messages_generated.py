#!/usr/bin/env python3
"""Goal: whoever looks for a message's struct, codec or sender finds it as text: a reader, ctags, a debugger. Nothing of it is made by a macro.

What the build has made is held against messages.def and requests.def, which are read here on their own.
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MADE = os.path.join(os.environ["UNDERSEAL_BUILD"], "generated", "daemon", "process", "messages_generated")
FIELD = re.compile(r"(U8|U16|U32|U64|I64|FIX|BYTES)\((\w+)(?:, (\d+))?\)")
MEMBER = {"U8": "uint8_t %s;", "U16": "uint16_t %s;", "U32": "uint32_t %s;", "U64": "uint64_t %s;", "I64": "int64_t %s;",
          "FIX": "uint8_t %s[%s];", "BYTES": "struct us_bytes %s;"}
PUT = {"U8": "us_buf_put_u8(b, m->%s)", "U16": "us_buf_put_u16(b, m->%s)", "U32": "us_buf_put_u32(b, m->%s)",
       "U64": "us_buf_put_u64(b, m->%s)", "I64": "us_buf_put_u64(b, (uint64_t)m->%s)",
       "FIX": "us_buf_put(b, m->%s, sizeof m->%s)", "BYTES": "us_msg_put_bytes(b, m->%s, %s)"}
TAKE = {"U8": "m->%s = us_take_u8(&r);", "U16": "m->%s = us_take_u16(&r);", "U32": "m->%s = us_take_u32(&r);",
        "U64": "m->%s = us_take_u64(&r);", "I64": "m->%s = (int64_t)us_take_u64(&r);",
        "FIX": "us_take_into(&r, m->%s, sizeof m->%s);", "BYTES": "m->%s = us_take_str32(&r, %s);"}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def messages(name):
    """(name, number, most, [(kind, field, size)], place) of each message of a file."""
    text = read(os.path.join(ROOT, "daemon", "process", name))
    place = {m[1]: "%s, line %d" % (name, text.count("\n", 0, m.start()) + 1) for m in re.finditer(r"^(?:MESSAGE|REQUEST)\((\w+)", text, re.M)}
    text = re.sub(r'^\w*ROUTE\(.*$', "", text, flags=re.M)  # "*" and "/" of their paths are no comments
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"\bUS_WHO\b", "FIX(credential, 32) BYTES(peer, 64)", re.sub(r"^#define .*$", "", text, flags=re.M))
    for kind, head, rest in re.findall(r"^(MESSAGE|REQUEST)\((.*?)\)(.*?)(?=^\w|\Z)", text, re.M | re.S):
        column = head.split(", ")
        yield column[0], column[1], column[4 if kind == "MESSAGE" else 3], FIELD.findall(rest), place[column[0]]


def body(text, start):
    """What stands between a line and the closing brace."""
    at = text.find("\n%s\n{\n" % start)
    return None if at < 0 else text[at:text.index("\n}\n", at)]


def fill(table, kind, name, size):
    form = table[kind]
    return form % ((name,) if form.count("%s") == 1 else (name, name) if "sizeof" in form else (name, size))


def in_order(text, parts):
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def complaints(header, source, listed):
    for name, number, most, fields, place in listed:
        struct = re.search(r"%s \*/\nstruct us_msg_%s \{\n(.*?)\n\};\n" % (re.escape(place), name), header, re.S)
        if not struct or [m.strip() for m in struct[1].split("\n")] != [fill(MEMBER, *f) for f in fields]:
            yield "struct us_msg_%s is not what messages.def says" % name
        encode = body(source, "int\nus_msg_%s_encode(struct us_buf *b, const struct us_msg_%s *m)" % (name, name))
        if not encode or not in_order(encode, [fill(PUT, *f) for f in fields] + ["us_msg_encode_end(b, start, %s, err)" % most]):
            yield "us_msg_%s_encode() is not there, or not what messages.def says" % name
        decode = body(source, "int\nus_msg_%s_decode(struct us_msg_%s *m, const void *p, size_t n)" % (name, name))
        want = ["us_msg_decode_start(&r, p, n, %s);" % most] + [fill(TAKE, *f) for f in fields] + ["return us_msg_decode_end(&r, m, sizeof *m);"]
        if not decode or [t.strip() for t in decode.split("\n")[6:]] != want:
            yield "us_msg_%s_decode() is not there, or not what messages.def says" % name
        send = body(source, "int\nus_send_%s(struct us_channel *ch, uint32_t tag, const struct us_msg_%s *m)" % (name, name))
        if not send or "us_channel_send(ch, US_MSG_%s, tag, encode_%s, m);" % (name, name) not in send:
            yield "us_send_%s() is not there" % name
        if "\tUS_MSG_%s = %s,\n" % (name, number) not in header:
            yield "US_MSG_%s is not %s" % (name, number)


def found_by_tools(listed):
    tool = shutil.which("ctags")
    if tool:
        said = subprocess.run([tool, "-f", "-", MADE + ".c", MADE + ".h"], stdout=subprocess.PIPE, check=True).stdout.decode()
        tags = {line.split("\t")[0] for line in said.split("\n")}
        for name in sorted({form % m[0] for m in listed for form in ("us_msg_%s", "us_msg_%s_encode", "us_msg_%s_decode", "us_send_%s")} - tags):
            yield "ctags does not find %s" % name
    tool = shutil.which("clang-format-14")
    if tool:
        p = subprocess.run([tool, "--style=file:" + os.path.join(ROOT, ".clang-format"), "--dry-run", "-Werror", MADE + ".c", MADE + ".h"], cwd=ROOT, stderr=subprocess.PIPE)
        p = [line for line in p.stderr.decode().split("\n") if ": error: " in line]
        if p:
            yield "not laid out as .clang-format says: %s" % p[0]


def main():
    header, source = read(MADE + ".h"), re.sub(",\n    ", ", ", read(MADE + ".c"))
    listed = [*messages("messages.def"), *messages("requests.def")]
    found = list(complaints(header, source, listed)) + list(found_by_tools(listed))
    if "enerated by " not in header[:100] or "enerated by " not in source[:100]:
        found.append("a generated file does not say so in its first lines")
    if len(re.findall(r"^struct us_msg_\w+ \{", header, re.M)) != len(listed):
        found.append("the header has other structs than messages.def")
    for f in found:
        print(f)
    print("%d messages, %d complaints" % (len(listed), len(found)))
    return 1 if found or len(listed) < 80 else 0


if __name__ == "__main__":
    sys.exit(main())
