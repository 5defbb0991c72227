"""Further cases of hostile_log.py: timestamps (RFC 3161) beside a log, by authorities of our own (openssl ts). The verifier in Python does
not check timestamps, so the one in C and the client are judged alone.
"""
import hashlib
import json
import os
import shutil
import subprocess
import time

from hostile_log import ENTRIES, Log, st, tell
import hostile_handover as handover
import hostile_witnessed as w
import verify_log as v

CONF = """
[tsa]
default_tsa = one
[one]
serial = %(d)s/tsa.serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
[req]
distinguished_name = name
prompt = no
[name]
CN = %(name)s
[ca]
default_ca = ca_one
[ca_one]
database = %(d)s/index.txt
serial = %(d)s/serial
new_certs_dir = %(d)s
default_md = sha256
policy = any
x509_extensions = ext
[any]
commonName = supplied
[ext]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,%(purpose)s
"""


def openssl(*args):
    p = subprocess.run(["openssl", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if p.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (args[0], p.stderr.decode()))


def der(tag, *parts):
    """Less than 256 bytes, or more."""
    body = b"".join(parts)
    length = len(body).to_bytes(1 if len(body) < 256 else 2, "big")
    return bytes([tag]) + (length if len(body) < 128 else bytes([0x80 + len(length)]) + length) + body


class Authority:
    """Signs from its start on for that many seconds."""

    def __init__(self, top, name, seconds=86400, start=-60, purpose="timeStamping"):
        self.d = os.path.join(top, name)
        os.mkdir(self.d)
        for file, text in (("conf", CONF % {"d": self.d, "name": name, "purpose": purpose}), ("index.txt", ""), ("serial", "01\n"), ("tsa.serial", "01\n")):
            with open(os.path.join(self.d, file), "w", encoding="ascii") as f:
                f.write(text)
        now = time.time()
        start, self.end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now + s)) for s in (start, seconds))
        self.pem, self.until = self.at("cert.pem"), int(now + seconds)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.at("key.pem"),
                "-out", self.at("csr"), "-config", self.at("conf"))
        openssl("ca", "-batch", "-selfsign", "-notext", "-in", self.at("csr"), "-keyfile", self.at("key.pem"), "-out", self.pem,
                "-config", self.at("conf"), "-startdate", start, "-enddate", self.end)

    def at(self, name):
        return os.path.join(self.d, name)

    def stamp(self, data):
        with open(self.at("data"), "wb") as f:
            f.write(data)
        openssl("ts", "-query", "-data", self.at("data"), "-sha256", "-cert", "-out", self.at("tsq"))
        openssl("ts", "-reply", "-config", self.at("conf"), "-section", "one", "-queryfile", self.at("tsq"), "-signer", self.pem,
                "-inkey", self.at("key.pem"), "-out", self.at("tsr"))
        with open(self.at("tsr"), "rb") as f:
            return f.read()


    def stamp_by_hand(self, data, version=1):
        """The same without "openssl ts", which makes no token that is wrong."""
        with open(self.at("info"), "wb") as f:
            f.write(der(0x30, der(2, bytes([version])), bytes.fromhex("06042a030401"),
                        der(0x30, bytes.fromhex("300d06096086480165030402010500"), der(4, hashlib.sha256(data).digest())),
                        der(2, b"\1"), der(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime()).encode())))
        openssl("cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
                "-in", self.at("info"), "-signer", self.pem, "-inkey", self.at("key.pem"), "-outform", "DER", "-out", self.at("token"))
        with open(self.at("token"), "rb") as f:
            return der(0x30, der(0x30, der(2, b"\0")), f.read())


