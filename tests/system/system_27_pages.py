#!/usr/bin/env python3
"""Goal: long answers, made slice by slice, are exact and hurt nobody else's.

Large batches of common words: a search takes many slices, a page ends in the middle of a batch. All
pages by cursor, with limits large and small, with snippets and without, counts, reads of a thousand
records, comparisons of orders, one by one and many at once, while other clients read slowly or
close their connections in the middle. What the pages hold together is compared with a naive
evaluation of the records that were loaded. The vault's process is the same at the end as at the
start.
"""
import threading

from harness import *

LARGE = 50000         # records of a large batch
LARGE_BATCHES = 3
SMALL = (1, 100, 17)  # small batches behind them
COMMON = '"of the"'
SELDOM = '"harbour ledger"'
WORDS = """the of and to in a that is was for on are with they at be this from have or by one had
not but what all were when we there can an your which their said if do will each about how up out
them then she many some so these would other into has more two like him see time could no make than
first been its who now people my made over did down only way find use may water long little very
after words called just where most know""".split()
RULE_OF_WORDS = """
  - id: no-common
    paragraph: "8.9"
    effect: forbid
    who: {party: plaintiffs, capacity: [outside-counsel, counsel-staff]}
    what: {query: '%s'}
    actions: [read]
"""


# -- records, and what is to be found in them ------------------------------------------------------

def make_record(rng, name, i):
    """A record, and the words of its messages."""
    texts, messages = [], []
    for m in range(rng.randint(2, 3)):
        words = rng.choices(WORDS, k=rng.randint(4, 10))
        if rng.random() < .25:
            words[1:2] = ["of", "the"]
        if rng.random() < .01:
            words += ["harbour", "ledger"]
        texts.append(words)
        messages.append({"role": ("user", "assistant")[m % 2], "content": " ".join(words)})
    return {"id": name, "created": "2024-01-%02dT00:00:00Z" % (i % 28 + 1), "model": "m",
            "messages": messages}, texts


def has_phrase(messages, phrase):
    return any(" %s " % phrase in " %s " % " ".join(words) for words in messages)


def bates_of(indexes):
    return ["DEMO%09d" % (i + 1) for i in indexes]


class Expected:
    """The records, by number from 0, and what each query finds."""

    def __init__(self):
        self.names, self.texts, self.ends = [], [], []

    def add(self, seed, count):
        """A batch more; returns its lines."""
        rng, lines = random.Random(seed), []
        for i in range(count):
            name = "pages/%d/%d" % (seed, i)
            record, texts = make_record(rng, name, i)
            self.names.append(name)
            self.texts.append(texts)
            lines.append(json.dumps(record).encode())
        self.ends.append(len(self.names))
        return lines

    def find(self, query):
        phrase = query.strip('"')
        return [i for i, messages in enumerate(self.texts) if has_phrase(messages, phrase)]

    def some(self, rng):
        """A thousand, ascending."""
        return sorted(rng.sample(range(len(self.names)), 1000))


# -- what clients do -------------------------------------------------------------------------------

class Page:
    def __init__(self, client, query, limit, snippets, after):
        more = {"after": after} if after else {}
        status, _, body = client.search(query, limit=limit, snippets=snippets, **more)
        check(status == 200, "status %d of a page of %s" % (status, query), body[:500])
        answer = json.loads(body)
        self.hits, self.next, self.total = answer["hits"], answer["next"], answer["total"]
        equal(answer["shown"], len(self.hits), "shown")
        self.bates = [h["bates"] for h in self.hits]


def check_page(page, want, query, limit, snippets):
    equal(page.bates, want[:limit], "a page of %s" % query)
    check(all(("snippet" in h) == snippets for h in page.hits), "snippets as asked for")
    words = query.strip('"').split()
    for h in page.hits if snippets else ():
        check(any(h["snippet"][a:b] in words for a, b in h["marks"]), "the words are marked", h)


def walk(client, query, want, limit, snippets, after=None, pages=None):
    """All pages from a cursor on, or some; want: what they hold. Returns the cursors."""
    cursors, at = [], 0
    while pages is None or len(cursors) < pages:
        page = Page(client, query, limit, snippets, after)
        check_page(page, want[at:at + limit], query, limit, snippets)
        at += len(page.bates)
        after = page.next
        if after is None:
            equal(at, len(want), "records on all pages of %s" % query)
            return cursors
        cursors.append(after)
    return cursors


