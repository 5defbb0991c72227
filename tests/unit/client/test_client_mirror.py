"""Goal: the profile's mirror of the log is fetched once and believed never. Over a log that an independent encoder wrote: the second look
fetches the end alone; lists, reports and verdicts over the mirror are, byte for byte, those without one; a byte that is flipped in any of
its files, a file that is cut, gone, or another log's is found and fetched again; a client that is killed goes on; a full disk, and a folder
that cannot be written, change no answer; what it holds is its owner's alone, and one command removes it.
"""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_log  # noqa: E402
import fake_vault  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
DONE, OTHER, UNVERIFIED = 0, 1, 5
ENTRIES, EARLIER = 1800, 1100
AGAIN = "were not what they were when they were verified, and were fetched again"
QUESTIONS = [["list"], ["list", "--json"], ["list", "--denied"], ["list", "--person", "Carol", "--json"], ["list", "--party", "pl\u00e4ntiffs"],
             ["list", "--record", "demo/DEMO000000005", "--json"], ["list", "--denied", "--record", "demo/DEMO000000005", "--json"],
             ["list", "--denied", "--person", "Alice"],
             ["list", "--since", "2023-11-14", "--until", "2023-11-15", "--json"], ["verify", "--keys"], ["verify", "--keys", "--all"]]
QUESTIONS += [["report", *words, "--csv"] for words in (
    ["who-saw", "demo/DEMO000000005"], ["who-saw", "demo/DEMO000000005", "--since", "2023-11-14T22:20:00Z"],
    ["who-saw", "demo/DEMO000000005", "--person", "Dave"], ["person-history", "--person", "Dave"],
    ["person-history", "--party", "pl\u00e4ntiffs"], ["person-history", "--person", "Dave", "--until", "2023-11-14T22:30:00Z"], ["denials"],
    ["denials", "demo/DEMO000000001..DEMO000000100"], ["verification"], ["anomalies", "--max-records", "5"], ["disclosures"],
    ["administration"], ["content-by-administrators"], ["holdings"], ["searches"], ["disposition"])]

vault = fake_vault.Vault()
vault.server.handle_error = lambda *about: None  # a client that was killed
vault.answers["/v1/people"] = {"items": [{"person": n, "name": name, "capacity": role} for n, name, role in (
    (7, "Alice", "outside-counsel"), (8, "Bob", "administrator"), (9, "Carol", "expert"), (10, "Dave", "expert"))]}
vault.answers["/v1/collections"] = {"items": [{"collection": 1, "name": "demo", "bates_prefix": "DEMO"}]}
failures, MIRROR = [], os.path.join(vault.profile, "mirror")


def run(*args, expect=DONE, says=None, limit=None):
    def bounded():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run([CLIENT, "audit", *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=200,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile), preexec_fn=bounded if limit else None)
    text = done.stderr.decode()
    if "Sanitizer" in text or "runtime error" in text or done.returncode != expect or (says or "") not in text:
        failures.append("%s: status %d, not %d: %s" % (" ".join(args), done.returncode, expect, text.strip()[-600:]))
    if says is None and AGAIN in text:
        failures.append("%s: a mirror that is whole was called damaged" % " ".join(args))
    return done.stdout.decode()


def equal(got, want, what):
    if got != want:
        failures.append("%s:\n  got  %.600r\n  want %.600r" % (what, got, want))


def watched(log):
    """The paths that are asked for from now on."""
    asked, get = [], log.__class__.get
    log.get = lambda path: (asked.append(path), get(log, path))[1]
    return asked


def files():
    return sorted(os.path.join(d, name) for d, _, names in os.walk(MIRROR) for name in names)


def answers(*more):
    """But for when a report was made."""
    return {" ".join(q): re.sub(r"(?m)^made,.*$", "", run(*q, *more)) for q in QUESTIONS}


