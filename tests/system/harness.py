"""What every system scenario shares: a vault of its own, the real programs, people, records.

Python 3 standard library only. The programs are those in the directory that UNDERSEAL_BUILD names
(build/release if it is unset), the daemon is the one there that UNDERSEAL_TEST_DAEMON names
(undersealed). A scenario runs as root, where each role has its own user if the five users exist,
and as an ordinary user. A sanitizer's report anywhere is a failure.
"""
import atexit
import datetime
import grp
import hashlib
import http.client
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("UNDERSEAL_BUILD", os.path.join(ROOT, "build", "release")))
DATA = os.environ.get("UNDERSEAL_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
DAEMON = os.path.join(BUILD, os.environ.get("UNDERSEAL_TEST_DAEMON", "undersealed"))
CLIENT = os.path.join(BUILD, "underseal")
VERIFY = os.path.join(BUILD, "underseal-verify")
ROLES = ("front", "intake", "sealer", "vault", "keeper")
SKIPPED = 77
SLOW = int(os.environ.get("UNDERSEAL_TEST_SLOW", "1"))  # multiplies time limits

DONE, OTHER, USAGE, REFUSED, SEALED, UNVERIFIED, INCOMPLETE, PENDING = 0, 1, 2, 3, 4, 5, 6, 7


class Failure(Exception):
    pass


def check(what, message, *detail):
    """Fails the scenario unless what is true."""
    if not what:
        raise Failure(message + ("".join("\n  %s" % (d,) for d in detail) if detail else ""))


def equal(got, want, message):
    check(got == want, "%s: got %.500r, want %.500r" % (message, got, want))


def step(text):
    print("[%6.1f s] %s" % (time.monotonic() - START, text), flush=True)
    if RECORD:
        events.write("step", text=text)


def skip(reason):
    print("skipped: " + reason, flush=True)
    sys.exit(SKIPPED)


START = time.monotonic()

RECORD = os.environ.get("UNDERSEAL_TEST_RECORD")  # a directory: tests/recording writes down there what programs say
sys.path[1:1] = [os.path.join(ROOT, "tests", "recording"), os.path.join(ROOT, "tests", "schema")]
import answers
import events

DESCRIBED = answers.Answers()  # of schema/openapi.yaml: what is answered to this harness and to the client must be that
HEARD = tempfile.TemporaryDirectory(prefix="us-heard-")  # what went over the client's connections


def as_described(errors, method, path, status):
    check(not errors, "an answer is not what schema/openapi.yaml says: %s %s: %s" % (method, path, status), *errors)


def is_root():
    return os.geteuid() == 0


def own_users():
    if not is_root():
        return False
    try:
        for role in ROLES:
            pwd.getpwnam("underseal-" + role)
    except KeyError:
        return False
    return True


def want_own_users():
    """Goes on where the five users of the roles exist. If the machine has none, root gets them for this scenario
    alone: it runs again in a mount namespace of its own, before whose /etc/passwd and /etc/group a copy with the five lies."""
    if not is_root():
        skip("only root can run each role as a user of its own")
    if own_users():
        return
    if "UNDERSEAL_TEST_OWN_USERS" in os.environ:
        skip("the users of the roles do not exist, and adding them to a copy of /etc/passwd has no effect here")
    taken = {u.pw_uid for u in pwd.getpwall()} | {g.gr_gid for g in grp.getgrall()}
    free = [i for i in range(60000, 999, -1) if i not in taken]
    with tempfile.TemporaryDirectory(prefix="us-users-") as top:
        for name, line in (("passwd", "underseal-%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"), ("group", "underseal-%s:x:%d:\n")):
            with open("/etc/" + name) as f:
                text = f.read()
            with open(os.path.join(top, name), "w") as f:
                f.write(text.rstrip("\n") + "\n" + "".join(
                    line % ((role,) + (free[i],) * (line.count("%") - 1)) for i, role in enumerate(ROLES)))
            os.chmod(os.path.join(top, name), 0o644)
        mount = 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group'
        if subprocess.run(["unshare", "--mount", "sh", "-c", mount, top], stderr=subprocess.DEVNULL).returncode != 0:
            skip("the users of the roles do not exist, and a mount namespace that has them cannot be made")
        r = subprocess.run(["unshare", "--mount", "sh", "-c", mount + ' && exec "$@"', top, sys.executable] + sys.argv,
                           env=dict(os.environ, UNDERSEAL_TEST_OWN_USERS="1"))
    sys.exit(r.returncode)


def wait_for(what, seconds, message, pause=0.02):
    """Polls what() until it is true; returns its value."""
    if RECORD:
        with events.polling():
            return poll(what, seconds, message, pause)
    return poll(what, seconds, message, pause)


def poll(what, seconds, message, pause):
    end = time.monotonic() + seconds * SLOW
    while True:
        value = what()
        if value:
            return value
        check(time.monotonic() < end, "not within %g s: %s" % (seconds * SLOW, message))
        time.sleep(pause)


def run(argv, **kw):
    kw.setdefault("timeout", 120 * SLOW)
    kw["env"], tap = events.tapped(argv, BUILD, kw.get("env"), HEARD.name)
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=kw.pop("stdin", subprocess.DEVNULL) if "input" not in kw else None, **kw)
    heard = events.overheard(tap)
    if RECORD and events.is_ours(argv):
        events.command(argv, p.returncode, p.stdout, p.stderr, kw.get("input"), heard)
    for e in heard:
        if e["path"].startswith("/v1"):
            as_described(answers.told(DESCRIBED, e), e["method"], e["path"], e["status"])
    return p


