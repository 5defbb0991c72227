"""For each route, and each act at each of its routes: who is right for it, and a request that would succeed if they made it.

A request is made of things that are there for all to name (the running load, a copy, somebody to suspend ...), and the
refused leave them as they are. Where success is expected, and would use its thing up, it is given one of its own (fresh).
"""
from route_world import *

PURPOSE = "a%20purpose"
NO_TICKET = "A" * 114  # of the form of one, and of nothing


class Request:
    """One thing that can be asked. role: who is right for it; build(world, caller, fresh, connection) -> (body, headers) or
    (path, body, headers), or None if this caller has nothing to ask with; after(world, caller, answer): tidies up."""

    def __init__(self, route, variant, role, path, build=None, after=None):
        self.method, self.pattern = route.split(" ")
        self.route, self.variant, self.role = route, variant, role
        self.name = route + (" (%s)" % variant if variant else "")
        self.path, self.build, self.after = path, build, after

    def make(self, world, caller, fresh, connection):
        path = self.path(world) if callable(self.path) else self.path
        if self.build is None:
            return self.method, path, None, {}
        made = self.build(world, caller, fresh, connection)
        if made is None:
            return None
        return (self.method, path) + made if len(made) == 2 else (self.method,) + made


# -- acts ---------------------------------------------------------------------------------------------

def name_person(w, who, fresh):
    number = [i + 1 for i, c in enumerate(w.table["capacities"]) if c == "expert"][0]
    return s16("Guest %d" % w.fresh()) + bytes([number, 1]) + s16("plaintiffs")


def sign_somebody(w, who, fresh):
    _, docket, digest = w.person("Novice %d" % w.fresh()) if fresh else w.waiting
    return s16(docket) + digest


def suspend(w, who, fresh):
    if not fresh:
        return u32(w.victim) + s16("test")
    if w.yoyo_down:
        w.admin.do("person-reinstate", u32(w.yoyo) + s16("test"))
    w.yoyo_down = True
    return u32(w.yoyo) + s16("test")


def reinstate(w, who, fresh):
    if not fresh:
        return u32(w.down) + s16("test")
    if not w.yoyo_down:
        w.admin.do("person-suspend", u32(w.yoyo) + s16("test"))
    w.yoyo_down = False
    return u32(w.yoyo) + s16("test")


def end(w, who, fresh):
    return u32(w.person("Leaver %d" % w.fresh())[0] if fresh else w.victim) + s16("test")


def revoke(w, who, fresh):
    fingerprint = w.victim_caller.fingerprint
    if fresh:
        n = w.fresh()
        fingerprint = w.credential("lost-%d" % n, w.other, "Otto Other")[0].fingerprint
    return b"\1" + fingerprint + s16("test") + struct.pack(">q", 0)


def collection(w, who, fresh):
    return s16("c%d" % w.fresh()) + s16("C%dX" % w.number) + s16("CONFIDENTIAL")


def copy_records(w, who, fresh):
    return u32(1) + s16("Dr. Recipient") + s16("a purpose") + u32(1) + u64(3)


def copy_return(w, who, fresh):
    return u64(w.copy(w.attorney) if fresh else w.copied) + b"\1" + s16("")


def propose(w, who, fresh):
    if not fresh:
        return w.far_version
    payload, w.sources[w.versions + 1] = w.proposal(w.versions + 1)
    w.versions += 1
    return payload


def acknowledge(w, who, fresh):
    """Each signed version once. Whoever is refused has done none."""
    if fresh:
        who.acknowledged += 1
        while len(w.signed) < who.acknowledged:
            w.version()
    version = w.signed[who.acknowledged - 1 if fresh else 0]
    return u32(version) + w.sources[version] + NONE + s16("1 Main Street") + s16("New York") + NONE


def order_suspend(w, who, fresh):
    return u32(w.version() if fresh else w.signed[1]) + s16("ECF No. 4")


def clear(w, who, fresh):
    person = w.person("Expert %d" % w.fresh())[0] if fresh else w.victim
    return s16("expert") + u32(person) + w.bases


def thing(w, fresh):
    """A challenge that nothing has happened to."""
    return s16(w.challenge() if fresh else w.filed)


