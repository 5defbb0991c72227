"""Further cases of hostile_log.py: what witnesses say of a log, and what somebody would like them to have said."""
import base64
import hashlib
import os
import struct
import subprocess

from hostile_log import ENTRIES, ORIGIN, SEED, case, sign
import verify_log as v

SEEDS = {name: hashlib.sha256(b"a witness's key " + name.encode()).digest() for name in ("w1", "w2", "w3", "stranger")}
TIMES = {"w1": 1700000100, "w2": 1700000200, "w3": 1700000300, "stranger": 1700000400}


def line(name, raw):
    return "\u2014 %s %s\n" % (name, base64.b64encode(raw).decode())


def key_of(seed, name, kind):
    public, _ = sign(seed, b"")
    raw = bytes([kind]) + public
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    return key_id, "%s+%s+%s" % (name, key_id.hex(), base64.b64encode(raw).decode())


def cosign(who, text, when=None, seed=None, over=None, flip=False):
    """A witness's line over a checkpoint's text (or over another, over)."""
    name, when = who + ".example/witness", TIMES[who] if when is None else when
    _, signature = sign(seed or SEEDS[who], b"cosignature/v1\ntime %d\n" % when + (over or text).encode())
    key_id, _ = key_of(SEEDS[who], name, 4)
    raw = key_id + struct.pack(">Q", when) + signature
    return line(name, raw[:-1] + bytes([raw[-1] ^ 1]) if flip else raw)


def log_line(text, seed=SEED, name=ORIGIN):
    return line(name, key_of(seed, name, 1)[0] + sign(seed, text.encode())[1])


def text_of(log, size, root=None, origin=ORIGIN):
    root = root or v.tree_head(map(v.leaf_hash, log.entries()[:size]))
    return "%s\n%d\n%s\n" % (origin, size, base64.b64encode(root).decode())


def note(text, *lines, by=SEED):
    return (text + "\n" + log_line(text, by) + "".join(lines)).encode()


def policy(rule="group all2 2 w1 w2 w3\nquorum all2\n", logs=((SEED, ORIGIN),), witnesses=("w1", "w2", "w3")):
    out = "# which of them are enough\n"
    for seed, name in logs:
        out += "log %s\n" % key_of(seed, name, 1)[1]
    for w in witnesses:
        out += "witness %s %s\n" % (w, key_of(SEEDS[w], w + ".example/witness", 4)[1])
    return (out + rule).encode()


def put(log, by=(), rule=None, more="", **kw):
    """The log's checkpoint with cosignatures of these, and a policy."""
    text = text_of(log, ENTRIES)
    log.write("checkpoint", note(text, *[cosign(w, text) for w in by]) + more.encode())
    log.write("given.policy", policy(rule, **kw) if rule else policy(**kw))
    return text


def put_earlier(log, size, by, k=1, **kw):
    text = text_of(log, size, **kw)
    log.write("checkpoint.witnessed" + (".%d" % k if k > 1 else ""), note(text, *[cosign(w, text) for w in by]))


# What is good.

@case("OK")
def cosigned_by_two(log):
    put(log, ("w3", "w1"))


@case("OK")
def cosigned_by_all_and_a_stranger(log):
    put(log, ("stranger", "w3", "w2", "w1"))


@case("OK")
def cosigned_earlier(log):
    put(log)
    put_earlier(log, 300, ("w1", "w2"))


@case("OK")
def cosigned_earlier_at_a_full_bundle(log):
    put(log, ("w1",))
    put_earlier(log, 512, ("w2", "w3"))


@case("OK")
def cosigned_earlier_at_the_first_entry(log):
    put(log)
    put_earlier(log, 1, ("w1", "w2", "w3"))


@case("OK")
def cosigned_at_once_beside_the_checkpoint(log):
    put(log)
    put_earlier(log, ENTRIES, ("w1", "w2"))


@case("OK")
def cosigned_by_more_still_earlier(log):
    put(log)
    put_earlier(log, 513, ("w2",))
    put_earlier(log, 255, ("w1", "w2"), 2)
    put_earlier(log, 100, ("w1", "w2", "w3"), 3)


@case("OK")
def quorum_of_none(log):
    put(log, rule="quorum none\n")


@case("OK")
def quorum_of_one(log):
    put(log, ("w2",), rule="quorum w2\n")


@case("OK")
def quorum_of_groups(log):
    put(log, ("w3", "w1"), rule="group a any w1 w2\ngroup b all a w3\nquorum b\n")


@case("OK")
def policy_that_names_no_log(log):
    put(log, ("w1", "w2"), logs=())


@case("OK")
def policy_that_names_two_logs(log):
    put(log, ("w1", "w2"), logs=((b"\1" * 32, "other.example/log"), (SEED, ORIGIN)))


