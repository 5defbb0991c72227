"""Goal: whatever a vault answers, a terminal is only written on. Every command's own example is run on a terminal against a vault
that puts hostile text into every member that the client's source names, so that what reads another member is tried as well.
"""
import collections
import glob
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_vault  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
HOSTILE = "=x \x1b]0;title\x07 \x1b[2J \u202egnp \u009b31m \x7f\r over\ttab\nline BYTES caf\u00e9"
NOT_TEXT = b"\x9b2J\xff\xc0\xaf"
failures, shown = [], collections.Counter()
vault = fake_vault.Vault()


def sources():
    for path in glob.glob(os.path.join(ROOT, "client", "**", "*.[ch]"), recursive=True):
        with open(path, encoding="utf-8") as f:
            yield f.read()


def universe(bytes_too):
    """A document with all names that stand in the source as a string, hostile everywhere, lists where the source goes through one."""
    text = "\n".join(sources())
    names = {name for name in re.findall(r'"([a-z][a-z0-9_]*)"', text)}
    numbers = set(re.findall(r'us_json_number\(\s*[^,]+,\s*"(\w+)"', text)) - set(re.findall(r'us_json_text\(\s*[^,]+,\s*"(\w+)"', text))
    lists = set(re.findall(r'cJSON_ArrayForEach\(\s*\w+,\s*cJSON_GetObjectItemCaseSensitive\(\s*\w+,\s*"(\w+)"', text))
    lists |= {"items", "served", "signatures", "people", "hits", "messages", "batches", "rules", "conditions", "path"}
    leaf = {name: 1 if name in numbers else HOSTILE for name in names}
    middle = dict(leaf, **{name: [HOSTILE, leaf] for name in lists})
    whole = dict(middle, items=[middle, middle], next=None, collection=3, version=1)
    data = json.dumps(whole).encode()
    return data.replace(b"BYTES", NOT_TEXT if bytes_too else b"")


class All(dict):
    """Answers everything asked for with one document."""

    def __init__(self, status, document):
        super().__init__()
        self.status, self.document = status, document

    def get(self, _path, _fallback=None):
        return self.status, self.document

    def __contains__(self, _name):
        return True


def answer_all(status, document):
    vault.answers = vault.searches = All(status, document)
    vault.take_act = lambda path, body: (status, document)
    vault.search = lambda name, body: document


def examples():
    listed = subprocess.run([CLIENT, "--help"], capture_output=True, check=True).stdout.decode()
    for command in re.findall(r"(?m)^  ([a-z][a-z0-9 -]*?)  +\S", listed.split("Every day")[0]):
        text = subprocess.run([CLIENT, *command.split(), "--help"], capture_output=True).stdout.decode()
        example = re.search(r"(?m)^example: underseal (.*)$", text)
        if example is None:
            failures.append("%s: no example" % command)
            continue
        yield command, shlex.split(re.split(r"\s[|<>;&]", example[1])[0])


def on_terminal(arguments, locale):
    """What comes to a terminal of a command's both streams."""
    master, slave = pty.openpty()
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    folder = vault.path("work")
    os.makedirs(folder, exist_ok=True)
    environment = dict(os.environ, UNDERSEAL_PROFILE=vault.profile, LC_ALL=locale, COLUMNS="100", TERM="dumb")
    child = subprocess.Popen([CLIENT, *arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, cwd=folder, env=environment,
                             start_new_session=True)
    os.close(slave)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # nobody has the other side any more
            break
        if not piece:
            break
        said += piece
    child.wait(timeout=60)
    os.close(master)
    return said


def judge(command, said, locale):
    said = re.sub(rb"\r[^\r\n\x1b]*\x1b\[K", b"", said)  # progress
    if b"Sanitizer" in said or b"runtime error" in said:
        failures.append("%s: %s" % (command, said[-2000:].decode(errors="replace")))
    try:
        text = said.decode("ascii" if locale == "C" else "utf-8")
    except UnicodeDecodeError as e:
        failures.append("%s (%s): %s: %r" % (command, locale, e, said[max(e.start - 80, 0):e.start + 40]))
        return
    bad = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    if bad is not None:
        failures.append("%s (%s): %r reaches the terminal: %r" % (command, locale, bad[0], text[max(bad.start() - 80, 0):bad.start() + 40]))
    shown[command] += "\\x1b" in text or "\\u001b" in text or "\\u202e" in text


def main():
    found = list(examples())
    for status, bytes_too, locale, json_out in ((200, False, "C.UTF-8", False), (200, True, "C.UTF-8", False), (200, True, "C", False),
                                                (403, True, "C.UTF-8", False), (200, True, "C.UTF-8", True)):
        answer_all(status, universe(bytes_too))
        for command, arguments in found:
            judge(command, on_terminal(arguments + (["--json"] if json_out and "--json" not in arguments else []), locale), locale)
    showing = [command for command, n in shown.items() if n]
    print("%d commands, %d of them showed what the vault said: %s" % (len(found), len(showing), ", ".join(sorted(showing))))
    if len(found) < 40 or len(showing) < 25:
        failures.append("too few commands were tried to say anything")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
