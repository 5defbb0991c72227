#!/usr/bin/env python3
"""Goal: it runs for an ordinary user, who is told that the roles share one user.

As root the scenario goes on as an unprivileged user; what it does is the tour: load, search, read, refusal, audit.
"""
from harness import *


def scenario():
    if is_root():
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            skip("there is no user nobody")
        os.environ["TMPDIR"] = "/tmp"
        readable = subprocess.run(["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups",
                                   "test", "-x", DAEMON, "-a", "-r", os.path.join(ROOT, "policy", "orders", "demo.yaml")])
        if readable.returncode != 0:
            skip("the build is not where an ordinary user could start it")
        r = subprocess.run(["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups",
                            "--no-new-privs", "--inh-caps=-all", sys.executable, os.path.abspath(__file__)],
                           env=dict(os.environ, HOME="/nonexistent"))
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