def only_what_is_new(earlier, log):
    vault.log = earlier
    run("list")
    vault.log = log
    asked = watched(log)
    run("list")
    bundles = sorted(a for a in asked if a.startswith("tile/entries/"))
    equal(bundles, ["tile/entries/%03d" % n for n in range(EARLIER // 256, ENTRIES // 256)] + ["tile/entries/007.p/8"], "bundles that are new")
    keys = sorted(a for a in asked if a.startswith("keys?"))
    equal(keys[0] >= "keys?from=%d" % (EARLIER // 256 * 256), True, "keys that are new")
    asked.clear()
    run("list")
    equal([a for a in asked if "tile/entries/" in a], ["tile/entries/007.p/8"], "bundles behind the last full one")
    del log.get


def owner_alone():
    for path in files():
        equal(os.stat(path).st_mode & 0o777, 0o600, "the mode of " + path)
    for folder, _, _ in os.walk(MIRROR):
        equal(os.stat(folder).st_mode & 0o777, 0o700, "the mode of " + folder)


def damaged(want):
    """Each file in its turn."""
    for path in files():
        with open(path, "rb") as f:
            whole = f.read()
        for what, bad in (("flipped", whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1:]),
                          ("cut", whole[:-1]), ("longer", whole + b"\0"), ("empty", b""), ("gone", None)):
            os.remove(path)
            if bad is not None:
                with open(path, "wb") as f:
                    f.write(bad)
            bundle = "/tile/entries/" in path and bad is not None
            command, said = (["verify", "--keys"], AGAIN) if bundle else (["list", "--json"], None)
            equal(run(*command, says=said), want[" ".join(command)], "%s %s" % (path, what))
            equal(os.path.exists(path), True, "%s, %s, is there again" % (path, what))
    run("mirror", "--all", says="")
    equal(run("verify", "--keys"), want["verify --keys"], "all is well again")


def others(other, log, want):
    """A mirror that was another log's."""
    shutil.rmtree(MIRROR)
    for name in ("checkpoint", "batches"):
        if os.path.exists(os.path.join(vault.profile, name)):
            os.remove(os.path.join(vault.profile, name))
    vault.log = other
    run("list")
    os.remove(os.path.join(vault.profile, "checkpoint"))
    vault.log = log
    equal(run("list", "--json", says=AGAIN), want["list --json"], "the list over another log's mirror")


def went_back(earlier, log):
    vault.log = earlier
    run("list", expect=UNVERIFIED)
    run("verify", expect=UNVERIFIED)
    run("mirror", expect=UNVERIFIED)
    vault.log = log


def killed(log, want):
    """As often as it takes: what was there stays, and goes on."""
    shutil.rmtree(MIRROR)
    slow, get = 0.02, log.__class__.get
    log.get = lambda path: (time.sleep(slow), get(log, path))[1]
    for wait in (0.1, 0.15, 0.2, 0.25, 0.3):
        p = subprocess.Popen([CLIENT, "audit", "mirror", "--keys"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
        time.sleep(wait)
        p.kill()
        p.wait()
    del log.get
    equal(run("list", "--json"), want["list --json"], "the list after a client that was killed")


def broken_off():
    """An export that was killed goes on; into any other folder that is there, none does."""
    out, whole = vault.path("out"), vault.path("whole")
    run("export", "--out", whole)
    for wait in (0.02, 0.05, 0.1, 0.2):
        p = subprocess.Popen([CLIENT, "audit", "export", "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
        time.sleep(wait)
        p.kill()
        p.wait()
    if not os.path.exists(out) or os.path.exists(os.path.join(out, ".unfinished")):
        run("export", "--out", out)
    equal(subprocess.run(["diff", "-r", out, whole], capture_output=True).stdout, b"", "an export that was killed, and went on")
    run("export", "--out", out, expect=OTHER, says="it exists already")


def full(want):
    shutil.rmtree(MIRROR)
    equal(run("verify", "--keys", limit=4096, says="cannot be written (File too large)"), want["verify --keys"], "the verdict without room for a mirror")
    equal([f for f in files() if os.path.getsize(f) > 4096 or not os.path.basename(f).isdigit()], [], "no half files")
    with open(MIRROR + ".x", "w"):
        pass
    shutil.rmtree(MIRROR, ignore_errors=True)
    os.rename(MIRROR + ".x", MIRROR)  # a file in the folder's place
    equal(run("list", "--json", says="cannot be written"), want["list --json"], "the list without a folder")
    os.remove(MIRROR)
    equal(run("list", "--json"), want["list --json"], "the list when there is room again")


def main():
    drafts = fake_log.st.long_story(ENTRIES)
    log = fake_log.Log(vault.path("log"), drafts)
    earlier = log.beginning(vault.path("earlier"), EARLIER)
    changed = [dict(d) for d in drafts]
    changed[100]["records"] = [1]
    other = fake_log.Log(vault.path("other"), changed)
    vault.pin(bytes(log.files.read("log.vkey")).decode().strip())
    only_what_is_new(earlier, log)
    owner_alone()
    want = answers("--no-mirror")
    for question, answer in answers().items():
        equal(answer, want[question], "over the mirror: " + question)
    damaged(want)
    others(other, log, want)
    went_back(earlier, log)
    killed(log, want)
    broken_off()
    full(want)
    run("mirror", "--remove")
    equal(os.path.exists(MIRROR), False, "the mirror is removed")
    run("mirror", "--remove")
    for failure in failures:
        print(failure)
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
