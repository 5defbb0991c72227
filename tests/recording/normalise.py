"""Makes two recordings of the same thing the same: takes out what is another each time, and leaves all else byte for byte.

In the place of a value stands a placeholder. It is numbered by first appearance in the scenario where it matters that two are the same:
<hex64#digest.3> is the same value wherever it stands, the third that was first seen as a member "digest". What is taken out:

    paths            <base#N>, <dir#N>, <build>, <root>; ports <port#N>
    times            of after the scenario's begin: <time#N> with fractions, <time> in whole seconds, and as numbers. Earlier
                     ones are input
    hexadecimal      of 16 digits and more, <hexL#N> of L digits: digests, fingerprints, nonces, sessions, vault ids
    base64           of 22 characters and more, <b64#N>; lines of hashes, whose number depends on the log's size, <hashes>; PEM, <pem>
    numbers          of 10 digits and more, <big#N>: load ids
    entry indexes    <entry#N>; what counts entries, <n>: marks and counts of handshakes come in by the clock
    durations        with fractions or in milliseconds, <took>
    shares           how many words

But a value that stands in both of two recordings of the same programs is no chance: `compare --learn` writes down which these are, and
they are kept as they are (digests of what is loaded, of orders, of help).

What cannot be in the same order each time is kept without order, as a set, without numbers in its placeholders: what other threads and
processes of a scenario saw (kind of request, status, type of problem), what went over the wire below a command, what a daemon logged, and
entries of the log that the clock makes. Of a wait only its last question is kept. PUT_BACK and CHANCE say what else is left out, and why.
"""
import base64
import hashlib
import json
import os
import re

# Entries that come by the clock, or once for whatever happened since: they are kept apart, and no list has them.
TIMED = ("answered", "heartbeat", "handshakes", "refusals", "clock", "gap", "role-restart")
BY_CLOCK = re.compile(r'\{.*"action":"(?:%s|withheld)"' % "|".join(TIMED))
# What roles say of one another when they end: who is first is chance.
ENDINGS = re.compile(r"(the|a) \w+ is gone: stopping|(intake|sealer|front|vault|keeper)( \d+)? has ended|"
                     r"the keeper did not sign a handshake|channel has ended|the other side is gone|"
                     r"cannot start: not possible in the present state|ended with status \d+: (?:starting it anew|ending the daemon)|"
                     r"was ended by signal \d+")
# No size of a log depends on chance.
FIXED = ("programs",)
# Scenarios that put an earlier log back: one index then means two entries, and which ones is up to the clock.
PUT_BACK = ("07_faults", "11_quota", "15_witness", "19_handover")
# What else depends on chance, by scenario: ("drop", command) is not kept at all, ("bare", command) without what it
# says, ("entries", actions) are not in lists, ("text", expression, what stands for it) is taken out of all texts.
CHANCE = {
    # random bytes: so many lines as it happens
    "06_bad_input": [("drop", r"load demo \S+/a\.bin ")],
    # again and again until a sync fails
    "07_faults": [("drop", r"load demo \S+/s\.jsonl ")],
    # parts arrive in any order, and the first defects are named
    "09_receipt": [("text", r"\bline \d+(: (?:invalid-json|duplicate-id))", r"line N\1")],
    # what 64 connections did meanwhile
    "12_stay": [("bare", r"audit list ")],
    # how long the vault said nothing
    "14_week": [("text", r"\b\d+ s\b", "<took>")],
    # its waits look into the log; how much had left when an answer broke off
    "20_outcomes": [("entries", "session|person-list|collection-list|audit-keys"),
                    ("text", r'("decision":"failed"[^\n]*"total":)\d+', r"\1<n>")],
    # the package holds the verifier itself, which is another in each build
    "16_certify": [("text", r"[0-9a-f]{64}(?=  underseal-verify\n)", "<digest>")],
    # refused or reset
    "21_pressure": [("text", r"(cannot talk to the vault at \S+: )[^\n]*", r"\1<why>")],
    # a bit is flipped in a signature or a key of chance: what is wrong then is one thing or another
    "22_policy": [("text", r"(checkpoint\.witnessed(?:\.2)?: )[^\"\n]*", r"\1<how>")],
    # a monitor is killed, and its keeper may find the time to say so
    "23_entries": [("entries", "stop")],
    "24_who_saw": [("text", r"(is not what it was: )[^.]*", r"\1<how>")],
    # from eight threads at once
    "31_tickets": [("drop", r"^POST /vN/loads/N/parts/N -> 503")],
}
NL = r"(?:\n|\\n|\\r\\n|\r\n)"
B64 = "[A-Za-z0-9+/]"
ENTRY_MEMBERS = "entry|index|related|intent"
COUNT_MEMBERS = "size|entries|withheld|snapshot|after|access|disclosure|query|refusals|last|lost"
COUNT_WORDS = "log size|size to be named|entries in the checkpoint|entries checked|boxes opened"