class Result:
    """A client command that has ended."""

    def __init__(self, argv, p):
        self.argv, self.code = argv, p.returncode
        self.stdout, self.stderr = p.stdout, p.stderr.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.stdout)

    @property
    def lines(self):
        return [json.loads(line) for line in self.stdout.split(b"\n") if line]

    def __str__(self):
        return "%s -> %d\n%s\n%s" % (" ".join(self.argv[1:])[:300], self.code,
                                     self.stdout[:1500].decode("utf-8", "replace"), self.stderr[:1500])


def free_port(port):
    """A server that an earlier run left behind would answer in this one's place: refuse it."""
    s = socket.socket()
    s.settimeout(1)
    try:
        s.connect(("127.0.0.1", port))
    except OSError:
        return
    finally:
        s.close()
    raise Failure("something listens on 127.0.0.1:%d already: end it first" % port)


class Vault:
    """A vault in a directory of its own, made as quickstart makes the demonstration's."""

    PEOPLE = {"attorney": "Alice Attorney", "producer": "Peter Producer", "auditor": "Ada Auditor"}
    ADMIN = "Adam Administrator"

    def __init__(self, port, base=None, shares=3, threshold=2, data=None, settings="",
                 order=os.path.join(ROOT, "policy", "orders", "demo.yaml")):
        self.port = int(os.environ.get("UNDERSEAL_TEST_PORT", port))
        free_port(self.port)
        if base:
            os.makedirs(base, exist_ok=True)
        self.base = base or tempfile.mkdtemp(prefix="us-system-", dir=os.environ.get("TMPDIR", "/tmp"))
        os.chmod(self.base, 0o700)  # no role needs to pass it, whatever a scenario does
        self.data = data or os.path.join(self.base, "data")
        self.out = os.path.join(self.base, "out")
        self.profiles = os.path.join(self.base, "profiles")
        self.log = os.path.join(self.base, "daemon.log")
        self.process = None
        self.shares_n, self.threshold = shares, threshold
        self.settings = settings
        self.order = order
        self.env = dict(os.environ)
        self.env.pop("UNDERSEAL_PROFILE", None)
        self.env.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=0")
        self.keep = bool(os.environ.get("UNDERSEAL_TEST_KEEP"))
        atexit.register(self.close)
        if RECORD:
            events.write("vault", base=self.base, port=self.port)
        for f in (DAEMON, CLIENT):
            check(os.access(f, os.X_OK), "%s is not built (UNDERSEAL_BUILD names the build directory)" % f)

    # -- making and running -------------------------------------------------

    def profile(self, who):
        return os.path.join(self.profiles, who)

    def request(self, name, who):
        r = run([CLIENT, "credential", "request", name, "--out", self.profile(who), "--no-passphrase"],
                env=self.env)
        check(r.returncode == 0, "credential request failed", r.stderr)
        return os.path.join(self.profile(who), "request.pem")

    def place(self):
        """Where the daemon listens, and as whom its roles run: for init and restore."""
        return ["--listen", "127.0.0.1:%d" % self.port] + (["--user", "nobody"] if is_root() and not own_users() else [])

    def init(self):
        os.makedirs(self.profiles, exist_ok=True)
        argv = [DAEMON, "init", "--data", self.data, "--out", self.out, "--admin", self.ADMIN,
                "--order", self.order, "--host", "localhost",
                "--host", "127.0.0.1", "--shares", str(self.shares_n), "--threshold", str(self.threshold), "--demo"] + self.place()
        for who, name in self.PEOPLE.items():
            argv += ["--signer", self.request(name, who)]
        r = run(argv, env=self.env)
        check(r.returncode == 0, "init failed", r.stderr.decode("utf-8", "replace"))
        shutil.move(os.path.join(self.out, "admin"), self.profile("admin"))
        for who, name in self.PEOPLE.items():
            issued = os.path.join(self.out, "signers", name)
            for f in os.listdir(issued):
                shutil.copy(os.path.join(issued, f), self.profile(who))
        with open(os.path.join(self.profile("attorney"), "profile.conf"), "a") as f:
            f.write("purpose=system test\n")
        with open(os.path.join(self.data, "undersealed.conf"), "a") as f:
            f.write(self.settings)
        return self

    def serve(self, config=None, wait=True):
        check(self.process is None, "the daemon is running already")
        self.log_from = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        argv = [DAEMON, "serve", "--data", self.data] + (["--config", config] if config else [])
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.env, start_new_session=True, cwd="/")
        if RECORD:
            events.write("serve", argv=argv)
        if wait:
            self.wait_ready()
        return self

    def log_text(self):
        with open(self.log, "rb") as f:
            f.seek(self.log_from)
            return f.read().decode("utf-8", "replace")

    def wait_ready(self, seconds=30):
        def ready():
            if self.process.poll() is not None:
                raise Failure("the daemon ended at once (%s):\n%s" % (self.process.returncode,
                                                                      self.log_text()[-3000:]))
            return "ready on" in self.log_text()
        wait_for(ready, seconds, "the daemon says that it is ready", 0.005)

    def wait_end(self, seconds=20):
        """Waits for the daemon to end by itself; returns its exit status."""
        wait_for(lambda: self.process.poll() is not None, seconds, "the daemon ends")
        code, self.process = self.process.returncode, None
        if RECORD:
            events.write("ended", code=code)
        return code

    def stop(self):
        """Ends the daemon, wants a clean end and no sanitizer's report."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20 * SLOW)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("the daemon does not end when asked to")
        code, self.process = self.process.returncode, None
        if RECORD:
            events.write("ended", code=code)
        equal(code, 0, "exit status of the daemon")
        self.check_log()

    def check_log(self):
        with open(self.log, "rb") as f:
            text = f.read().decode("utf-8", "replace")
        bad = re.search(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:).*", text)
        check(bad is None, "a sanitizer reports: %s (%s)" % (bad and bad.group(0), self.log))

    def kill(self):
        """kill -9 of the monitor; its roles end when their channels close, and are waited for."""
        pids = [p for ps in self.roles().values() for p in ps]
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        wait_for(lambda: not any(alive(p) for p in pids), 20, "the roles of a killed daemon end")

    def close(self):
        if self.process is not None:
            pids = [p for ps in self.roles().values() for p in ps] + [self.process.pid]
            for p in pids:
                try:
                    os.kill(p, signal.SIGKILL)
                except OSError:
                    pass
            self.process.wait()
            self.process = None
        if RECORD and os.path.exists(self.log):
            events.log(self.log)
        if not self.keep:
            shutil.rmtree(self.base, ignore_errors=True)

    def roles(self):
        """{role: [pid, ...]} of the running daemon's children."""
        found = {}
        if self.process is None:
            return found
        pids = []  # not from .../children, which may leave out some while others end
        for name in os.listdir("/proc"):
            try:
                with open("/proc/%s/stat" % name) as f:
                    state = f.read().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if name.isdigit() and int(state[1]) == self.process.pid and state[0] != "Z":
                pids.append(int(name))
        for pid in pids:
            try:
                with open("/proc/%d/cmdline" % pid, "rb") as f:
                    argv = f.read().split(b"\0")
            except OSError:
                continue
            if len(argv) > 2 and argv[1] == b"--role":
                found.setdefault(argv[2].decode(), []).append(pid)
        return found

    def share(self, i):
        return os.path.join(self.out, "share-%d.txt" % i)

    def unseal(self, shares=None):
        for i in shares or range(1, self.threshold + 1):
            self.client("admin", "unseal", self.share(i))
        self.wait_open()
        return self

    def state(self):
        return self.client("admin", "status", code=None).json["state"]

    def wait_open(self, seconds=20):
        wait_for(lambda: self.state() == "open", seconds, "the vault is open", 0.01)

    def start(self):
        """init, serve, unseal."""
        return self.init().serve().unseal()

    def demo(self, name="demo", prefix="DEMO"):
        self.start()
        self.client("admin", "collection", "create", name, "--bates", prefix,
                    "--designation", "CONFIDENTIAL")
        return self

    # -- using --------------------------------------------------------------

    def client(self, who, *args, code=DONE, profile=None, as_json=True, input=None, timeout=None):
        """Runs the client as a person; code: the exit status it must end with (None: any)."""
        argv = [CLIENT] + [str(a) for a in args] + ["--profile", profile or self.profile(who)]
        argv += ["--json"] if as_json else []
        kw = {} if input is None else {"input": input}
        r = Result(argv, run(argv, env=self.env, timeout=(timeout or 120) * SLOW, **kw))
        if code is not None:
            check(r.code in (code if isinstance(code, tuple) else (code,)),
                  "exit status %d, wanted %s" % (r.code, code), r)
        check("AddressSanitizer" not in r.stderr and "runtime error:" not in r.stderr,
              "a sanitizer reports in the client", r)
        return r

    def load(self, *files, options=(), code=DONE, collection="demo", who="producer", timeout=None):
        return self.client(who, "load", collection, *files, *options, code=code, timeout=timeout)

    def count(self, query, code=DONE, who="attorney", collection="demo"):
        r = self.client(who, "search", collection, query, "--count", code=code)
        return r.json["total"] if code == DONE else r

    def read(self, bates, who="attorney", code=DONE, collection="demo", options=()):
        """The JSON lines of a read: (header, records)."""
        bates = [bates] if isinstance(bates, str) else list(bates)
        r = self.client(who, "read", collection, "--from", "-", *options, code=code,
                        input=("\n".join(bates) + "\n").encode())
        if code != DONE:
            return r
        lines = r.stdout.split(b"\n")[:-1]
        return json.loads(lines[0]), lines[1:]

    def audit(self, *options, who="auditor"):
        return self.client(who, "audit", "list", *options).lines

    def add_person(self, name, who, capacity="outside-counsel", party="plaintiffs", signer="attorney",
                   options=()):
        """Enters a person, issues a credential, has the roster signer sign for both."""
        r = self.client("admin", "person", "add", name, "--party", party, "--capacity", capacity,
                        code=PENDING)
        self.issue(name, who, options, code=PENDING)
        self.client(signer, "docket", "sign", r.json["docket"])
        return r.json["docket"]

    def issue(self, name, who, options=(), code=DONE):
        csr = self.request(name, who)
        return self.client("admin", "credential", "issue", csr, "--person", name, "--out",
                           self.profile(who), *options, code=code)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# -- a client of our own, for what the command does not do: open connections, odd TLS ----------------

