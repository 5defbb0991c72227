"""What the test of every route stands on: a vault with people of every kind, and things that requests are about."""
from route_callers import *

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "independent"))
import witness as independent  # noqa: E402

TOOLS = os.environ.get("UNDERSEAL_TEST_TOOLS", os.path.join(BUILD, "tests"))
TABLE = os.path.join(TOOLS, "route_table")
CLOCK = os.path.join(TOOLS, "shifted_clock.so")
DAY = 86400
OWN, OTHERS = "ownrecord", "strangerecord"  # words: of what the producer loads, and of what anybody else brings

ORDER = """
order: {title: "Every route", docket: "No. 1 (test)", version: %d}
default: {paragraph: "1"}
parties:
  - id: plaintiffs
    name: "Plaintiffs"
    roster_signers:
%s
  - id: defendant
    name: "Defendant"
    roster_signers:
%s
  - id: court
    name: "Court"
    roster_signers:
%s
  - id: rivals
    name: "Other parties"
    roster_signers:
      - {person: "Rita Rival", capacity: outside-counsel}
      - {person: "Ralf Rival", capacity: producer}
designations: ["ATTORNEYS' EYES ONLY", CONFIDENTIAL]
matter: [open, closed]
clearances:
  - {id: expert, paragraph: "2", serve: defendant, days: 14, confirm: court}
workflows:
  acknowledgement: {paragraph: "3", carries_over: true}
  amend: court
  suspend: court
  freeze: [court, defendant]
  lift: court
  clawback_visible: [court, special-master]
  resolve: court
rules:
  - id: review
    paragraph: "4"
    effect: permit
    who: {party: [plaintiffs, rivals], capacity: outside-counsel}
    what: all
    actions: [count, search, read, copy]
    conditions: {purpose: required}
  - id: counsel
    paragraph: "5"
    effect: permit
    who: {party: [plaintiffs, rivals], capacity: outside-counsel}
    actions: [copy-list, copy-return, challenge, clearance]
  - id: experts
    paragraph: "6"
    effect: permit
    who: {party: plaintiffs, capacity: expert}
    what: all
    actions: [search, read]
  - id: production
    paragraph: "7"
    effect: permit
    who: {party: [defendant, rivals], capacity: producer}
    actions: [load, batch-list, batch-hold, batch-release, batch-withdraw, relabel, clawback, clawback-report]
  - id: audit
    paragraph: "8"
    effect: permit
    who: {party: court, capacity: auditor}
    actions: [audit, clawback-report]
    boxes: all
"""

# who is right for something: each has a person who may, and persons who might if they were not what they are
ROLES = {"admin": ("Adam", "administrator", ()), "attorney": ("Alice", "outside-counsel", ("plaintiffs",)),
         "producer": ("Peter", "producer", ("defendant",)), "auditor": ("Ada", "auditor", ("court",))}
FALLEN = ("suspended", "ended")  # signers from the first hour, until that happens to them
WITNESS, SEED = "witness.example/routes", b"\7" * 32


def name_of(role, state="right"):
    return "%s %s" % (ROLES[role][0], "Administrator" if (role, state) == ("admin", "right") else state.replace(" ", "-"))


def order_text(version):
    def signers(role):
        states = ("right", "pending person") + FALLEN
        return "\n".join('      - {person: "%s", capacity: %s}' % (name_of(role, s), ROLES[role][1]) for s in states)
    return ORDER % (version, signers("attorney"), signers("producer"), signers("auditor"))


class Load:
    """A load that runs: its id, its ticket if it has one, and the number of the part that comes next."""

    def __init__(self, text):
        answer = json.loads(text)
        self.id, self.ticket, self.expires = answer["load"], answer.get("ticket"), answer.get("ticket_expires")
        self.next, self.line, self.own = 0, 1, 0


