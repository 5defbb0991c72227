#!/usr/bin/env python3
"""Goal: a fault gives a clear message and loses nothing.

A second daemon; dead roles; a failing sync; an old database put back; clients that stop reading, are slow or idle
by the thousand; a full disk.
"""
import os
import shutil
import threading

os.environ.setdefault("UNDERSEAL_TEST_DAEMON", "undersealed-hooks")  # a log whose disk fails
from harness import *


def second_daemon(vault):
    r = run([DAEMON, "serve", "--data", vault.data], env=vault.env, timeout=20 * SLOW)
    check(r.returncode != 0 and b"another undersealed is running" in r.stderr, "a second daemon says what is wrong",
          r.stderr[-500:])
    r = run([DAEMON, "init", "--data", vault.data, "--out", vault.base + "/o2", "--admin", "X", "--demo"], env=vault.env)
    check(r.returncode != 0, "init refuses a directory that holds anything", r.stderr[-500:])


def settings(vault):
    """A setting that there is not, or that says nothing, stops the start; so does what only programs for tests know, and root."""
    shipped = os.path.join(BUILD, "undersealed")
    config = vault.base + "/try.conf"
    for line, why in (("witneses=x", 'there is no setting "witneses": did you mean "witnesses"?'),
                      ("keeper.fail-sync=3", 'there is no setting "keeper.fail-sync"'),
                      ("frozen=yes", "must be a number from 0 to 1"),
                      ("witnesses.when-old=sael", "must be one of: warn seal"),
                      ("fronts=0", "must be a number from 1 to 16"),
                      ("listen", "neither NAME=VALUE nor a comment"),
                      ("users=root" if is_root() else "fronts=", "is root, as whom no role runs" if is_root() else "must be a number"),
                      ("users=shared" if is_root() else "fronts=x", "would run every role as root" if is_root() else "must be a number")):
        with open(config, "w") as f:
            f.write("# first\n%s\n" % line)
        r = run([shipped, "serve", "--data", vault.data, "--config", config], env=vault.env, timeout=20 * SLOW)
        check(r.returncode == OTHER and why in r.stderr.decode(), "%s stops the start" % line, r.returncode, r.stderr[-500:])
        if not line.startswith("users"):
            check("%s:2: " % config in r.stderr.decode(), "with file and line", r.stderr[-500:])


def taken_port(vault):
    argv = [DAEMON, "init", "--data", vault.base + "/d2", "--out", vault.base + "/o2", "--admin", "X", "--demo"] + vault.place()
    r = run(argv, env=vault.env)
    check(r.returncode != 0 and b"listens on" in r.stderr and b"--listen" in r.stderr, "a taken port is found", r.stderr[-500:])
    check(not os.path.exists(vault.base + "/d2") and not os.path.exists(vault.base + "/o2"), "before anything is made")


def dead_roles(vault):
    for role in ("front", "intake", "sealer"):
        before = vault.roles()
        for pid in before[role][:1]:
            os.kill(pid, signal.SIGKILL)
        def replaced():
            now = vault.roles().get(role, [])
            return len(now) == len(before[role]) and set(now) != set(before[role])
        wait_for(replaced, 10, "a new %s" % role)
        check("%s " % role in vault.log_text(), "the operator is told")
        wait_for(lambda: vault.client("attorney", "search", "demo", "harbour", "--count", code=None).code == DONE, 10,
                 "answers after a dead %s" % role)
        equal(vault.roles()["keeper"], before["keeper"], "the keeper stays")
    path = write_lines(vault.base + "/again.jsonl", generate(50, 71, "again"))
    wait_for(lambda: vault.load(path, code=None).code == DONE, 10, "a load after a dead sealer")
    for role in ("vault", "keeper"):
        os.kill(vault.roles()[role][0], signal.SIGKILL)
        code = vault.wait_end()
        check(code != 0, "the daemon ends with its %s, and not with 0" % role)
        check(("%s was ended by signal 9" % role) in vault.log_text(), "and says why", vault.log_text()[-500:])
        vault.serve()
        equal(vault.state(), "sealed", "state after the start")
        vault.unseal()
        equal(vault.count("ownagain71x3"), 1, "what was acknowledged")


