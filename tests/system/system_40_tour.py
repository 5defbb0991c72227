#!/usr/bin/env python3
"""Goal: the tour of README.md goes as it says, twice in a row, on a vault made as quickstart makes it.

The commands are the indented lines of "Ten minutes". What a command ends with stands behind it as a comment: a number is its
exit status where that is not 0 (in parentheses that of the second time), words in quotes are printed. The first time through every number that a command names (person-5, clawback-1) is the
one that README.md has; the second time it is the one that a command before it has printed, which is what the text tells a reader to take.
"""
from harness import *

TOPICS = ("the harbour", "a paywalled article", "the budget vote", "an old bicycle", "the weather in Lisbon", "a recipe for bread",
          "the court calendar", "a missing semicolon")
VERBS = ("Summarise", "Explain", "Translate", "Rewrite", "Criticise")
IDS = re.compile(r"\b(person|clawback|freeze|order|credential)-(\d+)\b|\b(demo)/(\d+)\b|\b(copy(?: return)?) (\d+)\b|\b(order suspend) (\d+)\b")


def sample(path):
    """As quickstart's: fixed parts."""
    with open(path, "w") as f:
        for i in range(1, 501):
            topic = TOPICS[i % 8]
            ask = "%s %s for me, please (%d)." % (VERBS[i % 5], topic, i)
            say = "Here is what I can say about %s: number %d of a series, in %d words." % (topic, i, i * 7 % 90 + 10)
            f.write(json.dumps({"id": "sample/%d" % i, "created": "2024-%02d-%02dT%02d:00:00Z" % (i % 12 + 1, i % 28 + 1, i % 24),
                                "model": "gpt-4" if i % 3 else "gpt-3.5-turbo", "language": "en",
                                "messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": say}]},
                               separators=(",", ":")) + "\n")


def commands():
    """(command, exit status, the second time, what it prints) of each line of the tour."""
    with open(os.path.join(ROOT, "README.md")) as f:
        text = f.read()
    text = text[text.index("## Ten minutes"):text.index("## Native input")]
    out = []
    for line in text.split("\n"):
        if not line.startswith("    "):
            continue
        command, _, comment = line[4:].partition("  # ")
        status = re.match(r"(\d+)(?: \((\d+) )?", comment)
        first = int(status.group(1)) if status else 0
        out.append((command.rstrip(), first, int(status.group(2)) if status and status.group(2) else first, re.findall(r'"([^"]*)"', comment)))
    return out


class Reader:
    """Somebody who follows the tour."""

    def __init__(self, vault, here):
        self.vault, self.here, self.again = vault, here, False
        self.env = dict(vault.env, PATH=BUILD + ":" + os.environ["PATH"])
        self.seen = {}  # what is numbered -> the last number that a command has printed

    def numbered(self, command):
        def newest(m):
            what = m.group(m.lastindex - 1)
            between = m.group(0)[len(what):-len(m.group(m.lastindex))]
            return what + between + str(self.seen.get(what.split(" ")[0], m.group(m.lastindex)))
        if not self.again:
            return command
        # the version of an order is the next one, which a refusal would say
        command = command.replace("/version: 2/", "/version: %d/" % (self.seen["order"] + 1))
        return IDS.sub(newest, command)

    def note(self, text):
        for m in IDS.finditer(text):
            self.seen[m.group(m.lastindex - 1).split(" ")[0]] = int(m.group(m.lastindex))

    def follow(self, command, status, said):
        assigned = re.fullmatch(r"([A-Z]+)=(.*)", command)
        if assigned:
            r = run(["bash", "-c", "printf %s " + assigned.group(2)], env=self.env, cwd=self.here)
            if assigned.group(1) != "PATH":
                self.env[assigned.group(1)] = r.stdout.decode()
            return
        typed = self.numbered(command)
        step(typed)
        r = run(["bash", "-c", typed], env=self.env, cwd=self.here)
        text = (r.stdout + r.stderr).decode()
        equal(r.returncode, status, "exit status of: %s\n%s" % (typed, text))
        for words in said:
            check(words in text, 'README.md says that it prints "%s": %s' % (words, typed), text)
        self.note(text)


def scenario():
    vault = Vault(20400).start()
    here = os.path.join(vault.base, "a checkout")
    os.makedirs(here + "/build")
    for name, target in (("build/demo", vault.base), ("policy", ROOT + "/policy"), ("tests", ROOT + "/tests")):
        os.symlink(target, os.path.join(here, name))
    with open(os.path.join(vault.profile("attorney"), "profile.conf")) as f:
        text = f.read().replace("purpose=system test", "purpose=demonstration")
    with open(os.path.join(vault.profile("attorney"), "profile.conf"), "w") as f:
        f.write(text)
    vault.client("admin", "collection", "create", "demo", "--bates", "DEMO", "--designation", "CONFIDENTIAL")
    sample(vault.base + "/sample.jsonl")
    vault.load(vault.base + "/sample.jsonl")
    tour = commands()
    check(len(tour) > 40, "commands of the tour", len(tour))
    reader = Reader(vault, here)
    for again in (False, True):
        reader.again = again
        for command, first, second, said in tour:
            reader.follow(command, second if again else first, said)
            if command.startswith("underseal status") and vault.state() == "sealed":
                vault.unseal()  # as quickstart does
    vault.stop()


main(scenario)
