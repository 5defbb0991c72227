#!/usr/bin/env python3
"""A witness of transparency logs, from c2sp.org/tlog-witness, tlog-cosignature and signed-note, that shares
nothing with the programs under test: the standard library, and Ed25519 (RFC 8032) written here as integers.
For tests only: slow, and its arithmetic takes times that depend on the keys.

  witness.py NAME SEED-BYTE PORT LOG-VKEY...   serves add-checkpoint on 127.0.0.1; prints its vkey first
  witness.py vector                            prints a cosignature that the unit test of the C code holds
"""
import base64
import hashlib
import http.server
import ssl
import sys
import threading
import time

# -- Ed25519 (RFC 8032, section 5.1) ------------------------------------------------------------------

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * ROOT % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    # extended coordinates: x = X/Z, y = Y/Z, xy = T/Z
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def times(n, a):
    r = (0, 1, 1, 0)
    while n > 0:
        if n & 1:
            r = add(r, a)
        a = add(a, a)
        n >>= 1
    return r


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def encode(a):
    z = pow(a[2], P - 2, P)
    x, y = a[0] * z % P, a[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(b):
    y = int.from_bytes(b, "little")
    x = recover_x(y & (1 << 255) - 1, y >> 255)
    return None if x is None else (x, y & (1 << 255) - 1, 1, x * (y & (1 << 255) - 1) % P)


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254, h[32:]


def public(seed):
    return encode(times(expand(seed)[0], BASE))


def sign(seed, message):
    a, prefix = expand(seed)
    r = number(prefix, message) % Q
    point = encode(times(r, BASE))
    s = (r + number(point, public(seed), message) * a) % Q
    return point + s.to_bytes(32, "little")


def verify(pub, message, signature):
    a, r = decode(pub), decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= Q:
        return False
    return encode(times(s, BASE)) == encode(add(r, times(number(signature[:32], pub, message) % Q, a)))


# -- notes and checkpoints ------------------------------------------------------------------------------

DASH = "\u2014 "


def b64(b):
    return base64.b64encode(b).decode()


def key_id(name, kind, pub):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + pub).digest()[:4]


def vkey(name, kind, pub):
    return "%s+%s+%s" % (name, key_id(name, kind, pub).hex(), b64(bytes([kind]) + pub))


def parse_vkey(text):
    name, ident, key = text.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    if len(raw) != 33 or key_id(name, raw[0], raw[1:]).hex() != ident:
        raise ValueError("not a verifier key: " + text)
    return name, raw[0], raw[1:]


def cosign(name, seed, text, when):
    message = ("cosignature/v1\ntime %d\n" % when).encode() + text
    pub = public(seed)
    return "%s%s %s\n" % (DASH, name, b64(key_id(name, 4, pub) + when.to_bytes(8, "big") + sign(seed, message)))


def signatures(note, key):
    """Signatures of that key in a note, without key id: the key's own are verified by the caller."""
    name, kind, pub = parse_vkey(key)
    text, lines = note[:note.rindex(b"\n\n") + 1], note[note.rindex(b"\n\n") + 2:].decode()
    found = []
    for line in lines.splitlines():
        dash, who, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
        if dash == "\u2014" and who == name and raw[:4] == key_id(name, kind, pub):
            found.append(raw[4:])
    return text, pub, kind, found


def good_signatures(note, key):
    """How many signatures of that key there are, all of which must be right: the times of cosignatures."""
    text, pub, kind, found = signatures(note, key)
    times_ = []
    for s in found:
        when = int.from_bytes(s[:8], "big") if kind == 4 else 0
        message = ("cosignature/v1\ntime %d\n" % when).encode() + text if kind == 4 else text
        if not verify(pub, message, s[8:] if kind == 4 else s):
            raise ValueError("a signature is wrong")
        times_.append(when)
    return times_


def consistent(m, root1, n, root2, proof):
    """RFC 9162, 2.1.4.2."""
    node = lambda a, b: hashlib.sha256(b"\1" + a + b).digest()
    if m == n:
        return not proof and root1 == root2
    if not proof or m == 0:
        return False
    if m & (m - 1) == 0:
        proof = [root1] + proof
    fn, sn = m - 1, n - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == root1 and sr == root2 and sn == 0


# -- the witness ------------------------------------------------------------------------------------------

class Witness:
    """log_keys: vkeys of the logs it knows. spoil(line): what a test makes of the answer."""

    def __init__(self, name, seed, log_keys, clock=time.time, spoil=lambda line: line):
        self.name, self.seed, self.clock, self.spoil = name, seed, clock, spoil
        self.vkey = vkey(name, 4, public(seed))
        self.logs = {parse_vkey(k)[0]: k for k in log_keys}
        self.seen = {}      # origin: (size, root)
        self.asked = []     # (old size, status), for tests
        self.lock = threading.Lock()

    def add_checkpoint(self, body):
        """(status, content type, answer)"""
        head, _, note = body.partition(b"\n\n")
        lines = head.decode("ascii").split("\n")
        old = lines[0].split(" ")
        if len(old) != 2 or old[0] != "old" or str(int(old[1])) != old[1] or len(lines) > 64:
            return 400, "text/plain", b"malformed\n"
        old, proof = int(old[1]), [base64.b64decode(x, validate=True) for x in lines[1:]]
        text = note[:note.index(b"\n\n") + 1]
        origin, size, root = text.decode().split("\n")[:3]
        size, root = int(size), base64.b64decode(root, validate=True)
        if origin not in self.logs:
            return 404, "text/plain", b"unknown log\n"
        try:
            if not good_signatures(note, self.logs[origin]):
                return 403, "text/plain", b"not signed by the log\n"
        except ValueError:
            return 403, "text/plain", b"wrong signature\n"
        if old > size:
            return 400, "text/plain", b"old is larger\n"
        with self.lock:
            last = self.seen.get(origin, (0, None))
            if old != last[0] or (old == size and last[1] != root):
                return 409, "text/x.tlog.size", b"%d\n" % last[0]
            if (old == 0 and proof) or (old > 0 and not consistent(old, last[1], size, root, proof)):
                return 422, "text/plain", b"not consistent\n"
            self.seen[origin] = (size, root)
        return 200, "text/plain", self.spoil(cosign(self.name, self.seed, text, int(self.clock()))).encode()

    def serve(self, port, pem=None):
        """A server in a thread of its own; shutdown() ends it. pem: key and certificate, for TLS."""
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                try:
                    status, kind, answer = witness.add_checkpoint(body) if self.path.endswith("/add-checkpoint") \
                        else (404, "text/plain", b"")
                except ValueError:
                    status, kind, answer = 400, "text/plain", b"malformed\n"
                witness.asked.append((body.split(b"\n", 1)[0].decode("ascii", "replace"), status))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def vector():
    seed = bytes([7]) * 32
    text = b"log.example.org/underseal/00\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    print(vkey("witness.example.org/w1", 4, public(seed)))
    print(cosign("witness.example.org/w1", seed, text, 1679315147), end="")


def main(argv):
    if argv[1:] == ["vector"]:
        return vector()
    if len(argv) < 5:
        sys.exit(__doc__)
    witness = Witness(argv[1], bytes([int(argv[2])]) * 32, argv[4:])
    witness.serve(int(argv[3]))
    print(witness.vkey, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv)
