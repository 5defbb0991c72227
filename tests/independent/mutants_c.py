#!/usr/bin/env python3
"""Breaks the verifier in C one comparison or check at a time, and wants the hostile log to notice each.

usage: mutants_c.py [-v] [FILE...]

FILE: sources to break, below the project's directory; without any, those of verify/. Every comparison is turned (== and !=, < and <=,
> and >=), every && and || exchanged, and every condition of an if that stands on one line is taken out. What survives is printed, unless
its line is excused below.
"""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import hostile_log
import hostile_timestamp
import verify_log as v

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CC = ["cc", "-std=c11", "-O0", "-w", "-D_GNU_SOURCE", '-DUS_VERSION="0"', "-I", ROOT]
LIBS = ["-lcrypto", "-lpthread"]
TURNED = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&"}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|->|<<=?|>>=?|==|!=|<=|>=|&&|\|\||<|>')
CONDITION = re.compile(r"^(\s*(?:\} else )?if )\((.*)\)( \{)?$")
SECONDS = 20

# Lines that no case can tell from their mutants: (file, what is in the line): why.
EXCUSED = [
    (r".*", r"== NULL\)$", "memory is out"),
    (r".*", r"US_ERR_NOMEM", "memory is out"),
    (r".*", r"US_ERR_CRYPTO", "the library failed"),
    (r".*", r"US_ERR_IO\b", "the disk failed"),
    (r".*", r"strerror|\? \"|plural", "what is said of it, not whether"),
    (r".*", r"us_wipe", "nothing is wiped more or less"),
    (r"verify/verify\.c", r"on_entry|on_progress|b->n_keys|first_ns|view\.index == 0|shown", "who asked to see entries: tests/unit/verify"),
    (r"verify/succession\.c", r"if \((i == h->chain->n|!says)\)$", "what is said of it: no digest fits there either"),
    (r"verify/witnessed\.c", r"us_cosignature_next\(&sigs|NOT_FOUND \? US_OK : err|the log's own line|^if \(policy != NULL\)$",
     "whose line is wrong, not whether one is"),
    (r"verify/rules\.c", r"^if \(err == US_OK\)$|due > 0 && p\.part|below > r->answerable", "a set without its secret, or the same either way"),
    (r"verify/open_intents\.c", r"a->cap|SIZE_MAX|at < a->n|a->from == a->n", "where things lie in memory; beyond it the sanitizers look"),
    (r"verify/bundle\.c", r"^if \(err != US_OK\)$|before->left|b->n_keys", "the next check says the same; or beyond an array, where the sanitizers look"),
    (r"verify/prefix\.c", r"size == size\)$|PREFIXES_MAX|size == 0", "one size twice; more than there are files for; a tree of nothing"),
    (r"verify/key_set\.c", r"s->count > 0|oldest_ns|^if \(err != US_OK\)$", "how large the set grows; what is too old is refused by its time"),
    (r"verify/witnessed\.c", r"note->size == 0", "of two that are enough the larger, and a tree of nothing: which is named, not whether"),
    (r"verify/(head|receipt)\.c", r"n > 0 && text|NOT_FOUND\)$|ERR_VERIFY\)$|logs\[i\]|logs = |own_vkey|foreign\)$",
     "keys that a policy names instead of --vkey, foreign entries (system_22), or what is said of a note"),
    (r"verify/verify\.c", r"threads|n_slots|wanted|pthread|v->turn|PROCESSORS|THREADS_MAX", "how many threads there are changes no verdict"),
]


def sources():
    """All that the program is made of."""
    names = glob.glob(os.path.join(ROOT, "verify", "*.c")) + glob.glob(os.path.join(ROOT, "verify", "program", "*.c"))
    for folder in ("log", "case", "crypto", "base"):
        names += glob.glob(os.path.join(ROOT, folder, "*.c"))
    return [os.path.relpath(n, ROOT) for n in sorted(names)]


