"""Who asks, for the test of every route: connections that stay open, sessions and acts signed here, without the client,
as a stranger would from docs/PROTOCOL.md. What is refused must be refused by the daemon.

Signatures by libcrypto, which Python's ssl has loaded already.
"""
import base64
import ctypes

from harness import *

SESSION_SECONDS = 600
JSON = {"Content-Type": "application/json"}
OCTETS = {"Content-Type": "application/octet-stream"}

# -- bytes --------------------------------------------------------------------------------------------

def s16(b):
    b = b.encode() if isinstance(b, str) else b
    return struct.pack(">H", len(b)) + b


def s32(b):
    b = b.encode() if isinstance(b, str) else b
    return struct.pack(">I", len(b)) + b


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def selection(collection, record):
    return struct.pack(">IBI", collection, 1, 1) + varint(record) + varint(1)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


NONE = bytes(32)


def crypto():
    lib = ctypes.CDLL("libcrypto.so.3")
    for f in ("BIO_new_mem_buf", "PEM_read_bio_PrivateKey", "EVP_MD_CTX_new", "EVP_sha256"):
        getattr(lib, f).restype = ctypes.c_void_p
    lib.BIO_new_mem_buf.argtypes = [ctypes.c_char_p, ctypes.c_int]
    lib.PEM_read_bio_PrivateKey.argtypes = [ctypes.c_void_p] * 4
    lib.EVP_DigestSignInit.argtypes = [ctypes.c_void_p] * 5
    lib.EVP_DigestSign.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    lib.EVP_MD_CTX_free.argtypes = [ctypes.c_void_p]
    return lib


LIB = crypto()


class Key:
    def __init__(self, path):
        with open(path, "rb") as f:
            pem = f.read()
        bio = LIB.BIO_new_mem_buf(pem, len(pem))
        self.key = LIB.PEM_read_bio_PrivateKey(bio, None, None, None)
        check(self.key, "a key that libcrypto reads", path)

    def sign(self, text):
        context = LIB.EVP_MD_CTX_new()
        out, n = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
        ok = (LIB.EVP_DigestSignInit(context, None, LIB.EVP_sha256(), None, self.key) == 1 and
              LIB.EVP_DigestSign(context, out, ctypes.byref(n), text, len(text)) == 1)
        LIB.EVP_MD_CTX_free(context)
        check(ok, "libcrypto signs")
        return out.raw[:n.value]


# -- who asks -----------------------------------------------------------------------------------------

class Connection:
    """One TLS connection, kept open; after it has ended every question is answered with status 0."""

    def __init__(self, world, context):
        self.answers, self.why = 0, ""
        for _ in range(100):  # a front that starts anew after a seal is there in a moment; who is refused learns it later
            self.http = http.client.HTTPSConnection("127.0.0.1", world.vault.port, timeout=30 * SLOW, context=context)
            self.http.auto_open = 0
            try:
                self.http.connect()
                self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as e:  # ssl.SSLError is one
                self.why = str(e)
                self.http.close()
                time.sleep(0.02)

    def ask(self, method, path, body=None, headers=()):
        if self.http.sock is None:
            return 0, self.why.encode()
        # CPython's ssl does not (its issue 148594): what another connection's end left on OpenSSL's queue
        # would be taken for this one's, and a live connection for a broken one
        LIB.ERR_clear_error()
        try:
            self.http.request(method, path, body=body, headers=dict(headers))
            r = self.http.getresponse()
            status, headers, text = r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        except (OSError, http.client.HTTPException) as e:
            self.why = repr(e)
            self.http.close()
            return 0, self.why.encode()
        self.answers += 1
        as_described(DESCRIBED.errors(method, path, status, headers, text), method, path, status)
        return status, text

    def close(self):
        self.http.close()


class Caller:
    """A credential and its person: key and certificate in a directory."""

    def __init__(self, world, directory, person=0, name=""):
        self.world, self.directory, self.person, self.name = world, directory, person, name
        self.key = Key(os.path.join(directory, "key.pem"))
        self.der = pem_der(os.path.join(directory, "certificate.pem"))
        self.fingerprint = hashlib.sha256(self.der).digest()
        self.context = tls_context(world.vault, directory)
        self.acknowledged = 0
        self.own = None  # the last load of their own, if they opened one
        self.line = None

    def connect(self):
        return Connection(self.world, self.context)

    def statement(self, connection):
        """The body that opens a session for this credential, over whichever connection asks for the nonce."""
        status, text = connection.ask("GET", "/v1/session")
        nonce = bytes.fromhex(json.loads(text)["nonce"]) if status == 200 else NONE
        now = self.world.now_ns()
        s = (b"underseal/session/1\n" + self.world.id + nonce + self.fingerprint +
             struct.pack(">qq", now, now + SESSION_SECONDS * 10**9))
        return json.dumps({"statement": b64(s), "signature": b64(self.key.sign(s)), "certificate": b64(self.der)})

    def session(self, connection=None):
        c = connection or self.connect()
        r = c.ask("POST", "/v1/session", self.statement(c), JSON)
        if connection is None:
            c.close()
        return r[0]

    def act(self, kind, payload, nonce=None):
        number = self.world.acts[kind]
        # an act of the vault itself is in nobody's name
        who, nonce = (NONE, bytes(16)) if number >= 128 else (self.fingerprint, nonce or os.urandom(16))
        s = (b"underseal/act/1\n" + bytes([number]) + self.world.id + who + nonce +
             struct.pack(">q", self.world.now_ns()) + s32(payload))
        return s32(s) + s16(self.key.sign(s))

    def ask(self, method, path, body=None, headers=()):
        """Over a connection of its own that is renewed, as is the session: for setting up, never for what is judged."""
        for _ in range(3):
            if self.line is None or self.line.http.sock is None:
                self.line = self.connect()
            r = self.line.ask(method, path, body, headers)
            if r[0] == 401:
                equal(self.session(self.line) // 100, 2, "a session for " + self.name)
            elif r[0] not in (0, 503):
                return r
            else:
                time.sleep(0.05)
        return r

    def get(self, path):
        status, text = self.ask("GET", path)
        equal(status, 200, "%s asks for %s (%s)" % (self.name, path, text[:200]))
        return json.loads(text)

    def do(self, kind, payload):
        """An act that must succeed."""
        status, text = self.ask("POST", "/v1/acts", self.act(kind, payload), OCTETS)
        check(status // 100 == 2, "%s does %s" % (self.name, kind), status, text[:400])
        return json.loads(text.split(b"\n")[0])