class World:
    """The vault and everybody in it."""

    def __init__(self, port):
        self.number = 0  # of things made
        self.shift = 0
        vault = Vault(port)
        vault.PEOPLE = {"attorney": name_of("attorney"), "producer": name_of("producer"), "auditor": name_of("auditor"),
                        "rival counsel": "Rita Rival", "rival producer": "Ralf Rival"}
        for role in ("attorney", "producer", "auditor"):
            for state in FALLEN:
                vault.PEOPLE["%s %s" % (role, state)] = name_of(role, state)
        vault.ADMIN = name_of("admin")
        vault.order = self.order_file(1, vault.base)
        vault.settings = "witnesses=%s\n" % independent.vkey(WITNESS, 4, independent.public(SEED))
        self.vault = vault
        # where every role's user may go, which is not so of the vault's own directory
        self.clock = tempfile.mkdtemp(prefix="us-clock-", dir="/tmp")
        os.chmod(self.clock, 0o755)
        atexit.register(shutil.rmtree, self.clock, True)
        self.move_clock(0)
        vault.env.update(LD_PRELOAD=os.path.join(self.clock, "shifted_clock.so"),
                         SHIFTED_CLOCK=os.path.join(self.clock, "shift"),
                         ASAN_OPTIONS=vault.env["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
        shutil.copy(CLOCK, self.clock)
        vault.init()
        self.hand_over()
        vault.serve()
        vault.client("admin", "unseal", vault.share(1), code=OTHER)  # it learns of the hand-over first
        vault.unseal()
        self.table = json.loads(subprocess.check_output([TABLE]))
        self.acts = self.table["acts"]
        self.fill()

    # -- time, order ----------------------------------------------------------------------------------

    def move_clock(self, seconds):
        self.shift += seconds
        path = os.path.join(self.clock, "shift")
        with open(path, "r+b" if os.path.exists(path) else "wb") as f:
            f.write(struct.pack("=q", self.shift))

    def now_ns(self):
        return time.time_ns() + self.shift * 10**9

    def order_file(self, version, base=None):
        path = os.path.join(base or self.vault.base, "order-%d.yaml" % version)
        with open(path, "w") as f:
            f.write(order_text(version))
        return path

    def hand_over(self):
        """So that there is something at /v1/log/handovers."""
        r = run([DAEMON, "handover", "--data", self.vault.data, "--reason", "move", "--json"], env=self.vault.env)
        check(r.returncode == 0, "the log is handed over", r.stderr)

    def proposal(self, version):
        path = self.order_file(version)
        with open(path, "rb") as f:
            source = f.read()
        return (s32(source) + s32(subprocess.check_output([TABLE, "compile", path])) + NONE + s16("ECF No. 1") +
                struct.pack(">q", 0)), hashlib.sha256(source).digest()

    def version(self):
        """One more version of the order, signed and in force."""
        payload, digest = self.proposal(self.versions + 1)
        r = self.attorney.do("order-propose", payload)
        self.auditor.do("docket-sign", s16(r["docket"]) + bytes.fromhex(r["digest"]))
        self.versions += 1
        self.sources[self.versions] = digest
        self.signed.append(self.versions)
        return self.versions

    # -- people ---------------------------------------------------------------------------------------

    def fresh(self):
        self.number += 1
        return self.number

    def person(self, name, capacity="expert", parties=("plaintiffs",)):
        """Enters a person: (id, docket, digest)."""
        number = [i + 1 for i, c in enumerate(self.table["capacities"]) if c == capacity][0]
        payload = s16(name) + bytes([number, len(parties)]) + b"".join(s16(p) for p in sorted(parties))
        r = self.admin.do("person-add", payload)
        return r["person"], r["docket"], bytes.fromhex(r["digest"])

    def request(self, name, who):
        with open(self.vault.request(name, who)) as f:
            return base64.b64decode("".join(line for line in f.read().split("\n") if not line.startswith("-")))

    def credential(self, who, person, name, days=90, issuer=None):
        """Issues a certificate for a new key: (caller, docket, digest); the last two None if nobody has to sign."""
        r = (issuer or self.admin).do("credential-issue", u32(person) + struct.pack(">H", days) + s32(self.request(name, who)))
        d = self.vault.profile(who)
        with open(os.path.join(d, "certificate.pem"), "w") as f:
            f.write(ssl.DER_cert_to_PEM_cert(base64.b64decode(r["certificate"])))
        return Caller(self, d, person, name), r.get("docket"), r.get("digest") and bytes.fromhex(r["digest"])

    def sign(self, docket, digest, *signers):
        for s in signers if docket is not None else ():
            s.do("docket-sign", s16(docket) + digest)

    def known(self, who, name):
        person = [p["person"] for p in self.admin.get("/v1/people?limit=1000")["items"] if p["name"] == name][0]
        return Caller(self, self.vault.profile(who), person, name)

    def fill(self):
        self.id = bytes.fromhex(self.vault.client("admin", "status").json["vault"])
        self.admin = Caller(self, self.vault.profile("admin"), 1, name_of("admin"))
        for role in ("attorney", "producer", "auditor"):
            setattr(self, role, self.known(role, name_of(role)))
        self.right = {r: getattr(self, r) for r in ROLES}
        self.rivals = {r: self.known(r, n) for r, n in (("rival counsel", "Rita Rival"), ("rival producer", "Ralf Rival"))}
        self.versions, self.signed, self.sources = 1, [1], {1: hashlib.sha256(order_text(1).encode()).digest()}
        self.admin.do("collection-create", s16("demo") + s16("DEMO") + s16("CONFIDENTIAL"))
        self.version()
        self.far_version = self.proposal(5000)[0]
        self.records()
        self.victims()
        self.papers()

    # -- loads ----------------------------------------------------------------------------------------

    def open(self, caller, hold=False):
        status, text = caller.ask("POST", "/v1/collections/demo/loads", json.dumps({"hold": hold}), JSON)
        equal(status, 201, "%s opens a load (%s)" % (caller.name, text[:300]))
        return Load(text)

    def part(self, load, word, n=1, ticket=None):
        """A part's (path, body, headers), as it comes next: whose records it has says the word in each."""
        lines = b"".join(json.dumps({
            "id": "r/%d" % self.fresh(), "created": "2024-01-02T03:04:05Z", "model": "gpt-4", "language": "en",
            "messages": [{"role": "user", "content": "%s harbour %d" % (word, self.number)},
                         {"role": "assistant", "content": "yes"}]}).encode() + b"\n" for _ in range(n))
        headers = dict(OCTETS, **{"Underseal-First-Line": str(load.line), "Underseal-Digest": hashlib.sha256(lines).hexdigest()})
        if ticket is not None:
            headers["Underseal-Ticket"] = ticket
        return "/v1/loads/%d/parts/%d" % (load.id, load.next), lines, headers

    def taken(self, load, n=1):
        """A part of it was accepted."""
        load.next += 1
        load.line += n

    def send(self, caller, load, word, n=1):
        """The next part of a load, with its ticket: what is answered."""
        path, body, headers = self.part(load, word, n, load.ticket)
        status, text = caller.ask("POST", path, body, headers)
        if status == 200:
            self.taken(load, n)
            load.own += n
        return status, text

    def own_part(self, caller, load, n=1):
        status, text = self.send(caller, load, OWN, n)
        equal(status, 200, "the producer's own part (%s)" % text[:300])

    def finish(self, caller, load):
        status, text = caller.ask("POST", "/v1/loads/%d/finish" % load.id)
        return json.loads(text) if status == 200 else status

    def batch(self, hold=False, n=1):
        """A batch of the producer's: its slot."""
        load = self.open(self.producer, hold)
        self.own_part(self.producer, load, n)
        r = self.finish(self.producer, load)
        equal(r["admitted"], n, "admitted")
        self.admitted += n
        return r["batches"][0]["slot"]

    def records(self):
        self.admitted = self.perhaps = 0  # perhaps: of loads that a freeze or seal ended
        self.spare = []
        self.live = self.batch(n=20)
        self.held = self.batch(hold=True)

    # -- what requests are about ----------------------------------------------------------------------

    def victims(self):
        """People who are not asked, and are there to be acted on."""
        self.victim, docket, digest = self.person("Victor Victim")
        self.victim_caller, docket, digest = self.credential("victim", self.victim, "Victor Victim")
        self.sign(docket, digest, self.attorney)
        self.csr = self.request("Victor Victim", "victim-2")
        self.down = self.person("Dora Down")[0]
        self.admin.do("person-suspend", u32(self.down) + s16("test"))
        self.other = self.person("Otto Other")[0]
        self.waiting = self.person("Walter Waiting")
        self.yoyo = self.person("Yolanda Yoyo")[0]
        self.yoyo_down = False

    def document(self, caller):
        text = b"a document %d\n" % self.fresh() + os.urandom(16).hex().encode()
        digest = hashlib.sha256(text).digest()
        return digest + u64(len(text)) + s16("document-%d.txt" % self.number) + u32(0) + s32(text), digest

    def challenge(self, basis=None):
        """The id of a new one, by the attorney."""
        return self.attorney.do("challenge", selection(1, 2) + (basis or self.bases))["docket"]

    def copy(self, caller):
        payload = u32(1) + s16("Dr. Recipient") + s16("a purpose") + u32(1) + u64(3)
        return caller.do("copy", payload)["copy"]

    def freeze(self):
        r = self.auditor.do("freeze", bytes([3]) + u32(self.other) + s16("ECF No. 2"))
        return r["number"]

    def papers(self):
        # a document is shown with what names it: that of the challenge which nothing happens to stands there alone
        payload, self.basis = self.document(self.attorney)
        self.attorney.do("document-add", payload)
        payload, self.bases = self.document(self.attorney)
        self.attorney.do("document-add", payload)
        payload, self.grounds = self.document(self.producer)
        self.producer.do("document-add", payload)
        self.filed = self.challenge(self.basis)
        self.copied = self.copy(self.attorney)
        self.freezing = self.freeze()
        r = self.producer.do("clawback", selection(1, 19) + self.grounds + struct.pack(">q", self.now_ns()))
        self.clawed = r["number"]
        status, note = self.admin.ask("GET", "/v1/log/checkpoint")
        equal(status, 200, "a checkpoint")
        self.note, self.unseal_key = self.cosigned(note), b"\x09" + bytes(31)
        equal(self.admin.ask("POST", "/v1/log/cosignature", self.note, OCTETS)[0], 200, "a cosignature")
        self.state_entry = self.attorney.do("document-add", self.document(self.attorney)[0])["entry"]

    def cosigned(self, note):
        text = note[:note.index(b"\n\n") + 1]
        return note + independent.cosign(WITNESS, SEED, text, int(self.now_ns() // 10**9)).encode()

    def share(self, key, i=1):
        return subprocess.check_output([TABLE, "share", self.id.hex(), key.hex(), self.vault.share(i)])

    def unseal(self):
        key = base64.b64decode(json.loads(self.admin.ask("GET", "/v1/status")[1])["unseal_key"])
        for i in range(1, self.vault.threshold + 1):
            status, text = self.admin.ask("POST", "/v1/unseal", json.dumps({"share": b64(self.share(key, i))}), JSON)
            equal(status, 200, "a share (%s)" % text[:200])
        self.wait_state("open")

    def state(self):
        status, text = self.admin.ask("GET", "/v1/status")
        return json.loads(text)["state"] if status == 200 else None

    def wait_state(self, state):
        wait_for(lambda: self.state() == state, 20, "the vault is " + state, 0.01)
