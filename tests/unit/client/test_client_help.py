"""Goal: whoever does not know the client finds the way: commands by what one does, every capacity's daily ones, the nearest to a mistake; and options that all
commands have stand before the command or behind it. Offline.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ["UNDERSEAL_BUILD"]
ENV = {name: value for name, value in os.environ.items() if name != "UNDERSEAL_PROFILE"}
ORDER = os.path.join(ROOT, "policy", "orders", "demo.yaml")
failures = []


def run(*words, program="underseal"):
    done = subprocess.run([os.path.join(BUILD, program), *words], stdin=subprocess.DEVNULL, capture_output=True, env=ENV)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def equal(got, want, what):
    if got != want:
        failures.append("%s: got %r, want %r" % (what, got, want))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def overview():
    code, text, _ = run("--help")
    equal(code, 0, "--help")
    groups = {"": []}
    for line in text.split("\n"):
        if re.match(r"[A-Z][^:]*$", line):
            group = groups.setdefault(line, [])
        elif re.match(r"  [a-z].*  \S", line):
            group.append(re.match(r"  (\S+(?: \S+)?)", line)[1])
    equal([g for g in groups if groups[g]], ["Run the vault", "People and credentials", "Evidence", "The order", "The log"], "groups")
    commands = [c for g in groups.values() for c in g]
    equal(len(commands), len(set(commands)), "a command is in one group")
    source = "".join(read(w, n) for w, _, names in os.walk(os.path.join(ROOT, "client")) for n in names if n.endswith(".c"))
    written = re.findall(r"^const struct us_command us_commands_\w+\[\] = \{\n(.*?)^\};", source, re.M | re.S)
    equal(sorted(commands), sorted(n for t in written for n in re.findall(r'^\t\{\s+"([a-z][a-z -]*)",', t, re.M)), "every command of the source is listed")
    daily = text[text.index("Every day, by capacity\n"):text.index("\n'underseal COMMAND --help'")]
    named = [c for line in re.findall(r"^  ([a-z].*):$", daily, re.M) for c in line.split(", ")]
    equal(sorted(named), sorted(re.findall(r'X\(\w+, +\d+, "([a-z-]+)"', read("case", "capacities.def"))), "every capacity has its line")
    equal([c for line in re.findall(r"^      (.*)$", daily, re.M) for c in line.split(", ") if c not in commands], [], "daily commands that are none")
    for command in commands:
        code, text, _ = run(*command.split(" "), "--help")
        equal((code, text.startswith("usage: underseal %s " % command)), (0, True), command + " --help")
    page = read("packaging", "man", "underseal.1")
    equal(re.findall(r"^\.Ss (.*)$", page, re.M), ["Running the vault", "People and credentials", "Evidence", "The order", "The log"], "the man page's groups")


def mistakes():
    for words, nearest in (("stauts", "status"), ("serach demo x", "search"), ("persn add", "person add"), ("person ad X", "person add"),
                           ("audit reprot denials", "audit report")):
        code, out, err = run(*words.split(" "))
        equal((code, out, "did you mean '%s'?" % nearest in err), (2, "", True), "underseal " + words)
    for words in (["zzzz"], ["--no-such-option"], ["zzzz", "zzzz"]):
        code, out, err = run(*words)
        equal((code, out, err), (2, "", "underseal: there is no command '%s'; 'underseal --help' lists them\n" % words[0]), " ".join(words))
    code, out, err = run("docket")
    equal((code, out, re.findall(r"^  (\S+ \S+)", err, re.M)[:2]), (2, "", ["docket list", "docket show"]), "the first word alone")
    equal(run("docket", "--help")[:2], (0, err), "the first word alone, with --help")
    code, out, err = run("srve", "--data", "x", program="undersealed")
    equal((code, out, "did you mean 'serve'?" in err), (2, "", True), "undersealed srve")
    equal(run("zzzz", program="undersealed"), (2, "", run("--help", program="undersealed")[1]), "undersealed zzzz")


def before_and_behind():
    want = run("order", "check", ORDER, "--json")
    equal((want[0], want[1][:1]), (0, "{"), "order check --json")
    for words in (["--json", "order", "check", ORDER], ["order", "--json", "check", ORDER], ["--profile", "/none", "--json", "order", "check", ORDER],
                  ["order", "check", "--json", ORDER]):
        if words[1] == "--json":
            equal(run(*words)[0], 2, "an option between a command's words")
        else:
            equal(run(*words), want, " ".join(words))
    want = run("docket", "list", "--profile", "/none")
    equal((want[0], "/none" in want[2]), (1, True), "a profile that is none")
    for words in (["--profile", "/none", "docket", "list"], ["--profile=/none", "docket", "list"], ["--profile", "/other", "docket", "list", "--profile=/none"],
                  ["--json", "--profile", "/none", "docket", "list"]):
        equal(run(*words), want, " ".join(words))
    for words in (["--json=1", "status"], ["order", "check", ORDER, "--json=no"], ["copy", "return", "2", "--destroyed=no"]):
        code, out, err = run(*words)
        equal((code, out, "takes no value" in err), (2, "", True), "a flag with a value: " + " ".join(words))
    equal(run("--profile")[0::2], (2, "underseal: --profile takes a directory\n"), "--profile alone")
    equal(run("--json", "--version"), run("--version"), "--json --version")
    equal(run("--json", "--help"), run("--help"), "--json --help")
    equal(run("--json")[0], 2, "no command")


def next_steps():
    """The man page has a line for each reason of a refusal; what it says to type is there to be typed."""
    page = read("packaging", "man", "underseal.1")
    section = page[page.index(".Sh WHAT TO TYPE NEXT"):page.index(".Sh EXAMPLES")]
    listed = re.findall(r"^\.It Cm (\S+)\n(.+)$", section, re.M)
    reasons = re.findall(r'X\(\w+, \d+,[ \\\n\t]*"([a-z-]+)"\)', re.search(r"#define US_REASON_LIST\(X\)(.*?)\n\n", read("case", "action.h"), re.S)[1])
    equal(len(reasons) > 45, True, "the reasons are found")
    equal([name for name, _ in listed], [name for name in reasons if name != "none"], "reasons in the man page, in their order")
    for name, text in listed:
        command = re.fullmatch(r"(?:[a-z ]+: )?underseal (.+)", text)
        if command is None:
            equal(re.match(r"the same command again|Nothing that anybody could type helps\.$", text) is not None, True, name)
            continue
        for one in re.split(r", | or ", command[1]):
            code, help_text, _ = run(*re.match(r"[a-z]+(?: [a-z]+)?", one)[0].split(" "), "--help")
            equal((code, help_text.startswith("usage: underseal ")), (0, True), "%s: %s" % (name, one))
            for option in re.findall(r"--[a-z-]+", one):
                equal("  %s " % option in help_text, True, "%s: %s" % (name, option))


overview()
mistakes()
next_steps()
before_and_behind()
for failure in failures:
    print(failure)
print("%d failures" % len(failures))
sys.exit(1 if failures else 0)
