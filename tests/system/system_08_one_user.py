#!/usr/bin/env python3
"""Goal: it runs for an ordinary user, who is told that the roles share one user.

As root the scenario goes on as an unprivileged user, on a copy of what it needs, since the checkout may lie where only root may look; what it
does is the tour: load, search, read, refusal, audit.
"""
from harness import *


def copy_for_all(top):
    """Programs, scenarios and the order, where everybody may read them; the scenario's file there."""
    for directory in ("tests/system", "policy/orders", "build"):
        os.makedirs(os.path.join(top, directory))
    for program in (DAEMON, CLIENT):
        shutil.copy(program, os.path.join(top, "build"))
    for name in ("tests/system/harness.py", "tests/system/" + os.path.basename(__file__), "policy/orders/demo.yaml"):
        shutil.copy(os.path.join(ROOT, name), os.path.join(top, name))
    for directory in ("tests/recording", "tests/schema", "schema"):  # what the harness holds answers against
        shutil.copytree(os.path.join(ROOT, directory), os.path.join(top, directory))
    run(["chmod", "-R", "a+rX", top])
    return os.path.join(top, "tests", "system", os.path.basename(__file__))


def scenario():
    if is_root():
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            skip("there is no user nobody")
        os.environ["TMPDIR"] = "/tmp"
        with tempfile.TemporaryDirectory(prefix="us-copy-", dir="/tmp") as top:
            r = subprocess.run(["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups",
                                "--no-new-privs", "--inh-caps=-all", sys.executable, copy_for_all(top)],
                               env=dict(os.environ, HOME="/nonexistent", UNDERSEAL_BUILD=os.path.join(top, "build")))
        check(r.returncode == 0, "the scenario as an ordinary user")
        return
    vault = Vault(20080).demo()
    check("share one user" in vault.log_text(), "the daemon says that roles share one user", vault.log_text())
    lines = generate(300, 8)
    equal(vault.load(write_lines(vault.base + "/a.jsonl", lines)).json["admitted"], 300, "admitted")
    equal(vault.count("ownsys8x7"), 1, "count")
    check(lines[0] in vault.read("DEMO000000001")[1][0], "a record")
    vault.client("admin", "read", "demo", "DEMO000000001", "--purpose", "x", code=REFUSED)
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "verdict")
    vault.client("admin", "seal")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "sealed")
    vault.client("attorney", "search", "demo", "harbour", code=SEALED)
    vault.unseal()
    equal(vault.count("ownsys8x7"), 1, "count after unsealing")
    vault.stop()


main(scenario)
