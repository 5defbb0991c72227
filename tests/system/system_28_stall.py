#!/usr/bin/env python3
"""Goal: a keeper that stands still, or has much to read, costs its time and nothing else.

The keeper is stopped for ten seconds while handshakes and reads are tried every 50 ms; when it goes on they all succeed within two
seconds and go on succeeding, the daemon has not ended, and nobody unseals again. Auditors who fetch the keys of thousands of
entries, six and sixty at once, do not make handshakes and reads wait. Fronts that all die at once are all back.
"""
import socket
import threading

from harness import *

PORT = 8478
EVERY = 0.05
PATIENCE = 3.0 * SLOW     # of one try
BEFORE, STALL = 2, 10
RECOVERY = 2.0 * SLOW
AFTER = RECOVERY + 6
FRONTS = 8
ENTRIES = 4096


class Tries:
    """Runs a try every 50 ms, each in a thread of its own; keeps when it began, how long it took, and whether it went well."""

    def __init__(self, what, name):
        self.what, self.name = what, name
        self.done, self.why, self.lock, self.end, self.threads = [], {}, threading.Lock(), False, []
        self.driver = threading.Thread(target=self.drive)
        self.driver.start()

    def once(self):
        began = time.monotonic()
        try:
            ok = self.what()
            why = None if ok else "wrong answer"
        except Exception as e:  # whatever a broken connection raises
            ok, why = False, type(e).__name__
        with self.lock:
            self.done.append((began, time.monotonic() - began, bool(ok)))
            if why:
                self.why[why] = self.why.get(why, 0) + 1

    def drive(self):
        at = time.monotonic()
        while not self.end:
            t = threading.Thread(target=self.once)
            t.start()
            self.threads.append(t)
            at += EVERY
            time.sleep(max(0, at - time.monotonic()))

    def stop(self):
        self.end = True
        self.driver.join()
        for t in self.threads:
            t.join()
        self.done.sort()
        return self

    def between(self, start, end):
        chosen = [d for d in self.done if start <= d[0] < end]
        return sum(d[2] for d in chosen), sum(not d[2] for d in chosen), max([d[1] for d in chosen] or [0])