HEX = re.compile("(?<![0-9A-Za-z])(?:[0-9a-f]{16,}|[0-9]{10,})(?![0-9A-Za-z=])")
TOKEN = re.compile(HEX.pattern + r"|(?<![0-9A-Za-z+/_-])%s{22,}={0,2}(?![0-9A-Za-z+/=_-])" % B64)
MEMBER = re.compile(r'"([a-z_]+)": ?"?$')
TIME = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?( ?(?:Z|UTC|[+-]\d\d:\d\d))?")


def lines(expression):
    return re.compile(expression, re.M)


# Where the newest root and time of the log are said.
NEWEST = (
    re.compile(r'("(?:last|root)":")[^"]*"'), lines(r"(^  (?:to|root) +)\S+"),
    re.compile(r"(entries \d+ to \d+, \S+ to )[0-9TZ:.-]+"),
    re.compile(r'(last entry(?:","finding":"|</td><td>|,| +))[0-9TZ:.-]+'),
)
# What depends on the size of the log, in the order in which it is taken out: in tables and texts, in notes and receipts.
OF_THE_LOG = (
    (lines(r"^(?:.*<time.*|index  time .*)$"), lambda m: re.sub("  +", "  ", m.group(0))),  # widths of columns
    (lines(r"^(.*<time[^>]*>  )\d+$"), r"\1<entry>"),
    (re.compile(r'("left":")(?:not settled|whole|yes)"'), r'\1<how far>"'),                # a mark has come, or not yet
    (lines(r"^.*<time.*$"), lambda m: re.sub(r"(  |,|>)(?:not settled|whole|yes)(?=  |,|<)", r"\1<how far>", m.group(0))),
    (re.compile(r"((?:%s)(?:,| +|</t[hd]><td>))\d+" % COUNT_WORDS), r"\1<n>"),
    (re.compile(r"(\baudit (?:disclose|receipt) |--snapshot |(?<!of )up to entry )\d+"), r"\1<n>"),
    (re.compile("(\u2014 \\S+ )%s{80,}={0,2}" % B64), r"\1<signature>"),
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.S), r"<pem \1>"),
    (lines(r"(?<=\n)\d+(?=\n%s{43}=$)" % B64), "<n>"),                                      # of a succession
    (re.compile(r"(?:(?<=\n)|(?<=\\n)|^)(?:%s{43}=(%s))+" % (B64, NL)), r"<hashes>\1"),
    (re.compile(r"((?:\n|\\n)index )\d+(%s)" % NL), r"\1<entry>\2"),
    (re.compile(r"(/underseal/[0-9a-f]{16}(?:/\d+)?%s)\d+(%s)" % (NL, NL)), r"\1<n>\2"),
    (re.compile(r"\+[0-9a-f]{8}\+(%s{40,}=*)" % B64), r"+<id>+\1"),
    (re.compile(r'"(%s)":( ?)\d+\b(?!,"path")' % COUNT_MEMBERS), r'"\1":\2<n>'),           # but not in a batch's manifest
    (re.compile(r'"(snapshot|after)":"\d+"'), r'"\1":"<n>"'),
    (re.compile(r'"finding":\d\d+'), '"finding":<n>'),
)
# The same, where what is named by tokens has been taken out.
IN_WORDS = (
    (re.compile(r"\b(log entry:?|entry|entries|index|at entry) \d+\b"), r"\1 <entry>"),
    (re.compile(r"(entr(?:y|ies) <entry[^>]*> to |has seen |those from |is now |\b(?:size|refusals) +)\d+\b"), r"\1<n>"),
    (re.compile(r"\bof the \d+ that\b"), "of the <n> that"),
    (re.compile(r"\b\d+(?=-<time>-\d)"), "<n>"),  # files of timestamps
    (re.compile(r"\b\d+( entries| access, | disclosure, | query\b)"), r"<n>\1"),
)


