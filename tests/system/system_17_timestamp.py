#!/usr/bin/env python3
"""Goal: a timestamp of a checkpoint holds by an authority's certificate alone, as of the time it names.

An authority of our own (openssl ts) stamps what the client asked for. The token fits its checkpoint and no other, its authority and no other;
a changed byte is noticed. By HTTP the client asks two of them, and an export with what they say verifies by them.
"""
import http.server
import threading

from harness import *

CONF = """
[tsa]
default_tsa = one
[one]
serial = %(d)s/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
[req]
distinguished_name = name
prompt = no
x509_extensions = ext
[name]
CN = %(name)s
[ext]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


def authority(base, name):
    d = os.path.join(base, name)
    os.mkdir(d)
    with open(d + "/conf", "w") as f:
        f.write(CONF % {"d": d, "name": name})
    with open(d + "/serial", "w") as f:
        f.write("01\n")
    r = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d + "/key.pem",
             "-out", d + "/ca.pem", "-config", d + "/conf", "-days", "1"])
    equal(r.returncode, 0, "openssl req: " + r.stderr.decode())
    return d


def stamp(d, request, out):
    r = run(["openssl", "ts", "-reply", "-config", d + "/conf", "-section", "one", "-queryfile", request, "-signer", d + "/ca.pem",
             "-inkey", d + "/key.pem", "-out", out])
    equal(r.returncode, 0, "the authority answers: " + r.stderr.decode())


class Responder:
    """An authority by HTTP. mood: how it behaves."""

    def __init__(self, d, port):
        self.d, self.mood, outer = d, "good", self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                good = self.headers["Content-Type"] == "application/timestamp-query"
                self.send_response(200 if good and outer.mood != "refuses" else 400)
                self.end_headers()
                self.wfile.write(outer.answer(request))

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        self.url = "http://127.0.0.1:%d/tsa" % port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        if self.mood == "rubbish":
            return b"rubbish" * 100
        if self.mood == "replays" and os.path.exists(self.d + "/http.tsr"):
            with open(self.d + "/http.tsr", "rb") as f:
                return f.read()
        with open(self.d + "/http.tsq", "wb") as f:
            f.write(request)
        stamp(self.d, self.d + "/http.tsq", self.d + "/http.tsr")
        with open(self.d + "/http.tsr", "rb") as f:
            return f.read()


def by_http(vault, one, two):
    step("by HTTP, from two")
    first, second = Responder(one, 20171), Responder(two, 20172)
    export, ca = vault.base + "/export", ["--ca", one + "/ca.pem", "--ca", two + "/ca.pem"]
    vault.client("auditor", "audit", "export", "--out", export)

    def ask(*urls, code=DONE, out=export):
        return vault.client("auditor", "audit", "timestamp", "--out", out, *ca, *[x for u in urls for x in ("--tsa-url", u)], code=code)

    def verify(*options, code=DONE):
        key = ["--profile", vault.profile("auditor")]
        tsa = ["--tsa", one + "/ca.pem", "--tsa", two + "/ca.pem", *options, "--json"]
        r = run([CLIENT, "audit", "verify", "--dir", export, *key, *tsa], env=vault.env)
        again = run([VERIFY, export, *tsa], env=vault.env)
        equal((r.returncode, again.returncode), (code, code), "exit status %s %s" % (r, again))
        equal(json.loads(r.stdout)["stamped"], json.loads(again.stdout)["stamped"], "both say the same")
        return json.loads(r.stdout)

    verify(code=INCOMPLETE)
    made = ask(first.url).json
    equal([t["authority"] for t in made["timestamps"]], [one + "/ca.pem"], "who stamped it")
    equal(verify()["stamped"]["size"], made["size"], "the whole export")
    verify("--tsa-needed", "2", code=INCOMPLETE)
    ask(second.url)
    said = verify("--tsa-needed", "2")
    equal((said["stamped"]["size"], len(said["stamped"]["timestamps"])), (made["size"], 2), "by both")
    text = run([VERIFY, export, "--tsa", one + "/ca.pem"], env=vault.env).stdout.decode()
    for words in ("stamped by 1 of the authorities up to entry %d" % (made["size"] - 1), "an authority that was not given"):
        check(words in text, "the verifier says so", words, text)

    step("authorities that answer wrongly")
    out = vault.base + "/newest"
    for mood, code in (("refuses", OTHER), ("rubbish", OTHER), ("replays", UNVERIFIED)):
        first.mood = mood
        ask(first.url, code=code, out=out)
    first.mood = "good"
    vault.client("auditor", "audit", "timestamp", "--out", out, "--ca", two + "/ca.pem", "--tsa-url", first.url, code=UNVERIFIED)
    ask("http://127.0.0.1:20179/", code=OTHER, out=out)
    ask("file:///etc/hostname", code=OTHER, out=out)
    equal(os.listdir(out + "/timestamps"), [], "nothing was kept")
    r = ask(first.url, second.url, out=out).json
    equal((len(r["timestamps"]), r["size"] > made["size"]), (2, True), "the newest checkpoint of the vault")
    shutil.copytree(out + "/timestamps", export + "/timestamps", dirs_exist_ok=True)
    verify(code=INCOMPLETE)                                   # the export ends before what was stamped
    for responder in (first, second):
        responder.server.shutdown()
        responder.server.server_close()


def scenario():
    if run(["openssl", "version"]).returncode != 0:
        skip("no openssl command")
    vault = Vault(20170).demo()
    base = vault.base
    one, two = authority(base, "one"), authority(base, "two")
    answer = vault.client("auditor", "audit", "timestamp-request", "-o", base + "/a.tsq").json
    check(answer["size"] > 0, "the answer", answer)
    stamp(one, base + "/a.tsq", base + "/a.tsr")
    stamp(two, base + "/a.tsq", base + "/b.tsr")

    def verify(token, ca, checkpoint="a.tsq.checkpoint", code=DONE):
        return vault.client("auditor", "audit", "timestamp-verify", base + "/" + token, "--checkpoint", base + "/" + checkpoint,
                            "--ca", ca + "/ca.pem", code=code)

    step("each token by its own authority")
    equal(verify("a.tsr", one).json["size"], answer["size"], "size")
    equal(verify("b.tsr", two).json["verdict"], "OK", "verdict")
    verify("a.tsr", two, code=UNVERIFIED)
    verify("b.tsr", one, code=UNVERIFIED)

    by_http(vault, one, two)

    step("another checkpoint, a changed byte, no token at all")
    vault.audit()  # is logged itself: the log grows
    vault.client("auditor", "audit", "timestamp-request", "-o", base + "/c.tsq")
    verify("a.tsr", one, "c.tsq.checkpoint", code=UNVERIFIED)
    token = open(base + "/a.tsr", "rb").read()
    for at in (20, len(token) // 2, len(token) - 3):
        with open(base + "/x.tsr", "wb") as f:
            f.write(token[:at] + bytes([token[at] ^ 1]) + token[at + 1:])
        verify("x.tsr", one, code=UNVERIFIED)
    for bad in (b"", b"\x30\x00", token[:-1], token + b"\0", os.urandom(300)):
        with open(base + "/x.tsr", "wb") as f:
            f.write(bad)
        verify("x.tsr", one, code=UNVERIFIED)
    vault.client("auditor", "audit", "timestamp-request", "-o", base + "/a.tsq", code=OTHER)  # nothing is overwritten
    vault.stop()


main(scenario)