ACTS = {
    "person-add": ("admin", name_person),
    "docket-sign": ("attorney", sign_somebody),
    "person-suspend": ("admin", suspend),
    "person-reinstate": ("admin", reinstate),
    "person-end": ("admin", end),
    "credential-issue": ("admin", lambda w, who, fresh: u32(w.victim) + struct.pack(">H", 90) + s32(w.csr)),
    "credential-revoke": ("admin", revoke),
    "collection-create": ("admin", collection),
    "batch-release": ("producer", lambda w, who, fresh: u32(1) + u32(w.batch(hold=True) if fresh else w.held)),
    "batch-withdraw": ("producer", lambda w, who, fresh: u32(1) + u32(w.batch() if fresh else w.live) + s16("test")),
    "copy": ("attorney", copy_records),
    "copy-return": ("attorney", copy_return),
    "seal": ("admin", lambda w, who, fresh: s16("test")),
    "document-add": ("attorney", lambda w, who, fresh: w.document(who)[0]),
    "order-propose": ("attorney", propose),
    "order-suspend": ("auditor", order_suspend),
    "docket-object": ("producer", lambda w, who, fresh: thing(w, fresh) + w.grounds),
    "docket-resolve": ("auditor", lambda w, who, fresh: thing(w, fresh) + b"\1" + s16("ECF No. 5")),
    "docket-withdraw": ("attorney", lambda w, who, fresh: thing(w, fresh) + s16("test")),
    "docket-serve": ("admin", lambda w, who, fresh: thing(w, fresh) + s16("rivals") + struct.pack(">q", w.now_ns())),
    "acknowledge": ("attorney", acknowledge),
    "clearance": ("attorney", clear),
    "challenge": ("attorney", lambda w, who, fresh: selection(1, 2) + w.bases),
    "relabel": ("producer", lambda w, who, fresh: selection(1, 5) + s16("CONFIDENTIAL") + s16("test")),
    "clawback": ("producer", lambda w, who, fresh: selection(1, 18) + w.grounds + struct.pack(">q", w.now_ns())),
    "freeze": ("auditor", lambda w, who, fresh: bytes([3]) + u32(w.other) + s16("ECF No. 2")),
    "unfreeze": ("auditor", lambda w, who, fresh: u32(w.freeze() if fresh else w.freezing) + s16("ECF No. 6")),
    "approval-request": ("attorney", lambda w, who, fresh: bytes([3]) + u32(1) + s16("a purpose") + s16("") + u32(1) + u64(4)),
    "matter-set": ("auditor", lambda w, who, fresh: s16("open") + s16("ECF No. 7")),
    # the vault's own: nobody's to bring, whoever they are
    "init": ("admin", lambda w, who, fresh: s32(b"") * 3),
    "batch-close": ("producer", lambda w, who, fresh: u32(1) + u32(900)),
    "batch-void": ("producer", lambda w, who, fresh: u32(1) + u32(900) + u64(0) + u32(0) + s16("test")),
    "dictionary": ("producer", lambda w, who, fresh: u32(1) + u32(9) + u32(900) + NONE),
    "copy-digest": ("attorney", lambda w, who, fresh: u64(w.copied) + NONE),
}


ACT_ROUTES = {
    "POST v1/acts": tuple(ACTS),  # the vault's own, too, which it must not take
    "POST v1/people": ("person-add", "person-suspend", "person-reinstate", "person-end"),
    "POST v1/credentials": ("credential-issue", "credential-revoke"),
    "POST v1/collections": ("collection-create",),
    "POST v1/docket": ("docket-sign", "docket-object", "docket-resolve", "docket-withdraw", "docket-serve"),
    "POST v1/copies": ("copy", "copy-return"),
    "POST v1/batches": ("batch-release", "batch-withdraw"),
    "POST v1/seal": ("seal",),
    "POST v1/documents": ("document-add",),
    "POST v1/orders": ("order-propose", "order-suspend"),
    "POST v1/acknowledgements": ("acknowledge",),
    "POST v1/clearances": ("clearance",),
    "POST v1/challenges": ("challenge",),
    "POST v1/designations": ("relabel",),
    "POST v1/clawbacks": ("clawback",),
    "POST v1/freezes": ("freeze", "unfreeze"),
    "POST v1/approvals": ("approval-request",),
    "POST v1/matter": ("matter-set",),
}


def act(*kinds):
    """The requests of these acts, at every route that takes them."""
    return ["%s (%s)" % (route, k) for route, there in ACT_ROUTES.items() for k in there if k in kinds]


def lift(w, who, text):
    w.auditor.do("unfreeze", u32(json.loads(text)["number"]) + s16("ECF No. 3"))


