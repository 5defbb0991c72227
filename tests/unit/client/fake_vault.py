"""A vault that is none: TLS, canned answers, and every act taken apart byte by byte as docs/PROTOCOL.md and registry/act.h
say it, by a second decoder that shares no line with the client. Python's standard library and the openssl program.
"""
import atexit
import base64
import datetime
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

import fake_log

VAULT_ID = hashlib.sha256(b"fake vault").digest()
PERSON = "Ada Attorney"
TYPES = {2: "docket-sign", 14: "document-add", 15: "order-propose", 16: "order-suspend", 17: "docket-object",
         18: "docket-resolve", 19: "docket-withdraw", 20: "docket-serve", 21: "acknowledge", 22: "clearance", 23: "challenge", 24: "relabel",
         25: "clawback", 26: "freeze", 27: "unfreeze", 28: "approval-request", 29: "matter-set"}


os.umask(0o077)  # what is here is for its owner: what others can read, a command has made, run with a umask of 0


def open_to_others(directory):
    return ["%s: others may read it (%o)" % (path, os.lstat(path).st_mode & 0o777) for where, folders, files in os.walk(directory)
            for path in (os.path.join(where, name) for name in folders + files) if os.lstat(path).st_mode & 0o077 and not os.path.islink(path)]


class Bytes:
    """What is left of a payload; finish() insists that nothing is."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        assert len(self.data) >= n, "the payload ends early"
        head, self.data = self.data[:n], self.data[n:]
        return head

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def text(self, size=2):
        return self.take(self.number(size)).decode()

    def digest(self):
        return self.take(32).hex()

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def records(self):
        """A selection: (collection, sorted record numbers) or (collection, "batch", slot)."""
        collection, by = self.number(4), self.number(1)
        if by == 2:
            return (collection, "batch", self.number(4))
        found, end = [], 0
        for _ in range(self.number(4)):
            first = end + self.varint()
            end = first + self.varint()
            found += range(first, end)
        return (collection, found)

    def finish(self, fields):
        assert self.data == b"", "%d bytes are left over" % len(self.data)
        return fields


def payload(kind, b):
    if kind == "docket-sign":
        return dict(id=b.text(), digest=b.digest())
    if kind == "document-add":
        return dict(digest=b.digest(), size=b.number(8), name=b.text(), part=b.number(4), bytes=b.take(b.number(4)))
    if kind == "order-propose":
        return dict(source=b.take(b.number(4)), compiled=b.take(b.number(4)), instrument=b.digest(), authority=b.text(),
                    effective=b.number(8))
    if kind == "order-suspend":
        return dict(version=b.number(4), authority=b.text())
    if kind == "docket-object":
        return dict(id=b.text(), grounds=b.digest())
    if kind == "docket-resolve":
        return dict(id=b.text(), outcome=b.number(1), authority=b.text())
    if kind == "docket-withdraw":
        return dict(id=b.text(), reason=b.text())
    if kind == "docket-serve":
        return dict(id=b.text(), party=b.text(), at=b.number(8))
    if kind == "acknowledge":
        return dict(version=b.number(4), source=b.digest(), instrument=b.digest(), address=b.text(), place=b.text(),
                    form=b.digest())
    if kind == "clearance":
        return dict(clearance=b.text(), person=b.number(4), statement=b.digest())
    if kind == "challenge":
        return dict(records=b.records(), basis=b.digest())
    if kind == "relabel":
        return dict(records=b.records(), designation=b.text(), reason=b.text())
    if kind == "clawback":
        return dict(records=b.records(), notice=b.digest(), noticed=b.number(8))
    if kind == "freeze":
        scope = b.number(1)
        what = {1: lambda: None, 2: b.text, 3: lambda: b.number(4), 4: lambda: b.number(4), 5: b.records}[scope]()
        return dict(scope=scope, what=what, authority=b.text())
    if kind == "unfreeze":
        return dict(freeze=b.number(4), authority=b.text())
    if kind == "approval-request":
        fields = dict(action=b.number(1), collection=b.number(4), purpose=b.text(), query=b.text())
        fields["records"] = [b.number(8) for _ in range(b.number(4))]
        return fields
    assert kind == "matter-set", kind
    return dict(state=b.text(), authority=b.text())


def act(body):
    b = Bytes(body)
    signed, signature = Bytes(b.take(b.number(4))), b.take(b.number(2))
    b.finish(None)
    assert signed.take(16) == b"underseal/act/1\n"
    kind = TYPES[signed.number(1)]
    assert signed.take(32) == VAULT_ID and len(signature) > 60
    signed.take(32 + 16 + 8)
    inner = Bytes(signed.take(signed.number(4)))
    signed.finish(None)
    return kind, inner.finish(payload(kind, inner))


class Vault:
    """answers: path (with its query) to a document, bytes, or (status, document); searches: collection to a list of Bates
    numbers."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="us-fake-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.profile = os.path.join(self.directory, "ada")
        self.answers, self.searches, self.asked, self.acts = {}, {}, [], []
        self.act_answers = {}
        self.documents = {}
        self.waiting, self.recalls = 0, {}
        self.sessions_wanted = 0  # so many requests are answered with 401 first
        self.log = None  # of fake_log; none: answers have a log, but nothing of it is served
        self.answering = fake_log.Answering()
        self.tamper = None  # a function of path and answer's head and body, for who changes them on the way
        self.put_off = []  # the first requests for the log are answered with these: (status, seconds of Retry-After or None)
        self.page = 3
        self.make_keys()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.path("server.pem"), self.path("server.key"))
        context.load_verify_locations(self.path("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        with open(os.path.join(self.profile, "profile.conf"), "w") as f:
            f.write("server=127.0.0.1:%d\nvault=%s\nvkey=%s\nperson=%s\n" % (self.server.server_port, VAULT_ID.hex(),
                                                                                            self.answering.vkey(), PERSON))

    def path(self, name):
        return os.path.join(self.directory, name)

    def pin(self, vkey):
        """The profile's key of the log."""
        conf = os.path.join(self.profile, "profile.conf")
        with open(conf) as f:
            lines = [line for line in f if not line.startswith("vkey=")]
        with open(conf, "w") as f:
            f.writelines(lines + ["vkey=%s\n" % vkey])

    def make_keys(self):
        def openssl(*args):
            subprocess.run(("openssl",) + args, check=True, cwd=self.directory, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        os.mkdir(self.profile, 0o700)
        with open(self.path("san"), "w") as f:
            f.write("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
                "ca.pem", "-subj", "/CN=fake", "-days", "2")
        for name in ("server", "client"):
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                    name + ".csr", "-subj", "/CN=" + name)
            openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                    "-out", name + ".pem", "-extfile", "san")
        for source, to in (("client.key", "key.pem"), ("client.pem", "certificate.pem"), ("ca.pem", "ca.pem")):
            with open(self.path(source)) as f, open(os.path.join(self.profile, to), "w") as g:
                g.write(f.read())
            os.chmod(os.path.join(self.profile, to), 0o600)

    def head(self, method, path, status):
        """Where the request stands in the log, and the checkpoint that covers it."""
        kept = method == "GET" and path.startswith("/v1/log/") and not path.startswith(("/v1/log/keys", "/v1/log/acts"))
        if status // 100 != 2 or kept or (method, path) in (("GET", "/v1/session"), ("GET", "/v1/status")):
            return {}
        index, note = (self.log or self.answering).answer()
        return {"Underseal-Entry": str(index), "Underseal-Checkpoint": base64.b64encode(note).decode()}

    def search(self, name, body):
        """In pages, the cursor being the place to go on from."""
        found = self.searches[name]
        at = int(body.get("after", "0"))
        assert body["snippets"] is False
        hits = found[at:at + self.page]
        more = at + self.page < len(found)
        return {"total": len(found), "shown": len(hits), "next": str(at + self.page) if more else None,
                "hits": [{"bates": b, "created": ""} for b in hits]}

    def document(self, digest):
        """As a list: how many parts of it are there."""
        whole = self.documents.get(digest)
        return [] if whole is None else [{"digest": digest, "parts": -(-len(whole) // 917504)}]

    def take_act(self, path, body):
        kind, fields = act(body)
        self.acts.append((path, kind, fields))
        if kind == "document-add":
            whole = self.documents.setdefault(fields["digest"], b"")
            assert len(whole) == fields["part"] * 917504
            self.documents[fields["digest"]] = whole + fields["bytes"]
        status, document = self.act_answers.get(kind, (200, {"status": "done"}))
        return status, dict(document, type=kind)

    def handler(vault):  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are written apart

            def log_message(self, *args):
                pass

            def answer(self, status, body, media="application/json", retry_after=None):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                head = vault.head(self.command, urllib.parse.unquote(self.path), status)
                if vault.tamper is not None:
                    status, head, data = vault.tamper(self.path, status, head, data)
                self.send_response(status)
                for name, value in head.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(data)))
                if retry_after is not None:
                    self.send_header("Retry-After", str(retry_after))
                self.end_headers()
                self.wfile.write(data)

            def problem(self, status, title, retry_after=None):
                self.answer(status, {"type": "urn:underseal:problem:test", "title": title, "status": status},
                            "application/problem+json", retry_after)

            def do_GET(self):
                path = urllib.parse.unquote(self.path)
                if path == "/v1/session":
                    return self.answer(200, {"vault": VAULT_ID.hex(), "nonce": "00" * 32})
                vault.asked.append(path)
                if vault.sessions_wanted > 0:
                    vault.sessions_wanted -= 1
                    return self.problem(401, "no session")
                if vault.put_off and path.startswith("/v1/log/"):
                    return self.problem(vault.put_off[0][0], "put off", vault.put_off.pop(0)[1])
                found = vault.answers.get(path, (404, None))
                if path.startswith("/v1/log/"):
                    found = (vault.log or vault.answering).get(path[len("/v1/log/"):])
                    found = (found, None) if isinstance(found, int) else found
                if path.startswith("/v1/documents?argument="):
                    found = {"items": vault.document(path.split("=")[1])}
                if isinstance(found, tuple):
                    return self.problem(found[0], "refused") if found[1] is None else self.answer(*found)
                return self.answer(200, found)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/session":
                    return self.answer(201, {"session": "00", "person": 4, "waiting": vault.waiting, **vault.recalls})
                if self.path == "/v1/log/cosignature":
                    vault.log.delivered.append(body)
                    return self.answer(200, {"cosignatures": len(vault.log.delivered)})
                parts = self.path.split("/")
                if parts[-1] == "search":
                    if parts[3] not in vault.searches:
                        return self.problem(403, "not allowed")
                    return self.answer(200, vault.search(parts[3], json.loads(body)))
                try:
                    return self.answer(*vault.take_act(self.path, body))
                except AssertionError as e:
                    vault.acts.append((self.path, "malformed", str(e)))
                    return self.problem(400, str(e))
        return Handler


def b64(data):
    return base64.b64encode(data).decode()


def time_ns(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()) * 10**9
