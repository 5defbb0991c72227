"""Further cases of hostile_log.py: logs that were handed over to another key (docs/PROTOCOL.md, section 9).

A story goes on under a second and a third key. given.vkey is the key that the reader has: the first, unless a case says otherwise. The entry of a
hand-over holds its bytes, whose roots are over the entries before: so each is made when what stands before it is known.
"""
import base64
import hashlib
import os

from hostile_log import ORIGIN, case, sign
import story as st
import verify_log as v

SEEDS = [hashlib.sha256(b"key %d of a log" % n).digest() for n in (1, 2, 3)]
NAMES = [ORIGIN, ORIGIN + "/2", "new.example.org/" + ORIGIN.split("/", 1)[1] + "/3"]


def vkey(seed, name, kind=1):
    raw = bytes([kind]) + sign(seed, b"")[0]
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    return "%s+%s+%s" % (name, key_id.hex(), base64.b64encode(raw).decode())


def signature(seed, name, text):
    public, raw = sign(seed, text.encode())
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    return "\u2014 %s %s\n" % (name, base64.b64encode(key_id + raw).decode())


def note(seed, name, text, more=""):
    return (text + "\n" + signature(seed, name, text) + more).encode()


def hash_line(h):
    return base64.b64encode(h).decode() + "\n"


def handed(n, at, tree, **kw):
    """The hand-over from key n to the next, at that size, of that tree. kw: what is to be another, by the names below."""
    get = kw.get
    old_seed, old_name = get("old_seed", SEEDS[n]), get("old_name", NAMES[n])
    new_seed, new_name = get("new_seed", SEEDS[n + 1]), get("new_name", NAMES[n + 1])
    succession = "%s\n%s\n%s\n%s\n%s%s\n%s" % (
        get("label", "underseal/succession/1"), get("old_vkey", vkey(old_seed, old_name)), get("new_vkey", vkey(new_seed, new_name)),
        get("size", at), hash_line(get("root", tree)), get("then", "2027-01-15T08:00:00Z"), get("after", ""))
    first = note(get("by_old", old_seed), old_name, succession, get("beside", ""))
    last, last_root = get("last", at), get("last_root", tree)
    second = "%s\n%s%s\n%s\n%s\n%s%s" % (
        get("second", "underseal/handover/1"), hash_line(get("digest", hashlib.sha256(first).digest())), get("reason", "restore"),
        get("time", "2027-01-15T08:01:00Z"), last, hash_line(last_root), get("behind", ""))
    second = note(get("by_new", new_seed), new_name, second)
    third = b""
    if get("third", last != at):
        text = "%s\n%s\n%s%s" % (get("third_name", old_name), get("third_size", last), hash_line(get("third_root", last_root)), get("third_more", ""))
        third = note(get("third_by", old_seed), old_name, text)
    return get("head", "underseal/handed-over/1 %d %d %d\n") .encode() % (len(first), len(second), len(third)) + first + second + third


def told(log, first=None, second=None, chain=None, given=0, signed_by=2, signer=None, reader=None, withheld=(), edit=None, entry=None, story=st.story):
    """A story under three keys: two hand-overs, and a start behind each. first, second: what is another in them; chain: makes the file
    of the two; entry: what the first entry of a hand-over says instead."""
    drafts = story()
    texts, roots = [], []
    for n, kw in enumerate((first or {}, second or {})):
        entries = st.encode(drafts)[0]
        roots.append(v.tree_head([v.leaf_hash(e) for e in entries]))
        texts.append(handed(n, len(drafts), roots[-1], **(kw(roots) if callable(kw) else kw)))
        for d in (st.machine(v.HANDOVER, 0, summary=texts[-1], boot=True), st.machine(v.START, 0, boot=True)):
            drafts.append(dict(d, time=drafts[-1]["time"] + st.SECOND))
    if entry:
        entry(drafts)
    if edit:
        edit(drafts)
    entries, keys = st.encode(drafts, withheld)
    seed, name = signer or (SEEDS[signed_by], NAMES[signed_by])
    log.rebuild(entries, seed=seed, name=name, origin=name, vkey=True)
    log.write("keys.jsonl", keys)
    log.write("acts", st.commit(drafts))
    log.write("given.vkey", vkey(*(reader or (SEEDS[given], NAMES[given]))).encode())
    data = b"".join(texts) if chain is None else chain(*texts)
    if data is not None:
        log.write("handovers", data)


def told_once(log, first=None, **more):
    """What the second key signs ends before the second hand-over; the first says something else."""
    kw = first or {}

    def cut(drafts):
        del drafts[M + 2:]
    told(log, first, chain=lambda a, b: a, signer=(kw.get("new_seed", SEEDS[1]), kw.get("new_name", NAMES[1])), edit=cut,
         reader=(SEEDS[0], kw.get("old_name", ORIGIN)), **more)


