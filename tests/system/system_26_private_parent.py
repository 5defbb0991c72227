#!/usr/bin/env python3
"""Goal: a vault lives below a directory that only root may enter (a container's /root), its roles under users of their own.

No role needs to pass a directory above its own, whatever it does: programs, vault and all that is named lie below such a directory, and
the vault is made, served, unsealed, loaded, searched, read, sealed, started again, backed up, handed over and restored there, by absolute names and
by relative ones. What the roles leave behind is theirs.
"""
import harness
from harness import *

RECORDS = 300


def lies_below_what_only_root_may_enter():
    """A directory of mode 700, with a checkout's place in it; the programs are copied there."""
    home = tempfile.mkdtemp(prefix="us-root-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.chmod(home, 0o700)
    place = os.path.join(home, "project")
    os.mkdir(place)
    for program in (DAEMON, CLIENT):
        shutil.copy2(program, place)
    harness.DAEMON, harness.CLIENT = (os.path.join(place, os.path.basename(p)) for p in (DAEMON, CLIENT))
    r = run(["setpriv", "--reuid", str(uid_of("vault")), "--clear-groups", "test", "-x", place])
    check(r.returncode == 1, "a role's user cannot pass %s" % home, r.stderr.decode())
    return place


def uid_of(role):
    return pwd.getpwnam("underseal-" + role).pw_uid


def daemon(vault, *args, relative=False):
    """A command of the daemon, by absolute names, or by names relative to where it is started."""
    names = [os.path.relpath(a, vault.base) if relative and os.path.isabs(a) else a for a in args]
    r = run([harness.DAEMON] + names, env=vault.env, cwd=vault.base if relative else "/")
    check(r.returncode == DONE, "undersealed %s ends with %d" % (args[0], r.returncode), r.stderr.decode())
    check("Sanitizer" not in r.stderr.decode() and "runtime error:" not in r.stderr.decode(), "a sanitizer reports", r.stderr.decode())
    return r


def roles_have_users(vault):
    for role, pids in vault.roles().items():
        for pid in pids:
            with open("/proc/%d/status" % pid) as f:
                uids = re.search(r"^Uid:\s+(.*)$", f.read(), re.M).group(1).split()
            equal(uids, [str(uid_of(role))] * 4, "users of a process of %s" % role)
            if os.path.basename(DAEMON) != "undersealed":
                continue  # daemons for tests keep the environment
            with open("/proc/%d/environ" % pid, "rb") as f:
                equal(f.read(), b"", "the environment of a process of %s" % role)


def files_have_owners(vault):
    """Whatever lies in a role's directory is the role's, and nobody else may look into it."""
    seen = 0
    for role in ("keeper", "vault"):
        top = os.path.join(vault.data, role)
        equal(os.stat(top).st_mode & 0o777, 0o700, "mode of %s" % top)
        for where, directories, names in os.walk(top):
            for name in [""] + directories + names:
                st = os.lstat(os.path.join(where, name))
                equal(st.st_uid, uid_of(role), "owner of %s" % os.path.join(where, name))
                seen += 1
    return seen


def use(vault, lines):
    """Search and read: the same as ever."""
    equal(vault.count("ownsys26x7"), 1, "count of one record's own word")
    bates = all_hits(vault, "ownsys26x7")[0]
    check(lines[7] in vault.read(bates)[1][0], "a record, byte for byte")
    vault.client("admin", "read", "demo", bates[0], "--purpose", "x", code=REFUSED)


def replaced_roles_start(vault):
    """Roles are started anew while the vault runs, and by the seal, which starts all of them."""
    for role in ("front", "intake", "sealer"):
        pid = vault.roles()[role][0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in vault.roles().get(role, []) and vault.roles().get(role), 20, "%s starts anew" % role)
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE, 20, "the vault answers again")
    vault.client("admin", "seal")
    wait_for(lambda: vault.client("admin", "status", code=None).code == DONE and vault.state() == "sealed", 20, "sealed")
    vault.client("attorney", "search", "demo", "harbour", code=SEALED)
    vault.unseal()


def says_what_is_wrong(vault):
    """What does hinder a role is said with what to do about it."""
    top = os.path.join(vault.data, "vault")
    for hinder, undo, said in (
            (lambda: os.chmod(harness.DAEMON, 0o700), lambda: os.chmod(harness.DAEMON, 0o755), "Its mode should be 755"),
            (lambda: os.chown(top, 0, 0), lambda: os.chown(top, uid_of("vault"), uid_of("vault")), "cannot be worked in as underseal-vault: Permission denied. It and all below belongs to whom its role runs as: chown -R underseal-vault %s" % top)):
        hinder()
        vault.serve(wait=False)
        check(vault.wait_end() != 0 and said in vault.log_text(), "it says: %s" % said, vault.log_text())
        undo()


def offline(vault, lines):
    """Each command of a vault that does not run, and the vault after it."""
    step("backup")
    for relative in (False, True):
        archive, keyring = (os.path.join(vault.base, "%s.%d" % (name, relative)) for name in ("vault", "keyring"))
        daemon(vault, "backup", "--data", vault.data, "--to", archive, "--keyring-to", keyring, relative=relative)
        listed = daemon(vault, "backup", "--data", vault.data, "--list", relative=relative).stdout
        equal(listed.count(b"\n"), 1 + relative, "copies of the keyring")
        files_have_owners(vault)
    step("handover")
    for relative in (False, True):
        daemon(vault, "handover", "--data", vault.data, "--reason", "key", relative=relative)
        files_have_owners(vault)
    vault.serve()
    vault.client("admin", "unseal", vault.share(1), code=None)  # the profile is told of the hand-over first
    vault.unseal()
    use(vault, lines)
    vault.stop()
    step("restore")
    for relative in (False, True):
        shutil.rmtree(vault.data)
        shutil.rmtree(vault.profiles)
        shutil.copytree(vault.profiles + ".then", vault.profiles)
        daemon(vault, "restore", "--from", archive, "--keyring-from", keyring, "--data", vault.data, *vault.place(), relative=relative)
        files_have_owners(vault)
        vault.serve()
        vault.client("admin", "unseal", vault.share(1), code=None)
        vault.unseal()
        use(vault, lines)
        vault.stop()
        files_have_owners(vault)


def scenario():
    want_own_users()
    place = lies_below_what_only_root_may_enter()
    step("init, serve, unseal")
    vault = Vault(20260, base=os.path.join(place, "demo")).demo()
    check("share one user" not in vault.log_text(), "each role has a user of its own", vault.log_text())
    roles_have_users(vault)
    step("load, search, read")
    lines = generate(RECORDS, 26)
    equal(vault.load(write_lines(vault.base + "/a.jsonl", lines)).json["admitted"], RECORDS, "admitted")
    use(vault, lines)
    equal(vault.client("auditor", "audit", "verify").json["verdict"], "OK", "verdict")
    step("roles start anew; seal, unseal")
    replaced_roles_start(vault)
    roles_have_users(vault)
    use(vault, lines)
    step("started again")
    vault.stop()
    vault.serve().unseal()
    use(vault, lines)
    vault.kill()
    vault.serve().unseal()
    use(vault, lines)
    vault.stop()
    step("%d files and directories are their role's" % files_have_owners(vault))
    says_what_is_wrong(vault)
    shutil.copytree(vault.profiles, vault.profiles + ".then")
    offline(vault, lines)


main(scenario)
