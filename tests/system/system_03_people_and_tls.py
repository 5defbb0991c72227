#!/usr/bin/env python3
"""Goal: only live credentials of people whom their party's signer has signed for get anything, at every request.

No certificate, a foreign CA, expired, serverAuth only, TLS 1.2: no handshake, and few entries in the log. Suspended
and revoked act on open connections at once. The administrator alone makes no reader.
"""
import ssl
import subprocess

from harness import *


def openssl(*args, input=None):
    r = subprocess.run(["openssl"] + list(args), input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(r.returncode == 0, "openssl " + args[0], r.stderr)
    return r.stdout


def foreign(vault, name, usage="clientAuth", dates=()):
    """A certificate by a CA of our own, as the vault's would look."""
    d = os.path.join(vault.base, "foreign-" + name)
    os.mkdir(d)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d + "/ca.key",
            "-out", d + "/ca.pem", "-subj", "/CN=Underseal vault", "-days", "30")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d + "/key.pem",
            "-out", d + "/request.pem", "-subj", "/CN=Alice Attorney")
    with open(d + "/ext", "w") as f:
        f.write("extendedKeyUsage=%s\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n" % usage)
    openssl("x509", "-req", "-in", d + "/request.pem", "-CA", d + "/ca.pem", "-CAkey", d + "/ca.key", "-CAcreateserial",
            "-out", d + "/certificate.pem", "-extfile", d + "/ext", "-days", "10")
    return d


def answers(context, port):
    """True if an HTTP response comes: in TLS 1.3 a refused client certificate shows at the first read."""
    try:
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")
        s.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = s.recv(100)
        s.close()
        return got.startswith(b"HTTP/1.1")
    except (ssl.SSLError, OSError):
        return False