def failing_sync(vault, lines):
    vault.stop()
    config = vault.base + "/fail.conf"
    acknowledged = 0
    for n in (12, 25, 40):
        with open(config, "w") as f:
            f.write("keeper.fail-sync=%d\n" % n)
        vault.serve(config)
        for i in (1, 2):
            vault.client("admin", "unseal", vault.share(i), code=None)
        for i in range(60):
            path = write_lines(vault.base + "/s.jsonl", generate(1, acknowledged + 5000, "sync", long_every=0))
            r = vault.load(path, code=None)
            if r.code == DONE:
                acknowledged += 1
            if vault.process.poll() is not None:
                break
        code = vault.wait_end()
        check(code != 0, "a failed sync ends the daemon")
        check("sync" in vault.log_text() or "Input/output error" in vault.log_text(), "the log says what failed",
              vault.log_text()[-800:])
    vault.serve().unseal()
    for i in range(acknowledged):
        equal(vault.count("ownsync%dx0" % (i + 5000)), 1, "an acknowledged record after failed syncs")
    check(acknowledged > 3, "some were acknowledged before", acknowledged)
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log after failed syncs")
    return acknowledged


def old_database(vault):
    vault.add_person("Clara Counsel", "clara")
    vault.client("clara", "search", "demo", "harbour", "--count", "--purpose", "x")
    vault.stop()
    keep = vault.base + "/old"
    shutil.copytree(vault.data + "/vault", keep)
    vault.serve().unseal()
    vault.client("admin", "credential", "revoke", "--person", "Clara Counsel", "--reason", "test")
    vault.stop()
    now = vault.base + "/now"
    shutil.copytree(vault.data + "/vault", now)

    def put(source):
        for name in os.listdir(vault.data + "/vault"):
            os.unlink(os.path.join(vault.data, "vault", name))
        st = os.stat(vault.data + "/vault")
        for name in os.listdir(source):
            to = os.path.join(vault.data, "vault", name)
            shutil.copy(os.path.join(source, name), to)
            if is_root():
                os.chown(to, st.st_uid, st.st_gid)
    put(keep)
    vault.serve()
    for i in (1, 2):
        vault.client("admin", "unseal", vault.share(i), code=None)
    wait_for(lambda: vault.state() not in ("sealed", "opening"), 10, "a verdict on the old state")
    equal(vault.state(), "refusing", "state with an old database")
    check(vault.client("admin", "status").json["why"], "it says why")
    for who in ("clara", "attorney"):
        r = vault.client(who, "read", "demo", "DEMO000000001", "--purpose", "x", code=None)
        check(r.code != DONE and b'"messages"' not in r.stdout, "nothing is released", r)
    vault.kill()
    put(now)
    vault.serve().unseal()
    r = vault.client("clara", "read", "demo", "DEMO000000001", "--purpose", "x", code=None)
    check(r.code != DONE, "revoked stays revoked", r)
    vault.client("attorney", "read", "demo", "DEMO000000001")