M = len(st.story())  # the first entry under the second key; M + 2: under the third


@case("OK")
def handed_over_from_the_first_key(log):
    told(log)


@case("OK")
def handed_over_from_the_second_key(log):
    told(log, given=1)


@case("OK")
def handed_over_and_the_newest_key_given(log):
    told(log, given=2)


@case("OK")
def handed_over_with_entries_lost(log):
    told(log, dict(last=M + 9, last_root=bytes(32)))


@case("OK")
def handed_over_and_nothing_disclosed(log):
    told(log, withheld={(i, box) for i in range(M + 4) for box in range(3)})


@case("OK")
def handed_over_to_the_second_key_only(log):
    told_once(log)


@case("TAMPERED")
def checkpoint_by_a_key_that_handed_over(log):
    told(log, signed_by=0)


@case("TAMPERED")
def checkpoint_by_a_key_between(log):
    told(log, signed_by=1)


@case("TAMPERED")
def chain_that_ends_before_the_key(log):
    told(log, chain=lambda a, b: a)


@case("TAMPERED")
def chain_without_its_beginning(log):
    told(log, chain=lambda a, b: b)


@case("TAMPERED")
def chain_backwards(log):
    told(log, chain=lambda a, b: b + a)


@case("TAMPERED")
def chain_with_a_hand_over_twice(log):
    told(log, chain=lambda a, b: a + a + b)


@case("TAMPERED")
def chain_that_is_empty(log):
    told(log, chain=lambda a, b: b"")


@case("TAMPERED")
def chain_with_bytes_behind(log):
    told(log, chain=lambda a, b: a + b + b"\n")


@case("TAMPERED")
def chain_cut_short(log):
    told(log, chain=lambda a, b: (a + b)[:-1])


@case("TAMPERED")
def chain_longer_than_it_can_be(log):
    told(log, chain=lambda a, b: a + b + bytes(64 * 3584))


@case("TAMPERED")
def chain_and_a_key_that_is_not_in_it(log):
    told(log)
    log.write("given.vkey", vkey(hashlib.sha256(b"a stranger").digest(), ORIGIN).encode())


@case("TAMPERED")
def chain_and_a_key_of_another_name(log):
    told(log)
    log.write("given.vkey", vkey(SEEDS[0], ORIGIN + "x").encode())


@case("TAMPERED")
def no_chain_and_an_older_key(log):
    told(log, chain=lambda a, b: None)


@case("INCOMPLETE", M)
def no_chain_and_the_newest_key(log):
    told(log, chain=lambda a, b: None, given=2)


@case("OK")
def no_chain_and_nothing_says_so(log):
    told(log, chain=lambda a, b: None, given=2, withheld={(M, 0), (M + 2, 0)})


@case("UNVERIFIABLE")
def chain_is_a_link(log):
    told(log, chain=lambda a, b: None, given=2)
    os.symlink("checkpoint", log.at("handovers"))


def bad(name, **kw):
    """A first hand-over that says something else; the log's own entry says the same."""
    def tamper(log):
        told_once(log, kw)
    tamper.__name__ = "handed_over_with_" + name
    case("TAMPERED")(tamper)


