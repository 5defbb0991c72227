#!/usr/bin/env python3
"""Goal: a timestamp of a checkpoint holds by an authority's certificate alone, as of the time it names.

An authority of our own (openssl ts) stamps what the client asked for. The token fits its checkpoint and no other, its authority and no other;
a changed byte is noticed.
"""
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