def act_request(route, kind):
    role, payload = ACTS[kind]

    def build(w, who, fresh, connection):
        return who.act(kind, payload(w, who, fresh)), OCTETS

    return Request(route, kind, role, "/" + route.split(" ")[1], build, lift if kind == "freeze" else None)


# -- loads --------------------------------------------------------------------------------------------

def running(path):
    return lambda w: path % w.running.id


def end_load(path):
    def build(w, who, fresh, connection):
        return path % ((w.spare.pop() if w.spare else w.open(who)).id if fresh else w.running.id), None, {}
    return build


def drop_load(w, who, text):
    who.ask("DELETE", "/v1/loads/%d" % json.loads(text)["load"])


def renew(w, who, text):
    answer = json.loads(text)
    w.running.ticket, w.running.expires = answer["ticket"], answer["ticket_expires"]


def forged(ticket):
    middle = len(ticket) // 2
    return ticket[:middle] + ("A" if ticket[middle] != "A" else "B") + ticket[middle + 1:]


def part_of(load, ticket):
    """A part, as it comes next in that load; the word in its records says whether it should get in."""
    def build(w, who, fresh, connection):
        into = load(w, who)
        if into is None:
            return None
        w.last = into, OWN if fresh else OTHERS
        return w.part(into, w.last[1], 1, ticket(w, who))
    return build


def part_taken(w, who, text):
    load, word = w.last
    w.taken(load)
    load.own += word == OWN


def the_running(w, who):
    return w.running


PART = "POST v1/loads/*/parts/*"
UNTICKETED = "without a ticket"
PARTS = {
    "with the load's ticket": part_of(the_running, lambda w, who: w.running.ticket or NO_TICKET),
    UNTICKETED: part_of(the_running, lambda w, who: None),
    "with a ticket that was changed": part_of(the_running, lambda w, who: forged(w.running.ticket or NO_TICKET)),
    "with the ticket of another load": part_of(the_running, lambda w, who: w.second.ticket or NO_TICKET),
    "of a load of one's own, with its ticket": part_of(lambda w, who: who.own, lambda w, who: who.own.ticket or NO_TICKET),
}


# -- sessions, shares, witnesses ------------------------------------------------------------------------

def own_statement(w, who, fresh, connection):
    return who.statement(connection), JSON


def others_statement(w, who, fresh, connection):
    other = w.attorney if who is not w.attorney else w.admin
    return other.statement(connection), JSON


def a_share(w, who, fresh, connection):
    return json.dumps({"share": b64(w.share(w.unseal_key))}), JSON


def a_cosignature(w, who, fresh, connection):
    if fresh:
        w.note = w.cosigned(w.admin.ask("GET", "/v1/log/checkpoint")[1])
    return w.note, OCTETS


def a_json(value):
    return lambda w, who, fresh, connection: (json.dumps(value), JSON)


# -- all of them ----------------------------------------------------------------------------------------

