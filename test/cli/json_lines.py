#!/usr/bin/python3
# Every line that conntrack prints as JSON is valid by doc/conntrack.schema.json and says what the text line of the
# same entry says: listings, lookups, changes, expectations, events, counters and statistics.
import json
import os
import re
import sys

sys.dont_write_bytecode = True
import side

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed for " + sys.executable)
    sys.exit(77)

BIN = os.environ["CT_BIN"]
TOOLS = {"conntrack": os.path.join(BIN, "conntrack"), "nfct": os.path.join(BIN, "nfct")}
L4 = {"sport": "sport", "dport": "dport", "type": "type", "code": "code", "id": "id",
      "srckey": "srckey", "dstkey": "dstkey", "packets": "packets", "bytes": "bytes"}
TOP = {"mark": "mark", "zone": "zone", "helper": "helper", "use": "use", "secmark": "secmark", "class": "class"}
checked = {"schema": 0, "text": 0}
failures = []


def fail(text):
    failures.append(text)
    print("FAIL: " + text)


def valid(validator, lines):
    docs = []
    for line in lines:
        doc = json.loads(line)
        for e in validator.iter_errors(doc):
            fail("not by the schema: %s\n      %s" % (e.message, line))
        checked["schema"] += 1
        docs.append(doc)
    return docs