bad("a_succession_by_another_key", by_old=SEEDS[2])
bad("a_hand_over_by_another_key", by_new=SEEDS[0])
bad("another_label", label="underseal/succession/2")
bad("another_second_label", second="underseal/handover/2")
bad("no_key_before", old_vkey=ORIGIN)
bad("a_key_of_another_type", new_vkey=vkey(SEEDS[1], NAMES[1])[:-4])
bad("the_same_key", new_seed=SEEDS[0])
bad("an_origin_of_no_number", new_name=ORIGIN)
bad("an_origin_that_skips_one", new_name=ORIGIN + "/3")
bad("an_origin_with_a_leading_zero", new_name=ORIGIN + "/02")
bad("an_origin_of_another_vault", new_name="log.example.org/underseal/0123456789abcde0/2")
bad("an_origin_too_long", new_name="h" * 240 + "/underseal/0123456789abcdef/2")
bad("an_origin_that_counts_from_one", old_name=ORIGIN + "/1")
bad("an_origin_of_no_host", new_name="/underseal/0123456789abcdef/2")
bad("a_size_of_no_digits", size="%x" % (M + 256), last=M)
bad("a_root_too_short", root=bytes(31))
bad("a_key_of_a_witness", new_vkey=vkey(SEEDS[1], NAMES[1], 4), by_new=SEEDS[1])
bad("a_leading_zero", size="0%d" % M)
bad("a_time_with_a_fraction", then="2027-01-15T08:00:00.5Z")
bad("a_time_with_an_offset", time="2027-01-15T08:01:00+00:00")
bad("a_time_in_fewer_digits", time="2027-1-15T08:01:00Z")
bad("a_time_of_no_day", time="2027-02-30T08:01:00Z")
bad("a_time_beyond_all", time="2262-01-15T08:01:00Z")
bad("a_time_before_its_succession", time="2027-01-15T07:59:59Z")
bad("a_line_behind_the_succession", after="more\n")
bad("a_line_behind_the_hand_over", behind="more\n")
bad("the_digest_of_another_note", digest=bytes(32))
bad("a_reason_of_no_meaning", reason="whim")
bad("fewer_entries_than_it_hands_over", last=M - 1, last_root=bytes(32), third=False)
bad("a_last_checkpoint_that_is_smaller", last=M - 1, last_root=bytes(32), third=True)
bad("a_loss_that_nobody_signed", last=M + 9, last_root=bytes(32), third=False)
bad("a_loss_that_another_key_signed", last=M + 9, last_root=bytes(32), third_by=SEEDS[1])
bad("a_loss_of_another_size", last=M + 9, last_root=bytes(32), third_size=M + 8)
bad("a_loss_of_another_root", last=M + 9, last_root=bytes(32), third_root=b"\1" * 32)
bad("a_loss_of_another_log", last=M + 9, last_root=bytes(32), third_name=ORIGIN + "x")
bad("a_loss_with_an_extension", last=M + 9, last_root=bytes(32), third_more="more\n")
bad("a_checkpoint_and_no_loss", third=True)
bad("another_root_and_no_loss", last_root=bytes(32), third=False)
bad("another_beginning", head="underseal/handed-over/2 %d %d %d\n")
bad("a_length_with_a_leading_zero", head="underseal/handed-over/1 0%d %d %d\n")
bad("the_root_of_another_tree", root=bytes(32), last_root=bytes(32))
bad("a_size_that_is_not_here", size=M + 100, last=M + 100, third=False)
bad("two_signatures", beside=signature(SEEDS[2], NAMES[2], "anything\n"))


@case("TAMPERED")
def hand_over_of_an_empty_log(log):
    empty = hashlib.sha256(b"").digest()
    told_once(log, dict(size=0, last=0, root=empty, last_root=empty, third=False), withheld={(i, 0) for i in range(M + 2)})


@case("TAMPERED")
def hand_over_behind_the_last_entry(log):
    """The new key has signed the tree that it was given, and written nothing."""
    def cut(drafts):
        del drafts[M:]
    told(log, None, chain=lambda a, b: a, signed_by=1, edit=cut)


@case("TAMPERED")
def second_hand_over_where_the_first_was(log):
    """Between the two there is no entry."""
    def cut(drafts):
        del drafts[M + 2:]
    told(log, None, lambda roots: dict(size=M, last=M, root=roots[0], last_root=roots[0], third=False), edit=cut)


@case("TAMPERED")
def second_hand_over_to_the_first_key(log):
    told(log, None, dict(new_seed=SEEDS[0]), signer=(SEEDS[0], NAMES[2]))


@case("TAMPERED")
def second_hand_over_by_a_key_that_was_not_given_it(log):
    fourth = hashlib.sha256(b"a fourth").digest()
    told(log, None, dict(old_seed=SEEDS[2], new_seed=fourth), signer=(fourth, NAMES[2]))


@case("TAMPERED", M, "handover")
def first_entry_says_nothing_of_it(log):
    told(log, entry=lambda d: d[M].update(action=st.HEARTBEAT))


@case("TAMPERED", M, "handover")
def first_entry_names_another_hand_over(log):
    told(log, entry=lambda d: d[M].update(summary=d[M + 2]["summary"]))


@case("TAMPERED", M + 2, "handover")
def second_entry_names_the_first_hand_over(log):
    told(log, entry=lambda d: d[M + 2].update(summary=d[M]["summary"]))


@case("TAMPERED", M, "handover")
def first_entry_names_nothing(log):
    told(log, entry=lambda d: d[M].update(summary=b""))


@case("TAMPERED", M + 3, "handover")
def entry_of_a_hand_over_that_was_none(log):
    told(log, edit=lambda d: d[M + 3].update(action=v.HANDOVER, summary=d[M]["summary"]))


@case("TAMPERED", M, "handover")
def first_entry_of_another_class(log):
    told(log, entry=lambda d: d[M].update(**{"class": st.NOISE}))


@case("TAMPERED")
def entries_before_it_rewritten(log):
    """By the second key's holder: the old key's word does not fit any more."""
    told(log, entry=lambda d: d[20].update(summary=b"rewritten"))


@case("OK")
def request_cut_by_a_hand_over(log):
    """The keeper died while it wrote, and what followed was no start."""
    told(log, story=lambda: st.story()[:33])


@case("OK")
def request_cut_by_a_backup(log):
    told(log, story=lambda: st.story()[:33] + [dict(st.machine(v.BACKUP, 0), time=st.story()[33]["time"])])
