#!/usr/bin/env python3
"""Property: whatever is inserted is listed, saved, loaded and listed again the same, field by field.

Random connections of every protocol, with translations, marks, zones and labels, in a network namespace of its own.
On the way every line of JSON is checked against the schema. --seed N repeats a run, --count N sets the size."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

try:
    import jsonschema
except ImportError:
    jsonschema = None

BIN = os.path.join(os.environ.get("CT_BIN", "build/bin"), "conntrack")
SRC = os.environ.get("CT_SRC", ".")
NS = "ctround%d" % os.getpid()
TCP = "SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE".split()
SCTP = "CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD SHUTDOWN_ACK_SENT".split()


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def run(*args, text=None, ok=(0,)):
    p = subprocess.run(["ip", "netns", "exec", NS, BIN, *args], input=text, capture_output=True, text=True, timeout=100)
    if p.returncode not in ok:
        sys.exit("conntrack %s: status %d\n%s" % (" ".join(args), p.returncode, p.stderr))
    return p.stdout


class Schema:
    def __init__(self):
        with open(os.path.join(SRC, "doc/conntrack.schema.json")) as f:
            self.check = jsonschema.Draft202012Validator(json.load(f))

    def records(self, text):
        out = []
        for line in text.splitlines():
            rec = json.loads(line)
            for e in self.check.iter_errors(rec):
                sys.exit("not what the schema says: %s\n%s" % (e.message, line))
            out.append(rec)
        return out


def address(r, v6):
    if v6:
        return "fd00:%x::%x" % (r.randrange(65536), r.randrange(1, 65536))
    return "10.%d.%d.%d" % (r.randrange(256), r.randrange(256), r.randrange(1, 255))


def nat(r, v6, ported):
    a = address(r, v6)
    if not ported or r.random() < 0.3:
        return a
    return ("[%s]:%d" if v6 else "%s:%d") % (a, r.randrange(1, 65536))


def protocol(r, v6):
    """Name, and the options it needs."""
    p = r.choice("tcp tcp udp udplite sctp dccp gre icmp 50 89 200".split())
    ports = ["--sport", str(r.randrange(65536)), "--dport", str(r.randrange(65536))]
    if p == "tcp":
        return p, ports + ["--state", r.choice(TCP)]
    if p == "sctp":
        return p, ports + ["--state", r.choice(SCTP), "--orig-vtag", str(r.randrange(2**32)),
                           "--reply-vtag", str(r.randrange(2**32))]
    if p == "dccp":
        return p, ports + ["--state", "OPEN", "--role", r.choice(["client", "server"])]
    if p in ("udp", "udplite"):
        return p, ports
    if p == "gre":
        return p, ["--srckey", hex(r.randrange(65536)), "--dstkey", str(r.randrange(65536))]
    if p == "icmp":
        p = "icmpv6" if v6 else "icmp"
        return p, ["--%s-type" % p, "128" if v6 else r.choice(["8", "13", "15", "17"]), "--%s-code" % p, "0",
                   "--%s-id" % p, str(r.randrange(65536))]
    return p, []


def flow(r, labels):
    v6 = r.random() < 0.4
    p, opts = protocol(r, v6)
    args = ["-I", "-s", address(r, v6), "-d", address(r, v6), "-t", str(r.randrange(1000, 400000)), "-p", p] + opts
    ported = p in ("tcp", "udp", "udplite", "sctp")
    status = r.choice(["UNSET", "SEEN_REPLY", "SEEN_REPLY,ASSURED", "ASSURED", "SEEN_REPLY,FIXED_TIMEOUT"])
    args += ["-u", status]
    if r.random() < 0.3:
        args += ["-n", nat(r, v6, ported or p.startswith("icmp"))]
    if r.random() < 0.3:
        args += ["-g", nat(r, v6, ported)]
    if r.random() < 0.5:
        args += ["-m", str(r.choice([1, 77, 2**32 - 1, r.randrange(2**32)]))]
    if r.random() < 0.3:
        args += [r.choice(["-w", "--orig-zone", "--reply-zone"]), str(r.randrange(1, 65536))]
    if labels and r.random() < 0.4:
        args += ["labels=%s,0x0,0x0,%s" % (hex(r.randrange(1, 2**32)), hex(r.randrange(2**32)))]
    return " ".join(args)


def key(rec):
    return json.dumps([rec["proto"], rec["protonum"], rec["orig"], rec.get("zone"), rec["reply"].get("zone")], sort_keys=True)


def table(recs):
    """By connection; without what every entry has anew. Timeouts run."""
    out = {}
    for rec in recs:
        rec = dict(rec)
        for gone in ("id", "use"):
            rec.pop(gone, None)
        timeout = rec.pop("timeout", 0)
        k = key(rec)
        if k in out:
            sys.exit("twice in one listing: " + k)
        out[k] = (rec, timeout)
    return out


def compare(before, after, what):
    a, b = table(before), table(after)
    bad = [k for k in set(a) | set(b) if k not in a or k not in b or a[k][0] != b[k][0] or abs(a[k][1] - b[k][1]) > 60]
    for k in bad[:5]:
        print("- %s\n+ %s" % (a.get(k), b.get(k)))
    if bad:
        sys.exit("%s: %d of %d connections differ" % (what, len(bad), len(a)))


def have_labels():
    """A rule that uses labels makes the kernel keep room for them."""
    if shutil.which("nft") is None:
        return False
    rules = "table ip t {\n chain c {\n  type filter hook input priority 0;\n  ct label set 1\n }\n}\n"
    return subprocess.run(["ip", "netns", "exec", NS, "nft", "-f", "-"], input=rules, text=True, capture_output=True).returncode == 0


def families(r, n):
    """Connections that belong to others, some before their master, as a listing may have them."""
    lines = []
    for i in range(n):
        a, b = "172.16.0.%d" % (i + 1), "172.17.0.%d" % (i + 1)
        lines.append("-A -t 9000 -s %s -d %s -p tcp --sport 5 --dport 21 --state ESTABLISHED" % (a, b))
        lines.append("-A -t 9000 -u EXPECTED,SEEN_REPLY -s %s -d %s -p tcp --sport %d --dport 20 --state ESTABLISHED "
                     "master=6,%s,5,%s,21" % (a, b, 1024 + i, a, b))
    r.shuffle(lines)
    return "\n".join(lines) + "\n"


def saved_labels(text):
    """1.4.x takes no label bits, so they ride on words; as names they would need a map on both sides."""
    return sum("labels=" in line for line in text.splitlines())


def events(schema):
    p = subprocess.Popen(["ip", "netns", "exec", NS, BIN, "-E", "-o", "json,timestamp,id"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while "NoNewPrivs:\t1" not in open("/proc/%d/status" % p.pid).read():  # its socket is open by then
            if time.monotonic() > deadline or p.poll() is not None:
                break
            time.sleep(0.02)
        time.sleep(0.2)
        run("-I", "-s", "1.1.1.1", "-d", "2.2.2.2", "-p", "udp", "--sport", "1", "--dport", "2", "-t", "50")
        run("-U", "-s", "1.1.1.1", "-m", "9")
        run("-D", "-s", "1.1.1.1")
        seen = []
        while len(seen) < 3 and time.monotonic() < deadline:
            seen += schema.records(p.stdout.readline())
        if [r["event"] for r in seen] != ["new", "update", "destroy"]:
            sys.exit("events: %s" % seen)
    finally:
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=30)
    if p.returncode != 0:
        sys.exit("-E ended with status %d" % p.returncode)


def check(args, schema):
    r = random.Random(args.seed)
    labels = have_labels()
    print("seed %d, %d connections, %s labels" % (args.seed, args.count, "with" if labels else "without"))
    text = ""
    for _ in range(args.count):
        text += flow(r, labels) + "\n"
    run("-R", "-", text=text + families(r, 20))
    first = schema.records(run("-L", "-o", "json"))
    if len(first) != args.count + 40:
        sys.exit("%d connections of %d are there" % (len(first), args.count + 40))
    if sum("EXPECTED" in f["status"] for f in first) != 20:
        sys.exit("not all masters are known")
    marks = sorted(int(l.split(" -m ")[1].split()[0]) for l in text.splitlines() if " -m " in l)
    if marks != sorted(f["mark"] for f in first if f["mark"]):
        sys.exit("the marks are not those given")
    if sum(" -n " in l or " -g " in l for l in text.splitlines()) != sum("nat" in f for f in first):
        sys.exit("not all translations are there")

    saved = run("-L", "-o", "save")
    if labels and saved_labels(saved) != sum("labels=" in l for l in text.splitlines()):
        sys.exit("labels are not saved")
    run("-R", "-", text=saved)  # over what is there
    compare(first, schema.records(run("-L", "--json")), "reload over the same table")
    run("-F")
    run("-R", "-", text=saved)
    compare(first, schema.records(run("-L", "--json")), "flush and reload")
    again = run("-L", "-o", "save")
    cut = lambda t: sorted(l.split(" ", 3)[3] for l in t.splitlines())
    if cut(saved) != cut(again):
        sys.exit("the second save differs from the first")

    picked = r.sample(first, 30)
    lines = "".join("-s %s -d %s\n" % (f["orig"]["src"], f["orig"]["dst"]) for f in picked)
    gone = table(schema.records(run("-D", "--from-file", "-", "--json", text=lines)))
    if {k for k in gone} != {key(f) for f in first if (f["orig"]["src"], f["orig"]["dst"]) in
                             {(p["orig"]["src"], p["orig"]["dst"]) for p in picked}}:
        sys.exit("--from-file deleted something else")
    if json.loads(run("-C", "--json"))["count"] != len(first) - len(gone):
        sys.exit("the count is not what is left")

    schema.records(run("-C", "-o", "json") + run("-S", "-o", "json") + run("-L", "expect", "-o", "json"))
    schema.records(run("-U", "-p", "udp", "-m", "4242", "-o", "json", ok=(0, 1)))
    schema.records(run("-D", "-p", "tcp", "-o", "json", ok=(0, 1)))
    run("-F")
    events(schema)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--count", type=int, default=400)
    args = ap.parse_args()
    if jsonschema is None:
        skip("needs python3-jsonschema")
    if os.geteuid() != 0:
        skip("needs root for network namespaces")
    if subprocess.run(["ip", "netns", "add", NS], capture_output=True).returncode != 0:
        skip("cannot make a network namespace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        check(args, Schema())
    finally:
        subprocess.run(["ip", "netns", "del", NS], capture_output=True)
    print("ok")


main()
