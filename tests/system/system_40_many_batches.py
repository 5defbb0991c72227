#!/usr/bin/env python3
"""Goal: a collection may have more batches than any one message holds keys of.

Batches of one record each, by a daemon that makes no others; BATCHES of the environment says how
many (20,000 is the full measure: docs/TESTING.md). After a new start the keys of their pages are
asked for by several people at once: one entry opens the collection, everybody finds everything, and
nobody else waits for it longer than a moment. A batch more, and it is found too.
"""
import threading

from harness import *

BATCHES = int(os.environ.get("BATCHES", "400"))
AT_ONCE = 200  # records of a load: between two batches what is left of its part is gone through
PEOPLE = 8
WAIT = 1.0 * float(os.environ.get("UNDERSEAL_TEST_SLOW", "1"))


def record(i):
    return json.dumps({"id": "many/%d" % i, "created": "2024-01-01T00:00:00Z", "model": "m",
                       "messages": [{"role": "user", "content": "whale %d" % i},
                                    {"role": "assistant", "content": "yes"}]}).encode()


def openings(vault):
    return sum(e.get("action") == "open-collection" for e in vault.audit())


def search_all_at_once(vault):
    """What each found, and how long status took meanwhile, at most."""
    found, slowest, done = [], 0.0, threading.Event()

    def search():
        client = Http(vault, vault.profile("attorney"))
        status, _, body = client.search("whale", limit=1, snippets=False)
        found.append(json.loads(body).get("total") if status == 200 else (status, body[:300]))

    def ask_status():
        nonlocal slowest
        client = Http(vault, vault.profile("auditor"))
        while not done.is_set():
            before = time.monotonic()
            equal(client.once("GET", "/v1/status")[0], 200, "status")
            slowest = max(slowest, time.monotonic() - before)

    people = [threading.Thread(target=search) for _ in range(PEOPLE)]
    asks = threading.Thread(target=ask_status)
    for t in [asks] + people:
        t.start()
    for t in people:
        t.join()
    done.set()
    asks.join()
    return found, slowest


def scenario():
    step("%d batches of one record" % BATCHES)
    vault = Vault(8540).demo()
    lines = os.path.join(vault.base, "many.jsonl")
    began = time.monotonic()
    for i in range(0, BATCHES, AT_ONCE):
        write_lines(lines, [record(k) for k in range(i, min(i + AT_ONCE, BATCHES))])
        vault.load(lines, timeout=3600)
        print("%d loaded in %.0f s" % (min(i + AT_ONCE, BATCHES), time.monotonic() - began), flush=True)
    equal(vault.count("whale"), BATCHES, "records that are found")

    step("a new start: everybody asks for the keys at once")
    before = openings(vault)
    vault.stop()
    vault.serve().unseal()
    vault.wait_open(600)
    began = time.monotonic()
    found, slowest = search_all_at_once(vault)
    print("opened and searched in %.1f s; status took %.3f s at most" %
          (time.monotonic() - began, slowest))
    equal(found, [BATCHES] * PEOPLE, "what each of them found")
    equal(openings(vault) - before, 1, "entries that open the collection")
    check(slowest < WAIT, "status waited %.3f s" % slowest)
    for i in (1, BATCHES // 2, BATCHES):
        vault.read("DEMO%09d" % i)

    step("a batch more")
    write_lines(lines, [record(BATCHES)])
    vault.load(lines)
    equal(vault.count("whale"), BATCHES + 1, "records that are found")
    vault.stop()
    vault.check_log()


main(scenario)