BATES = "DEMO000000004"
SIMPLE = {
    "GET v1/collections/*/records/*": ("attorney", "/v1/collections/demo/records/%s?purpose=%s" % (BATES, PURPOSE)),
    "POST v1/collections/*/search": ("attorney", "/v1/collections/demo/search", a_json({"query": "harbour", "purpose": "p"})),
    "POST v1/collections/*/read": ("attorney", "/v1/collections/demo/read", a_json({"bates": [BATES], "purpose": "p"})),
    "GET v1/status": ("attorney", "/v1/status"),
    "GET v1/session": ("attorney", "/v1/session"),
    "POST v1/session": ("attorney", "/v1/session", own_statement),
    "POST v1/unseal": ("admin", "/v1/unseal", a_share),
    "GET v1/people": ("attorney", "/v1/people"),
    "GET v1/people/*": ("attorney", "/v1/people/Victor%20Victim"),
    "GET v1/credentials": ("attorney", "/v1/credentials"),
    "GET v1/collections": ("attorney", "/v1/collections"),
    "GET v1/collections/*": ("attorney", "/v1/collections/demo"),
    "GET v1/collections/*/batches": ("producer", "/v1/collections/demo/batches"),
    "GET v1/collections/*/batches/*": ("producer", "/v1/collections/demo/batches/0"),
    "GET v1/docket": ("attorney", "/v1/docket"),
    "GET v1/docket/*": ("attorney", lambda w: "/v1/docket/" + w.filed),
    "GET v1/copies": ("attorney", "/v1/copies"),
    "GET v1/copies/*": ("attorney", lambda w: "/v1/copies/%d" % w.copied),
    "GET v1/order": ("attorney", "/v1/order"),
    "GET v1/orders": ("attorney", "/v1/orders"),
    "GET v1/orders/*": ("attorney", "/v1/orders/1"),
    "GET v1/filings": ("attorney", "/v1/filings"),
    "GET v1/filings/*": ("attorney", lambda w: "/v1/filings/" + w.filed),
    "GET v1/acknowledgements": ("attorney", "/v1/acknowledgements"),
    "GET v1/documents": ("attorney", "/v1/documents"),
    "GET v1/designations": ("attorney", "/v1/designations"),
    "GET v1/orders/*/diff/*": ("auditor", "/v1/orders/1/diff/2"),
    "GET v1/order/explain": ("attorney", "/v1/order/explain?person=Victor%20Victim&action=read"),
    "GET v1/order/who": ("attorney", "/v1/order/who?action=read&collection=demo&bates=" + BATES),
    "GET v1/clawbacks/*/report": ("producer", lambda w: "/v1/clawbacks/%d/report" % w.clawed),
    "GET v1/documents/*": ("attorney", lambda w: "/v1/documents/" + w.basis.hex()),
    "GET v1/log/acts": ("auditor", "/v1/log/acts"),
    "POST v1/collections/*/loads": ("producer", "/v1/collections/demo/loads", a_json({}), drop_load),
    "POST v1/loads/*/finish": ("producer", None, end_load("/v1/loads/%d/finish")),
    "DELETE v1/loads/*": ("producer", None, end_load("/v1/loads/%d")),
    "GET v1/loads/*": ("producer", running("/v1/loads/%d")),
    "POST v1/loads/*/ticket": ("producer", running("/v1/loads/%d/ticket"), None, renew),
    "GET v1/log/checkpoint": ("attorney", "/v1/log/checkpoint"),
    "GET v1/log/checkpoint.witnessed": ("attorney", "/v1/log/checkpoint.witnessed"),
    "GET v1/log/checkpoint.witnessed/*": ("attorney", "/v1/log/checkpoint.witnessed/1"),
    "POST v1/log/cosignature": ("attorney", "/v1/log/cosignature", a_cosignature),
    "GET v1/log/vkey": ("attorney", "/v1/log/vkey"),
    "GET v1/log/handovers": ("attorney", "/v1/log/handovers"),
    "GET v1/log/entry-proof/*": ("attorney", lambda w: "/v1/log/entry-proof/%d" % w.state_entry),
    "GET v1/log/consistency/*/*": ("attorney", "/v1/log/consistency/1/2"),
    "GET v1/log/tile/**": ("attorney", "/v1/log/tile/entries/000.p/2"),
    "GET v1/log/keys": ("auditor", "/v1/log/keys?from=0&to=4"),
}


def all_requests(table):
    """(requests, routes and acts that nobody has thought of, requests that are of no route)."""
    found, unknown, there = [], [], set()
    for r in table["routes"]:
        route = "%s %s" % (r["method"], r["pattern"])
        there.add(route)
        # at the route of all acts every number that is one is tried
        kinds = list(table["acts"]) if route == "POST v1/acts" else r["acts"]
        there |= {(route, k) for k in kinds}
        unknown += ["%s (%s)" % (route, k) for k in kinds if k not in ACT_ROUTES.get(route, ())]
        found += [act_request(route, k) for k in kinds if k in ACT_ROUTES.get(route, ())]
        if route == PART:
            found += [Request(PART, v, "producer", None, b, part_taken) for v, b in PARTS.items()]
        elif route in SIMPLE:
            found.append(Request(route, "", *SIMPLE[route]))
        elif not kinds:
            unknown.append(route)
        if route == "POST v1/session":
            found.append(Request(route, "another's statement", "attorney", "/v1/session", others_statement))
    stale = [r for r in list(SIMPLE) + [PART] if r not in there]
    stale += ["%s (%s)" % (r, k) for r, kinds in ACT_ROUTES.items() for k in kinds if (r, k) not in there]
    # a session that is opened makes the rest of its state another one; what is refused by its head alone ends the connection
    last = ("POST v1/session", "%s (%s)" % (PART, UNTICKETED))
    return sorted(found, key=lambda q: last.index(q.name) if q.name in last else -1), unknown, stale