def count(client, query, want):
    status, _, body = client.search(query, count=True)
    equal(status, 200, "status of a count")
    equal(json.loads(body)["total"], want, "a count of %s" % query)


def check_records(expected, indexes, body):
    lines = body.split(b"\n")
    equal(lines[-1], b"", "an answer ends in a newline")
    equal(json.loads(lines[0])["records"], len(indexes), "records in the header")
    records = [json.loads(line) for line in lines[1:-1]]
    equal([r["bates"] for r in records], bates_of(indexes), "records of a read")
    equal([r["record"]["id"] for r in records], [expected.names[i] for i in indexes], "their ids")


def read_some(client, expected, rng):
    indexes = expected.some(rng)
    status, _, body = client.read(bates_of(indexes))
    equal(status, 200, "status of a read")
    check_records(expected, indexes, body)


class Slow(Http):
    """Holds little, so that much is under way; asks, and leaves the answer to be read."""

    def __init__(self, vault):
        super().__init__(vault, vault.profile("attorney"))
        self.connection._create_connection = self.connect
        equal(self.session()[0] // 100, 2, "a session")

    @staticmethod
    def connect(address, timeout, _source):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(timeout)
        s.connect(address)
        return s

    def ask(self, what, body):
        self.connection.request("POST", "/v1/collections/demo/" + what, body=json.dumps(body),
                                headers={"Content-Type": "application/json"})

    def take_slowly(self, rng):
        answer, body = self.connection.getresponse(), b""
        equal(answer.status, 200, "status of a slow read")
        while True:
            piece = answer.read1(rng.choice((1, 500, 20000, 60000)))
            if not piece:
                return body
            body += piece
            if rng.random() < .2:
                time.sleep(.005)

    def vanish(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.close()


def read_slowly(vault, expected, rng):
    slow = Slow(vault)
    indexes = expected.some(rng)
    slow.ask("read", {"bates": bates_of(indexes), "purpose": "slowly"})
    check_records(expected, indexes, slow.take_slowly(rng))
    slow.close()


def give_up(vault, expected, rng, cursors):
    """Asks for much and closes in the middle: at once, soon, or with some bytes of the answer."""
    slow = Slow(vault)
    body = {"purpose": "given up", "query": COMMON, "snippets": rng.random() < .5}
    what = rng.choice(("page", "page", "first", "count", "read"))
    if what == "read":
        slow.ask("read", {"purpose": "given up", "bates": bates_of(expected.some(rng))})
    elif what == "count":
        slow.ask("search", dict(body, count=True))
    else:
        more = {"after": rng.choice(cursors)} if what == "page" else {}
        slow.ask("search", dict(body, limit=rng.choice((20, 1000)), **more))
    if rng.random() < .3:
        answer = slow.connection.getresponse()
        equal(answer.status, 200, "status of what is given up")
        answer.read1(rng.choice((1, 4000)))
    else:
        time.sleep(rng.choice((0, 0, .001, .003, .01, .05)) * SLOW)
    slow.vanish()


def compare_orders(vault, want):
    """What the plaintiffs lose by the version that hides a phrase: counted batch by batch."""
    diff = vault.client("attorney", "order", "diff", 1, 2).json
    equal([(p["name"], p["action"], p["gains"], p["loses"]) for p in diff["people"]],
          [("Alice Attorney", "read", 0, want)], "who may not read what any more")


class Crowd:
    """Threads that each do one thing again and again; the first failure ends all, and is raised."""

    def __init__(self):
        self.threads, self.failures = [], []

    def add(self, what, *args, times=1):
        self.threads.append(threading.Thread(target=self.do, args=(what, args, times)))

    def do(self, what, args, times):
        try:
            for _ in range(times):
                if not self.failures:
                    what(*args)
        except Exception as e:  # a thread's failure is the scenario's
            self.failures.append("%s: %s: %s" % (what.__name__, type(e).__name__, e))

    def run(self, vault, seconds=200):
        end = time.monotonic() + seconds
        for t in self.threads:
            t.daemon = True
            t.start()
        for t in self.threads:
            t.join(max(0, end - time.monotonic()))
        check(not self.failures, "\n  ".join(self.failures[:5]), vault.log_text()[-1500:])
        check(not any(t.is_alive() for t in self.threads), "every client is answered")


# -- the scenario ----------------------------------------------------------------------------------

def load_all(vault, expected):
    counts = [LARGE] * LARGE_BATCHES + list(SMALL)
    for seed, n in enumerate(counts):
        path = write_lines(os.path.join(vault.base, "%d.jsonl" % seed), expected.add(seed, n))
        equal(vault.load(path).json["admitted"], n, "records admitted")
        os.unlink(path)
    equal(vault.count("*"), len(expected.names), "records")


def propose(vault):
    path = os.path.join(vault.base, "version-2.yaml")
    with open(vault.order) as f, open(path, "w") as to:
        to.write(f.read().replace("  version: 1", "  version: 2", 1) + RULE_OF_WORDS % COMMON)
    vault.client("auditor", "order", "propose", path, code=PENDING)


def one_by_one(attorney, expected, common, seldom):
    """Returns the cursors of all pages of a thousand."""
    cursors = walk(attorney, COMMON, bates_of(common), 1000, False)
    equal(len(cursors), (len(common) - 1) // 1000, "cursors")
    walk(attorney, COMMON, bates_of(common), 1000, True)
    walk(attorney, SELDOM, bates_of(seldom), 20, True)
    walk(attorney, SELDOM, bates_of(seldom), 20, False)
    for end in expected.ends:  # pages that begin before the end of a batch, or behind it
        nth = max(1, min(len(cursors), sum(i < end for i in common) // 1000))
        walk(attorney, COMMON, bates_of(common[1000 * nth:]), 20, nth % 2 == 0, cursors[nth - 1], 8)
    return cursors


def all_at_once(vault, expected, common, seldom, cursors):
    rng, crowd = random.Random(27), Crowd()

    def attorney():
        return Http(vault, vault.profile("attorney"))

    def chance():
        return random.Random(rng.random())

    for i in range(3):
        crowd.add(walk, attorney(), COMMON, bates_of(common), 1000, i == 0)
        crowd.add(walk, attorney(), SELDOM, bates_of(seldom), 20, i != 0)
        crowd.add(read_slowly, vault, expected, chance(), times=3)
        crowd.add(give_up, vault, expected, chance(), cursors, times=40 if SLOW == 1 else 20)
    crowd.add(count, attorney(), COMMON, len(common), times=20)
    crowd.add(read_some, attorney(), expected, chance(), times=6)
    crowd.add(compare_orders, vault, len(common), times=4)
    crowd.run(vault)


def play(vault):
    expected = Expected()
    step("%d large batches of %d records" % (LARGE_BATCHES, LARGE))
    load_all(vault, expected)
    pid = vault.roles()["vault"]
    common, seldom = expected.find(COMMON), expected.find(SELDOM)
    check(len(common) > LARGE and len(seldom) > 1000, "the queries find enough", len(common))
    attorney = Http(vault, vault.profile("attorney"))

    step("counts: %d and %d records" % (len(common), len(seldom)))
    count(attorney, COMMON, len(common))
    count(attorney, SELDOM, len(seldom))

    step("all pages, large and small, with snippets and without")
    cursors = one_by_one(attorney, expected, common, seldom)

    step("comparing two versions of the order, of which one hides a phrase")
    propose(vault)
    compare_orders(vault, len(common))

    step("many clients at once, some slow, some that close in the middle")
    all_at_once(vault, expected, common, seldom, cursors)

    step("nothing is left of them")
    walk(attorney, COMMON, bates_of(common), 1000, False, pages=5)
    count(attorney, COMMON, len(common))
    equal(vault.roles()["vault"], pid, "the vault's process")
    attorney.close()
    vault.stop()


def scenario():
    vault = Vault(8477).demo()
    try:
        play(vault)
    except (OSError, http.client.HTTPException) as e:
        raise Failure("%s: %s; the daemon's log ends:\n%s" % (type(e).__name__, e,
                                                              vault.log_text()[-1000:])) from e


main(scenario)
