#!/usr/bin/env python3
"""Goal: nobody gets through a door that is not theirs.

Every route of the daemon's own table, and each act at each of its routes, is driven as nobody, as somebody not yet,
no longer or not now allowed in, as the wrong person, in every capacity, frozen and sealed; each over a new connection
and over one that was open before things changed. What succeeds must be exactly what route_allowed.py lists, with its
reason. Routes, kinds of requests, lists, questions, acts, capacities and states come from the daemon's tables: a new
one fails here until it is listed.

And nobody but the producer puts a record into its running load, though all know its id, and have its ticket.
"""
import os

os.environ.setdefault("UNDERSEAL_TEST_DAEMON", "undersealed-hooks")  # a clock that is moved
from route_allowed import *

# -- how it is driven ---------------------------------------------------------------------------------

class Tally:
    """What was driven, and what was found wrong."""

    def __init__(self, world):
        self.world, self.findings, self.driven = world, [], 0
        self.requests, unknown, stale = all_requests(world.table)
        self.findings += ["nobody has thought of " + u for u in unknown]
        self.findings += ["there is no such route or act any more: " + s for s in stale]
        self.answers = {}  # (request, state) -> {connection: status}

    def found(self, text):
        self.findings.append(text)
        print("  FOUND: " + text, flush=True)

    def judge(self, q, state, which, status, text):
        self.driven += 1
        self.answers.setdefault((q.name, state), {})[which] = status
        ok = status // 100 == 2
        where = "%s, %s, over %s connection: %d %s" % (q.name, state, which, status, text[:300])
        listed = which in ALLOWED.get((q.name, state), ())
        if ok and not listed:
            self.found("SUCCEEDS, and is not listed: " + where)
        elif not ok and listed:
            self.found("listed, and does not succeed: " + where)
        elif not ok:
            self.judge_refusal(q, state.split(",")[0], which, status, where)
        return ok

    def judge_refusal(self, q, state, which, status, where):
        if status >= 500 and state not in SEALED:
            self.found("not refused, but failed: " + where)
        elif state in ["expired", "sealed and revoked"] + BARRED and which == NEW:
            if status != 0:
                self.found("a certificate that has expired or ended is answered: " + where)
        elif state in STANDING and status not in (401, 403) + REFUSED_AS.get(q.name, ()):
            self.found("refused for another reason than who asks: " + where)


class Driver:
    """Drives every request in a state: by the caller who would be right for it, parts of loads by everybody."""

    def __init__(self, world, tally):
        self.world, self.tally = world, tally

    def one(self, q, state, who, which, connection):
        fresh = which in ALLOWED.get((q.name, state), ())
        if fresh and q.variant == "seal":
            return  # apart: it ends every other connection
        made = q.make(self.world, who, fresh, connection)
        if made is None:
            return
        status, text = connection.ask(*made)
        if self.tally.judge(q, state, which, status, text) and q.after:
            q.after(self.world, who, text)

    def drive(self, state, callers, opened, each_anew=False):
        """callers: by role. opened: their connections from before; each_anew: a new connection for each request."""
        new = {who: who.connect() for who in set(callers.values())}
        for q in self.tally.requests:
            roles = sorted(callers) if q.route == PART and len(set(callers.values())) > 1 else [q.role]
            for role in roles:
                who, label = callers[role], state if role == q.role else "%s, as the %s" % (state, role)
                if who in opened:
                    self.one(q, label, who, OPEN, opened[who])
                if each_anew:
                    new[who] = who.connect()
                self.one(q, label, who, NEW, new[who])
                if each_anew:
                    new[who].close()
        for who, c in opened.items():
            if state not in CUT and c.answers == 0:
                self.tally.found("nothing was answered over the connection that %s had open: %s" % (who.name, state))
        for c in list(new.values()) + list(opened.values()):
            c.close()

    def seal(self, state, who):
        """Each seal ends every connection; an open one is here one that is older than its session."""
        w = self.world
        for q in self.tally.requests:
            if q.variant != "seal" or (q.name, state) not in ALLOWED:
                continue
            for which in (OPEN, NEW):
                c = who.connect()
                if which == OPEN:
                    c.ask("GET", "/v1/status")
                who.session()
                if which == NEW:
                    c.close()
                    c = who.connect()
                status, text = c.ask(*q.make(w, who, True, c))
                if self.tally.judge(q, state, which, status, text):
                    w.wait_state("sealed")
                    w.unseal()
                c.close()