class Stamping:
    """Cases: each is a log with timestamps, the options, and the verdict that is wanted."""

    def __init__(self, good, top):
        self.good, self.top, self.cases = good, top, []
        self.one, self.two = Authority(top, "one"), Authority(top, "two")
        self.short = Authority(top, "short", seconds=3)
        self.newest = bytes(Log(good).read("checkpoint"))
        self.earlier = w.note(w.text_of(Log(good), 300))
        self.tokens = {(a, note): a.stamp(note) for a in (self.one, self.two, self.short) for note in (self.newest, self.earlier)}
        time.sleep(max(0, self.short.until + 1.5 - time.time()))  # its certificate has run out now

    def case(self, name, verdict, index, stamps, *authorities, needed=None, change=None):
        """stamps: a name to (authority or token, what lies beside it)."""
        log = Log(os.path.join(self.top, "case_" + name))
        shutil.copytree(self.good, log.path)
        if change:
            change(log)
        for stamp, (token, note) in stamps.items():
            if isinstance(token, Authority):
                token = self.tokens.get((token, note)) or token.stamp(note)
            log.write("timestamps/%s.tsr" % stamp, token)
            if note is not None:
                log.write("timestamps/%s.checkpoint" % stamp, note)
        options = [x for a in authorities for x in ("--tsa", a.pem)] + (["--tsa-needed", str(needed)] if needed else [])
        self.cases.append((name, log.path, options, verdict, index))

    def later(self, log):
        """The same story, told as of a time to come."""
        drafts = st.long_story(ENTRIES)
        for d in drafts:
            d["time"] += 10**9 * 86400 * 365 * 40
        tell(log, drafts)

    def make(self):
        one, two, newest, earlier = self.one, self.two, self.newest, self.earlier
        both = {"a": (one, earlier), "b": (two, newest)}
        token = self.tokens[one, newest]
        log = Log(self.good)
        self.case("one", "OK", None, {"a": (one, newest)}, one)
        self.case("two_over_two", "OK", None, both, one, two, needed=2)
        self.case("one_of_two", "OK", None, {"a": (one, newest)}, two, one)
        self.case("run_out_since", "OK", None, {"a": (self.short, newest)}, self.short)
        self.case("not_asked_for", "OK", None, {"a": (b"rubbish", b"rubbish")})
        self.case("none", "UNVERIFIABLE", None, {}, one)
        self.case("of_another", "UNVERIFIABLE", None, {"a": (two, newest)}, one)
        self.case("two_of_one", "UNVERIFIABLE", None, {"a": (one, newest), "b": (one, earlier)}, one, two, needed=2)
        self.case("after_it_ran_out", "UNVERIFIABLE", None, {"a": (self.short.stamp(newest), newest)}, self.short)
        self.case("signature_changed", "UNVERIFIABLE", None, {"a": (token[:-3] + bytes([token[-3] ^ 1]) + token[-2:], newest)}, one)
        other = Authority(self.top, "other", purpose="codeSigning")
        self.case("by_hand", "OK", None, {"a": (one.stamp_by_hand(newest), newest)}, one)
        self.case("of_another_version", "UNVERIFIABLE", None, {"a": (one.stamp_by_hand(newest, version=2), newest)}, one)
        self.case("by_a_certificate_for_something_else", "UNVERIFIABLE", None, {"a": (other.stamp_by_hand(newest), newest)}, other)
        self.case("over_another_checkpoint", "TAMPERED", None, {"a": (self.tokens[one, earlier], newest)}, one)
        self.case("over_another_checkpoint_of_an_unknown", "TAMPERED", None, {"a": (self.tokens[two, earlier], newest)}, one)
        self.case("of_another_history", "TAMPERED", None, {"a": (one, w.note(w.text_of(log, 300, bytes(32))))}, one)
        self.case("of_another_log", "TAMPERED", None, {"a": (one, w.note(w.text_of(log, 300), by=w.SEEDS["stranger"]))}, one)
        self.case("of_no_checkpoint", "TAMPERED", None, {"a": (one, b"a\n\nb")}, one)
        self.case("rubbish", "TAMPERED", None, {"a": (b"rubbish", newest)}, one)
        self.case("cut", "TAMPERED", None, {"a": (token[:-1], newest)}, one)
        self.case("with_more", "TAMPERED", None, {"a": (token + b"\0", newest)}, one)
        self.case("refused", "TAMPERED", None, {"a": (bytes.fromhex("30053003020102"), newest)}, one)
        self.case("of_what_is_not_here", "INCOMPLETE", ENTRIES, {"a": (one, w.note(w.text_of(log, ENTRIES + 1, bytes(32))))}, one)
        self.case("without_its_checkpoint", "INCOMPLETE", None, {"a": (token, None)}, one)
        self.case("of_a_strange_name", "UNVERIFIABLE", None, {"a b": (one, newest)}, one)
        self.case("folder_is_a_link", "UNVERIFIABLE", None, {}, one, change=lambda log: os.symlink(".", log.at("timestamps")))
        self.backdated()
        self.handed_over()
        self.restored()

    def handed_over(self):
        """A checkpoint by a key of before, as far as that key was the log's."""
        path = os.path.join(self.top, "handed")
        shutil.copytree(self.good, path)
        handover.told(Log(path))
        hashes = [v.leaf_hash(e) for e in Log(path).bundle(0, handover.M + 4)]
        for name, verdict, key, size in (("of_the_first_key", "OK", 0, handover.M), ("of_the_first_key_too_late", "TAMPERED", 0, handover.M + 1),
                                         ("of_the_second_key", "OK", 1, handover.M + 2), ("of_the_newest_key", "OK", 2, handover.M + 1),
                                         ("of_the_first_key_and_another_history", "TAMPERED", 0, 20)):
            root = v.tree_head(hashes[:size]) if size != 20 else bytes(32)
            text = "%s\n%d\n%s" % (handover.NAMES[key], size, handover.hash_line(root))
            self.case("handed_" + name, verdict, None, {"a": (self.one, handover.note(handover.SEEDS[key], handover.NAMES[key], text))}, self.one,
                      change=handover.told)

    def backdated(self):
        """The log says of its entries that they are of a time after that at which the authority saw them."""
        log = Log(os.path.join(self.top, "later"))
        shutil.copytree(self.good, log.path)
        self.later(log)
        newest, earlier = bytes(log.read("checkpoint")), w.note(w.text_of(log, 300))
        self.case("before_what_it_covers", "TAMPERED", ENTRIES - 1, {"a": (self.one, newest)}, self.one, change=self.later)
        self.case("before_what_it_covers_earlier", "TAMPERED", 299, {"a": (self.one, earlier)}, self.one, change=self.later)
        # who is not trusted proves nothing, about clocks either
        self.case("before_says_somebody", "UNVERIFIABLE", None, {"a": (self.two, newest)}, self.one, change=self.later)


    def restored(self):
        """What was stamped before a hand-over is signed by the key of then. A restore may have lost entries, and says how many."""
        size, first = handover.M, {"last": handover.M + 5, "last_root": b"lost" * 8}

        def change(log):
            shutil.rmtree(log.at("tile"))
            handover.told(log, first)

        def by_the_first(n, root=None):
            return handover.note(handover.SEEDS[0], handover.NAMES[0], "%s\n%d\n%s" % (
                handover.NAMES[0], n, handover.hash_line(root or v.tree_head(leaves[:n]))))

        log = Log(os.path.join(self.top, "restored"))
        shutil.copytree(self.good, log.path)
        change(log)
        leaves = [v.leaf_hash(e) for e in log.bundle(0, size + 4)]
        kept, lost = by_the_first(size - 3), by_the_first(size + 3, bytes(32))
        self.case("before_a_hand_over", "OK", None, {"a": (self.one, kept), "b": (self.one, lost)}, self.one, change=change)
        self.case("of_all_that_was_handed_over", "OK", None, {"a": (self.one, by_the_first(size))}, self.one, change=change)
        self.case("of_what_was_lost", "UNVERIFIABLE", None, {"a": (self.one, lost)}, self.one, change=change)
        self.case("of_another_history_before", "TAMPERED", None, {"a": (self.one, by_the_first(size - 3, bytes(32)))}, self.one,
                  change=change)
        self.case("of_what_was_concealed", "TAMPERED", None, {"a": (self.one, by_the_first(size + 6, bytes(32)))}, self.one, change=change)
        self.case("of_another_end", "TAMPERED", None, {"a": (self.one, by_the_first(size + 5, bytes(32)))}, self.one, change=change)


