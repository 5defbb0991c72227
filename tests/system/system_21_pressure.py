#!/usr/bin/env python3
"""Goal: a log's disk that fills up, and files of the log that somebody touches. The keeper's directory is a small file
system of its own. Below the low-water mark nothing is released, each refusal is in the log, and rights can be taken away;
with no room and no reserve the daemon does not go on, says why, and ends with status 74; so it does when a file of its log is
removed, exchanged or cut under it, and names the file. With room and files back the log is whole.
"""
import os
import shutil
import subprocess
import time

from harness import (DONE, OTHER, REFUSED, Http, Vault, check, equal, generate, is_root, main, run, skip, step, wait_for,
                     write_lines)

PORT = 20210
SIZE_MIB = 160  # init makes a segment of 64 MiB, and begins another
NO_SPACE = 74


class Disk:
    """A file system of a fixed size in the place of a directory, with what was in it."""

    def __init__(self, path):
        self.path, self.ballast = path, os.path.join(path, "ballast")
        aside = path + ".aside"
        shutil.move(path, aside)
        os.mkdir(path)
        r = run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=0700" % SIZE_MIB, "underseal-test", path])
        self.mounted = r.returncode == 0
        if not self.mounted:
            os.rmdir(path)
            shutil.move(aside, path)
            skip("no file system can be mounted here: " + r.stderr.decode().strip())
        run(["cp", "-a", aside + "/.", path])
        shutil.rmtree(aside)

    def free(self):
        s = os.statvfs(self.path)
        return s.f_bavail * s.f_frsize

    def leave(self, n):
        """Fills it up, but for n bytes."""
        with open(self.ballast, "ab") as f:
            while self.free() > n:
                try:
                    f.write(bytes(min(1 << 20, self.free() - n)))
                    f.flush()
                except OSError:
                    break

    def give_back(self):
        os.unlink(self.ballast)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=False)
            self.mounted = False


def newest(keeper):
    return os.path.join(keeper, "journal", sorted(n for n in os.listdir(os.path.join(keeper, "journal")) if n != "next")[-1])


def low_water(vault, disk, path):
    disk.leave(3 << 20)
    wait_for(lambda: "nearly full" in vault.log_text(), 10, "the operator is told")
    entries = {}
    for what, who, args in (("search", "attorney", ("search", "demo", "harbour")),
                            ("count", "attorney", ("search", "demo", "harbour", "--count")),
                            ("read", "attorney", ("read", "demo", "DEMO000000001")),
                            ("load", "producer", ("load", "demo", path)),
                            ("audit-keys", "auditor", ("audit", "list"))):
        r = vault.client(who, *args, code=OTHER)
        check("makes room on the file system of keeper/" in r.stderr, "%s: the person is told what to do" % what, r)
        check("nearly full" in r.stderr and "503" in r.stderr, "%s: and why" % what, r)
        entries[what] = r
    vault.client("admin", "person", "suspend", "Peter Producer", "--reason", "while the disk is full")
    vault.client("attorney", "credential", "list")
    equal(vault.state(), "open", "state")
    r = vault.client("producer", "load", "demo", path, code=REFUSED)
    check("suspended" in r.stdout.decode() + r.stderr, "who was suspended is", r)


def full(vault, disk):
    """Not a byte is left: the journal's reserve takes the refusals still."""
    disk.leave(0)
    for _ in range(3):
        r = vault.client("attorney", "search", "demo", "harbour", "--count", code=OTHER)
        check("nearly full" in r.stderr, "refused on a full disk", r)
    vault.client("admin", "seal", "--reason", "the disk is full")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "sealed")


def again(vault, disk):
    disk.give_back()
    wait_for(lambda: "has room again" in vault.log_text(), 10, "the operator is told that it goes on")
    vault.unseal()
    vault.client("admin", "person", "reinstate", "Peter Producer", "--reason", "there is room")
    check(vault.count("harbour") >= 0, "counts")
    lines = vault.audit("--denied")
    refused = [e["action"] for e in lines if e["reason"] == "low-space"]
    for action in ("search", "count", "load", "audit-keys"):
        check(action in refused, "a refusal of \"%s\" is in the log" % action, refused)
    check("read" in refused or "open-collection" in refused or refused.count("search") > 1, "and of a read", refused)
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log")