def compile_one(source, out):
    return subprocess.run(CC + ["-c", source, "-o", out], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def mutants(path):
    """(line number, what it becomes), lines from 0."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines):
        if not line.startswith("\t") or line.lstrip().startswith(("*", "/*", "#", "for (", "static")):
            continue
        code = line.split("/*")[0].rstrip()
        for m in TOKEN.finditer(code):
            if m.group() in TURNED:
                yield number, code[:m.start()] + TURNED[m.group()] + code[m.end():]
        m = CONDITION.match(code)
        if m and m.group(2).count("(") == m.group(2).count(")"):
            yield number, "%s(0 && (%s))%s" % (m.group(1), m.group(2), m.group(3) or "")


def arguments(path):
    """What a case is given beside its key."""
    out = [path]
    if os.path.exists(os.path.join(path, "given.receipt")):
        out = ["--receipt", os.path.join(path, "given.receipt")]
    for name in ("policy", "entry"):
        if os.path.exists(os.path.join(path, "given." + name)):
            out += ["--" + name, os.path.join(path, "given." + name)]
    return out


class Breaker:
    def __init__(self, top):
        self.top, self.objects = top, {}
        self.vkey, cases = hostile_log.prepare(top)
        self.cases = sorted(cases, key=hostile_log.size_of)
        self.stamped = hostile_timestamp.cases(cases[0][1])
        for source in sources():
            out = os.path.join(top, source.replace("/", "_") + ".o")
            if not compile_one(source, out):
                sys.exit("%s cannot be compiled" % source)
            self.objects[source] = out

    def link(self, replaced, program):
        objects = [replaced.get(s, o) for s, o in self.objects.items()]
        return subprocess.run(["cc"] + objects + LIBS + ["-o", program], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def noticed(self, program):
        """The first case that the program judges otherwise, or None."""
        for name, path, verdict, index, rule in self.cases:
            command = [program] + arguments(path) + ["--vkey", hostile_log.key_for(path, self.vkey), "--json"]
            try:
                p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False)
                o = json.loads(p.stdout)
                got = o["verdict"], o["index"], o["rule"], p.returncode
            except (ValueError, KeyError, subprocess.TimeoutExpired):
                return name  # a verifier that breaks down has noticed
            if got != (verdict, index, rule, v.EXIT[verdict]) and not (
                    verdict == "UNVERIFIABLE" and (got[0], got[3]) == (verdict, v.EXIT[verdict])):
                return name
        for c in self.stamped:
            if hostile_timestamp.wrong(c, [program], self.vkey) is not None:
                return "timestamp " + c[0]
        return None

    def judge(self, job):
        """(job, what noticed it: a case, "does not compile", or None)."""
        path, number, becomes = job
        stem = os.path.join(self.top, "m%d" % abs(hash(job)))
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            lines = f.read().split("\n")
        lines[number] = becomes
        with open(stem + ".c", "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
        found = "does not compile"
        if compile_one(stem + ".c", stem + ".o") and self.link({path: stem + ".o"}, stem):
            found = self.noticed(stem)
        for end in (".c", ".o", ""):
            if os.path.exists(stem + end):
                os.remove(stem + end)
        return job, found


def main():
    verbose = "-v" in sys.argv[1:]
    files = [a for a in sys.argv[1:] if a != "-v"] or [s for s in sources() if s.startswith("verify/")
                                                         and not s.startswith("verify/program/")]
    with tempfile.TemporaryDirectory() as top:
        breaker = Breaker(top)
        whole = os.path.join(top, "whole")
        if not breaker.link({}, whole) or breaker.noticed(whole) is not None:
            sys.exit("the verifier itself judges %s wrongly" % breaker.noticed(whole))
        jobs = [(path, number, becomes) for path in files for number, becomes in mutants(path)]
        survived = excused = useless = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (path, number, becomes), found in pool.map(breaker.judge, jobs):
                with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                    line = f.read().split("\n")[number].strip()
                useless += found == "does not compile"
                if found is None and any(re.fullmatch(f, path) and re.search(r, line) for f, r, _ in EXCUSED):
                    excused += 1
                elif found is None:
                    survived += 1
                    print("%s:%d: not noticed: %s  ->  %s" % (path, number + 1, line, becomes.strip()), flush=True)
                elif verbose:
                    print("%s:%d: %s: %s" % (path, number + 1, found, becomes.strip()), flush=True)
    made = len(jobs) - useless
    print("%d of %d mutants noticed, %d excused, %d not noticed" % (made - survived - excused, made, excused, survived))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
