#!/usr/bin/env python3
"""answers.py RECORDING...: are the answers in it what schema/openapi.yaml says?

A RECORDING is a file that tests/recording/record wrote, or a directory of such files. tests/system/harness.py asks the same of every answer
that it gets, and of those that the client got. Nothing but what the document describes passes: status, media type, headers, members, and of
a problem its type with that status and its word on when to ask again. Whether the document describes each route is asked by test_openapi.py.
"""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import json_schema
import simple_yaml

PREFIX = "urn:underseal:problem:"
METHODS = ("get", "post", "delete")


class Answers:
    def __init__(self, path=os.path.join(ROOT, "schema", "openapi.yaml")):
        self.document = simple_yaml.load_file(path)
        self.schema = json_schema.Schema(self.document, strict=True)
        self.asked = 0  # how many answers it was asked about
        self.problems = self.document["x-underseal-problems"]
        self.routes = []  # (regular expression, path)
        for route in self.document["paths"]:
            pattern = "".join(p if not p.startswith("{") else ".+" if p == "{path}" else "[^/]+" if p else ""
                              for p in re.split(r"(\{[a-z]+\})", re.escape(route).replace(r"\{", "{").replace(r"\}", "}")))
            self.routes.append((re.compile(pattern + r"(\?.*)?\Z"), route))
        self.routes.sort(key=lambda r: r[1].count("{"))

    def route(self, target):
        return next((route for pattern, route in self.routes if pattern.match(target)), None)

    def follow(self, thing):
        return self.schema.find(thing["$ref"]) if "$ref" in thing else thing

    def methods(self, route):
        return [m.upper() for m in METHODS if m in self.document["paths"][route]]

    # -- one answer --------------------------------------------------------------------------------

    def errors(self, method, target, status, headers, body):
        """What is wrong with an answer, as a list of texts. headers: with names in lower case; body: bytes, text, or None if only a part of
        it is known."""
        self.asked += 1
        if method == "HEAD":
            body = None  # not read, by anybody
        route = self.route(target)
        operation = self.document["paths"].get(route, {}).get(method.lower())
        any_ = self.document["components"]["responses"]["Any"]
        if operation is None:
            found = self.any_answer(any_, status, headers, body)
            wanted = 404 if route is None else 405
            # what is malformed is told before
            return found + (["%d, and not %d" % (status, wanted)] if status not in (wanted, 400, 408, 411, 414, 417, 431, 505) else
                            self.allow(route, headers) if status == 405 else [])
        described = operation["responses"].get(str(status))
        if described is None:
            return self.any_answer(any_, status, headers, body)
        return self.described(self.follow(described), status, headers, body)

    def any_answer(self, any_, status, headers, body):
        if status not in any_["x-underseal-status"] + [400]:
            return ["status %d is not described" % status]
        return self.described(any_ if status != 400 else self.document["components"]["responses"]["BadRequest"], status, headers, body)

    def allow(self, route, headers):
        wanted = ", ".join(self.methods(route))
        return [] if headers.get("allow") == wanted else ["Allow is %r, and not %r" % (headers.get("allow"), wanted)]

    def described(self, response, status, headers, body):
        media = headers.get("content-type", "").split(";")[0]
        found = self.known_headers(response, headers)
        content = response.get("content", {}).get(media)
        if content is None:
            return found + ["media type %r is not described" % media]
        if body is None or (media == "application/problem+json" and len(body) == 0 and status == 503):
            return found
        if media == "application/octet-stream" or media == "text/plain":
            return found
        if media == "application/jsonl":
            return found + self.lines(content["x-underseal-lines"], body)
        try:
            value = json.loads(body)
        except ValueError:
            return found + ["the body is no JSON"]
        found += self.schema.errors(value, content["schema"])
        if media == "application/problem+json":
            found += self.problem(value, status, headers, response.get("x-underseal-types"))
        return found

    def known_headers(self, response, headers):
        found, known = [], {name.lower(): h for name, h in response.get("headers", {}).items()}
        for name in ("underseal-entry", "retry-after", "allow", "www-authenticate"):
            if name not in headers:
                continue
            if name not in known:
                found.append("header %s is not described" % name)
                continue
            value, schema = headers[name], self.follow(known[name])["schema"]
            if schema.get("type") == "integer":
                value = int(value) if value.isdigit() else value
            found += self.schema.errors(value, schema, name)
        return found

    def problem(self, value, status, headers, types):
        name = str(value.get("type"))[len(PREFIX):]
        told = self.problems.get(name)
        if told is None:
            return ["there is no type of problem %r" % value.get("type")]
        found = []
        if types is not None and name not in types:
            found.append("a problem of type %s is not described here" % name)
        if status not in told["status"] or value.get("status") not in (status, None):
            found.append("a problem of type %s has not status %s" % (name, status))
        if (told["again"] == "after" and "retry-after" not in headers) or (told["again"] not in ("after", "later") and "retry-after" in headers):
            found.append("a problem of type %s is to be tried again %s; Retry-After: %s" % (name, told["again"], headers.get("retry-after")))
        return found

    def lines(self, kinds, body):
        """A head and as many records as it says; or a problem in the place of one, and nothing behind it; or less: it broke off."""
        head, record = ({"$ref": "#/components/schemas/" + kind} for kind in kinds)
        text = body if isinstance(body, str) else body.decode("utf-8", "replace")
        found, n, wanted, ended = [], 0, None, False
        for line in text.split("\n")[:-1]:
            value = json.loads(line)
            if ended:
                found.append("something stands behind the problem")
            elif str(value.get("type", "")).startswith(PREFIX):
                found += self.schema.errors(value, {"$ref": "#/components/schemas/Problem"})
                ended = True
            elif wanted is None:
                found += self.schema.errors(value, head, "head")
                wanted = value.get("records", 0)
            else:
                found += self.schema.errors(value, record, "record %d" % n)
                n += 1
        if wanted is not None and n > wanted:
            found.append("%d records, and the head says %d" % (n, wanted))
        return found


# -- recordings ------------------------------------------------------------------------------------

def told(answers, event):
    """What is wrong with an answer that was recorded."""
    status = str(event["status"])[:3]
    if not status.isdigit():
        return []  # the connection ended without one
    body = event["answer"]
    if isinstance(body, dict):
        body = None  # of binary or very long ones the recording has the beginning
    elif body is not None and body.endswith("[broken off]"):
        body = body[:-len("[broken off]")]
        body = body[:body.rfind("\n") + 1] if "jsonl" in event["answered"].get("content-type", "") else None
    return answers.errors(event["method"], event["path"], int(status), event["answered"], body)


def main(paths):
    answers, n, wrong, seen = Answers(), 0, 0, {}
    files = [f for p in paths for f in (sorted(glob.glob(p + "/*.jsonl")) if os.path.isdir(p) else [p])]
    for path in files:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            for line in f:
                event = json.loads(line)
                if event["kind"] not in ("http", "wire") or (event["kind"] == "wire" and not event["path"].startswith("/v1")):
                    continue  # the client talks to witnesses too
                n += 1
                for error in told(answers, event):
                    wrong += 1
                    key = (event["method"], answers.route(event["path"]) or event["path"], event["status"], re.sub(r"\d+", "N", error))
                    seen.setdefault(key, [0, os.path.basename(path), event["path"]])[0] += 1
    for key, (count, path, target) in sorted(seen.items(), key=lambda x: str(x)):
        print("%s %s: %s: %s (%d times; %s: %s)" % (key + (count, path, target)))
    print("%d answers in %d files, %d errors" % (n, len(files), wrong))
    return 1 if wrong or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