def bad_clients(vault, lines):
    context = tls_context(vault, vault.profile("attorney"))
    attorney = Http(vault, vault.profile("attorney"))
    equal(attorney.read("DEMO000000001")[0], 200, "a read")

    def connect():
        return context.wrap_socket(socket.create_connection(("127.0.0.1", vault.port), 10), server_hostname="localhost")
    deaf = []
    bates = ["DEMO%09d" % i for i in range(1, 901)]
    body = json.dumps({"bates": bates, "purpose": "x"}).encode()
    for _ in range(10):
        s = connect()
        s.sendall(b"POST /v1/collections/demo/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
        deaf.append(s)
    began = time.monotonic()
    for i in range(50):
        equal(attorney.read("DEMO%09d" % (i + 1))[0], 200, "a read beside clients that stopped reading")
    check(time.monotonic() - began < 10 * SLOW, "and quickly")
    # one of them reads on: it gets all of it
    s, got = deaf[0], b""
    while b"\r\n0\r\n\r\n" not in got[-20:] and (chunk := s.recv(65536)):
        got += chunk
        if b"content-length" in got[:2000].lower():
            break
    check(got.startswith(b"HTTP/1.1 200"), "who reads on gets its answer", got[:200])
    for s in deaf:
        s.close()

    slow = connect()
    request = b"GET /v1/collections HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for i in range(len(request)):
        slow.sendall(request[i:i + 1])
        time.sleep(.005)
    slow.settimeout(10 * SLOW)
    check(slow.recv(1000).startswith(b"HTTP/1.1 200"), "a request byte by byte is answered")
    slow.close()
    for bad in (b"GET / HTTP/9.9\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\1\2\3\r\n\r\n",
                b"POST /v1/collections/demo/search HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
                b"POST /v1/collections/demo/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"GET /v1/%2e%2e/etc HTTP/1.1\r\nHost: x\r\n\r\n"):
        s = connect()
        s.settimeout(10 * SLOW)
        s.sendall(bad)
        got = s.recv(1000)
        check(got == b"" or got.split(b" ")[1][:1] == b"4" or got.split(b" ")[1] in (b"505", b"501"),
              "a malformed request", bad, got)
        s.close()

    step("a thousand idle connections")
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard > 0 else 4096, hard))
    idle = []
    for i in range(1000 if SLOW == 1 else 400):
        idle.append(connect())
    began = time.monotonic()
    for i in range(100):
        equal(attorney.read("DEMO%09d" % (i + 1))[0], 200, "a read beside idle connections")
    step("%d idle; 100 reads in %.2f s" % (len(idle), time.monotonic() - began))
    for s in idle:
        s.close()
    equal(vault.count("ownsys7x1"), 1, "after them")


def full_disk():
    """On a small file system of its own."""
    if not is_root():
        step("full disk: needs root for a file system of its own")
        return
    mount = tempfile.mkdtemp(prefix="us-full-", dir="/tmp")
    if run(["mount", "-t", "tmpfs", "-o", "size=190m,mode=0755", "none", mount]).returncode != 0:
        os.rmdir(mount)
        step("full disk: no file system can be mounted here")
        return
    try:
        vault = Vault(20071, data=mount + "/data", settings="keeper.reserve=8\n").demo()
        lines = generate(500, 72, "full")
        vault.load(write_lines(vault.base + "/a.jsonl", lines))
        ballast = mount + "/ballast"
        space = os.statvfs(mount)
        with open(ballast, "wb") as f:
            os.posix_fallocate(f.fileno(), 0, space.f_bavail * space.f_frsize - (4 << 20))
        r = None
        for i in range(6):
            r = vault.load(write_lines(vault.base + "/b.jsonl", generate(3000, 100 + i, "more", long_every=0)), code=None)
            if r.code != DONE:
                break
        check(r.code != DONE, "a load on a full disk does not pretend", r)
        text = (r.stderr + vault.log_text()[-2000:]).lower()
        check("space" in text or "full" in text, "and somebody says that the disk is full", r, vault.log_text()[-800:])
        ended = vault.process.poll() is not None
        if not ended:
            r = vault.client("attorney", "read", "demo", "DEMO000000001", code=None)
            step("full: the daemon runs, a read ends with %d: %s" % (r.code, r.stderr.strip()[:200]))
        os.unlink(ballast)
        if vault.process.poll() is not None:
            vault.wait_end()
            vault.serve().unseal()
        wait_for(lambda: vault.client("attorney", "read", "demo", "DEMO000000001", code=None).code == DONE, 20,
                 "reads with space again")
        wait_for(lambda: vault.load(vault.base + "/b.jsonl", code=None).code == DONE, 20, "loads with space again")
        for at in (0, 499):
            check(lines[at] in vault.read("DEMO%09d" % (at + 1))[1][0], "what was acknowledged")
        equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")
        vault.stop()
        vault.close()
    finally:
        run(["umount", "-l", mount])
        os.rmdir(mount)


def scenario():
    vault = Vault(20070).demo()
    lines = generate(1000, 7)
    vault.load(write_lines(vault.base + "/a.jsonl", lines))
    step("a second daemon")
    second_daemon(vault)
    taken_port(vault)
    step("clients that stop reading, are slow, malformed")
    bad_clients(vault, lines)
    step("dead roles")
    dead_roles(vault)
    step("an old database")
    old_database(vault)
    step("failing syncs")
    failing_sync(vault, lines)
    vault.stop()
    step("settings")
    settings(vault)
    step("a full disk")
    full_disk()


main(scenario)
