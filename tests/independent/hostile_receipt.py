"""Further cases of hostile_log.py: receipts (c2sp.org/tlog-proof). Each is a file of its own beside the log that it is about; a
directory with given.receipt is judged as a receipt.
"""
import base64

from hostile_log import ENTRIES, ORIGIN, case
import hostile_witnessed as w
import verify_log as v


def proof(hashes, index):
    """RFC 6962, 2.1.1, from the leaf upwards."""
    if len(hashes) == 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if index < k:
        return proof(hashes[:k], index) + [v.tree_head(hashes[k:])]
    return proof(hashes[k:], index - k) + [v.tree_head(hashes[:k])]


def receipt(log, index=300, size=ENTRIES, **kw):
    """kw: what is to be another. extra None: no entry in it; by: witnesses."""
    entries = log.entries()
    path = kw.get("path", proof([v.leaf_hash(e) for e in entries[:size]], index))
    extra = kw.get("extra", entries[index])
    text = w.text_of(log, size, kw.get("root"), kw.get("origin", ORIGIN))
    note = kw.get("note", w.note(text, *[w.cosign(x, text) for x in kw.get("by", ())], by=kw.get("seed", w.SEED)))
    return (v.Receipt.FIRST + (b"" if extra is None else b"extra " + base64.b64encode(extra) + b"\n")
            + b"index %s\n" % str(kw.get("says", index)).encode()
            + b"".join(base64.b64encode(h) + b"\n" for h in path) + b"\n" + note)


def put(log, data, entry=None, policy=None):
    log.write("given.receipt", data)
    if entry is not None:
        log.write("given.entry", entry)
    if policy is not None:
        log.write("given.policy", policy)


@case("OK")
def receipt_of_an_entry(log):
    put(log, receipt(log))


@case("OK")
def receipt_of_the_last_entry(log):
    put(log, receipt(log, ENTRIES - 1))


@case("OK")
def receipt_of_the_only_entry(log):
    put(log, receipt(log, 0, 1))


@case("OK")
def receipt_with_the_entry_beside_it(log):
    put(log, receipt(log, extra=None), log.entries()[300])


@case("OK")
def entry_beside_it_counts(log):
    put(log, receipt(log, extra=b"another"), log.entries()[300])


@case("OK")
def receipt_witnessed(log):
    put(log, receipt(log, 300, 513, by=("w1", "w3")), policy=w.policy())


@case("UNVERIFIABLE")
def receipt_witnessed_by_too_few(log):
    put(log, receipt(log, 300, 513, by=("w1",)), policy=w.policy())


@case("UNVERIFIABLE")
def receipt_under_a_policy_for_another_log(log):
    put(log, receipt(log, by=("w1", "w2")), policy=w.policy(logs=((b"\1" * 32, "other.example/log"),)))


@case("TAMPERED")
def receipt_with_a_wrong_cosignature(log):
    text = w.text_of(log, ENTRIES)
    put(log, receipt(log, note=w.note(text, w.cosign("w1", text), w.cosign("w2", text), w.cosign("w3", text, flip=True))),
        policy=w.policy())


@case("INCOMPLETE", 300)
def receipt_without_its_entry(log):
    put(log, receipt(log, extra=None))


@case("TAMPERED", 300)
def receipt_for_another_leaf(log):
    put(log, receipt(log, extra=log.entries()[301]))


@case("TAMPERED", 300)
def another_entry_beside_it(log):
    put(log, receipt(log), log.entries()[299])


@case("TAMPERED", 301)
def receipt_of_another_index(log):
    put(log, receipt(log, says=301))


@case("TAMPERED", ENTRIES)
def receipt_of_an_index_beyond_the_log(log):
    put(log, receipt(log, says=ENTRIES))


@case("TAMPERED", 300)
def receipt_of_an_entry_of_another_index(log):
    """The log itself holds, at 300, an entry that says that it is another."""
    entries = log.entries()
    entries[300] = entries[299]
    log.rebuild(entries)
    put(log, receipt(log))


