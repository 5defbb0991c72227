"""What may succeed, by request and state, and why: everything else that succeeds is a hole.

Who may do what is said by registry/acts.def, the order (route_world.py) and daemon/process/requests.def. Here it is
said once more, so that no change of theirs goes unnoticed.
"""
from route_requests import *

NEEDS = {  # daemon/process/requests.def
    "status_request": "certificate", "challenge_request": "certificate", "session_request": "certificate",
    "share_request": "certificate", "log_request": "tree", "cosign_request": "tree", "part": "ticket",
    "act_request": "session", "list_request": "session", "question_request": "session", "search_request": "session",
    "read_request": "session", "load_open_request": "session", "load_end_request": "session",
    "load_ticket_request": "session", "log_keys_request": "session",
}

OPEN, NEW = "an open", "a new"  # connections: from before things changed, and from after
ALLOWED = {}  # (request, state): connections over which it succeeds


def allow(requests, *states, over=(OPEN, NEW)):
    for q in requests:
        for s in states:
            ALLOWED.setdefault((q, s), set()).update(over)


def capacity(*names):
    return ["capacity " + n for n in names]


# -- states -------------------------------------------------------------------------------------------

OF_A_PARTY = capacity("producer", "outside-counsel", "counsel-staff", "house-counsel", "expert", "vendor", "witness",
                      "reporter", "court", "special-master", "auditor")
ADMIN = capacity("administrator")
COURT = capacity("court", "special-master", "auditor")
RIVALS = ["rival counsel", "rival producer"]
LIVE = ["right", "frozen"] + RIVALS + OF_A_PARTY + ADMIN + capacity("keyholder")
NO_SESSION = ["session ran out", "session of another credential"]
BARRED = ["ended", "revoked"]  # for good: no further than the handshake
NOT_LIVE = ["pending person", "pending credential", "suspended"] + BARRED

# -- requests -----------------------------------------------------------------------------------------

CERTIFICATE = ["GET v1/status", "GET v1/session"]
SESSION = ["POST v1/session"]
TREE = ["POST v1/log/cosignature"] + ["GET v1/log/" + x for x in (
    "checkpoint", "checkpoint.witnessed", "checkpoint.witnessed/*", "vkey", "handovers", "entry-proof/*",
    "consistency/*/*", "tile/**")]
EVIDENCE = ["GET v1/collections/*/records/*", "POST v1/collections/*/search", "POST v1/collections/*/read"]
LISTS = ["GET v1/" + x for x in (
    "people", "people/*", "credentials", "collections", "collections/*", "docket", "order", "orders",
    "orders/*", "filings", "acknowledgements", "documents", "designations")]
ITEMS = ["GET v1/docket/*", "GET v1/filings/*"]
LOAD = ["POST v1/collections/*/loads"]
OWN_LOAD = [PART + " (with the load's ticket)", PART + " (of a load of one's own, with its ticket)", "GET v1/loads/*",
            "POST v1/loads/*/finish", "DELETE v1/loads/*", "POST v1/loads/*/ticket"]
BATCHES = ["GET v1/collections/*/batches", "GET v1/collections/*/batches/*"]
COPY = ["GET v1/copies/*"]
COPIES = ["GET v1/copies"] + COPY
DIFFERENCES = ["GET v1/orders/*/diff/*", "GET v1/order/who"]
EXPLAIN = ["GET v1/order/explain"]
BASIS = ["GET v1/documents/*"]
REPORT = ["GET v1/clawbacks/*/report"]
LOG = ["GET v1/log/acts", "GET v1/log/keys"]
PEOPLE = act("person-add", "docket-sign", "person-suspend", "person-reinstate", "person-end", "credential-issue",
             "credential-revoke")
DOCKET = act("order-propose", "order-suspend", "docket-object", "docket-resolve", "docket-withdraw", "docket-serve",
             "freeze", "unfreeze", "matter-set")
PAPERS = act("document-add", "acknowledge", "approval-request")
FILINGS = act("clearance", "challenge", "clawback")
CHANGES = act("batch-release", "batch-withdraw", "copy", "copy-return", "relabel")
VAULT = act("collection-create", "seal")

