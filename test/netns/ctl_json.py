#!/usr/bin/python3
# ctl_json.py DOC KIND: every line of standard input is a KIND of DOC/conntrackctl.schema.json; a line of a dump without
# its ages is also what DOC/conntrack.schema.json says of a flow or expectation. Fails when there is no line.
import json
import sys

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed for " + sys.executable)
    sys.exit(77)

doc, kind = sys.argv[1:3]


def validator(name, part=None):
    with open("%s/%s.schema.json" % (doc, name)) as f:
        schema = json.load(f)
    if part:
        schema.pop("anyOf")
        schema["$ref"] = "#/$defs/" + part
    return jsonschema.Draft202012Validator(schema)


def errors(checks, line):
    for e in checks.iter_errors(line):
        print("%s: %s" % (kind, e.message), file=sys.stderr)
        yield e


own, table = validator("conntrackctl", kind), validator("conntrack")
lines = bad = 0
for text in sys.stdin:
    line = json.loads(text)
    bad += len(list(errors(own, line)))
    if kind == "entry":
        for age in ("active_since", "updated_since", "expires_in"):
            line.pop(age, None)
        bad += len(list(errors(table, line)))
    lines += 1
sys.exit(1 if bad or not lines else 0)
