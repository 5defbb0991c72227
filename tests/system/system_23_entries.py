#!/usr/bin/env python3
"""Goal: everything is an entry. People do one of each thing that docs/PROTOCOL.md section 6 lists, allowed and refused; somebody without
a certificate knocks; a process is killed; the daemon is stopped, killed, sealed and started with other settings. Each has its entry,
with kind, action, decision and reason as the table says, and the counts of what has no entry of its own are exact.
"""
import os
import signal
import socket
import ssl

from harness import DONE, Http, Vault, check, equal, generate, main, step, tls_context, wait_for, write_lines


def knock(vault, n):
    """Connections that show no certificate."""
    context = tls_context(vault)
    for _ in range(n):
        with socket.create_connection(("127.0.0.1", vault.port), 10) as plain:
            try:
                with context.wrap_socket(plain, server_hostname="localhost") as s:
                    check(s.recv(1) == b"", "somebody without a certificate gets nothing")
            except (ssl.SSLError, ConnectionError):
                pass


def counts(vault, since):
    """What the log counts from an index on, by reason."""
    r = vault.client("auditor", "audit", "report", "denials")
    out = {}
    for row in r.json["rows"]:
        if row["index"] >= since and row["action"] == "handshakes":
            out[row["reason"]] = out.get(row["reason"], 0) + row["count"]
    return out


def everything(vault):
    lines = generate(60, 23, "entry")
    vault.load(write_lines(os.path.join(vault.base, "a.jsonl"), lines))
    vault.count("harbour")
    vault.client("attorney", "search", "demo", "ownentry23x1", "--limit", "5")
    vault.read("DEMO000000001")
    vault.client("attorney", "read", "demo", "DEMO000009999", code=None)
    vault.client("admin", "read", "demo", "DEMO000000001", code=None)
    vault.client("attorney", "person", "list")
    vault.client("attorney", "docket", "list")
    vault.client("attorney", "order", "show")
    vault.add_person("Carl Counsel", "carl")
    vault.client("carl", "session", code=None)
    vault.client("carl", "person", "list")
    vault.client("producer", "person", "suspend", "Carl Counsel", "--reason", "not mine to do", code=None)
    vault.client("admin", "person", "suspend", "Carl Counsel", "--reason", "a test")
    vault.client("carl", "person", "list", code=None)
    vault.client("auditor", "audit", "list")


WANTED = {
    ("intent", "count", "allow"), ("intent", "search", "allow"), ("disclosure", "search", "allow"), ("disclosure", "read", "allow"),
    ("event", "batch-open", "allow"), ("intent", "load", "allow"), ("event", "batch-open", "allow"),
    ("outcome", "batch-close", "allow"), ("outcome", "collection-create", "allow"), ("intent", "person-list", "allow"),
    ("intent", "docket-list", "allow"), ("intent", "order-show", "allow"), ("outcome", "person-add", "allow"),
    ("outcome", "credential-issue", "allow"), ("intent", "session", "allow"),
    ("intent", "person-suspend", "deny"), ("outcome", "person-suspend", "allow"), ("disclosure", "audit-keys", "allow"),
    ("event", "start", "none"), ("event", "stop", "none"), ("event", "gap", "none"), ("event", "configure", "none"),
    ("event", "role-restart", "none"), ("event", "handshakes", "deny"), ("event", "unseal-share", "allow"), ("event", "unseal-share", "deny"),
    ("event", "unseal", "allow"), ("event", "state-open", "allow"), ("intent", "seal", "allow"), ("event", "order-in-force", "none"),
    ("event", "init", "allow"),
}


def scenario():
    vault = Vault(20230).demo()
    step("one of each")
    everything(vault)

    step("somebody knocks, and the daemon stops at once")
    since = vault.client("auditor", "audit", "checkpoint").json["size"]
    knock(vault, 37)
    vault.stop()
    vault.serve().unseal()
    equal(counts(vault, since).get("no-certificate"), 37, "connections without a certificate")

    step("and once more, and it is sealed at once; then requests to the sealed vault")
    since = vault.client("auditor", "audit", "checkpoint").json["size"]
    knock(vault, 23)
    vault.client("admin", "seal", "--reason", "a test")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "sealed")
    http = Http(vault, vault.profile("attorney"))
    for _ in range(5):
        equal(http.once("GET", "/v1/people")[0], 503, "a request to a sealed vault")
    http.close()
    other = Vault(20231)
    other.init()
    vault.client("admin", "unseal", other.share(1), code=None)
    other.close()
    vault.stop()  # what it has counted is written down
    vault.serve().unseal()
    got = counts(vault, since)
    equal((got.get("no-certificate"), got.get("sealed")), (23, 5), "what was counted")

    step("a front is killed; so is the daemon; it starts with another setting")
    front = vault.roles()["front"][0]
    os.kill(front, signal.SIGKILL)
    wait_for(lambda: front not in vault.roles().get("front", []) and vault.client("admin", "status", code=None).code == DONE, 20,
             "a new front")
    vault.kill()
    with open(os.path.join(vault.data, "undersealed.conf"), "a") as f:
        f.write("connections=4000\n")
    vault.serve().unseal()

    step("what stands in the log")
    entries = vault.audit()
    seen = {(e["kind"], e["action"], e["decision"]) for e in entries}
    equal(sorted(WANTED - seen), [], "missing, of %s" % sorted(seen))
    check(any("connections: - -> 4000" in e.get("changes", "") for e in entries), "which setting is another")
    equal([e["cause"] for e in entries if e["action"] == "gap"], ["stopped", "stopped", "sealed", "stopped", "crashed"], "how runs ended")
    found = {row["check"]: row["finding"] for row in vault.client("auditor", "audit", "report", "verification").json["rows"]}
    equal((found["starts of the vault"], found["starts after an end that is not in the log"]), (5, 1), "the starts, one of them behind a kill")
    equal(sum(e["counts"].get("no-certificate", 0) for e in entries if e["action"] == "handshakes"), 60, "knocks")
    check(any(e["action"] == "read" and e["decision"] == "deny" for e in entries), "a refused read")
    check(any(e["reason"] == "suspended" for e in entries), "a suspended person's request")
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")
    vault.stop()


main(scenario)
