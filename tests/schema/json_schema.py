"""JSON Schema as the schemas of this tree use it (draft 2020-12), checked without a library. A keyword that is not known here is an error:
a schema that is not understood must not pass for one that is obeyed.

strict: an object may have no members but those that are described, even where the schema lets others be. So a test notices an answer that
says more than its description.
"""
import datetime
import re

SILENT = {"description", "title", "$schema", "$id", "$defs", "default", "examples", "contentEncoding"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def same(a, b):
    return type(a) is type(b) and a == b


def is_time(text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", text):
        return False
    try:
        datetime.datetime.fromisoformat(text[:19])
        return True
    except ValueError:
        return False


class Schema:
    """root: the document in which "#/..." is looked up."""

    def __init__(self, root, strict=False):
        self.root, self.strict = root, strict

    def find(self, ref):
        at = self.root
        for part in ref.split("/")[1:]:
            at = at[part.replace("~1", "/").replace("~0", "~")]
        return at

    def errors(self, value, schema, where="$"):
        """What is wrong, as a list of texts; empty: it is valid."""
        found = []
        if schema is True:
            return found
        if schema is False:
            return [where + ": nothing may be here"]
        for word, rule in schema.items():
            if word in SILENT or word in ("then", "else", "additionalProperties", "minContains") or word.startswith("x-"):
                continue
            check = getattr(self, "check_" + word.replace("$", ""), None)
            if check is None:
                raise NotImplementedError("JSON Schema's %r is not known here" % word)
            found += check(value, rule, schema, where)
        if isinstance(value, dict):
            found += self.others(value, schema, where)
        return found

    def others(self, value, schema, where):
        described = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties", not (self.strict and described))
        found = []
        for name in value:
            if name in described or any(re.search(p, name) for p in patterns):
                continue
            if extra is False:
                found.append("%s: %r is not described" % (where, name))
            elif isinstance(extra, dict):
                found += self.errors(value[name], extra, where + "." + name)
        return found

    def any_of(self, value, schemas, where):
        return [self.errors(value, s, where) for s in schemas]

    # -- a keyword each: (value, what the keyword says, the schema around it, where) ---------------

    def check_ref(self, v, ref, s, w):
        return self.errors(v, self.find(ref), w)

    def check_type(self, v, types, s, w):
        types = [types] if isinstance(types, str) else types
        return [] if any(is_type(v, t) for t in types) else ["%s: %.80r is no %s" % (w, v, " or ".join(types))]

    def check_enum(self, v, values, s, w):
        return [] if any(same(v, x) for x in values) else ["%s: %.80r is none of %s" % (w, v, values)]

    def check_const(self, v, value, s, w):
        return [] if same(v, value) else ["%s: %.80r is not %r" % (w, v, value)]

    def check_pattern(self, v, pattern, s, w):
        bad = isinstance(v, str) and not re.search(pattern, v)
        return ["%s: %.80r does not match %s" % (w, v, pattern)] if bad else []

    def check_format(self, v, name, s, w):
        bad = isinstance(v, str) and name == "date-time" and not is_time(v)
        return ["%s: %.80r is no time" % (w, v)] if bad else []

    def bound(self, v, w, bad, text):
        number = isinstance(v, (int, float)) and not isinstance(v, bool)
        return ["%s: %r is %s" % (w, v, text)] if number and bad(v) else []

    def check_minimum(self, v, n, s, w):
        return self.bound(v, w, lambda x: x < n, "below %r" % n)

    def check_maximum(self, v, n, s, w):
        return self.bound(v, w, lambda x: x > n, "above %r" % n)

    def check_exclusiveMinimum(self, v, n, s, w):
        return self.bound(v, w, lambda x: x <= n, "not above %r" % n)

    def size(self, v, w, kind, bad):
        return ["%s: its size is %d" % (w, len(v))] if isinstance(v, kind) and bad(len(v)) else []

    def check_minLength(self, v, n, s, w):
        return self.size(v, w, str, lambda x: x < n)

    def check_maxLength(self, v, n, s, w):
        return self.size(v, w, str, lambda x: x > n)

    def check_minItems(self, v, n, s, w):
        return self.size(v, w, list, lambda x: x < n)

    def check_maxItems(self, v, n, s, w):
        return self.size(v, w, list, lambda x: x > n)

    def check_minProperties(self, v, n, s, w):
        return self.size(v, w, dict, lambda x: x < n)

    def check_maxProperties(self, v, n, s, w):
        return self.size(v, w, dict, lambda x: x > n)

    def check_uniqueItems(self, v, rule, s, w):
        twice = rule and isinstance(v, list) and any(same(a, b) for i, a in enumerate(v) for b in v[:i])
        return [w + ": something stands twice"] if twice else []

    def check_required(self, v, names, s, w):
        return ["%s: %r is missing" % (w, n) for n in names if n not in v] if isinstance(v, dict) else []

    def check_properties(self, v, described, s, w):
        if not isinstance(v, dict):
            return []
        return [e for n, x in v.items() if n in described for e in self.errors(x, described[n], w + "." + str(n))]

    def check_patternProperties(self, v, patterns, s, w):
        if not isinstance(v, dict):
            return []
        return [e for n, x in v.items() for p, rule in patterns.items() if re.search(p, n) for e in self.errors(x, rule, w + "." + n)]

    def check_propertyNames(self, v, rule, s, w):
        return [e for n in v for e in self.errors(n, rule, w + " (a name)")] if isinstance(v, dict) else []

    def check_dependentRequired(self, v, rule, s, w):
        if not isinstance(v, dict):
            return []
        return ["%s: %r is missing beside %r" % (w, n, k) for k, names in rule.items() if k in v for n in names if n not in v]

    def check_dependentSchemas(self, v, rule, s, w):
        return [e for n, x in rule.items() if isinstance(v, dict) and n in v for e in self.errors(v, x, w)]

    def check_items(self, v, rule, s, w):
        from_ = len(s.get("prefixItems", ()))
        return [e for i, x in enumerate(v[from_:]) for e in self.errors(x, rule, "%s[%d]" % (w, i))] if isinstance(v, list) else []

    def check_prefixItems(self, v, rules, s, w):
        return [e for i, (x, r) in enumerate(zip(v, rules)) for e in self.errors(x, r, "%s[%d]" % (w, i))] if isinstance(v, list) else []

    def check_contains(self, v, rule, s, w):
        n = sum(not self.errors(x, rule, w) for x in v) if isinstance(v, list) else 1
        return [] if n >= s.get("minContains", 1) else [w + ": what it must contain is not there"]

    def check_allOf(self, v, schemas, s, w):
        return [e for found in self.any_of(v, schemas, w) for e in found]

    def check_anyOf(self, v, schemas, s, w):
        found = self.any_of(v, schemas, w)
        return [] if [] in found else ["%s: none of the forms fits; the nearest: %s" % (w, min(found, key=len))]

    def check_oneOf(self, v, schemas, s, w):
        found = self.any_of(v, schemas, w)
        fit = found.count([])
        return [] if fit == 1 else ["%s: %d forms fit, not one; the nearest: %s" % (w, fit, min(found, key=len))]

    def check_not(self, v, rule, s, w):
        return [] if self.errors(v, rule, w) else [w + ": is what it must not be"]

    def check_if(self, v, rule, s, w):
        branch = "else" if self.errors(v, rule, w) else "then"
        return self.errors(v, s[branch], w) if branch in s else []
