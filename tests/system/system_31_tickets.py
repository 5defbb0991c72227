"""Goal: a part of a load is taken from whoever opened the load, while that stands, and once.

Tickets: none, forged, another load's, another person's. The same part again has its first answer, other bytes under its number are
refused. The act that closes a batch binds the digests of its parts, and the log commits to the act: both made again here, by hand. A load ends with a
revocation, suspension or freeze before that is answered: not one part sent after the answer is taken, and nothing of it is admitted, also if the sealer is
stopped meanwhile.
"""
import base64
import threading
from harness import *


def lines(n, tag):
    return [json.dumps({"id": "%s/%d" % (tag, i), "messages": [{"role": "user", "content": "question %d of %s" % (i, tag)},
                                                                {"role": "assistant", "content": "an answer"}]}).encode()
            for i in range(n)]


class Load:
    """A load by HTTP, part by part."""

    def __init__(self, http, collection="demo", **options):
        self.http = http
        status, _, body = http("POST", "/v1/collections/%s/loads" % collection, options)
        equal(status, 201, "opening a load: %s" % body)
        answer = json.loads(body)
        self.id, self.ticket = answer["load"], answer["ticket"]

    def part(self, number, data, http=None, ticket=None):
        headers = {"Content-Type": "application/octet-stream", "Underseal-First-Line": "1",
                   "Underseal-Digest": hashlib.sha256(data).hexdigest()}
        if ticket != "":
            headers["Underseal-Ticket"] = ticket or self.ticket
        status, _, body = (http or self.http).once("POST", "/v1/loads/%d/parts/%d" % (self.id, number), data, headers)
        return status, json.loads(body)

    def finish(self):
        status, _, body = self.http("POST", "/v1/loads/%d/finish" % self.id)
        return status, json.loads(body)


def fresh(vault, who):
    return Http(vault, vault.profile(who))