def handshakes(vault):
    context = tls_context(vault, vault.profile("attorney"))

    def once():
        with socket.create_connection(("127.0.0.1", vault.port), PATIENCE) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(b"GET /v1/log/vkey HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return s.recv(4096).startswith(b"HTTP/1.1 200 ")
    return once


class Reads:
    """A read on one of a few connections that are kept, or a new one if that broke."""

    def __init__(self, vault, context):
        self.vault, self.context, self.idle, self.lock = vault, context, [], threading.Lock()

    def __call__(self):
        with self.lock:
            http = self.idle.pop() if self.idle else None
        if http is None:
            http = Http(self.vault, self.vault.profile("attorney"), self.context)
            http.connection.timeout = PATIENCE
        try:
            status, _, body = http.read("DEMO000000001")
        except Exception:
            http.close()
            raise
        with self.lock:
            self.idle.append(http)
        return status == 200 and b'"messages"' in body


def report(tries, stopped, went_on, end):
    for what, (a, b) in (("before", (0, stopped)), ("during", (stopped, went_on)), ("after", (went_on, end))):
        ok, failed, longest = tries.between(a, b)
        print("           %-10s %-6s %4d succeeded, %4d failed, the longest %.2f s" % (tries.name, what, ok, failed, longest),
              flush=True)


def recovery(tries, went_on):
    """Seconds after which every try succeeds."""
    failed = [d[0] for d in tries.done if d[0] >= went_on and not d[2]]
    slow = [d[0] for d in tries.done if d[0] >= went_on and d[1] > 1.0 * SLOW]
    return max(failed + slow + [went_on]) - went_on


def stall(vault):
    context = tls_context(vault, vault.profile("attorney"))
    keeper = vault.roles()["keeper"][0]
    began = time.monotonic()
    tries = [Tries(handshakes(vault), "handshakes"), Tries(Reads(vault, context), "reads")]
    time.sleep(BEFORE)
    stopped = time.monotonic()
    os.kill(keeper, signal.SIGSTOP)
    time.sleep(STALL)
    os.kill(keeper, signal.SIGCONT)
    went_on = time.monotonic()
    time.sleep(AFTER)
    end = time.monotonic()
    for t in tries:
        t.stop()
        report(t, stopped, went_on, end)
        if t.why:
            print("           %-10s failures: %s" % (t.name, t.why), flush=True)
    for t in tries:
        print("           %-10s all succeed %.2f s after the keeper went on" % (t.name, recovery(t, went_on)), flush=True)
    check(vault.process.poll() is None, "the daemon goes on", vault.log_text()[-2000:])
    equal(vault.roles()["keeper"], [keeper], "the keeper")
    for t in tries:
        equal(t.between(began, stopped - PATIENCE / SLOW)[1], 0, "%s that failed before" % t.name)
        check(recovery(t, went_on) < RECOVERY, "%s succeed within %g s" % (t.name, RECOVERY), recovery(t, went_on), t.why)
        check(t.between(went_on + RECOVERY, end)[0] > (AFTER - RECOVERY) / EVERY / 2, "and go on succeeding")
    equal(vault.state(), "open", "state, without a share")
    equal(len(vault.roles()["front"]), FRONTS, "fronts")


def grow(vault, entries):
    """Entries that cost nobody anything: lists of people."""
    def ask(n):
        http = Http(vault, vault.profile("attorney"))
        for _ in range(n):
            equal(http("GET", "/v1/people")[0], 200, "a list")
        http.close()
    threads = [threading.Thread(target=ask, args=(entries // 8 + 1,)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def keys(vault, n):
    answers, lock = [], threading.Lock()

    def fetch():
        http = Http(vault, vault.profile("auditor"))
        http.connection.timeout = 120 * SLOW
        try:
            status, _, body = http("GET", "/v1/log/keys?from=0&to=%d" % ENTRIES)
            got = len(json.loads(body).get("boxes", [])) if status == 200 else 0
        except Exception as e:
            status, got = type(e).__name__, 0
        with lock:
            answers.append((status, got))
        http.close()
    equal(Http(vault, vault.profile("auditor"))("GET", "/v1/log/keys?from=0&to=1")[0], 200, "a session of the auditor's")
    tries = [Tries(handshakes(vault), "handshakes"),
             Tries(Reads(vault, tls_context(vault, vault.profile("attorney"))), "reads")]
    time.sleep(0.5)
    began = time.monotonic()
    threads = [threading.Thread(target=fetch) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    end = time.monotonic()
    for t in tries:
        t.stop()
        ok, failed, longest = t.between(began, end)
        print("           %-10s beside %d requests for keys, %.1f s: %d succeeded, %d failed, the longest %.2f s" %
              (t.name, n, end - began, ok, failed, longest), flush=True)
    equal(sorted(set(answers)), [(200, ENTRIES)], "answers with keys")
    for t in tries:
        ok, failed, longest = t.between(began, end)
        equal(failed, 0, "%s that failed beside %d requests for keys" % (t.name, n))
        check(longest < 1.0 * SLOW, "none of %s waits long" % t.name, longest)


def fronts_die(vault):
    for _ in range(3):
        before = vault.roles().get("front", [])
        equal(len(before), FRONTS, "fronts before they die")
        for pid in before:
            os.kill(pid, signal.SIGKILL)

        def all_new():
            now = vault.roles().get("front", [])
            return len(now) == FRONTS and not set(now) & set(before)
        wait_for(all_new, 10, "new fronts")
        wait_for(lambda: vault.client("attorney", "person", "list", code=None).code == DONE, 5, "answers")
    check(vault.process.poll() is None, "the daemon goes on")
    equal(vault.state(), "open", "state")


def many_keys(vault):
    grow(vault, ENTRIES + 100)
    for n in (6, 60):
        keys(vault, n)


PARTS = {"stall": ("the keeper stands still for %d s" % STALL, stall), "keys": ("keys of %d entries" % ENTRIES, many_keys),
         "fronts": ("all fronts die at once, three times", fronts_die)}


def scenario():
    vault = Vault(PORT, settings="fronts=%d\n" % FRONTS).demo()
    vault.load(write_lines(vault.base + "/a.jsonl", generate(50, 28, "stall")))
    vault.read("DEMO000000001")
    for part in sys.argv[1:] or PARTS:  # by hand: some of them
        step(PARTS[part][0])
        PARTS[part][1](vault)
    vault.read("DEMO000000001")
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")
    vault.stop()


main(scenario)