@case("TAMPERED", 300)
def receipt_of_an_entry_that_is_none(log):
    entries = log.entries()
    entries[300] = b"USE1"
    log.rebuild(entries)
    put(log, receipt(log))


@case("TAMPERED", 300)
def receipt_with_a_hash_changed(log):
    path = proof([v.leaf_hash(e) for e in log.entries()], 300)
    put(log, receipt(log, path=path[:3] + [bytes(32)] + path[4:]))


@case("TAMPERED", 300)
def receipt_with_a_hash_too_few(log):
    put(log, receipt(log, path=proof([v.leaf_hash(e) for e in log.entries()], 300)[:-1]))


@case("TAMPERED", 300)
def receipt_with_a_hash_too_many(log):
    put(log, receipt(log, path=proof([v.leaf_hash(e) for e in log.entries()], 300) + [bytes(32)]))


@case("TAMPERED", 0)
def receipt_with_a_hash_where_none_is(log):
    put(log, receipt(log, 0, 1, path=[bytes(32)]))


def of_tree(log, size, path):
    """The log itself signs a tree of that size to which the path leads from its first entry."""
    root = v.leaf_hash(log.entries()[0])
    for h in path:
        root = v.node_hash(h, root)
    put(log, receipt(log, 0, size, root=root, path=path))


@case("TAMPERED", 0)
def receipt_against_a_tree_too_small(log):
    of_tree(log, 1, [bytes(32)])


@case("TAMPERED", 0)
def receipt_against_a_tree_too_large(log):
    of_tree(log, 4, [])


@case("TAMPERED", 300)
def receipt_against_another_root(log):
    put(log, receipt(log, root=bytes(32)))


@case("TAMPERED")
def receipt_by_another_key(log):
    put(log, receipt(log, seed=w.SEEDS["stranger"]))


@case("TAMPERED")
def receipt_of_another_log(log):
    put(log, receipt(log, origin="other.example/log"))


@case("TAMPERED")
def receipt_whose_checkpoint_was_changed(log):
    put(log, receipt(log).replace(b"\n%d\n" % ENTRIES, b"\n%d\n" % (ENTRIES - 1)))


@case("TAMPERED")
def receipt_with_an_index_of_no_number(log):
    put(log, receipt(log, says="0300"))


@case("TAMPERED")
def receipt_with_a_hash_of_no_length(log):
    put(log, receipt(log, path=[bytes(31)]))


@case("TAMPERED")
def receipt_without_an_index(log):
    put(log, receipt(log).replace(b"index 300\n", b""))


@case("TAMPERED", 300)
def receipt_with_an_entry_of_no_base64(log):
    put(log, receipt(log).replace(b"\nextra ", b"\nextra !"))


@case("INCOMPLETE")
def receipt_cut_in_its_signature(log):
    put(log, receipt(log)[:-1])


@case("INCOMPLETE")
def receipt_cut_before_its_signature(log):
    data = receipt(log)
    put(log, data[:data.rindex(b"\n\n") + 2])


@case("INCOMPLETE")
def receipt_cut_in_its_proof(log):
    data = receipt(log)
    put(log, data[:data.index(b"\n\n")])


@case("INCOMPLETE")
def receipt_cut_behind_its_last_hash(log):
    data = receipt(log)
    put(log, data[:data.index(b"\n\n") + 1])


@case("INCOMPLETE")
def receipt_cut_behind_its_first_line(log):
    put(log, v.Receipt.FIRST)


@case("UNVERIFIABLE")
def receipt_that_is_none(log):
    put(log, bytes(log.read("checkpoint")))


@case("UNVERIFIABLE")
def receipt_of_another_version(log):
    put(log, receipt(log).replace(b"@v1", b"@v2"))


@case("UNVERIFIABLE")
def receipt_that_is_empty(log):
    put(log, b"")