class Taker:
    """Takes out of one scenario's texts."""

    def __init__(self, name, events, stable):
        self.chance = CHANCE.get(name, [])
        self.timed = "|".join(TIMED + tuple(c[1] for c in self.chance if c[0] == "entries"))
        self.one_log, self.is_fixed = name not in PUT_BACK, name in FIXED
        begin = events[0]
        self.since = begin["time_ns"] // 10**9 - 3600
        self.stable, self.names, self.numbers, self.numbered = stable, {}, {}, True
        self.fixed = [(begin["build"], "<build>"), (begin["root"], "<root>")]
        self.ports = {}
        for e in events:
            if e["kind"] == "vault":
                n = len(self.ports) + 1
                self.fixed.insert(0, (e["base"], "<base#%d>" % n))
                self.ports.setdefault(str(e["port"]), "<port#%d>" % n)
        self.tmp = re.compile(re.escape(begin["tmp"]) + r"/us-[a-z-]+-[A-Za-z0-9_]{8}")

    def name(self, kind, value, m=None):
        """The placeholder of a value: with the member where it stood first, so that a new member renames no other's values."""
        if not self.numbered or kind == "entry" and not self.one_log:
            return "<%s>" % kind
        if (kind, value) not in self.names:
            key = m and (re.match(r'"([a-z_]+)":', m.group(0)) or MEMBER.search(m.string, max(0, m.start() - 40), m.start()))
            first = "%s#%s" % (kind, key.group(1) + "." if key else "")
            self.numbers[first] = self.numbers.get(first, 0) + 1
            self.names[kind, value] = "<%s%d>" % (first, self.numbers[first])
        return self.names[kind, value]

    def time(self, m):
        whole = "%s-%s-%sT%s:%s:%s" % m.groups()[:6]
        if whole < iso(self.since * 10**9):
            return m.group(0)
        return self.name("time", m.group(0), m) if m.group(7) else "<time>"

    def token(self, m):
        text = m.group(0)
        if text in self.stable:
            return text
        if text.isdigit() and len(text) < 32:
            return "<time>" if re.fullmatch(r"1[789]\d{8}|1[789]\d{17}", text) else self.name("big", text, m)
        if re.fullmatch("[0-9a-f]+", text):
            return self.name("hex%d" % len(text), text, m)
        mixed = re.search("[A-Z]", text) and re.search("[a-z]", text) and (len(text) >= 40 or re.search("[0-9]", text))
        if text[-1] != "=" and not mixed:
            return HEX.sub(self.token, text) if HEX.search(text) else text  # a path, a word
        return self.name("b64", text, m)

    def newest(self, m):
        """The newest root and time of the log have no number: they are two or one, as a mark came between two questions or not."""
        said = m.group(0)[len(m.group(1)):].strip('"')
        known = TIME.fullmatch(said) and "<time>" or re.fullmatch(B64 + "{43}=", said) and "<root>"
        return m.group(1) + (known or said) + m.group(0)[len(m.group(1)) + len(said):] if known else m.group(0)

    def is_chance(self, how, title):
        return any(c[0] == how and re.search(c[1], title) for c in self.chance)

    def text(self, text):
        for c in self.chance:
            if c[0] == "text":
                text = re.sub(c[1], c[2], text)
        for what, name in self.fixed:
            text = text.replace(what, name)
        text = self.tmp.sub(lambda m: self.name("dir", m.group(0)), text)
        for port, name in self.ports.items():
            text = re.sub(r"(?<=:)%s\b" % port, name, text)
        text = re.sub(r"(127\.0\.0\.1:)(?:3[2-9]|[4-6]\d)\d{3}\b", r"\1<a port>", text)
        if not self.is_fixed:
            for expression in NEWEST:
                text = expression.sub(self.newest, text)
        text = TIME.sub(self.time, text)
        return TOKEN.sub(self.token, text) if self.is_fixed else self.took(self.named(text))

    def named(self, text):
        """Without what depends on the log, and without what is chance."""
        def entry(m):
            return m.group(1) + self.name("entry", m.group(2), m)

        text = re.sub(r"^()(\d+) +(?=<time)", lambda m: entry(m) + " ", text, flags=re.M)
        text = re.sub(r"^()\d+,(\d+)(?=,<time)", lambda m: "<row>," + entry(m), text, flags=re.M)
        text = re.sub(r"(?<=<td>)()(\d+)(?=</td><td><time)", entry, text)
        for expression, instead in OF_THE_LOG:
            text = expression.sub(instead, text)
        text = re.sub(r'("(?:%s)": ?)(\d+)\b(?!,"size":(?:\d+|<n>),"path")' % ENTRY_MEMBERS, entry, text)
        text = re.sub(r'("(?:next|after)":"|--after )([A-Za-z0-9_-]{40,})', lambda m: m.group(1) + self.name("cursor", m.group(2)), text)
        text = TOKEN.sub(self.token, text)
        for expression, instead in IN_WORDS:
            text = expression.sub(instead, text)
        return text

    @staticmethod
    def took(text):
        return re.sub(r"\b\d+(?:\.\d+)? ms\b|\b\d+\.\d+ s\b", "<took>", text)