def zero(vault, disk, keeper):
    """A start that needs a new segment, on a disk that has no room for one."""
    vault.kill()
    segment = newest(keeper)
    with open(segment, "r+b") as f:
        data, at = f.read(), 80
        while data[at:at + 4] == b"USJG":
            at += int.from_bytes(data[at + 4:at + 8], "big")
        f.seek(at)
        f.write(b"USJG\0\0\1\0torn")
    if os.path.exists(os.path.join(keeper, "journal", "next")):
        os.unlink(os.path.join(keeper, "journal", "next"))
    disk.leave(0)
    vault.serve(wait=False)
    equal(vault.wait_end(), NO_SPACE, "exit status of a daemon without room for its log")
    check("the log's disk is full, and its reserve is used up" in vault.log_text(), "it says why", vault.log_text())
    disk.give_back()
    vault.serve().unseal()


def touched(vault, keeper):
    http = Http(vault, vault.profile("attorney"))
    for _ in range(300):
        http("GET", "/v1/people")
    wait_for(lambda: os.path.exists(os.path.join(keeper, "tile", "0", "000")), 10, "there are tiles")

    def remove(path):
        os.rename(path, path + ".x")
        return lambda: os.rename(path + ".x", path)

    def exchange(path):
        os.rename(path, path + ".x")
        run(["cp", "-p", path + ".x", path])
        return lambda: os.rename(path + ".x", path)

    def cut(path):
        size = os.path.getsize(path)
        os.truncate(path, size - 1)
        return lambda: os.truncate(path, size)

    def change(path):
        with open(path, "r+b") as f:
            data = f.read()
            f.seek(40)
            f.write(bytes([data[40] ^ 1]))

        def back():
            with open(path, "r+b") as g:
                g.seek(40)
                g.write(data[40:41])
        return back

    for name, how in (("journal", remove), ("journal", exchange), ("journal", cut),
                      ("checkpoint", change), ("tile/0/000", remove), ("tile/0/000", change),
                      ("tile/entries/000", remove), ("tile/entries/000", change)):
        step("%s of %s" % (how.__name__, name))
        path = newest(keeper) if name == "journal" else os.path.join(keeper, name)
        if name == "checkpoint":  # which the daemon itself writes anew while there are new entries
            wait_for(lambda: time.time() - os.stat(path).st_mtime > 1.5, 20, "the checkpoint rests")
        back = how(path)
        if name == "journal":  # at the next commit, which nobody gets an answer to
            r = vault.client("attorney", "person", "list", code=None)
            check(r.code != DONE, "nothing is answered from a log that is not there", r)
        equal(vault.wait_end(20), NO_SPACE, "exit status after %s of %s" % (how.__name__, name))
        text = vault.log_text()
        check("a file of the log is not what it was: " + os.path.relpath(path, keeper) in text, "the file is named", text[-800:])
        back()
        vault.serve().unseal()
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "the log, with all of its files")


def scenario():
    if not is_root():
        skip("only root can mount a file system")
    vault = Vault(PORT, settings="keeper.segment=8\nkeeper.reserve=4\n")
    vault.init()
    keeper = os.path.join(vault.data, "keeper")
    owner = os.stat(keeper)
    disk = Disk(keeper)
    os.chown(keeper, owner.st_uid, owner.st_gid)
    try:
        vault.serve().unseal()
        vault.client("admin", "collection", "create", "demo", "--bates", "DEMO")
        path = write_lines(os.path.join(vault.base, "a.jsonl"), generate(100, 21, "press"))
        vault.load(path)
        check(vault.count("harbour") >= 0, "counts")
        step("a disk that is nearly full")
        low_water(vault, disk, write_lines(os.path.join(vault.base, "b.jsonl"), generate(10, 22, "more")))
        step("a disk that is full")
        full(vault, disk)
        step("room again")
        again(vault, disk)
        step("no room and no reserve")
        zero(vault, disk, keeper)
        step("files that are touched")
        touched(vault, keeper)
        vault.stop()
        equal([l for l in vault.log_text().splitlines() if "runtime error" in l], [], "sanitizers")
    finally:
        vault.close()
        disk.close()


main(scenario)
