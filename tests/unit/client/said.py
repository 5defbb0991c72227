"""What the client says, word for word: all that commands wrote, held against a text beside the test, which is read when it changes.
UNDERSEAL_SAID=FOLDER writes there what is said now. Chance is left out: directories, ports, keys, digests, today's times.
"""
import hashlib
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
CHANCE = [(r"[A-Za-z0-9+/=_-]{32,}", "#"), (r"\b[0-9a-f]{8}(\+#)", r"#\1"), (r"(localhost|127\.0\.0\.1):[0-9]+", r"\1:#"),
          (r"20(?:2[4-9]|[3-9][0-9])-[0-9]{2}-[0-9]{2}([T ][0-9:.]+Z?)?", "#")]
LINES, LETTERS = 40, 1500  # of what is longer the middle stands there as its SHA-256


def shorter(whole, most, left_out):
    if len(whole) <= most:
        return whole
    middle = whole[most // 2:-most // 2]
    return whole[:most // 2] + left_out(middle) + whole[-most // 2:]


def digest(text):
    return "... %d: %s ..." % (len(text), hashlib.sha256(text.encode()).hexdigest()[:16])


class Said:
    def __init__(self, name, folders):
        self.name, self.folders, self.lines, self.before = name, folders, [], {}

    def plain(self, text):
        for name, folder in self.folders:
            text = text.replace(folder, "<%s>" % name)
        for what, becomes in CHANCE:
            text = re.sub(what, becomes, text)
        text = text.replace("\r", "\\r")
        lines = shorter([line for line in text.split("\n") if line], LINES, lambda middle: [digest("\n".join(middle))])
        return ["  " + shorter(line, LETTERS, digest) for line in lines]

    def note(self, args, status, out, err):
        command = "$ " + " ".join(self.plain(" ".join(args))).strip()
        lines = self.plain(out) + self.plain(err) + ["  status %d" % status]
        first = self.before.setdefault("\n".join(lines), command)
        self.lines += [command] + (lines if first == command or len(lines) < 4 else ["  as " + first])

    def compare(self):
        """What is wrong, or None."""
        text = "\n".join(self.lines) + "\n"
        if "UNDERSEAL_SAID" in os.environ:
            with open(os.path.join(os.environ["UNDERSEAL_SAID"], self.name), "w", encoding="utf-8") as f:
                f.write(text)
            return None
        with open(os.path.join(HERE, self.name), encoding="utf-8") as f:
            wanted = f.read().split("\n")
        got = text.split("\n")
        for i in range(max(len(wanted), len(got))):
            a, b = (x[i] if i < len(x) else "(nothing)" for x in (got, wanted))
            if a != b:
                command = next((x for x in reversed(got[:i + 1]) if x.startswith("$")), "")
                return "%s, line %d: %s\n  said  %s\n  is to be %s" % (self.name, i + 1, command, a, b)
        return None