def tickets(vault):
    step("tickets: none, forged, another load's, another person's")
    load, other = Load(fresh(vault, "producer")), Load(fresh(vault, "producer"))
    attorney, auditor = fresh(vault, "attorney"), fresh(vault, "auditor")
    attorney("GET", "/v1/order")
    data = b"\n".join(lines(20, "a")) + b"\n"
    forged = bytearray(base64.b64decode(load.ticket))
    forged[20] ^= 1
    for what, http, ticket, want in (("no ticket", None, "", 401), ("a forged one", None, b64(bytes(forged)), 403),
                                     ("another load's", None, other.ticket, 403), ("an attorney with a session", attorney, None, 403),
                                     ("an auditor without a session", auditor, None, 403), ("junk", None, "AAAA", 401)):
        status, answer = load.part(0, data, http if http is None else Http(vault, http.dir), ticket)
        equal(status, want, what)
        check(answer["type"].endswith(":ticket"), "the problem's type", answer)
    status, answer = load.part(0, data)
    equal((status, answer["accepted"]), (200, 20), "with its ticket: %s" % answer)
    status, again = load.part(0, data)
    equal((status, again["accepted"], again["duplicates"]), (200, 20, 0), "the same part again")
    equal(load.part(0, data.replace(b"an answer", b"another answer"))[0], 409, "other bytes under its number")
    status, _, body = attorney("POST", "/v1/loads/%d/ticket" % load.id)
    check(status in (403, 404), "somebody else asks for a ticket", status, body)
    status, _, body = load.http("POST", "/v1/loads/%d/ticket" % load.id)
    equal(status, 200, "another ticket: %s" % body)
    more = b"\n".join(lines(5, "b")) + b"\n"
    equal(load.part(1, more, ticket=json.loads(body)["ticket"])[0], 200, "with the new ticket")
    equal(other.http("DELETE", "/v1/loads/%d" % other.id)[0] // 100, 2, "giving up the other load")
    return load, [data, more]


def binding(vault, load, parts):
    step("the act binds the parts, and the log the act")
    status, receipt = load.finish()
    equal((status, receipt["admitted"]), (200, 25), "the receipt")
    batch, = receipt["batches"]
    act = base64.b64decode(batch["act"])
    tail = act[-46:]                       # the payload's last 40 bytes; then no signature and no result: 2 and 4 bytes of length
    first, n = struct.unpack(">II", tail[:8])
    want = hashlib.sha256(b"underseal/load-parts/1" + struct.pack(">QII", load.id, 0, 2) +
                          b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
    equal((first, n, tail[8:40]), (0, 2, want), "the parts that the act binds")
    state = hashlib.sha256(b"underseal/state/1" + bytes.fromhex(batch["before"]) + act).digest()
    status, _, body = load.http("GET", "/v1/log/entry-proof/%d" % batch["entry"])
    proof = json.loads(body)
    equal(bytes.fromhex(proof["state"]), state, "the state after the act")
    commitment = hashlib.sha256(b"underseal/entry-state/1" + state + bytes.fromhex(proof["manifest_root"])).digest()
    check(commitment in base64.b64decode(proof["entry"]), "the entry commits to it")


def hammer(load, vault, told, results):
    """Sends parts one after the other until two seconds after the act was answered."""
    number = 0
    http = Http(vault, load.http.dir)
    while not told.is_set() or time.monotonic() < told.at + 2:
        began = time.monotonic()
        try:
            status, _ = load.part(number, b"\n".join(lines(3, "h%d-%d" % (load.id, number))) + b"\n", http)
        except OSError:
            http = Http(vault, load.http.dir)
            continue
        results.append((began, status))
        if status == 200:
            number += 1
        else:
            time.sleep(.005)


def ended_by(vault, who, what, act, undo=None, stopped=False):
    step("a load ends with %s%s" % (what, ", the sealer stopped" if stopped else ""))
    before = vault.count("*")
    loads = [Load(fresh(vault, who)) for _ in range(3)]
    told, results = threading.Event(), []
    told.at = float("inf")
    threads = [threading.Thread(target=hammer, args=(l, vault, told, results)) for l in loads]
    for t in threads:
        t.start()
    wait_for(lambda: sum(s == 200 for _, s in results) > 20, 10, "parts are taken")
    sealer = vault.roles()["sealer"][0]
    if stopped:
        os.kill(sealer, signal.SIGSTOP)
    began = time.monotonic()
    act()
    told.at = time.monotonic()
    took = told.at - began
    told.set()
    if stopped:
        time.sleep(.5)
        os.kill(sealer, signal.SIGCONT)
    for t in threads:
        t.join()
    late = [s for b, s in results if b > told.at and s == 200]
    after = [s for b, s in results if b > told.at]
    equal(late, [], "parts that were taken after the answer")
    check(stopped or after, "parts were sent after the answer")
    step("  answered after %.0f ms; %d parts taken before, %d refused after it" %
         (took * 1000, sum(s == 200 for _, s in results), len(after)))
    check(took < 8 * SLOW, "the act took %.1f s" % took)
    for l in loads:
        status, _, _ = l.http("POST", "/v1/loads/%d/finish" % l.id)
        check(status // 100 != 2, "a stopped load is finished", status)
    if undo:
        undo()
    equal(vault.count("*"), before, "records after the load was stopped")


def scenario():
    vault = Vault(20310).demo()
    load, parts = tickets(vault)
    binding(vault, load, parts)
    step("the command does the same, and compares")
    name = write_lines(vault.base + "/c.jsonl", lines(500, "c"))
    equal(vault.load(name).json["admitted"], 500, "admitted")
    for i, (what, stopped) in enumerate((("revocation", False), ("suspension", False), ("revocation", True))):
        person, who = "Paula Producer %d" % i, "paula%d" % i
        vault.add_person(person, who, capacity="producer", party="defendant", signer="producer")
        command = ("credential", "revoke", "--person", person, "--reason", "lost") if what == "revocation" else \
                  ("person", "suspend", person, "--reason", "left")
        ended_by(vault, who, what, lambda: vault.client("admin", *command), stopped=stopped)
    freeze = []
    ended_by(vault, "producer", "a freeze",
             lambda: freeze.append(vault.client("auditor", "freeze", "--scope", "all", "--authority", "a stay").json),
             lambda: vault.client("auditor", "unfreeze", "freeze-1", "--authority", "lifted", code=None))
    step("the vault goes on")
    name = write_lines(vault.base + "/d.jsonl", lines(50, "d"))
    wait_for(lambda: vault.load(name, code=None).code == DONE, 10, "a load after all that")
    vault.client("auditor", "audit", "verify")
    vault.stop()


main(scenario)