class Http:
    """A keep-alive connection with a profile's certificate; opens a session by itself."""

    def __init__(self, vault, profile, context=None):
        self.vault, self.dir = vault, profile
        self.context = context or tls_context(vault, profile)
        self.connection = http.client.HTTPSConnection("127.0.0.1", vault.port, timeout=30 * SLOW,
                                                      context=self.context)

    def once(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body=body, headers=headers)
        r = self.connection.getresponse()
        answer = r.status, dict((k.lower(), v) for k, v in r.getheaders()), r.read()
        if RECORD:
            events.http(method, path, headers, body, *answer)
        as_described(DESCRIBED.errors(method, path, *answer), method, path, answer[0])
        return answer

    def session(self):
        status, _, body = self.once("GET", "/v1/session")
        if status != 200:
            return status, {}, body
        challenge = json.loads(body)
        der = pem_der(os.path.join(self.dir, "certificate.pem"))
        now = time.time_ns()
        statement = (b"underseal/session/1\n" + bytes.fromhex(challenge["vault"]) +
                     bytes.fromhex(challenge["nonce"]) + hashlib.sha256(der).digest() +
                     struct.pack(">qq", now, now + 10 * 60 * 10**9))
        r = subprocess.run(["openssl", "dgst", "-sha256", "-sign", os.path.join(self.dir, "key.pem")],
                           input=statement, stdout=subprocess.PIPE, check=True)
        return self.once("POST", "/v1/session", {"statement": b64(statement), "signature": b64(r.stdout),
                                                 "certificate": b64(der)})

    def __call__(self, method, path, body=None, headers=None):
        r = self.once(method, path, body, headers)
        if r[0] == 401:
            s = self.session()
            if s[0] // 100 != 2:
                return s
            r = self.once(method, path, body, headers)
        return r

    def search(self, query, collection="demo", **more):
        return self("POST", "/v1/collections/%s/search" % collection,
                    dict({"query": query, "purpose": "system test"}, **more))

    def read(self, bates, collection="demo"):
        return self("POST", "/v1/collections/%s/read" % collection,
                    {"bates": [bates] if isinstance(bates, str) else bates, "purpose": "system test"})

    def close(self):
        self.connection.close()