def iso(ns):
    import datetime
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


# -- what an event says ------------------------------------------------------------------------------

def content(taker, c):
    """A body or output as text."""
    if c is None:
        return ""
    if isinstance(c, str):
        return taker.text(c)
    if "long" in c:
        return taker.text(c["text"]) + "\n[cut]"
    if c["sha256"] in taker.stable:
        return "[%d bytes, SHA-256 %s]" % (c["size"], c["sha256"])
    head = base64.b64decode(c["binary"])
    act = head.find(b"underseal/act/1\n")
    if 0 <= act <= 64 and len(head) > act + 17:
        return "[bytes with an act of type %d]" % head[act + 16]
    return "[bytes]"


def row(m, timed):
    """Of a report in one document a row, and not a line."""
    if m.start() == 0 or m.string[m.start() - 1] == "\n":
        return m.group(0)
    timed.append(m.group(0).strip(","))
    return "," if m.group(1) and m.group(2) else ""


def lines_without_timed(text, actions, timed):
    """A list of entries, as JSON or as text, without those that the clock makes; these go to timed."""
    kept = []
    text = re.sub(r'(,?)\{"index":\d+,[^{}]*"action":"(?:%s)"[^{}]*\}(,?)' % actions, lambda m: row(m, timed), text)
    text = re.sub(r"(?<=\}),(?=\])", "", text)  # of two rows at the end
    for line in text.split("\n"):
        m = re.match(r'\{"index":\d+,"time".*?"action":"([a-z-]+)"|\d+ +20\S+Z +(?:\S.*  )?([a-z-]+) (?:none|allow|deny)', line)
        table = re.search(r",(%s),|<td>(%s)</td>|^\d+ .*  (%s)  " % ((actions,) * 3), line) if not line.startswith("{") else None
        hidden = table or re.match(r'\{.*"class":"(?:noise|system)".*"action":"withheld"', line)
        if hidden or m and re.fullmatch(actions, m.group(1) or m.group(2)):
            timed.append(line)
        else:
            kept.append(line)
    return "\n".join(kept)


def output(taker, c, timed):
    if isinstance(c, str):
        c = lines_without_timed(c, taker.timed, timed)
    return content(taker, c)


def block(title, *parts):
    out = [title]
    for name, text in parts:
        if text:
            text = (text[:-1] if text.endswith("\n") else text + "⏎").replace("\r", "␍")
            out += ["  %s| %s" % (name, line) for line in text.split("\n")]
    return "\n".join(out)