class Running:
    """A load of the producer's that runs while others try to get into it: nothing of theirs may."""

    def __init__(self, world, tally, state):
        self.world, self.tally, self.state = world, tally, state

    def __enter__(self):
        w = self.world
        w.running, w.second = w.open(w.producer), w.open(w.producer)
        w.spare = [w.open(w.producer) for _ in range(4)] if self.state in ENDS_LOADS else []
        w.own_part(w.producer, w.running)

    def __exit__(self, kind, value, trace):
        w = self.world
        if kind is not None:
            return
        for spare in [w.second] + w.spare:
            w.producer.ask("DELETE", "/v1/loads/%d" % spare.id)
        w.spare = []
        if self.state in ENDS_LOADS:
            w.perhaps += w.running.own  # if its batch was closed before that
            return
        if w.running.ticket is not None:
            status, text = w.producer.ask("POST", "/v1/loads/%d/ticket" % w.running.id)
            equal(status, 200, "the producer's ticket is renewed (%s)" % text[:200])
            renew(w, w.producer, text)
        before = w.running.own
        status, text = w.send(w.producer, w.running, OWN)
        r = w.finish(w.producer, w.running) if status == 200 else None
        if not isinstance(r, dict):
            self.tally.found("%s: the producer's load was ended by somebody: %d %s" % (self.state, status, text[:200]))
            w.perhaps += before
        elif r["admitted"] != w.running.own:
            self.tally.found("%s: the producer's load admitted %d records, and %d are its own" %
                             (self.state, r["admitted"], w.running.own))
        if isinstance(r, dict):
            w.admitted += w.running.own


# -- states -------------------------------------------------------------------------------------------

NOT_IN = ("pending person", "pending credential")
# further credentials of those who are right otherwise
EXTRA = ("revoked", "expired", "session ran out", "session of another credential")
# credential or person may not act, or there is no session: what is refused must be refused for that
STANDING = NOT_IN + FALLEN + EXTRA
CUT = ("sealed",)  # what was open has been cut
SEALED = ("sealed", "sealed and revoked")
ENDS_LOADS = ("frozen", "sealed")
# acts of the vault are in nobody's name; and it takes no share while it is open
REFUSED_AS = dict({q: (400,) for q in act("init", "batch-close", "batch-void", "dictionary", "copy-digest")},
                  **{"POST v1/unseal": (409,)})
ALL = ("plaintiffs", "defendant", "court")  # parties: so that their capacity alone decides
CAPACITIES = dict({c.split(" ")[1]: ALL for c in OF_A_PARTY}, administrator=(), keyholder=())
PERSON_STATES = {"pending": "pending person", "active": "right", "suspended": "suspended", "ended": "ended"}
CREDENTIAL_STATES = {"pending": "pending credential", "live": "right", "revoked": "revoked"}


def tables(w, tally):
    """What the daemon's tables hold is what this test knows."""
    for r in w.table["requests"]:
        if NEEDS.get(r["message"]) != r["needs"]:
            tally.found("%s needs %s, and is listed with %s" % (r["message"], r["needs"], NEEDS.get(r["message"])))
    for name in set(NEEDS) - {r["message"] for r in w.table["requests"]}:
        tally.found("there is no such kind of request any more: " + name)
    driven = {(r["method"] + " " + r["pattern"]): r for r in w.table["routes"]}
    for what, kinds in (("list_request", w.table["lists"]), ("question_request", w.table["questions"])):
        there = {r["detail"] for r in driven.values() if r["message"] == what}
        for name, number in kinds.items():
            if number not in there:
                tally.found("%s %s has no route" % (what, name))
    for name in {r["message"] for r in w.table["requests"]} - {r["message"] for r in driven.values()}:
        tally.found("request %s has no route" % name)
    for what in {n for n in w.table["needs"]} ^ set(NEEDS.values()):
        tally.found("%s is needed by nothing, or is no authorisation" % what)
    for what, known in (("person_states", PERSON_STATES), ("credential_states", CREDENTIAL_STATES),
                        ("capacities", CAPACITIES)):
        if set(w.table[what]) != set(known):
            tally.found("%s: %s, and known are %s" % (what, sorted(w.table[what]), sorted(known)))


def people(w):
    """Everybody who is refused because of what they are, while they still are not."""
    w.callers = {s: {} for s in STANDING}
    for role, (_, kind, parties) in ROLES.items():
        right = w.right[role]
        for state in FALLEN:
            name = name_of(role, state)
            if role == "admin":
                person = w.person(name, kind, parties)[0]
                w.callers[state][role], docket, digest = w.credential(role + state, person, name)
                w.sign(docket, digest, w.attorney)
            else:
                w.callers[state][role] = w.known("%s %s" % (role, state), name)
        signer = w.attorney if role == "admin" else w.callers["suspended"][role]
        for state in EXTRA:
            w.callers[state][role], docket, digest = w.credential(
                role + state.replace(" ", "-"), right.person, right.name, 1 if state == "expired" else 90)
            w.sign(docket, digest, signer)
        name = name_of(role, "pending person")
        w.callers["pending person"][role] = w.credential(
            role + "-pending", w.person(name, kind, parties)[0], name)[0]
        # not by themselves: what an administrator issues to themselves waits for nobody
        w.callers["pending credential"][role] = w.credential(
            role + "-second", right.person, right.name, issuer=w.callers["suspended"]["admin"])[0]


