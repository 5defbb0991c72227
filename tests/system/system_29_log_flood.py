#!/usr/bin/env python3
"""Goal: whoever asks for very much of the log at once waits for themselves.

A thousand connections of one credential ask for one bundle of about a megabyte and do not read their answers: of a live credential, of
a revoked one, and of the revoked one on a sealed vault. No role ends, memory stays bounded, another person is served meanwhile, what
is too much is told to come back (429), and what is given is whole when it is read at last.
"""
import resource
import select
import socket
import threading

from harness import *

PORT = 8479
CONNECTIONS = 1000
OWN, WAITING = 8, 64      # daemon/vault/request/gate.h
QUERY = " OR ".join("word%03d" % (i % 300) for i in range(400))   # 3,996 bytes, in each entry
RSS_MAX = {"front": 256, "vault": 256, "keeper": 192, "sealer": 64, "intake": 64}  # MiB
LATENCY_MAX = 2.0 * SLOW


def peak(vault):
    """MiB of each role's processes at their largest."""
    found = {}
    for role, pids in vault.roles().items():
        for pid in pids:
            with open("/proc/%d/status" % pid) as f:
                kib = int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1))
            found[role] = max(found.get(role, 0), kib // 1024)
    return found


def make_bundle(vault):
    """Fills bundles with large entries; the path of one of about a megabyte, and its bytes."""
    http = Http(vault, vault.profile("attorney"))
    size = 0
    for i in range(600):
        r = http.search(QUERY, count=True, purpose="p" * 1000)
        equal(r[0], 200, "a count")
    n = json.loads(http("GET", "/v1/status")[2])["log"]["size"] // 256 - 1
    path = "/v1/log/tile/entries/%03d" % n
    status, _, body = http("GET", path)
    equal(status, 200, "the bundle")
    http.close()
    check(900000 < len(body) < 3000000, "it is large", len(body))
    return path, body


class Flood:
    """Connections that have asked and do not read."""

    def __init__(self, vault, who, path, n):
        self.vault, self.path = vault, path
        self.request = ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path).encode()
        self.context = tls_context(vault, vault.profile(who))
        self.sockets, self.lock = [], threading.Lock()
        threads = [threading.Thread(target=self.open, args=(n // 10,)) for _ in range(10)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for s in self.sockets:  # all at once: how fast connections can be made is not what is tried
            try:
                s.sendall(self.request)
            except OSError:  # what has ended, and why, is asked afterwards
                pass

    def open(self, n):
        try:
            self.open_some(n)
        except OSError:  # what has ended, and why, is asked afterwards
            pass

    def open_some(self, n):
        for _ in range(n):
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.settimeout(60 * SLOW)
            plain.connect(("127.0.0.1", self.vault.port))
            s = self.context.wrap_socket(plain, server_hostname="localhost")
            with self.lock:
                self.sockets.append(s)

    def read(self, seconds):
        """Reads the answers; asks again some seconds after a 429, until there is none. {status: how many}, bodies."""
        statuses, bodies, again, rng = {}, [], [], random.Random(29)
        state = {}
        poll = select.epoll()
        for s in self.sockets:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.setblocking(False)
            state[s.fileno()] = (s, bytearray())
            poll.register(s.fileno(), select.EPOLLIN)
        open_ = len(state)
        ready = list(state)  # what came before is read without waiting for more
        end = time.monotonic() + seconds * SLOW
        while open_ and time.monotonic() < end:
            while again and again[0][0] <= time.monotonic():
                _, fd = again.pop(0)
                state[fd][0].sendall(self.request)
            for fd in ready:
                answer = take(*state[fd])
                if answer is None:
                    continue
                status, body, head = answer
                statuses[status] = statuses.get(status, 0) + 1
                if status == 429:
                    check("retry-after: 1" in head.lower(), "a 429 says when to come back", head)
                    check(json.loads(body)["type"] == "urn:underseal:problem:too-many", "and why", body)
                    again.append((time.monotonic() + 1 + 3 * rng.random(), fd))
                    again.sort()
                    continue
                open_ -= 1
                if status == 200:
                    bodies.append(body)
            ready = [fd for fd, _ in poll.poll(0.02)]
        self.unanswered = open_
        poll.close()
        return statuses, bodies

    def refused(self):
        """How many connections are ended without a byte, by an alert or at once."""
        n, self.unanswered = 0, 0
        for s in self.sockets:
            s.settimeout(30 * SLOW)
            try:
                n += s.recv(1) == b""
            except (ssl.SSLError, ConnectionError):
                n += 1
        return n

    def close(self):
        for s in self.sockets:
            s.close()


def take(s, data):
    """Reads what there is; (status, body, head) if that was the end of an answer."""
    while True:
        try:
            piece = s.recv(1 << 17)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        check(piece, "no connection breaks off in an answer", bytes(data[:200]))
        data += piece
        if len(data) < 4096 or data.endswith(b"0\r\n\r\n"):
            answer = parse(bytes(data))
            if answer is not None:
                data.clear()
                return answer


def parse(data):
    """(status, body, head) of a whole answer, or None."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end].decode("ascii", "replace")
    status, at = int(head.split()[1]), end + 4
    length = re.search(r"(?i)content-length: (\d+)", head)
    if length:
        return (status, data[at:at + int(length.group(1))], head) if len(data) - at >= int(length.group(1)) else None
    if not data.endswith(b"0\r\n\r\n"):
        return None
    body = b""
    while True:
        line = data.index(b"\r\n", at)
        n = int(data[at:line], 16)
        if n == 0:
            return status, body, head
        body += data[line + 2:line + 2 + n]
        at = line + 2 + n + 2


def others(vault, sealed):
    """What another person gets meanwhile; the longest it took."""
    http = Http(vault, vault.profile("clara"))
    longest = 0
    for _ in range(20):
        began = time.monotonic()
        if not sealed:
            status, _, body = http.read("DEMO000000001")
            check(status == 200 and b'"messages"' in body, "another person reads", status, body[:200])
        equal(http("GET", "/v1/log/checkpoint")[0], 200, "another person's checkpoint")
        equal(http("GET", "/v1/status")[0], 200, "another person's status")
        longest = max(longest, time.monotonic() - began)
    http.close()
    began = time.monotonic()
    http = Http(vault, vault.profile("clara"))
    equal(http("GET", "/v1/log/vkey")[0], 200, "another person's new connection")
    http.close()
    return max(longest, time.monotonic() - began)


def flood(vault, what, who, path, bundle, sealed=False):
    before = vault.roles()
    f = Flood(vault, who, path, CONNECTIONS)
    time.sleep(1)
    check(vault.process.poll() is None, "the daemon goes on (%s)" % what, vault.log_text()[-2000:])
    check(what == "revoked" or len(f.sockets) == CONNECTIONS, "connections", len(f.sockets))
    longest = others(vault, sealed)
    standing = peak(vault)
    if what == "revoked":  # no further than the handshake
        equal(f.refused(), len(f.sockets), "connections that are ended")
        statuses, bodies = {}, []
    else:
        statuses, bodies = f.read(30)
    print("           %s: %s, %d not yet; another person waited %.2f s at most; MiB %s, then %s" %
          (what, ", ".join("%d × %d" % (n, s) for s, n in sorted(statuses.items())), f.unanswered, longest, standing, peak(vault)),
          flush=True)
    f.close()
    check(vault.process.poll() is None, "the daemon goes on (%s)" % what, vault.log_text()[-2000:])
    equal(vault.roles(), before, "roles (%s)" % what)
    check("malformed" not in vault.log_text(), "nobody is called malformed", vault.log_text()[-2000:])
    if what != "revoked":  # who is refused at once is never too much
        check(statuses.get(429, 0) > 100, "what is too much is told so (%s)" % what, statuses)
    check(all(b == bundle for b in bodies), "what is given is whole (%s)" % what)
    check(longest < LATENCY_MAX, "another person is served (%s)" % what, longest)
    for role, mib in peak(vault).items():
        check(mib < RSS_MAX[role] * (1 if SLOW == 1 else 8), "memory of a %s (%s)" % (role, what), mib)
    return statuses


def scenario():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    vault = Vault(PORT, settings="fronts=2\n").demo()
    vault.add_person("Clara Counsel", "clara")
    vault.add_person("Rex Revoked", "rex")
    vault.load(write_lines(vault.base + "/a.jsonl", generate(50, 29, "flood")))
    path, bundle = make_bundle(vault)
    step("a bundle of %d bytes" % len(bundle))
    parts = sys.argv[1:] or ("live", "revoked", "sealed")  # by hand: some of them
    if "live" in parts:
        step("%d connections, live" % CONNECTIONS)
        statuses = flood(vault, "live", "attorney", path, bundle)
        check(statuses[200] >= OWN + WAITING, "those whose turn came are answered", statuses)
    vault.client("admin", "credential", "revoke", "--person", "Rex Revoked", "--reason", "test")
    if "revoked" in parts:
        step("revoked")
        statuses = flood(vault, "revoked", "rex", path, bundle)
        equal(statuses, {}, "nothing is said to a revoked credential")
    if "sealed" not in parts:
        return
    step("on a sealed vault, live and revoked")
    vault.client("admin", "seal", "--reason", "test")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "sealed")
    statuses = flood(vault, "revoked", "rex", path, bundle, sealed=True)
    equal(statuses, {}, "nothing is said to a revoked credential")
    statuses = flood(vault, "sealed", "attorney", path, bundle, sealed=True)
    check(statuses[200] >= OWN + WAITING, "the log is open to every other certificate", statuses)
    vault.unseal()
    counted = [e for e in vault.audit() if e["action"] == "handshakes"]
    check(counted, "what was put off was counted")
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")
    vault.stop()


main(scenario)