def of_command(taker, e, timed):
    argv = " ".join(a if re.fullmatch(r"[\w./:=,@%+-]+", a) else "'%s'" % a for a in e["argv"])
    return block("$ %s -> %s" % (taker.text(argv), e["code"]), ("in ", content(taker, e["input"])),
                 ("out", output(taker, e["stdout"], timed)), ("err", content(taker, e["stderr"])))


def of_exchange(taker, e):
    def headers(h):
        skip = ("host", "user-agent", "accept", "accept-encoding", "content-length", "transfer-encoding")
        return "".join("%s: %s\n" % (k, v) for k, v in sorted(h.items()) if k not in skip)
    path = e["path"].replace("%3A", ":")
    path = re.sub(r"^(/v1/log/(?:tile/(?:entries/)?|consistency/|entry-proof/))[0-9x./p]+$", r"\1…", path)
    if path.startswith("/v1/log/"):
        path = re.sub(r"([?&](?:from|to|after)=)\d+", r"\1…", path)
    answered = headers(e["answered"])
    answered = re.sub(r"^(underseal-entry: )\d+", r"\1<entry>", answered, flags=re.M)
    answer = content(taker, e["answer"])
    if re.match(r"^/v1/log/(tile|acts|consistency)", path) and e["status"] in (200, "200 OK"):
        answer = "[as long as the log]"
    elif re.match(r"^/v1/log/keys", path) and e["status"] in (200, "200 OK"):
        answer = re.sub(r'"boxes":\[.*\]', '"boxes":[…]', re.sub(r":\d+", ":<n>", str(e["answer"])))
    return block("%s %s -> %s" % (e["method"], taker.text(path), e["status"]), ("ask", taker.text(headers(e["asked"]))),
                 ("in ", content(taker, e["body"])), ("has", taker.text(answered)), ("out", answer))


def forms(text):
    """Of as many lines as the log has: which forms they have, without their values."""
    if not isinstance(text, str):
        return "[not text]"
    plain = re.sub(r'"[A-Za-z0-9+/=]*"(?=[,}])|(?<="index":)\d+', "…", text)
    return "".join(line + "\n" for line in sorted(set(plain.split("\n"))) if line)


def of_file(taker, e, timed):
    name = re.sub(r"^(.*tile/)[0-9a-z./]*$", r"\1…", e["name"])
    text = e["content"]
    if name.endswith("keys.jsonl") and isinstance(text, str):
        text = forms(text)
    if os.path.basename(name) == "underseal-verify":
        return block("> %s %s, mode %o" % (e["option"], name, e["mode"]))
    if re.search(r"share-\d+\.txt$", name):
        return block("> %s %s, mode %o: %d words" % (e["option"], name, e["mode"], len(text.split())))
    return block("> %s %s, mode %o" % (e["option"], taker.text(name), e["mode"]), ("has", output(taker, text, timed)))


def kind_of(e):
    """Of what was seen beside the main thread: what, and how it ended."""
    if e["kind"] == "command":
        words = [a for a in e["argv"][1:4] if re.fullmatch("[a-z-]+", a) and a[0] != "-"]
        problem = re.search(r"urn:underseal:problem:[a-z-]+", str(e["stdout"]))
        return "$ %s -> %s %s" % (" ".join(words), e["code"], problem.group(0) if problem else "")
    if e["kind"] in ("http", "wire"):
        problem = re.search(r"urn:underseal:problem:[a-z-]+", str(e["answer"]))
        return "%s %s -> %s %s" % (e["method"], re.sub(r"\d+", "N", e["path"]), e["status"], problem.group(0) if problem else "")
    return None


def last_of_waits(events):
    """Without the questions of a wait but the last command or exchange of each."""
    last = {}
    for i, e in enumerate(events):
        if "poll" in e and e["main"] and e["kind"] in ("command", "http"):
            last[e["poll"]] = i
    return [e for i, e in enumerate(events) if "poll" not in e or not e.get("main") or i == last.get(e["poll"])]