@case("OK")
def second_line_of_a_witness_is_not_read(log):
    put(log, ("w1", "w2"), more=cosign("w1", "x", flip=True))


@case("OK")
def earlier_checkpoint_without_a_policy(log):
    put_earlier(log, 300, ())


# Not enough.

@case("TAMPERED")
def earlier_checkpoint_larger_than_it_can_be(log):
    put(log, ("w1", "w2"))
    log.write("checkpoint.witnessed", note(text_of(log, 300)) + b"\n" * (1 << 21))


@case("UNVERIFIABLE")
def cosigned_by_nobody(log):
    put(log)


@case("UNVERIFIABLE")
def cosigned_by_too_few(log):
    put(log, ("w2",))


@case("UNVERIFIABLE")
def cosigned_by_one_on_each(log):
    put(log, ("w2",))
    put_earlier(log, 300, ("w1",))


@case("UNVERIFIABLE")
def cosigned_twice_by_one(log):
    text = text_of(log, ENTRIES)
    put(log, ("w2",), more=cosign("w2", text, 1700000999))


@case("UNVERIFIABLE")
def cosigned_by_a_stranger(log):
    put(log, ("w2", "stranger"))


@case("UNVERIFIABLE")
def cosigned_by_a_stranger_of_that_name(log):
    text = text_of(log, ENTRIES)
    name = "w1.example/witness"
    key_id, _ = key_of(SEEDS["stranger"], name, 4)
    _, signature = sign(SEEDS["stranger"], b"cosignature/v1\ntime 1\n" + text.encode())
    put(log, ("w2",), more=line(name, key_id + struct.pack(">Q", 1) + signature))


@case("UNVERIFIABLE")
def group_within_a_group_not_met(log):
    put(log, ("w1", "w2"), rule="group a any w1 w2\ngroup b all a w3\nquorum b\n")


@case("UNVERIFIABLE")
def cosigned_when_there_was_nothing(log):
    put(log)
    put_earlier(log, 0, ("w1", "w2", "w3"))


@case("UNVERIFIABLE")
def policy_for_another_log(log):
    put(log, ("w1", "w2", "w3"), logs=((b"\1" * 32, "other.example/log"),))


@case("UNVERIFIABLE")
def policy_for_another_key_of_that_name(log):
    put(log, ("w1", "w2", "w3"), logs=((b"\1" * 32, ORIGIN),))


@case("UNVERIFIABLE")
def policy_for_that_key_under_another_name(log):
    put(log, ("w1", "w2", "w3"), logs=((SEED, "other.example/log"),))


@case("UNVERIFIABLE")
def earlier_checkpoint_is_a_link(log):
    put(log, ("w1", "w2"))
    os.symlink("checkpoint", log.at("checkpoint.witnessed"))


@case("UNVERIFIABLE")
def third_earlier_checkpoint_without_the_second(log):
    put(log)
    put_earlier(log, 300, ("w1",))
    put_earlier(log, 200, ("w1", "w2"), 3)


# Wrong.

@case("TAMPERED")
def cosignature_bit(log):
    text = text_of(log, ENTRIES)
    put(log, ("w1", "w2"), more=cosign("w3", text, flip=True))


@case("TAMPERED")
def cosignature_of_another_size(log):
    put(log, ("w1", "w2"), more=cosign("w3", text_of(log, 300)))


@case("TAMPERED")
def cosignature_of_another_log(log):
    put(log, ("w1", "w2"), more=cosign("w3", text_of(log, ENTRIES, origin="other.example/log")))


@case("TAMPERED")
def cosignature_of_another_root(log):
    put(log, ("w1", "w2"), more=cosign("w3", text_of(log, ENTRIES, root=bytes(32))))


@case("TAMPERED")
def cosignature_by_another_key(log):
    text = text_of(log, ENTRIES)
    put(log, ("w1", "w2"), more=cosign("w3", text, seed=SEEDS["w1"]))


def changed(log, edit):
    text = text_of(log, ENTRIES)
    name, raw = cosign("w3", text).split(" ")[1:]
    put(log, ("w1", "w2"), more=line(name, edit(base64.b64decode(raw))))


@case("TAMPERED")
def cosignature_of_another_time(log):
    changed(log, lambda raw: raw[:11] + bytes([raw[11] ^ 1]) + raw[12:])


@case("TAMPERED")
def cosignature_beyond_all_time(log):
    text = text_of(log, ENTRIES)
    put(log, ("w1", "w2"), more=cosign("w3", text, 2**63))


@case("TAMPERED")
def cosignature_that_is_a_plain_signature(log):
    text = text_of(log, ENTRIES)
    changed(log, lambda raw: raw[:4] + sign(SEEDS["w3"], text.encode())[1])