def scenario():
    vault = Vault(20030).demo()
    lines = generate(100, 3)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    port = vault.port
    attorney = vault.profile("attorney")

    step("handshakes")
    check(answers(tls_context(vault, attorney), port), "a good certificate is answered")
    size = vault.client("admin", "status").json["log"]["size"]
    refused = 0
    check(not answers(tls_context(vault), port), "no certificate")
    for name, usage in (("ca", "clientAuth"), ("server", "serverAuth")):
        d = foreign(vault, name, usage)
        check(not answers(tls_context(vault, d), port), "a foreign CA's certificate")
    # the server's own key is not ours to have, so serverAuth and expiry of the vault's CA are unit-tested
    old = tls_context(vault, attorney)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    check(not answers(old, port), "TLS 1.2")
    plain = socket.create_connection(("127.0.0.1", port), 5)
    plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    check(not plain.recv(100).startswith(b"HTTP"), "no TLS at all")
    plain.close()
    empty = tls_context(vault)
    for i in range(60):
        answers(empty, port)
        refused += 1
    time.sleep(3)
    grown = vault.client("admin", "status").json["log"]["size"] - size
    check(grown < 20, "%d failed handshakes are aggregated: %d entries" % (refused + 5, grown))
    r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-tls1_3", "-cert",
                        attorney + "/certificate.pem", "-key", attorney + "/key.pem", "-CAfile", attorney + "/ca.pem",
                        "-verify_return_error", "-verify_hostname", "localhost", "-alpn", "http/1.1", "-ign_eof"],
                       input=b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30 * SLOW)
    check(b"HTTP/1.1 200" in r.stdout and b"TLSv1.3" in r.stdout, "openssl s_client is served", r.stdout[-1500:])
    check(b"Post-Handshake New Session Ticket" not in r.stdout, "no session tickets")

    step("the administrator alone makes no reader")
    r = vault.client("admin", "person", "add", "Clara Counsel", "--party", "plaintiffs", "--capacity", "outside-counsel",
                     code=PENDING)
    docket = r.json["docket"]
    vault.issue("Clara Counsel", "clara", code=PENDING)
    listed = vault.client("admin", "docket", "list")
    check(docket in listed.stdout.decode(), "the docket shows it", listed)
    purpose = ("--purpose", "x")
    r = vault.client("clara", "search", "demo", "harbour", *purpose, code=None)
    check(r.code != DONE and b'"total"' not in r.stdout, "a person nobody signed for", r)
    for who in ("admin", "producer", "auditor"):
        r = vault.client(who, "docket", "sign", docket, code=None)
        check(r.code not in (DONE, PENDING), "%s cannot sign for the plaintiffs" % who, r)
    vault.client("clara", "docket", "sign", docket, code=None)
    r = vault.client("clara", "search", "demo", "harbour", *purpose, code=None)
    check(r.code != DONE, "nobody has signed yet", r)
    vault.client("attorney", "docket", "sign", docket)
    want = vault.count("harbour")
    equal(vault.client("clara", "search", "demo", "harbour", "--count", *purpose).json["total"], want,
          "once signed for, she is answered")

    step("suspended, reinstated, revoked, with a connection open")
    clara = Http(vault, vault.profile("clara"))
    equal(clara.read("DEMO000000001")[0], 200, "her read")
    sock = clara.connection.sock
    vault.client("admin", "person", "suspend", "Clara Counsel", "--reason", "test")
    status, _, body = clara.read("DEMO000000001")
    check(status in (401, 403) and b'"messages"' not in body, "suspended: her next request", status, body[:300])
    if clara.connection.sock is sock:
        vault.client("admin", "person", "reinstate", "Clara Counsel", "--reason", "test")
        equal(clara.read("DEMO000000001")[0], 200, "reinstated, on the same connection")
    sock = clara.connection.sock
    vault.client("admin", "credential", "revoke", "--person", "Clara Counsel", "--reason", "laptop stolen")
    status, _, body = clara.read("DEMO000000001")
    check(status in (401, 403) and b'"messages"' not in body, "revoked: her next request", status, body[:300])
    r = vault.client("clara", "search", "demo", "harbour", *purpose, code=None)
    check(r.code != DONE, "revoked: a new connection", r)
    reasons = {e["reason"] for e in vault.audit("--denied")}
    check({"suspended", "revoked"} <= reasons, "each has its own reason in the log", reasons)
    entries = vault.audit()
    check(any(e["action"] == "handshakes" for e in entries), "failed handshakes stand in the log, as counts")
    check(any(e["action"] == "credential-revoke" and e["person"] == vault.ADMIN for e in entries), "so does the revocation")

    step("acts carry their author's signature; nobody takes another's")
    r = vault.client("clara", "person", "list", code=None)
    check(r.code != DONE, "a revoked credential lists nobody", r)
    equal(r.code, REFUSED, "and is told that it is refused")
    check("revoked" in r.stderr, "and why", r)
    wait_for(lambda: any("revoked" in e.get("counts", {}) for e in vault.audit() if e["action"] == "handshakes"), 15,
             "what got no further than the handshake is counted, by its reason", 1)
    r = vault.client("attorney", "person", "add", "Mallory", "--party", "plaintiffs", "--capacity", "outside-counsel", code=None)
    check(r.code not in (DONE, PENDING), "an attorney adds nobody", r)

    step("profiles")
    os.chmod(os.path.join(attorney, "key.pem"), 0o640)
    r = vault.client("attorney", "search", "demo", "harbour", code=None)
    check(r.code not in (DONE,) and "others can read" in r.stderr, "a key that others can read is refused", r)
    os.chmod(os.path.join(attorney, "key.pem"), 0o600)
    os.chmod(attorney, 0o755)
    r = vault.client("attorney", "search", "demo", "harbour", code=None)
    check(r.code not in (DONE,) and "others can read" in r.stderr, "a profile that others can read is refused", r)
    os.chmod(attorney, 0o700)
    phrase = vault.base + "/phrase"
    with open(phrase, "w") as f:
        f.write("correct horse battery\n")
    vault.env["UNDERSEAL_PASSPHRASE_FILE"] = phrase
    r = run([CLIENT, "credential", "request", "Dora", "--out", vault.profile("dora")], env=vault.env)
    equal(r.returncode, 0, "a key with a passphrase")
    with open(vault.profile("dora") + "/key.pem") as f:
        check("ENCRYPTED" in f.read(), "keys are encrypted by default")
    del vault.env["UNDERSEAL_PASSPHRASE_FILE"]

    step("sessions open by themselves and do not outlive a restart")
    alice = Http(vault, attorney)
    equal(alice.search("harbour", count=True)[0], 200, "before the restart")
    vault.stop()
    vault.serve().unseal()
    alice.close()
    equal(alice.once("GET", "/v1/collections")[0], 401, "the old session after the restart")
    equal(alice.search("harbour", count=True)[0], 200, "renewed")
    r = vault.client("clara", "search", "demo", "harbour", *purpose, code=None)
    check(r.code != DONE, "revoked stays revoked", r)
    vault.stop()


main(scenario)
