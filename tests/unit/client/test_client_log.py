"""Goal: what the vault puts off of its log the client asks for again when it is told to, and nothing else. Against a vault that is faked.
"""
import base64
import hashlib
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_vault  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
FILE = "/v1/log/entry-proof/7"

vault = fake_vault.Vault()
failures = []


def give_key():
    """A key of the log, which no file of this vault is signed by."""
    name, key = b"localhost/underseal/test", b"\x01" + bytes(range(32))
    vault.pin("%s+%s+%s" % (name.decode(), hashlib.sha256(name + b"\n" + key).hexdigest()[:8], base64.b64encode(key).decode()))


def run(*args):
    done = subprocess.run([CLIENT, *args], stdin=subprocess.DEVNULL, capture_output=True,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    if b"Sanitizer" in done.stderr or b"runtime error" in done.stderr:
        failures.append(done.stderr.decode())
    return done.stderr.decode()


def case(what, put_off, requests, seconds, says):
    """The first file of the log that a command asks for: so many requests, in so much time at least."""
    vault.put_off, vault.asked[:] = list(put_off), []
    began = time.monotonic()
    stderr = run("audit", "verify")
    took = time.monotonic() - began
    first = [path for path in vault.asked if path.startswith("/v1/log/")]
    first = [path for path in first if path == first[0]]
    if len(first) != requests or not seconds <= took < seconds + 20 or ("puts this off" in stderr) != says:
        failures.append("%s: %d requests (%s) in %.1f s, want %d in %d s: %s" % (what, len(first), vault.asked, took, requests, seconds, stderr))


give_key()
case("nothing is put off", [], 1, 0, False)
case("put off twice", [(429, 1), (429, 1)], 3, 2, True)
case("busy", [(503, 2)], 2, 2, True)
case("no word of when", [(429, None)], 1, 0, False)
case("later than anybody waits", [(503, 60)], 1, 0, False)
case("another refusal", [(403, 1)], 1, 0, False)
for failure in failures:
    print(failure)
print("%d failures" % len(failures))
sys.exit(1 if failures else 0)
