#!/usr/bin/env python3
"""Goal: what needs no vault. Help texts, man pages, orders checked, tested and compiled, acts, log entries and pages
under known keys, and what the verifiers and every report say of two logs of known content.
"""
import glob
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import *  # noqa: E402,F403

DAEMONS = ("init", "serve", "backup", "restore", "handover")
RECORDS = ("demo/DEMO000004712", "demo/DEMO000004713")


def helps():
    step("help")
    text = run([CLIENT, "--help"]).stdout.decode()
    for line in text.split("\n"):
        found = re.match(r"  ([a-z]\S*)(?: ([a-z]\S*))?", line)
        for words in ([w for w in found.groups() if w], [found.group(1)]) if found else ():
            # which words are the command's is said by its usage line
            said = subprocess.run([CLIENT, *words, "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
            usage = re.match(r"usage: underseal ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)?)", said)
            if usage and usage.group(1).split(" ") == words:
                run([CLIENT, *words, "--help"])
                break
    for program in (CLIENT, DAEMON, VERIFY):
        for argv in ([], ["--help"], ["--version"], ["no-such-command"], ["--no-such-option"]):
            run([program, *argv])
    for command in DAEMONS:
        run([DAEMON, command, "--help"])
        run([DAEMON, command])
    for mistake in (["search"], ["serach", "demo", "x"], ["search", "demo", "x", "--limit", "x"], ["audit", "report", "nothing"],
                    ["audit"]):
        run([CLIENT, *mistake])


def man_pages(build):
    step("man pages")
    home = ROOT
    with open(os.path.join(build, "CMakeCache.txt")) as f:
        home = re.search("^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", f.read(), re.M).group(1)
    for path in sorted(glob.glob(home + "/packaging/man/*")):
        with open(path) as f:
            lines = f.read().split("\n")
        at = next((i for i, line in enumerate(lines) if line.startswith(".SH") and "NAME" in line), 0)
        shown = [os.path.basename(path), lines[at + 1]]
        shown += [line for line in lines if line.startswith((".TH", ".SH"))]
        if RECORD:
            events.write("command", argv=["man", os.path.basename(path)], input=None, code=0, stdout="\n".join(shown), stderr="")


def orders():
    step("orders")
    files = sorted(glob.glob(ROOT + "/policy/orders/*.yaml") + glob.glob(ROOT + "/tests/unit/*/*.yaml"))
    for path in files:
        for form in ([], ["--json"]):
            run([CLIENT, "order", "check", path, *form])
    for form in ([], ["--json"]):
        run([CLIENT, "order", "test", ROOT + "/policy/orders", *form])
    run([os.path.join(BUILD, "tests", "record_orders"), *files])


def formats():
    step("acts, entries and pages")
    for name in ("record_acts", "record_entries", "record_pages"):
        equal(run([os.path.join(BUILD, "tests", name)]).returncode, 0, name)


def logs():
    step("logs of known content")
    base = tempfile.mkdtemp(prefix="us-record-")
    try:
        for name, argv in (("plain", [os.path.join(BUILD, "tests", "build_log"), base + "/plain", "600"]),
                           ("seen", [os.path.join(BUILD, "us_log_bench"), "make-seen", base + "/seen", "600"])):
            os.mkdir(os.path.join(base, name))
            equal(run(argv).returncode, 0, " ".join(argv))
            log = os.path.join(base, name)
            for form in ([], ["--json"]):
                run([VERIFY, log, *form])
                run([VERIFY, log, "--vkey", log + "/log.vkey", *form])
                run([CLIENT, "audit", "verify", "--dir", log, "--vkey", log + "/log.vkey", *form])
            run([sys.executable, os.path.join(ROOT, "tests", "independent", "verify_log.py"), log, "--vkey", log + "/log.vkey"])
            reports(log)
    finally:
        shutil.rmtree(base)


def reports(log):
    listed = run([CLIENT, "audit", "report", "--json"])
    if listed.returncode != 0:
        return
    for name in [r["report"] for r in json.loads(listed.stdout)["reports"]]:
        for record in RECORDS if name in ("who-saw", "authorised") else (None,):
            for form in ([], ["--json"], ["--csv"], ["--html"]):
                run([CLIENT, "audit", "report", name, *([record] if record else []), "--dir", log, "--vkey", log + "/log.vkey", *form])


def scenario():
    helps()
    man_pages(BUILD)
    orders()
    formats()
    logs()


main(scenario)
