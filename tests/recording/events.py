"""What tests/system/harness.py calls when UNDERSEAL_TEST_RECORD names a directory: writes down, as it was, what left a process.

One file a scenario, DIR/NAME.jsonl, one event a line, appended whole under a lock, since scenarios have threads and processes:

    begin    where things are, so that paths and ports can be taken out again
    vault    its directory and port
    command  a program of ours: arguments, input, exit status, outputs
    serve    a daemon is started; ended: by itself, or when it was asked to
    file     what a command was told to write
    wire     one HTTP exchange of a command, as the program and the vault wrote it (tests/recording/tap.c)
    http     one HTTP exchange of harness.Http
    log      what a daemon wrote to its log
    step     a heading
    end      the scenario's exit status

Nothing is taken out here: that is done later, by normalise.py, and can be done again.
"""
import base64
import fcntl
import hashlib
import json
import os
import struct
import sys
import threading
import time

DIRECTORY = os.environ.get("UNDERSEAL_TEST_RECORD")
PROGRAMS = ("undersealed", "underseal", "underseal-verify", "verify_log.py", "record_orders", "record_acts", "record_entries",
            "record_pages")
WRITES = ("-o", "--out", "--receipt", "--to", "--keyring-to")  # options that name what a command makes
HEAD_MAX = 2048           # of what is not text
BODY_MAX = 4 << 20        # of a text
HEADERS = ("content-type", "allow", "retry-after", "location", "www-authenticate", "content-disposition", "cache-control", "connection",
           "transfer-encoding", "content-encoding")

_main = os.getpid()
_local = threading.local()


def name():
    return os.environ.get("UNDERSEAL_TEST_RECORD_NAME") or os.path.splitext(os.path.basename(sys.argv[0]))[0]


def text_of(data):
    """As it can stand in JSON and be read: text as text, all else by its beginning and its digest."""
    if data is None:
        return None
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    if len(data) > BODY_MAX:
        return {"long": len(data), "text": data[:BODY_MAX].decode("utf-8", "replace")}
    try:
        text = data.decode("utf-8")
        if "\0" not in text:
            return text
    except UnicodeDecodeError:
        pass
    return {"binary": base64.b64encode(data[:HEAD_MAX]).decode(), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write(kind, **what):
    what = dict({"kind": kind}, **what)
    what["main"] = os.getpid() == _main and threading.current_thread() is threading.main_thread()
    if getattr(_local, "polls", 0):
        what["poll"] = _local.poll
    line = json.dumps(what, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
    path = os.path.join(DIRECTORY, name() + ".jsonl")
    if not os.path.exists(path):
        open(path, "ab").close()
        os.chmod(path, 0o666)  # a scenario may go on as an ordinary user
    with open(path, "ab") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.write(line)
        f.flush()


def begin(root, build):
    write("begin", root=root, build=build, cwd=os.getcwd(), time_ns=time.time_ns(), tmp=os.environ.get("TMPDIR", "/tmp"))


class polling:
    """While this holds, what happens is one wait: how often it was asked depends on the machine."""
    count = 0

    def __enter__(self):
        _local.polls = getattr(_local, "polls", 0) + 1
        if _local.polls == 1:
            polling.count += 1
            _local.poll = polling.count

    def __exit__(self, *_):
        _local.polls -= 1


def is_ours(argv):
    return any(os.path.basename(str(a)) in PROGRAMS for a in argv[:2])


def tapped(argv, build, env, directory=DIRECTORY):
    """The environment in which a client command says what went over its connections, and where it does; or (env, None)."""
    tap = os.path.join(build, "tests", "libtap.so")
    if os.path.basename(str(argv[0])) != "underseal" or not os.path.exists(tap):
        return env, None
    path = os.path.join(directory, ".%s.%d.%d.tap" % (name(), os.getpid(), threading.get_ident()))
    env = dict(env if env is not None else os.environ)
    others = env.get("LD_PRELOAD")  # a clock that is moved stays beside it
    env.update(LD_PRELOAD=tap + (":" + others if others else ""), UNDERSEAL_TAP=path)
    # a sanitizer's runtime wants to come first, and need not
    env["ASAN_OPTIONS"] = ":".join(filter(None, (env.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
    return env, path


def overheard(path):
    """What a tapped command left, as exchanges: the same as events of kind wire."""
    if not path or not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        data = f.read()
    os.unlink(path)
    return list(exchanges(data))


def command(argv, code, stdout, stderr, input=None, wire=()):
    write("command", argv=[str(a) for a in argv], input=text_of(input), code=code, stdout=text_of(stdout), stderr=text_of(stderr))
    for exchange in wire:
        write("wire", **exchange)
    for option, path in zip(argv, argv[1:]):
        if option in WRITES:
            made(option, str(path))


# -- files ---------------------------------------------------------------------------------------

def made(option, path):
    if os.path.isdir(path):
        for where, _, names in sorted(os.walk(path)):
            for each in sorted(names):
                file(option, os.path.join(where, each), os.path.relpath(os.path.join(where, each), path))
    elif os.path.isfile(path):
        file(option, path, "")


def file(option, path, inside):
    with open(path, "rb") as f:
        data = f.read()
    write("file", option=option, name=inside, mode=os.stat(path).st_mode & 0o777, content=text_of(data))


def log(path):
    with open(path, "rb") as f:
        write("log", text=text_of(f.read()))


# -- HTTP ----------------------------------------------------------------------------------------

def http(method, path, headers, body, status, answered, answer):
    write("http", method=method, path=path, asked={k.lower(): v for k, v in headers.items()}, body=text_of(body), status=status,
          answered={k: v for k, v in answered.items() if k in HEADERS}, answer=text_of(answer))


def exchanges(data):
    """What tap.c wrote: { u64 connection, u8 direction, u32 length, bytes }, in the order of time."""
    streams, order, at = {}, [], 0
    while at + 13 <= len(data):
        connection, direction, length = struct.unpack(">QBI", data[at:at + 13])
        if connection not in streams:
            streams[connection] = [b"", b""]
            order.append(connection)
        streams[connection][direction] += data[at + 13:at + 13 + length]
        at += 13 + length
    for connection in order:
        asked, answered = (list(messages(s)) for s in streams[connection])
        for i, (head, headers, body) in enumerate(asked):
            said, their, answer = answered[i] if i < len(answered) else ("none", {}, b"")
            parts = head.split(" ")
            yield {"method": parts[0], "path": " ".join(parts[1:-1]), "asked": headers, "body": text_of(body),
                   "status": said.split(" ", 1)[-1], "answered": their, "answer": text_of(answer)}


def messages(stream):
    """(first line, headers, body) of each message of one direction of a connection; interim answers are passed over."""
    while b"\r\n\r\n" in stream:
        head, stream = stream.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = dict((k.lower(), v) for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line))
        if lines[0].startswith("HTTP/1.1 1"):
            continue
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, stream = chunks(stream)
        else:
            length = int(headers.get("content-length", 0))
            body, stream = stream[:length], stream[length:]
        for gone in ("date", "content-length"):
            headers.pop(gone, None)
        yield lines[0], headers, body


def chunks(stream):
    body = b""
    while b"\r\n" in stream:
        size, stream = stream.split(b"\r\n", 1)
        length = int(size.split(b";")[0] or b"0", 16)
        body, stream = body + stream[:length], stream[length + 2:]
        if length == 0:
            return body, stream
    return body + b"[broken off]", b""