def opened(callers, session=True, load=None):
    """A connection each, with a live session that has been used; the producer with a load of its own."""
    lines = {}
    for role, who in callers.items():
        c = lines[who] = who.connect()
        if session:
            equal(who.session(c) // 100, 2, "a session for " + who.name)
            equal(c.ask("GET", "/v1/people")[0], 200, "%s is let in" % who.name)
        if load is not None and role in ("producer", "rival producer"):
            who.own = load.open(who)
    return lines


def standing(w, driver, tally):
    for state in NOT_IN:
        with Running(w, tally, state):
            driver.drive(state, w.callers[state], opened(w.callers[state], session=False))
    changes = {"suspended": lambda c: w.admin.do("person-suspend", u32(c.person) + s16("test")),
               "ended": lambda c: w.admin.do("person-end", u32(c.person) + s16("test")),
               "revoked": lambda c: w.admin.do("credential-revoke",
                                               b"\1" + c.fingerprint + s16("test") + struct.pack(">q", 0))}
    for state, change in changes.items():
        step(state)
        callers = w.callers[state]
        with Running(w, tally, state):
            lines = opened(callers, load=w)
            for c in callers.values():
                change(c)
            driver.drive(state, callers, lines)


def sessions(w, driver, tally):
    state = "session of another credential"
    for c in w.right.values():
        equal(c.session() // 100, 2, "a session")
    with Running(w, tally, state):
        driver.drive(state, w.callers[state], opened(w.callers[state], session=False))
    state = "session ran out"
    with Running(w, tally, state):
        lines = opened(w.callers[state], load=w)
        tickets = [lasts(w, load) for load in (w.running, w.callers[state]["producer"].own)]
        w.move_clock(max(tickets + [SESSION_SECONDS]) + 1)
        driver.drive(state, w.callers[state], lines)


def lasts(w, load):
    """Seconds until its ticket ends."""
    if load.expires is None:
        return 0
    end = datetime.datetime.fromisoformat(load.expires.replace("Z", "+00:00"))
    return max(0, int(end.timestamp() - w.now_ns() / 10**9) + 1)


def person_of(w, kind, name):
    """Somebody of a capacity: (caller, function that signs them in)."""
    parties = CAPACITIES[kind]
    person = w.person(name, kind, parties)[0]
    who, docket, digest = w.credential(name.replace(" ", "-").lower(), person, name)
    signers = [w.attorney, w.producer, w.auditor] if parties else [w.attorney]
    return who, lambda: w.sign(docket, digest, *signers)


def capacities(w, driver, tally):
    for name in CAPACITIES:
        state = "capacity " + name
        who, sign_in = person_of(w, name, "Casey " + name)
        line = who.connect()
        line.ask("GET", "/v1/status")
        sign_in()
        equal(who.session() // 100, 2, "a session for " + who.name)
        with Running(w, tally, state):
            driver.drive(state, {r: who for r in ROLES}, {who: line})


def sealing(w, driver):
    """First of all, while there is little to be read again at each unsealing."""
    driver.seal("right", w.admin)
    for name in CAPACITIES:
        state = "capacity " + name
        if any((q, state) in ALLOWED for q in act("seal")):
            who, sign_in = person_of(w, name, "Sealing " + name)
            sign_in()
            driver.seal(state, who)
    number = w.auditor.do("freeze", b"\1" + s16("ECF No. 10"))["number"]
    driver.seal("frozen", w.admin)
    w.auditor.do("unfreeze", u32(number) + s16("ECF No. 11"))


def rivals(w, driver, tally):
    for state, who in w.rivals.items():
        line = who.connect()
        line.ask("GET", "/v1/status")
        equal(who.session() // 100, 2, "a session")
        with Running(w, tally, state):
            who.own = None
            driver.drive(state, {r: who for r in ROLES}, {who: line})
        # what is somebody else's is as what is not there: a copy, a challenge, a batch that is held
        for path in ("/v1/copies/%d" % w.copied, "/v1/docket/" + w.filed, "/v1/filings/" + w.filed,
                     "/v1/collections/demo/batches/%d" % w.held):
            status, text = who.ask("GET", path)
            if status not in (403, 404):
                tally.found("%s is shown to the %s: %s" % (path, state, text[:300]))


def right(w, driver, tally):
    lines = {}
    for who in w.right.values():
        lines[who] = who.connect()
        lines[who].ask("GET", "/v1/status")
        equal(who.session() // 100, 2, "a session")
    with Running(w, tally, "right"):
        w.producer.own = w.running
        driver.drive("right", w.right, lines)


class Stranger(Caller):
    """Knows everything that somebody else knows, but their key: shows no certificate, or one of another CA."""

    def __init__(self, world, of, certificate=None):
        self.__dict__.update(of.__dict__)
        self.context = tls_context(world.vault, certificate)
        self.own = None


def foreign(w):
    """A certificate as the vault's would look, by a CA of our own."""
    d = os.path.join(w.vault.base, "foreign")
    os.mkdir(d)
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    with open(d + "/ext", "w") as f:
        f.write("extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    for argv in (new + ["-x509", "-keyout", d + "/ca.key", "-out", d + "/ca.pem", "-subj", "/CN=Underseal vault"],
                 new + ["-keyout", d + "/key.pem", "-out", d + "/request.pem", "-subj", "/CN=" + w.producer.name],
                 ["openssl", "x509", "-req", "-in", d + "/request.pem", "-CA", d + "/ca.pem", "-CAkey", d + "/ca.key",
                  "-CAcreateserial", "-out", d + "/certificate.pem", "-extfile", d + "/ext", "-days", "10"]):
        r = run(argv)
        check(r.returncode == 0, "openssl", r.stderr)
    return d


def strangers(w, driver, tally):
    for state, certificate in (("no certificate", None), ("a foreign certificate", foreign(w))):
        callers = {r: Stranger(w, c, certificate) for r, c in w.right.items()}
        with Running(w, tally, state):
            driver.drive(state, callers, {}, each_anew=True)


def expired(w, driver, tally):
    callers = w.callers["expired"]
    with Running(w, tally, "expired"):
        lines = opened(callers, load=w)
        w.move_clock(DAY + 60)
        driver.drive("expired", callers, lines)


def frozen(w, driver, tally):
    with Running(w, tally, "frozen"):
        callers = dict(w.right, **w.rivals)
        lines = opened(callers, load=w)
        number = w.auditor.do("freeze", b"\1" + s16("ECF No. 8"))["number"]
        driver.drive("frozen", callers, lines)
        w.auditor.do("unfreeze", u32(number) + s16("ECF No. 9"))


def sealed(w, driver, tally):
    with Running(w, tally, "sealed"):
        lines = opened(w.right, load=w)
        w.admin.do("seal", s16("test"))
        w.wait_state("sealed")
        w.unseal_key = base64.b64decode(json.loads(w.admin.ask("GET", "/v1/status")[1])["unseal_key"])
        driver.drive("sealed", w.right, lines)
        driver.drive("sealed and revoked", w.callers["revoked"], {})
        w.unseal()


def what_got_in(w, tally):
    """No record that somebody else brought, and as many as their producer was told."""
    step("what got in")
    status, text = w.attorney.ask("POST", "/v1/collections/demo/search",
                                  json.dumps({"query": OTHERS, "count": True, "purpose": "test"}), JSON)
    equal(status, 200, "a count")
    strange = json.loads(text)["total"]
    batches = w.producer.get("/v1/collections/demo/batches?limit=1000")["items"]
    total = sum(b["records"] for b in batches if b["status"] != "void")
    step("  %d records; the producer was told of %d, and %d were in loads that were ended; %d are somebody else's" %
         (total, w.admitted, w.perhaps, strange))
    if strange != 0 or not w.admitted <= total <= w.admitted + w.perhaps:
        tally.found("records got in that are not their producer's")


def scenario():
    w = World(8475)
    tally = Tally(w)
    driver = Driver(w, tally)
    tables(w, tally)
    step("sealing, by whoever may")
    sealing(w, driver)
    people(w)
    step("as whoever is right")
    right(w, driver, tally)
    step("as somebody who waits for signatures, was suspended, has ended, was revoked")
    standing(w, driver, tally)
    step("without a session")
    sessions(w, driver, tally)
    step("as the wrong person")
    rivals(w, driver, tally)
    step("in every capacity")
    capacities(w, driver, tally)
    step("as nobody")
    strangers(w, driver, tally)
    step("with a certificate that expires")
    expired(w, driver, tally)
    step("frozen")
    frozen(w, driver, tally)
    step("sealed")
    sealed(w, driver, tally)

    what_got_in(w, tally)
    step("%d pairs of request and state, %d requests" % (len(tally.answers), tally.driven))
    for key in sorted(set(ALLOWED) - set(tally.answers)):
        tally.found("listed, and was not driven: %s, %s" % key)
    states = {s for _, s in tally.answers}
    for state in set(STANDING + SEALED + tuple(PERSON_STATES.values()) + tuple(CREDENTIAL_STATES.values()) +
                     tuple(capacity(*CAPACITIES))) - states:
        tally.found("was not driven: " + state)
    w.vault.stop()
    check(not tally.findings, "%d findings" % len(tally.findings), *tally.findings)


main(scenario)