def b64(data):
    import base64
    return base64.b64encode(data).decode()


def pem_der(path):
    with open(path) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def tls_context(vault, profile=None, certificate=None, key=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(os.path.join(vault.profile("admin"), "ca.pem"))
    if profile or certificate:
        context.load_cert_chain(certificate or os.path.join(profile, "certificate.pem"),
                                key or os.path.join(profile, "key.pem"))
    return context


# -- records ------------------------------------------------------------------------------------------

POOLS = {
    "en": ("the harbour article paywall budget vote bicycle weather recipe bread court calendar semicolon "
           "report don't restaurant's water river mountain seventeen lawyer evidence sealed naïve café "
           "newspaper quotes summary translation \"quoted\" well-known under_score plaintiff 1984 42nd").split(),
    "de": "Straße Größe Zeitung Urteil Fluß über Brücke Gericht Akte Öffentlichkeit Haus Mühle fünf".split(),
    "fr": "l'été œuvre journal forêt garçon déjà château théâtre élève avocat procès aujourd'hui".split(),
    "ru": "газета суд статья река гора вода зима лето книга право закон доказательство ёлка".split(),
    "el": "εφημερίδα δικαστήριο άρθρο ποτάμι βουνό νερό Οδυσσέας λόγος".split(),
    "ar": "صحيفة محكمة مقالة نهر جبل ماء كتاب قانون".split(),
}
HAN = "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生新闻法院判决书山水"
KANA = "あいうえおかきくけこさしすせそニュースペーパーありがとう"
EMOJI = "😀🎉👍🏽👩‍⚖️🇫🇷❤️📜"
WORDS = ("harbour", "paywall", "restaurant", "STRASSE", "Œuvre", "статья", "εφημεριδα", "1984", "محكمة", "cafe")


def text_of(rng, words):
    language = rng.choice(list(POOLS) + ["zh", "ja", "en", "en"])
    if language == "zh":
        return language, "".join(rng.choice(HAN) for _ in range(words)) + "。"
    if language == "ja":
        return language, "".join(rng.choice(KANA + HAN[:20]) for _ in range(words)) + "!"
    out = []
    for i in range(words):
        w = rng.choice(POOLS[language])
        r = rng.random()
        if r < .05:
            w = w.upper()
        elif r < .1:
            w = w.capitalize()
        elif r < .13:
            w += rng.choice(EMOJI)
        elif r < .15:
            w = "ﬁ" + w if r < .14 else w + "\u0301"
        out.append(w + rng.choice([" ", " ", " ", " ", ", ", ". ", "\n", "\t", " — ", " \\ ", " / "]))
    return language, "".join(out)


def generate(n, seed, prefix="sys", long_every=400):
    """n records as the bytes of their lines, without line end; each has words of its own."""
    rng = random.Random(seed)
    lines = []
    for i in range(n):
        messages = []
        for m in range(rng.randint(2, 5)):
            words = rng.randint(3, 60)
            if long_every and i % long_every == long_every - 1 and m == 0:
                words = 9000
            language, text = text_of(rng, words)
            message = {"role": ("user", "assistant")[m % 2], "content": text}
            if m == 0:
                message["content"] += " own%s%dx%d" % (prefix, seed, i)
            if rng.random() < .1:
                message["time"] = "2024-03-%02dT11:22:33Z" % rng.randint(1, 28)
            messages.append(message)
        if rng.random() < .05:
            messages.insert(0, {"role": "system", "content": ""})
        record = {"id": "%s/%d/%d" % (prefix, seed, i),
                  "created": "2024-%02d-%02dT%02d:00:00Z" % (i % 12 + 1, i % 28 + 1, i % 24),
                  "model": "gpt-4" if i % 3 == 0 else "gpt-3.5-turbo", "language": language,
                  "messages": messages}
        if rng.random() < .1:
            record["extra"] = {"nested": [1, 2.50, None, "é"]}
        if rng.random() < .05:
            record["designation"] = "AEO"
        compact = rng.random() < .5
        lines.append(json.dumps(record, ensure_ascii=rng.random() < .4,
                                separators=(",", ":") if compact else (", ", ": ")).encode("utf-8", "surrogatepass"))
    return lines


def write_lines(path, lines):
    with open(path, "wb") as f:
        f.write(b"".join(line + b"\n" for line in lines))
    return path


def fold(text):
    """NFKC, folded, twice, since folding can undo normalisation; without the variation selector, which
    is ignorable by default (UAX #44, NFKC_Casefold)."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text).casefold().replace("\ufe0f", "")


def words_of(line):
    """The words of a record's messages: longest runs of letters, marks and numbers."""
    found = set()
    for message in json.loads(line)["messages"]:
        content = message["content"] or ""
        run_ = []
        for c in fold(content) + " ":
            if unicodedata.category(c)[0] in "LMN":
                run_.append(c)
            elif run_:
                found.add("".join(run_))
                run_ = []
    return found


def contents(line):
    return [m["content"] for m in json.loads(line)["messages"]]


def all_hits(vault, query, who="attorney", limit=1000, collection="demo", options=("--no-snippets",)):
    """Every hit's Bates number, paged by cursor; and the snapshot."""
    found, after, snapshot = [], None, None
    while True:
        args = ["search", collection, query, "--limit", limit] + list(options)
        answer = vault.client(who, *args, *(["--after", after] if after else [])).json
        found += [h["bates"] for h in answer["hits"]]
        equal(answer["shown"], len(answer["hits"]), "shown")
        snapshot = snapshot or answer["snapshot"]
        after = answer["next"]
        if not after:
            return found, snapshot, answer["total"]


def main(scenario):
    """Runs a scenario function: prints its goal, its steps and how it ended."""
    goal = (sys.modules["__main__"].__doc__ or "").strip()
    print(goal + "\n", flush=True)
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    if RECORD:
        events.begin(ROOT, BUILD)
    try:
        scenario()
    except Failure as e:
        print("FAILED: %s" % e, flush=True)
        sys.exit(1)
    step("passed")