def normal(name, events, stable=frozenset()):
    """The scenario as text; and what it shows of entries that the clock makes, for which of them it happens to have is chance."""
    taker, timed, beside, out, wire, dropped = Taker(name, events, stable), [], set(), [], [], False
    for e in last_of_waits(events):
        if e["kind"] == "command":
            dropped = taker.is_chance("drop", " ".join(e["argv"]))
        if not e.get("main", True):
            beside.add(kind_of(e))
        elif e["kind"] in ("command", "wire", "file") and dropped:
            continue
        elif e["kind"] == "wire":
            wire.append(e)
        elif e["kind"] == "step":
            out.append("== " + re.sub(r"[0-9][0-9.,]*", "#", taker.text(e["text"].split(":")[0])))
        elif e["kind"] == "command" and taker.is_chance("bare", " ".join(e["argv"])):
            out.append(of_command(taker, dict(e, stdout="", stderr=""), timed))
        elif e["kind"] == "command":
            out.append(of_command(taker, e, timed))
        elif e["kind"] == "http":
            out.append(of_exchange(taker, e))
        elif e["kind"] == "file":
            out.append(of_file(taker, e, timed))
        elif e["kind"] == "serve":
            out.append("$ %s, begun" % taker.text(" ".join(e["argv"])))
        elif e["kind"] == "ended":
            out.append("it ended -> %s" % e["code"])
        elif e["kind"] == "end":
            out.append("== end: %s" % e["code"])
    taker.numbered = False
    out.append("== beside it")
    out += sorted(k for k in beside if k and not taker.is_chance("drop", k))
    out.append("== on the wire")
    out += sorted({of_exchange(taker, e) for e in wire})
    out.append("== logged")
    said = {line for e in events if e["kind"] == "log" and isinstance(e["text"], str) for line in e["text"].split("\n")}
    out += sorted({taker.text(line) for line in said if not ENDINGS.search(line)})
    return "\n".join(out) + "\n", sorted({shape(line) for line in timed if BY_CLOCK.match(line)})


def shape(line):
    """Of an entry that the clock makes: which members it has."""
    line = TIME.sub("<time>", line)
    line = re.sub(r'"(reason|detail|changes|cause|counts|role|person|party)":(?:"[^"]*"|\{[^}]*\}|\[[^\]]*\]|null)', r'"\1":…', line)
    return re.sub(r"(?<=:)\d+\b", "N", line)


# -- recordings on the disk --------------------------------------------------------------------------

def load(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return [json.loads(line) for line in f]


def tokens(path):
    """What may be chance in a scenario's recording."""
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        text = f.read().replace("\\n", "\n")
    return set(TOKEN.findall(text))


def learned(directory, name):
    """What --learn found to be no chance."""
    try:
        with open(os.path.join(directory, "stable", name + ".json")) as f:
            return frozenset(json.load(f))
    except OSError:
        return frozenset()


def names(directory):
    return sorted(f[:-len(".jsonl")] for f in os.listdir(os.path.join(directory, "raw")) if f.endswith(".jsonl"))


def text_of(directory, name, stable=frozenset()):
    """(the normal form, what stands apart), made anew where recording, this file or what is stable are others than when it was made."""
    raw, made = os.path.join(directory, "raw", name + ".jsonl"), os.path.join(directory, "normal", name + ".txt")
    with open(__file__, "rb") as f:
        stamp = hashlib.sha256(f.read() + repr((sorted(stable), os.stat(raw).st_mtime_ns, os.path.getsize(raw))).encode()).hexdigest()
    try:
        with open(made + ".stamp") as f, open(made, encoding="utf-8", errors="surrogateescape", newline="") as g:
            known = json.load(f)
            if known[0] == stamp:
                return g.read(), known[1]
    except (OSError, ValueError):
        pass
    os.makedirs(os.path.dirname(made), exist_ok=True)
    text, apart = normal(name, load(raw), stable)
    with open(made, "w", encoding="utf-8", errors="surrogateescape", newline="") as g:
        g.write(text)
    with open(made + ".stamp", "w") as f:
        json.dump([stamp, apart], f)
    return text, apart