# -- whoever is right for something, when nothing is in the way -------------------------------------------

allow(CERTIFICATE + SESSION + TREE + EVIDENCE + LISTS + ITEMS + LOAD + OWN_LOAD + BATCHES + COPIES + DIFFERENCES + EXPLAIN +
      BASIS + REPORT + LOG + PEOPLE + DOCKET + PAPERS + FILINGS + CHANGES + VAULT, "right")

# -- without a session ------------------------------------------------------------------------------------

# status and a nonce tell nothing of anybody; the certificate is looked at in the handshake, so for these one that has
# expired since then is good
allow(CERTIFICATE, *LIVE, *NO_SESSION, *[s for s in NOT_LIVE if s not in BARRED])
allow(CERTIFICATE, "expired", *BARRED, over=[OPEN])
# a session is what its statement opens, for whoever may have one
allow(SESSION, *LIVE, *NO_SESSION)
# the tree shows sizes and times; a live person needs no session for it, and may bring what a witness has signed
allow(TREE, *LIVE, *NO_SESSION)
# a sealed vault knows nobody's standing but who is barred: tree, status, and the shares that open it, are there for every other certificate
allow(CERTIFICATE + TREE + ["POST v1/unseal"], "sealed", over=[NEW])

# -- in every capacity, and as other parties' people ------------------------------------------------------

# everybody sees who takes part, the order, and of the docket what concerns them; of what does not, that it is not there
allow(LISTS, *LIVE)
allow(ITEMS, "right", "frozen", *OF_A_PARTY, *ADMIN)
# people of one's own party may be asked about, by whoever is of one; by an administrator, everybody
allow(EXPLAIN, *OF_A_PARTY, *ADMIN)
# the basis of a challenge is shown to the party that filed it, and to those who see the whole docket
allow(BASIS, *OF_A_PARTY, *ADMIN)
# who gains and loses what, who may see a record: the court's, administrators, and roster signers of any party
allow(DIFFERENCES, *RIVALS, *COURT, *ADMIN)
# whoever is of a party files papers, is bound by the order, and asks for approvals; an administrator brings papers
allow(PAPERS, *RIVALS, *OF_A_PARTY)
allow(act("document-add", "acknowledge"), *ADMIN)
# counsel of either side look at the same collection, and see their own copies
allow(EVIDENCE + ["GET v1/copies"] + act("copy", "challenge"), "rival counsel", *capacity("outside-counsel"))
# a colleague of who took the copy sees it, and gives it back
allow(COPY + act("copy-return"), *capacity("outside-counsel"))
# the order lets experts look
allow(EVIDENCE, *capacity("expert"))
# roster signers of any party: propose, note an objection to what others filed, say that their own party has it
allow(act("order-propose", "docket-object", "docket-serve"), *RIVALS)
# producers load for themselves, and see batches that are not held
allow(LOAD + BATCHES, "rival producer", *capacity("producer"))
# a colleague of who produced it releases, withdraws, relabels, claws back, and sees the numbers of that
allow(act("batch-release", "batch-withdraw", "relabel", "clawback") + REPORT, *capacity("producer"))
# the order lets the court's auditors open the log, and see the numbers of a clawback
allow(LOG + REPORT, *capacity("auditor"))
# what administrators are for: whoever they enter waits for the party's signature
allow(act("person-add", "person-suspend", "person-reinstate", "person-end", "credential-issue", "credential-revoke",
          "collection-create", "order-propose", "docket-serve"), *ADMIN)
# who answers for the vault, or holds a share of it, may close it
allow(act("seal"), *ADMIN, *capacity("court", "special-master", "keyholder"))

# -- frozen ---------------------------------------------------------------------------------------------

# a freeze stops what shows, counts, takes out or changes evidence: not people, the docket, the order, the log, the vault
allow(PEOPLE + DOCKET + PAPERS + VAULT + DIFFERENCES + EXPLAIN + BASIS + LOG, "frozen")
# nor what asks for something, takes something back, or tells of what was there and given out before
allow(FILINGS + BATCHES + COPIES + REPORT, "frozen")