WANTED = {"before_a_hand_over": (handover.M - 3, 1), "of_all_that_was_handed_over": (handover.M, 1), "one": (700, 1), "two_over_two": (300, 2), "one_of_two": (700, 1), "run_out_since": (700, 1)}


def cases(good):
    """The cases of timestamps beside a log that is as it should be, or none without the openssl command."""
    if shutil.which("openssl") is None:
        print("no openssl command: timestamps are left out")
        return []
    os.mkdir(good + ".stamps")
    stamping = Stamping(good, good + ".stamps")
    stamping.make()
    return stamping.cases


def wrong(c, command, vkey):
    """What is wrong with the verdict about a case, or None."""
    name, path, options, verdict, index = c
    if os.path.exists(os.path.join(path, "given.vkey")):
        vkey = os.path.join(path, "given.vkey")
    try:
        p = subprocess.run(command + [path, "--vkey", vkey, "--json"] + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=60, check=False)
        o = json.loads(p.stdout)
    except (ValueError, subprocess.TimeoutExpired) as e:
        return "%s: %s" % (name, e)
    stamped = o["stamped"] and (o["stamped"]["size"], o["stamped"]["needed"])
    if (o["verdict"], o["index"]) == (verdict, index) and (name not in WANTED or stamped == WANTED[name]):
        return None
    return "%s: %s at %s (%s), not %s at %s" % (name, o["verdict"], o["index"], stamped, verdict, index)


def judge(good, verifiers):
    """How many verdicts are wrong."""
    vkey, bad, all_cases = os.path.join(good, "log.vkey"), 0, cases(good)
    for c in all_cases:
        for verifier, command in verifiers.items():
            what = wrong(c, command, vkey)
            if what is not None:
                bad += 1
                print("timestamp, by %s: %s" % (verifier, what))
    pem = os.path.join(good + ".stamps", "one", "cert.pem")
    for options in (["--tsa", vkey], ["--tsa", "/nowhere"], ["--tsa", pem, "--tsa-needed", "2"], ["--tsa-needed", "1"]):
        codes = [subprocess.run(c + [good, "--vkey", vkey] + options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                check=False).returncode for c in verifiers.values()]
        if any(c != 2 for c in codes):
            bad += 1
            print("options %s are taken: %s" % (options, codes))
    print("%d cases of timestamps" % len(all_cases))
    return bad
