#!/usr/bin/env python3
"""Goal: a vault that nobody witnesses warns, or seals itself, as it was told.

With a limit of two seconds and nobody who cosigns: one daemon warns and stays open, another seals, and both say so in the log. With a witness
that cosigns every half second it stays open.
"""
from harness import *


def config(vault, **settings):
    path = os.path.join(vault.base, "age.conf")
    with open(path, "w") as f:
        f.write("".join("witnesses%s=%s\n" % (k, v) for k, v in settings.items()))
    return path


def failed(vault):
    return [e for e in vault.audit() if e.get("action") == "audit-witness" and e.get("decision") == "failed"]


def is_sealed(vault):
    """While every role starts anew nobody answers."""
    r = vault.client("admin", "status", code=None)
    return bool(r.stdout.strip()) and r.json["state"] == "sealed"


def scenario():
    vault = Vault(20185).demo()
    age = 2 * SLOW
    vault.client("auditor", "audit", "witness", "--vkey", "--name", "test.example/w1", as_json=False)
    vkey = vault.client("auditor", "audit", "witness", "--vkey", as_json=False).stdout.decode().strip().split("\n")[-1]
    vault.stop()

    step("it warns")
    vault.serve(config=config(vault, **{".max-age": age, ".when-old": "warn"})).unseal()
    wait_for(lambda: "no checkpoint has been cosigned" in vault.log_text(), 20, "the warning", 0.1)
    equal(vault.state(), "open", "state")
    check(len(failed(vault)) >= 1, "the log says so")
    vault.stop()

    step("a witness is enough")
    vault.serve(config=config(vault, **{"": vkey, ".max-age": age, ".when-old": "seal"})).unseal()
    for _ in range(8):
        vault.client("auditor", "audit", "witness")
        time.sleep(age / 4)
    equal(vault.state(), "open", "state")

    step("and without it seals")
    wait_for(lambda: is_sealed(vault), 30, "it seals itself", 0.1)
    vault.unseal()
    check(len(failed(vault)) >= 2, "the log says so")
    vault.stop()


main(scenario)
