"""Goal: what reports say of a log is what its entries and acts say. A busy life (busy_life.py), written by an independent encoder, is folded
here by a second and simpler hand; each report of the client, for ranges of time, persons, parties, records and notices, must have the same
rows and sums: from the vault, from an export with its acts, and from one without them.
"""
import csv
import datetime
import html
import io
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import busy_life  # noqa: E402
import fake_log  # noqa: E402
import fake_vault  # noqa: E402

CLIENT = os.path.join(os.environ["UNDERSEAL_BUILD"], "underseal")
DONE, USAGE, UNVERIFIED, INCOMPLETE = 0, 2, 5, 6
EVIDENCE = ("search", "count", "read", "copy")
PREFIX = {1: "DEMO", 2: "MAIL"}
COLLECTION = {0: None, 1: "demo", 2: "mail"}

vault = fake_vault.Vault()
life = busy_life.lives()
SAID = life.said
failures = []


def run(*args, expect=DONE, command="report"):
    done = subprocess.run([CLIENT, "audit", command, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=200,
                          env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    text = done.stderr.decode()
    if done.returncode != expect or "Sanitizer" in text or "runtime error" in text:
        failures.append("%s: status %d, not %d: %s" % (" ".join(args), done.returncode, expect, text.strip()[-400:]))
    return done.stdout.decode()


def same(got, want, what):
    if got == want:
        return
    if isinstance(got, list) and isinstance(want, list):
        for i, (a, b) in enumerate(zip(got, want)):
            if a != b and isinstance(a, dict):
                keys = [k for k in set(a) | set(b) if a.get(k, "-") != b.get(k, "-")]
                failures.append("%s: row %d of entry %s: %s" % (what, i, b.get("index"), {k: (a.get(k, "-"), b.get(k, "-")) for k in keys}))
                return
        got, want = "%d rows" % len(got), "%d rows" % len(want)
    failures.append("%s:\n  got  %.600r\n  want %.600r" % (what, got, want))


# -- texts ---------------------------------------------------------------------------------------------------

def time_text(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def bates(collection, records):
    out, records = [], sorted(records)
    while records:
        n = 1
        while n < len(records) and records[n] in (records[n - 1], records[n - 1] + 1):
            n += 1
        ends = ["%s%09d" % (PREFIX[collection], r + 1) for r in (records[0], records[n - 1])]
        out.append("-".join(ends if ends[0] != ends[1] else ends[:1]))
        records = records[n:]
    return ", ".join(out) or None


def number_of(text):
    return int(text[4:]) - 1


def head(e):
    return {"index": e["index"], "time": time_text(e["time"]), "person": e["who"] or e.get("gave"), "party": e["party"] or None, "action": e["action"]}


def reason(e):
    return None if e["reason"] == "none" else e["reason"]


def told(e):
    return "by the vault" if e["told"] else None


def discloses(e):
    return (e["kind"], e["decision"]) == ("disclosure", "allow") and e["action"] in EVIDENCE and bool(e["records"] or e["copy"] is not None)


# -- how answers ended ---------------------------------------------------------------------------------------

def ending(e):
    """(sent, reason) of an outcome, or "whole", "not settled", "unknown, cut"."""
    last = e["index"] + e["parts"] - 1 - e["part"]
    for o in SAID:
        if o["kind"] == "outcome" and not o["state"] and o["related"] == last:
            return o["total"], o["reason"]
    settled = 0
    for m in SAID:
        if m["action"] == "answered":
            if m["decision"] == "failed" and m["range"][0] <= last < m["range"][1]:
                return "unknown, cut"
            settled = m["range"][1]
    return "whole" if last < settled else "not settled"


def left(e):
    end = ending(e)
    return end if isinstance(end, str) else "%d of %d, %s" % (end[0], e["total"] if e["parts"] > 1 else len(e["records"]), end[1])


# -- the reports ---------------------------------------------------------------------------------------------

class Asked:
    def __init__(self, person=None, party=None, since=None, until=None):
        self.person, self.party, self.since, self.until = person, party, since, until
        self.options = [x for name, value in (("--person", person), ("--party", party), ("--since", since), ("--until", until))
                        if value for x in (name, value)]

    def whose(self, e):
        return (not self.person or (e["who"] or e.get("gave")) == self.person) and (not self.party or self.party in e["party"].split(", "))

    def __call__(self, e):
        return self.whose(e) and (not self.since or e["time"] >= busy_life.ns(self.since[:-1])) and (
            not self.until or e["time"] <= busy_life.ns(self.until[:-1]))


def who_saw(asked, collection, first, last):
    rows = []
    for e in SAID:
        at = next((i for i, r in enumerate(e["records"]) if first <= r <= last), None)
        if not discloses(e) or e["collection"] != collection or at is None or not asked(e):
            continue
        end = ending(e)
        if not isinstance(end, str):
            end = "yes" if at < end[0] else "%s, %s" % ("not whole" if at == end[0] else "no", end[1])
        rows.append(dict(head(e), how="copy" if e["copy"] is not None else "snippet" if e["action"] == "search" else e["action"],
                         left="yes" if end == "whole" else end, rule=e["rule"], paragraph=e["paragraph"], order=e["order"],
                         purpose=e["purpose"], recipient=e["recipient"] or None))
    return rows, {"times disclosed": len(rows)}


def person_history(asked):
    mine = [e for e in SAID if e["person"] and asked(e)]
    rows = [dict(head(e), kind=e["kind"], decision=e["decision"], reason=reason(e), as_told=told(e), paragraph=e["paragraph"] or None,
                 collection=COLLECTION[e["collection"]], records=len(e["records"]), bates=bates(e["collection"], e["records"]),
                 left=left(e) if discloses(e) else None, query=e["query"] or None, purpose=e["purpose"] or None,
                 address="192.0.2.7") for e in mine]
    broken = sum(e["kind"] == "outcome" and not e["state"] for e in mine)
    return rows, {"entries": len(rows), "records disclosed, counted each time": sum(len(e["records"]) for e in mine if discloses(e)),
                  "answers that did not leave whole": broken}


def denials(asked, wanted=None):
    rows = []
    for e in SAID:
        if e["decision"] != "deny" or not asked(e):
            continue
        if wanted and not (e["collection"] == wanted[0] and any(wanted[1] <= number_of(b) <= wanted[2] for b in e["asked"])):
            continue
        named = bates(e["collection"], [number_of(b) for b in e["asked"]])
        for why, count in e.get("counts", [(e["reason"], 1)]):
            rows.append(dict(head(e), reason=why, as_told=told(e), rule=e["rule"] or None, paragraph=e["paragraph"] or None, order=e["order"],
                             collection=COLLECTION[e["collection"]], asked="%s and %d more" % (named, e["more"]) if e["more"] else named,
                             purpose=e["purpose"] or None, query=e["query"] or None, count=count))
    failed = sum(row["count"] for row in rows if row["action"] == "handshakes")
    return rows, {"refusals": sum(row["count"] for row in rows) - failed, "failed connections": failed}


def anomalies(asked, hours=(8, 20), **most):
    most = dict({"records": 1000, "per_hour": 200, "outside_hours": 20, "longest_run": 100, "share_percent": 5}, **most)
    days = {}
    for e in SAID:
        if e["person"] and e["action"] in EVIDENCE and asked(e):
            days.setdefault((e["person"], e["time"] // 86400 // 10**9), []).append(e)
    rows = []
    for (_, _), entries in sorted(days.items()):
        requests = [e for e in entries if e["related"] == busy_life.NONE and e["part"] == 0]
        hour = [e["time"] // 3600 // 10**9 % 24 for e in requests]
        seen = sorted({(e["collection"], r) for e in entries if discloses(e) for r in e["records"]})
        run, longest = 0, 0
        for i, (c, r) in enumerate(seen):
            run = run + 1 if i and seen[i - 1] == (c, r - 1) else 1
            longest = max(longest, run)
        shares = []
        for c in {c for c, _ in seen}:
            held = sum(e["batch"]["count"] for e in SAID if "batch" in e and e["collection"] == c and e["index"] <= entries[-1]["index"])
            shares.append(100 * sum(x == c for x, _ in seen) / held if held else -1)
        row = {"person": entries[0]["who"], "party": entries[0]["party"] or None, "day": time_text(entries[0]["time"])[:10],
               "requests": len(requests), "per_hour": max([hour.count(h) for h in hour], default=0),
               "outside_hours": sum(not hours[0] <= h < hours[1] for h in hour), "records": len(seen), "longest_run": longest,
               "share_percent": max(shares, default=None)}
        over = " ".join(k for k in ("records", "per_hour", "outside_hours", "longest_run", "share_percent") if (row[k] or 0) > most[k])
        if row["share_percent"] is not None:
            row["share_percent"] = round(row["share_percent"], 3)
        rows.append(dict(row, exceeded=over or None))
    return rows, {"days of persons": len(rows), "exceeded": sum(bool(row["exceeded"]) for row in rows)}


def copies(asked):
    out = {}
    for e in SAID:
        if e["copy"] is not None and e["copy"] in out:
            out[e["copy"]]["records"] += e["records"]
        elif e["copy"] is not None and discloses(e):
            out[e["copy"]] = {"e": e, "records": list(e["records"]), "status": "out", "sha256": None}
        if e.get("ends", [None])[0] in out:
            out[e["ends"][0]]["status"] = e["ends"][1]
        if e.get("digest", [None])[0] in out:
            out[e["digest"][0]]["sha256"] = e["digest"][1].hex()
    return {number: c for number, c in out.items() if asked(c["e"])}


def disclosures(asked):
    rows = []
    for number, c in copies(asked).items():
        e = dict(c["e"], records=c["records"])
        rows.append(dict(head(e), copy=number, recipient=e["recipient"], purpose=e["purpose"], collection=COLLECTION[e["collection"]],
                         records=len(c["records"]), bates=bates(e["collection"], c["records"]), left=left(e), paragraph=e["paragraph"],
                         status=c["status"], sha256=c["sha256"]))
    return rows, {"copies": len(rows), "records in copies, counted each time": sum(row["records"] for row in rows)}


def disposition(asked):
    parties = {}
    for number, c in copies(asked).items():
        parties.setdefault(c["e"]["party"], []).append((number, c))
    rows = []
    for party, mine in parties.items():
        ends = [c["status"] for _, c in mine]
        rows.append({"party": party, "copies": len(mine), "records": sum(len(c["records"]) for _, c in mine),
                     "returned": ends.count("returned"), "destroyed": ends.count("destroyed"), "out": ends.count("out"),
                     "copies_out": ", ".join(str(n) for n, c in mine if c["status"] == "out") or None})
    return rows, {"copies still out": sum(row["out"] for row in rows)}


def administration(asked):
    silent = ("batch-close", "copy-return", "document-add", "copy", "copy-digest")
    rows, opened = [], {}
    for e in SAID:
        privileged = e["action"] in ("start", "unseal", "unseal-share", "order-in-force", "freeze") or ("name" in e and e["action"] not in silent)
        if not privileged:
            continue
        if "signs" in e and e["signs"] in opened:
            opened[e["signs"]].append("%s (entry %d)" % (e["who"], e["index"]))
        if not asked(e):
            continue
        signers = []
        if e.get("opens"):
            opened[e["docket"]] = signers
        rows.append((dict(head(e), decision=e["decision"], reason=reason(e), docket=e.get("docket"), detail=e.get("detail") or None), signers))
    refused = sum(row["decision"] == "deny" for row, _ in rows)
    return [dict(row, signed_by=", ".join(signers) or None) for row, signers in rows], {"acts and events": len(rows) - refused, "refused": refused}


def by_administrators(asked):
    mine = [e for e in SAID if e["who"] in ("Adam", "Ken") and e["action"] in EVIDENCE and asked(e)]
    rows = [dict(head(e), decision=e["decision"], reason=reason(e), collection=COLLECTION[e["collection"]], records=len(e["records"]),
                 bates=bates(e["collection"], e["records"])) for e in mine]
    refused = sum(e["decision"] == "deny" for e in mine)
    return rows, {"allowed (expected: 0)": len(rows) - refused, "refused attempts": refused}


def exceptions(asked):
    """By the acts in the entries: of the first people the certificates' ends are not looked at."""
    state, credentials, all_of, rows = {}, {}, {}, []
    for e in SAID:
        why, own, p = None, credentials.get(e["credential"]), state.setdefault(e["person"], {})
        if e["person"]:
            if p.get("ended") or p.get("suspended") or p.get("pending"):
                why = next(k for k in ("ended", "suspended", "pending") if p.get(k))
            elif (own and own["revoked"]) or (e["person"] in all_of and (not own or own["issued"] < all_of[e["person"]])):
                why = "revoked"
            elif own and e["time"] > own["to"]:
                why = "expired"
        refused = e["decision"] == "deny" and e["reason"] in ("expired", "suspended", "revoked", "unknown-credential")
        if e["kind"] != "event" and (refused or (e["decision"] == "allow" and why)) and asked(e):
            rows.append(dict(head(e), decision=e["decision"], reason=reason(e), by_the_acts=why, count=1))
        for reason_, count in e.get("counts", []):
            if reason_ in ("revoked", "unknown-credential") and asked(e):
                rows.append(dict(head(e), decision="deny", reason=reason_, by_the_acts=None, count=count))
        if "adds" in e:
            state.setdefault(e["adds"], {})["pending"] = e["pending"]
        if "admits" in e:
            state[e["admits"]]["pending"] = False
        if "sets" in e:
            state.setdefault(e["sets"][0], {})[e["sets"][1]] = e["sets"][2]
        if "issues" in e:
            credentials[e["issues"][1]] = {"issued": e["index"], "to": e["issues"][2], "revoked": False}
        if isinstance(e.get("revokes"), bytes):
            credentials.setdefault(e["revokes"], {"issued": 0, "to": 2**63})["revoked"] = True
        elif "revokes" in e:
            all_of[e["revokes"]] = e["index"]
    allowed = sum(row["decision"] == "allow" for row in rows)
    return rows, {"allowed (expected: 0)": allowed, 
                  "refused": sum(row["count"] for row in rows if row["decision"] == "deny" and row["action"] != "handshakes"),
                  "failed connections": sum(row["count"] for row in rows if row["action"] == "handshakes")}


def after_notice(asked, collection, records, since, act=None):
    rows, counts = [], {"disclosed after the notice": 0, "of them after the clawback was in force": 0, "refused after the notice": 0,
                        "refusals that may have been about them": 0}
    for e in SAID:
        denied = e["decision"] == "deny"
        if e["time"] < since or not asked(e) or e["collection"] != collection or not (discloses(e) or denied):
            continue
        touched = [r for r in (map(number_of, e["asked"]) if denied else e["records"]) if r in records]
        perhaps = (denied and not touched and e["action"] in EVIDENCE and (not e["asked"] or e["more"] > 0)
                   and e["reason"] in ("not-visible", "clawed-back", "frozen"))
        if not touched and not perhaps:
            continue
        behind = act is not None and e["index"] > act["index"]
        rows.append(dict(head(e), decision=e["decision"], reason=reason(e), when="after the notice" if act is None else
                         "after the clawback" if behind else "between notice and clawback", records=len(touched),
                         bates=bates(collection, touched), purpose=e["purpose"] or None))
        if perhaps:
            counts["refusals that may have been about them"] += 1
        elif denied:
            counts["refused after the notice"] += 1
        else:
            counts["disclosed after the notice"] += 1
            counts["of them after the clawback was in force"] += behind
    if act is None:
        counts.pop("of them after the clawback was in force")
    else:
        counts["clawback in force"] = time_text(act["time"])
    return rows, dict(counts, notice=time_text(since), **{"records of the notice": len(records)})


def holdings(asked):
    fates = {e["fate"][:2]: e["fate"][2] for e in SAID if "fate" in e}
    rows = []
    for e in SAID:
        if "batch" not in e or not asked(e):
            continue
        b = e["batch"]
        at = (b["collection"], b["slot"])
        rows.append({"index": e["index"], "time": time_text(e["time"]), "batch": "%s/%d" % (COLLECTION[at[0]], at[1]), "loaded_by": "Peter",
                     "records": b["count"], "bates": bates(at[0], range(b["first"], b["first"] + b["count"])), "duplicates": b["duplicates"],
                     "refused": b["refused"], "bytes": b["bytes"], "manifest_root": b["root"].hex(),
                     "status": fates.get(at, "held" if b["held"] else "admitted")})
    return rows, {"batches": len(rows), "records": sum(row["records"] for row in rows), "duplicates left out": sum(r["duplicates"] for r in rows)}


def searches(asked):
    rows = []
    for e in SAID:
        if e["kind"] != "intent" or e["action"] not in EVIDENCE or not e["query"] or not asked(e):
            continue
        answers = [a for a in SAID if a["kind"] == "disclosure" and a["related"] == e["index"]]
        total = answers[0]["total"] if answers else None
        rows.append(dict(head(e), decision=e["decision"], collection=COLLECTION[e["collection"]], query=e["query"], snapshot=e["snapshot"],
                         total="fewer than %d" % total if answers and answers[0]["fewer"] else total,
                         shown=sum(len(a["records"]) for a in answers) if answers else None, purpose=e["purpose"] or None))
    return rows, {"searches": len(rows)}


# -- the comparison ------------------------------------------------------------------------------------------

def check(report, want, *options, where):
    rows, summary = want
    for place in where:
        what = " ".join((*report, *options, *place))
        out = run(*report, *options, *place, "--json")
        if not out:
            failures.append(what + ": nothing is said")
            continue
        document = json.loads(out)
        same(document["rows"], rows, what)
        same({k: document["summary"].get(k) for k in summary}, summary, what + ": the sums")
        same(document["withheld"], int(report[0] == "searches" and place != [] and place[1].endswith("without")), what + ": withheld")


WINDOWS = [Asked(), Asked(person="Alice"), Asked(party="plaintiffs"), Asked(party="class"), Asked(since="2024-03-05T00:00:00Z"),
           Asked(until="2024-03-05T10:00:04Z"), Asked(person="Eve", since="2024-03-04T15:30:00Z", until="2024-03-06T00:00:01Z")]


def all_of_them(places):
    first = places[:1]
    for i, asked in enumerate(WINDOWS):
        where = places if i == 0 else first
        check(["denials"], denials(asked), *asked.options, where=where)
        check(["disclosures"], disclosures(asked), *asked.options, where=where)
        check(["disposition"], disposition(asked), *asked.options, where=where)
        check(["administration"], administration(asked), *asked.options, where=where)
        check(["searches"], searches(asked), *asked.options, where=where)
        check(["anomalies"], anomalies(asked), *asked.options, where=where)
        check(["exceptions"], exceptions(asked), *asked.options, where=places[-1:])
        if asked.person or asked.party:
            check(["person-history"], person_history(asked), *asked.options, where=where)
        else:
            check(["content-by-administrators"], by_administrators(asked), *asked.options, where=where)
            check(["holdings"], holdings(asked), *asked.options, where=where)
        check(["who-saw", "demo/DEMO000000003..DEMO000000006"], who_saw(asked, 1, 2, 5), *asked.options, where=first)
    for number in (2, 3, 11, 14, 16, 31, 60, 62, 151):
        check(["who-saw", "demo/DEMO%09d" % number], who_saw(Asked(), 1, number - 1, number - 1), where=places[1:2])
    for number in (1, 4, 10, 31):
        check(["who-saw", "mail/MAIL%09d" % number], who_saw(Asked(), 2, number - 1, number - 1), where=places[1:2])
    for first_, last in ((3, 3), (4, 31), (33, 40), (151, 151)):
        check(["denials", "demo/DEMO%09d..DEMO%09d" % (first_, last)], denials(Asked(), (1, first_ - 1, last - 1)), where=places[1:2])


def thresholds(places):
    rows, _ = anomalies(Asked())
    names = {"records": "max-records", "per_hour": "max-per-hour", "outside_hours": "max-outside", "longest_run": "max-run"}
    for name, option in names.items():
        for row in (max(rows, key=lambda r: r[name]), rows[0]):
            for most in {row[name], max(row[name] - 1, 0)}:
                check(["anomalies"], anomalies(Asked(), **{name: most}), "--" + option, str(most), where=places[1:2])
    for most in (0, 4, 10, 100):
        check(["anomalies"], anomalies(Asked(), share_percent=most), "--max-share", str(most), where=places[1:2])
    for hours in ((0, 24), (9, 10), (10, 24), (0, 20)):
        check(["anomalies"], anomalies(Asked(), hours=hours), "--hours", "%d-%d" % hours, where=places[1:2])


def notices(places):
    for e in SAID:
        if "clawback" not in e:
            continue
        number, collection, records, noticed = e["clawback"]
        for asked in (Asked(), Asked(person="Alice"), Asked(until="2024-03-05T10:00:00Z")):
            for name in ("clawback-%d" % number, "%d" % number):
                check(["after-notice"], after_notice(asked, collection, records, noticed, e), "--clawback", name, *asked.options, where=places[1:2])
        check(["after-notice"], after_notice(Asked(), collection, records, noticed, e), "--clawback", "clawback-%d" % number, where=places)
    run("after-notice", "--clawback", "clawback-3", *places[1], expect=INCOMPLETE)
    since = "2024-03-04T09:00:00Z"
    for text, records in (("demo/DEMO000000031..DEMO000000032,demo/DEMO000000041", [30, 31, 40]), ("demo/DEMO000000001", [0])):
        check(["after-notice"], after_notice(Asked(), 1, records, busy_life.ns(since[:-1])), "--records", text, "--since", since, where=places)
    run("after-notice", "--records", "demo/DEMO000000001,mail/MAIL000000001", "--since", since, *places[1], expect=USAGE)


def indexes(places):
    index = vault.path("index")
    for number in (2, 3, 11, 62, 152):
        for _ in range(2):
            check(["who-saw", "demo/DEMO%09d" % number], who_saw(Asked(), 1, number - 1, number - 1), "--index", index, where=places[1:2])


# -- the log itself ------------------------------------------------------------------------------------------

CLASSES = {1: "access", 2: "state", 3: "system", 4: "noise"}
WITHHELD = {"access": lambda i: i % 3 == 1, "disclosure": lambda i: i % 5 == 2, "query": lambda i: i % 7 == 3}


def line(e, withheld):
    """What `audit list --json` says of an entry."""
    out = {"index": e["index"], "time": time_text(e["time"]), "class": CLASSES[e["class_"]], "order": e["order"]}
    no = {box: withheld and hides(e["index"]) for box, hides in WITHHELD.items()}
    shows = e["kind"] in ("disclosure", "outcome") and not e["state"]
    if no["access"]:
        out.update({k: "withheld" for k in ("kind", "person", "party", "action", "decision", "reason", "rule", "paragraph", "credential")})
        out["collection"] = COLLECTION[e["collection"]] if shows and e["collection"] and not no["disclosure"] else "withheld"
    else:
        out.update({"kind": e["kind"], "person": e["who"], "party": e["party"].split(", ") if e["party"] else [], "action": e["action"],
                    **({"as_told": told(e)} if e["told"] else {}), "decision": e["decision"], "reason": e["reason"], "rule": e["rule"] or None, "paragraph": e["paragraph"],
                    "collection": COLLECTION[e["collection"]], "credential": e["credential"].hex() if e["credential"] != bytes(32) else None})
        if e["related"] != busy_life.NONE:
            out["related"] = e["related"]
        if e["state"]:
            out["act"] = sum(x["state"] for x in SAID[:e["index"] + 1])
        if "range" in e:
            out["from"], out["to"] = e["range"]
        if "counts" in e:
            out["counts"] = dict(e["counts"])
    if no["disclosure"]:
        out["records"] = "withheld"
    else:
        out["records"] = ["%s%09d" % (PREFIX[e["collection"]], r + 1) for r in e["records"]]
        out["fewer_than" if e["fewer"] else "total"] = e["total"] if shows else 0
        if e["parts"] > 1:
            out["part"], out["parts"] = e["part"], e["parts"]
        if e["copy"] is not None:
            out["copy"], out["recipient"] = e["copy"], e["recipient"]
    box = e["kind"] != "event"
    if no["query"]:
        out.update(query="withheld", purpose="withheld", address="withheld")
    else:
        out.update(query=e["query"], purpose=e["purpose"], address="192.0.2.7" if box else "")
        if e["decision"] == "deny" and not no["access"] and (e["asked"] or e["more"]):
            out["asked"] = e["asked"] + (["+%d" % e["more"]] if e["more"] else [])
    return out


def lists(log):
    """With all keys, and with those of some boxes: whoever is asked for and cannot be seen is not listed."""
    get_keys = log.get_keys
    vault.answers["/v1/people"] = {"items": [{"person": p["number"], "name": name, "capacity": p["capacity"]} for name, p in life.people.items()]}
    vault.answers["/v1/collections"] = {"items": [{"collection": c, "name": COLLECTION[c], "bates_prefix": PREFIX[c]} for c in PREFIX]}
    record, wanted = "demo/DEMO000000031", 30
    filters = [([], lambda e: True, ()), (["--person", "Alice"], lambda e: e["who"] == "Alice", ("access",)),
               (["--party", "plaintiffs"], lambda e: "plaintiffs" in e["party"].split(", "), ("access",)),
               (["--denied"], lambda e: e["decision"] == "deny", ("access",)),
               (["--since", "2024-03-05T10:00:00Z", "--until", "2024-03-05T10:00:09Z"],
                lambda e: busy_life.ns("2024-03-05T10:00:00") <= e["time"] <= busy_life.ns("2024-03-05T10:00:09"), ()),
               (["--record", record, "--denied"], lambda e: e["decision"] == "deny" and "DEMO000000031" in e["asked"], ("access", "query")),
               (["--record", record], lambda e: e["collection"] == 1 and wanted in e["records"], ("disclosure",))]
    run("--party", "plaintiff", "--json", command="list", expect=USAGE)  # nobody is of it: not the same as nothing done
    for withheld in (False, True):
        log.get_keys = lambda first, end, withheld=withheld: dict(get_keys(first, end), boxes=[
            {box: key for box, key in keys.items() if not (withheld and WITHHELD[box](first + i))}
            for i, keys in enumerate(get_keys(first, end)["boxes"])])
        for options, keeps, boxes in filters:
            got = [json.loads(text) for text in run(*options, "--json", command="list").splitlines()]
            want = [line(e, withheld) for e in SAID if keeps(e) and not (withheld and any(WITHHELD[box](e["index"]) for box in boxes))]
            same(got, want, "audit list %s%s" % (" ".join(options), ", some withheld" if withheld else ""))
    log.get_keys = get_keys
    vault.answers["/v1/people"] = vault.answers["/v1/collections"] = {"items": []}


# -- forms ---------------------------------------------------------------------------------------------------

def forms(places):
    """A table for people and machines has the cells of the document, a spreadsheet's formulas are none."""
    for report in (["denials"], ["disclosures"], ["administration"], ["searches"], ["holdings"], ["anomalies"], ["person-history", "--person", "Alice"],
                   ["who-saw", "demo/DEMO000000003"], ["exceptions"]):
        where = [*report, *places[2]]
        rows = json.loads(run(*where, "--json"))["rows"]
        table = list(csv.reader(io.StringIO(run(*where, "--csv"), newline="")))
        same(sorted(table[0][1:]), sorted(rows[0]), " ".join(where) + ": the columns")
        cells = [["" if row[k] is None else str(row[k]) for k in table[0][1:]] for row in rows]
        same([row[1:] for row in table[1:len(rows) + 1]], cells, " ".join(where) + ": the cells")
        page, text = html.unescape(run(*where, "--html")).replace('<td class="whole">', "<td>"), run(*where)
        for i, row in enumerate(cells):
            same("<td>" + "</td><td>".join(row) + "</td>" in page, True, "%s: row %d of the page" % (" ".join(where), i))
            same(any(all(c in line_ for c in row) for line_ in text.splitlines()), True, "%s: row %d of the text" % (" ".join(where), i))


def withheld_boxes(places):
    """Without a key nothing is told of what it would open, but how many there are."""
    keys = os.path.join(places[2][1], "keys.jsonl")
    with open(keys) as f:
        lines = [json.loads(text) for text in f]
    with open(keys, "w") as f:
        for one in lines:
            f.write(json.dumps({k: x for k, x in one.items() if k not in WITHHELD or not WITHHELD[k](one["index"])}) + "\n")
    needs = {"denials": ("access",), "searches": ("access", "disclosure", "query"), "disclosures": ("access", "disclosure")}
    for report, boxes in needs.items():
        document = json.loads(run(report, *places[2], "--json"))
        same(document["withheld"], sum(any(WITHHELD[box](e["index"]) for box in boxes) for e in SAID) + (report == "searches"), report + ": withheld")
    document = json.loads(run("who-saw", "demo/DEMO000000001..DEMO000000200", *places[2], "--json"))
    names = {name: name for name in life.people}  # but whose act is withheld
    names.update({name: "person %d" % e["adds"] for e in SAID if "adds" in e and WITHHELD["access"](e["index"])
                  for name, p_ in life.people.items() if p_["number"] == e["adds"]})
    shown = [e for e in SAID if discloses(e) and e["collection"] == 1 and e["records"] and not WITHHELD["disclosure"](e["index"])]
    same([{"index": row["index"], "person": row["person"]} for row in document["rows"]],
         [{"index": e["index"], "person": "withheld" if WITHHELD["access"](e["index"]) else names[e["who"]]} for e in shown],
         "who saw, with some withheld")


def main():
    log = fake_log.Log(vault.path("log"), life.drafts)
    vault.pin(bytes(log.files.read("log.vkey")).decode().strip())
    vault.log = log
    vault.answers["/v1/people"] = vault.answers["/v1/collections"] = {"items": []}
    export, without = vault.path("export"), vault.path("without")
    for out in (export, without):
        subprocess.run([CLIENT, "audit", "export", "--out", out], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    os.remove(os.path.join(without, "acts"))
    run("denials", "--dir", without, expect=INCOMPLETE)  # every box is open, and the acts are not there
    with open(os.path.join(without, "keys.jsonl"), "rb") as f:
        keys = f.read().splitlines(True)
    keys[0] = re.sub(rb',"query":"[^"]*"', b"", keys[0])  # of the vault's making, which asked for nothing
    with open(os.path.join(without, "keys.jsonl"), "wb") as f:
        f.write(b"".join(keys))
    verified = subprocess.run([CLIENT, "audit", "verify", "--dir", export], capture_output=True,
                              env=dict(os.environ, UNDERSEAL_PROFILE=vault.profile))
    same(verified.returncode, DONE, "the life breaks no rule: %s" % verified.stdout.decode()[-400:])
    places = [[], ["--dir", export], ["--dir", without]]
    all_of_them(places)
    thresholds(places)
    notices(places)
    indexes(places)
    forms(places)
    lists(log)
    withheld_boxes(places)
    run("exceptions", "--dir", export, expect=UNVERIFIED)  # the acts of this life were signed by nobody
    for failure in failures[:40]:
        print(failure)
    print("%d failures" % len(failures))
    sys.exit(1 if failures else 0)


main()