def number(text):
    return int(text, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", text) else text


def from_text(line):
    """What a line of -o extended,id,ktimestamp,labels says, in the names of the JSON objects."""
    d = {"status": set()}
    m = re.match(r"(?:\[\d+\.\d+\]\t)?\s*(?:\[(NEW|UPDATE|DESTROY)\] )?(ipv[46]) +\d+ (\w+) +(\d+) (?:(\d+) )?(?:([A-Z_0-9]+) )?",
                 line)
    d["event"] = m.group(1) and m.group(1).lower()
    d["family"], d["proto"], d["protonum"] = m.group(2), m.group(3), int(m.group(4))
    d["timeout"], d["state"] = m.group(5) and int(m.group(5)), m.group(6)
    tuples, words = [], line[m.end():]
    # labels may hold blanks and come last
    words, _, labels = words.partition("labels=")
    d["labels"] = labels.split(",") if labels else None
    suffix = re.search(r" \[USERSPACE\] portid=(\d+)(?: progname=(\S+))?$", words)
    d["portid"] = int(suffix.group(1)) if suffix else None
    if suffix:
        words = words[:suffix.start()]
    words = re.sub(r"\[(start|stop)=[^\]]*\]", r"[\1]", words)
    for w in words.split():
        key, _, value = w.partition("=")
        if w.startswith("["):
            d["status"].add(w.strip("[]"))
        elif key == "src":
            tuples.append({"src": value})
        elif key == "dst" or (key in L4 and not (key == "id" and tuples and "use" in d)):
            tuples[-1][key] = number(value)
        elif key in ("zone-orig", "zone-reply"):
            tuples[key == "zone-reply"]["zone"] = int(value)
        elif key == "delta-time":
            d["delta_time"] = int(value)
        elif key == "id":
            d["id"] = int(value)
        elif key in TOP:
            d[TOP[key]] = number(value)
        else:
            fail("unknown word %s in: %s" % (w, line))
    d["orig"], d["reply"] = tuples
    return d


def near(a, b, by):
    return a == b or (a is not None and b is not None and abs(a - b) <= by)


def compare(doc, line):
    t = from_text(line)
    checked["text"] += 1
    wrong = [k for k in ("event", "family", "proto", "protonum", "state", "orig", "reply", "labels", "mark", "zone",
                         "helper", "secmark") if doc.get(k) != t.get(k)]
    wrong += [k for k in ("timeout", "delta_time") if not near(doc.get(k), t.get(k), 2)]
    if "use" in t and doc.get("use") != t["use"]:
        wrong.append("use")
    if "id" in t and doc.get("id") != t["id"]:
        wrong.append("id")
    status = set(doc.get("status", []))
    if "status" in doc and ("UNREPLIED" in t["status"]) != ("SEEN_REPLY" not in status):
        wrong.append("status UNREPLIED")
    if ("ASSURED" in t["status"]) != ("ASSURED" in status):
        wrong.append("status ASSURED")
    if ("start" in t["status"]) != ("start" in doc):
        wrong.append("start")
    if (t["portid"] is None) != ("portid" not in doc):
        wrong.append("portid")
    if wrong:
        fail("text and JSON differ in %s:\n      %s\n      %s" % (", ".join(wrong), line, json.dumps(doc)))


def by_tuple(d):
    return json.dumps([d["family"], d["protonum"], d["orig"]["src"], d["orig"]["dst"], d["orig"].get("sport"),
                       d["orig"].get("zone"), d.get("zone")])


def pair(docs, lines):
    """Entries of two listings belong together by their tuple; the kernel's order may change between them."""
    texts = {by_tuple(from_text(x)): x for x in lines}
    if len(docs) != len(lines):
        fail("%d objects, %d lines" % (len(docs), len(lines)))
    for doc in docs:
        key = by_tuple(doc)
        if key not in texts:
            fail("no text line for " + json.dumps(doc))
        else:
            compare(doc, texts[key])


def case(argv, events=None):
    return {"argv": argv.split(), "events": events, "stdin": "", "silent": False, "signal": side.signal.SIGINT}


def run(s, argv, want=0):
    rc, out, err = s.run(case(argv))
    if rc != want:
        fail("%s: exit %s: %s" % (argv, rc, err))
    return out.splitlines()


def listings(s, validator):
    text = "extended,id,ktimestamp,labels"
    pair(valid(validator, run(s, "conntrack -L -o json,labels")), run(s, "conntrack -L -o " + text))
    pair(valid(validator, run(s, "conntrack -L -p tcp --json -o labels")), run(s, "conntrack -L -p tcp -o " + text))
    get = "conntrack -G -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 10 --dport 20 -o "
    compare(valid(validator, run(s, get + "json"))[0], run(s, get + "extended,id,ktimestamp")[0])
    docs = valid(validator, run(s, "conntrack -U -s 1.1.1.2 -m 99 -o json"))
    if [d["mark"] for d in docs] != [99]:
        fail("-U -o json does not show the new mark")
    if run(s, "conntrack -L -p 250 -o json"):
        fail("an empty listing is not empty")
    docs = valid(validator, run(s, "conntrack -D -p udp -o json"))
    if len(docs) < 5 or any(d["proto"] != "udp" for d in docs):
        fail("-D -o json shows %d entries" % len(docs))


def numbers(s, validator):
    count = valid(validator, run(s, "conntrack -C --json"))
    if count != [{"count": int(run(s, "conntrack -C")[0])}]:
        fail("-C --json: %s" % count)
    stats = valid(validator, run(s, "conntrack -S --json"))
    names = [re.findall(r"(\w+)=", x) for x in run(s, "conntrack -S")]
    if [sorted(d) for d in stats] != [sorted(x) for x in names]:
        fail("-S --json has other names than the text")


def expectations(s, validator):
    docs = valid(validator, run(s, "conntrack -L expect -o json"))
    m = re.match(r"\d+ proto=(\d+) src=(\S+) dst=(\S+) sport=\d+ dport=(\d+) .*helper=(\S+)",
                 run(s, "conntrack -L expect")[0])
    d = docs[0]
    if len(docs) != 1 or (str(d["protonum"]), d["expected"]["src"], d["expected"]["dst"], str(d["expected"]["dport"]),
                          d["helper"]) != m.groups():
        fail("expectation: %s" % docs)
    valid(validator, s.run_events(case("conntrack -E expect -o json", ["conntrack -F expect"]))[1].splitlines())


def events(s, validator):
    actions = ["conntrack -I -s 8.8.8.8 -d 9.9.9.9 -p tcp --sport 5 --dport 6 -t 50 --state SYN_SENT -w 3",
               "conntrack -U -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 10 --dport 20 --state ESTABLISHED -m 7",
               "conntrack -D -s 8.8.8.8"]
    undo = ["conntrack -U -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 10 --dport 20 --state ESTABLISHED -m 0"]
    out = s.run_events(case("conntrack -E -o json,timestamp", actions))[1].splitlines()
    docs = valid(validator, out)
    for step in undo:
        s.step(step)
    lines = s.run_events(case("conntrack -E -o extended,timestamp,id,ktimestamp", actions))[1].splitlines()
    if [d["event"] for d in docs] != ["new", "update", "destroy"] or len(lines) != 3:
        fail("events: %s" % docs)
        return
    for d, line in zip(docs, lines):
        for gone in ("id", "delta_time", "start", "stop"):  # of another entry, or of another moment
            d.pop(gone, None)
        compare(d, re.sub(r" \[(start|stop)=[^\]]*\]| id=\d{6,}| delta-time=\d+", "", line))
        if not 1.5e18 < d["time"] < 4e18:
            fail("event time %s" % d["time"])


def listings_labels(s, validator):
    docs = valid(validator, run(s, "conntrack -L -o json,labels"))
    pair(docs, run(s, "conntrack -L -o extended,id,labels"))
    if sorted(d.get("labels", []) for d in docs)[-2:] != [["web"], ["web", "five"]]:
        fail("labels: %s" % [d.get("labels") for d in docs])


def main():
    with open(os.path.join(os.environ["CT_SRC"], "doc/conntrack.schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    if os.geteuid() != 0:
        print("SKIP: needs root to make network namespaces")
        return 77
    for net, seed, parts in ((["acct", "timestamp", "labels"], "basic", (listings,)),
                             (["labels"], "labelled", (listings_labels,)),
                             ([], "basic", (numbers, events)),
                             (["ftp"], "none", (expectations,))):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                s = side.Side(TOOLS, {"net": net, "seed": seed})
                s.seed(seed)
                for part in parts:
                    part(s, validator)
                print("%s: %d lines valid, %d equal their text" % (", ".join(p.__name__ for p in parts),
                                                                 checked["schema"], checked["text"]))
                code = 1 if failures else 0
            except side.NoNamespaces as e:
                print("SKIP: no network namespaces here: %s" % e)
                code = 77
            except Exception as e:
                print("FAIL: %s: %s" % (type(e).__name__, e))
            sys.stdout.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code != 0:
            return code
    return 0


sys.exit(main())