@case("TAMPERED")
def cosignature_with_more_behind_it(log):
    changed(log, lambda raw: raw + b"\0")


@case("TAMPERED")
def cosignature_wrong_on_an_earlier_one(log):
    put(log, ("w1", "w2"))
    text = text_of(log, 300)
    log.write("checkpoint.witnessed", note(text, cosign("w1", text), cosign("w2", text, flip=True)))


@case("TAMPERED")
def earlier_checkpoint_of_another_history(log):
    put(log, ("w1", "w2"))
    put_earlier(log, 300, ("w1", "w2"), root=bytes(32))


@case("TAMPERED")
def earlier_checkpoint_of_another_history_without_a_policy(log):
    put_earlier(log, 300, (), root=bytes(32))


@case("TAMPERED")
def beginning_of_another_history(log):
    put(log, ("w1", "w2"))
    put_earlier(log, 0, ("w1", "w2"), root=bytes(32))


@case("TAMPERED")
def checkpoint_of_that_size_of_another_history(log):
    put(log, ("w1", "w2"))
    put_earlier(log, ENTRIES, (), root=bytes(32))


@case("TAMPERED")
def second_earlier_checkpoint_of_another_history(log):
    put(log, ("w1", "w2"))
    put_earlier(log, 300, ("w1", "w2"))
    put_earlier(log, 257, ("w1", "w2"), 2, root=bytes(32))


@case("TAMPERED")
def earlier_checkpoint_by_another_key(log):
    put(log, ("w1", "w2"))
    text = text_of(log, 300)
    log.write("checkpoint.witnessed", note(text, cosign("w1", text), by=SEEDS["stranger"]))


@case("TAMPERED")
def earlier_checkpoint_with_a_wrong_signature(log):
    put(log)
    log.write("checkpoint.witnessed", (text_of(log, 300) + "\n" + log_line(text_of(log, 301))).encode())


@case("TAMPERED")
def earlier_checkpoint_of_another_origin(log):
    put(log)
    log.write("checkpoint.witnessed", note(text_of(log, 300, origin="other.example/log")))


@case("TAMPERED")
def earlier_checkpoint_that_is_none(log):
    put(log, ("w1", "w2"))
    log.write("checkpoint.witnessed", b"a\n\nb")


@case("INCOMPLETE", ENTRIES)
def earlier_checkpoint_that_is_later(log):
    put(log, ("w1", "w2"))
    put_earlier(log, ENTRIES + 1, ("w1", "w2", "w3"), root=bytes(32))


@case("TAMPERED", 300)
def entry_wrong_under_too_few_witnesses(log):
    put(log)
    entries = log.bundle(1)
    entries[300 - 256] = entries[300 - 256][:-1] + bytes([entries[300 - 256][-1] ^ 1])
    log.put_bundle(1, entries)


# Files that are no policy: a usage error.

def bad_policies():
    good = policy()
    key = key_of(SEEDS["w1"], "w1.example/witness", 4)[1]
    return {
        "empty": b"", "without a quorum": policy("group g any w1\n"), "without its last end": good[:-1], "without the end of its last comment": good + b"# and so on",
        "of two quorums": good + b"quorum w1\n", "of a quorum of nobody": policy("quorum w9\n"),
        "of a group of too few": policy("group g 3 w1 w2\nquorum g\n"), "of a group of none": policy("group g 0 w1\nquorum g\n"),
        "of a member of two groups": policy("group g any w1\ngroup h any w1 w2\nquorum h\n"),
        "of a group of itself": policy("group g any g w1\nquorum g\n"), "of a name twice": policy("group w1 any w2\nquorum w2\n"),
        "of a key twice": policy("witness w4 %s\nquorum w1\n" % key), "of a log's key for a witness's": policy(
            "witness w4 %s\nquorum w1\n" % key_of(SEEDS["stranger"], "x", 1)[1]),
        "of a witness's key for a log's": policy("log %s\nquorum w1\n" % key_of(SEEDS["stranger"], "x", 4)[1]),
        "of a line of no meaning": good + b"member w1\n", "of a control character": good + b"# \x01\n",
    }


def judge_policies(log, vkey, verifiers):
    """How many of them a verifier takes."""
    bad, path = 0, log + ".policy"
    for what, text in bad_policies().items():
        with open(path, "wb") as f:
            f.write(text)
        codes = [subprocess.run(c + [log, "--vkey", vkey, "--policy", path, "--json"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, check=False).returncode for c in verifiers.values()]
        if any(c != 2 for c in codes):
            bad += 1
            print("a policy %s: %s" % (what, codes))
    return bad
