#!/usr/bin/env python3
"""Goal: the tour of README.md, line by line, on a vault made as quickstart makes it; no network, nothing installed or built.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import *  # noqa: E402,F403

TOPICS = ("the harbour", "a paywalled article", "the budget vote", "an old bicycle", "the weather in Lisbon", "a recipe for bread",
          "the court calendar", "a missing semicolon")
VERBS = ("Summarise", "Explain", "Translate", "Rewrite", "Criticise")


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
    """The lines of the tour: indented, from its heading to the description of the input."""
    with open(os.path.join(ROOT, "README.md")) as f:
        text = f.read()
    text = text[text.index("## Ten minutes"):text.index("## Native input")]
    lines = [line[4:] for line in text.split("\n") if line.startswith("    ")]
    return [line for line in lines if not line.startswith(("PATH=", "P="))]


def tell(vault, line, cwd):
    env = dict(vault.env, PATH=BUILD + ":" + os.environ["PATH"], P="build/demo/profiles")
    tap = None
    if RECORD:
        env, tap = events.tapped(["underseal"], BUILD, env)
    p = subprocess.run(["bash", "-c", line], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=120 * SLOW)
    if RECORD:
        events.command(["bash", "-c", line], p.returncode, p.stdout, p.stderr, None, events.overheard(tap))


def scenario():
    vault = Vault(20330).start()
    here = os.path.join(vault.base, "here")
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
    for line in commands():
        step(line)
        tell(vault, line, here)
        if line.startswith("underseal seal "):
            wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "it is sealed")
        elif line.startswith("underseal status") and vault.state() == "sealed":
            vault.unseal()
    vault.stop()


main(scenario)
