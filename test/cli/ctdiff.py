#!/usr/bin/env python3
# Runs every command line of the case files through the reference programs (conntrack-tools 1.4.x as packaged) and
# through ours, in two network namespaces with equal tables, and compares output, errors, exit code and the table
# afterwards. Differences must be listed in differences.txt, with a reason; what is listed must still differ.
import argparse
import glob
import os
import re
import shlex
import shutil
import signal
import sys

sys.dont_write_bytecode = True
import shape
import side

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = ("rc", "out", "err", "table")


def die(text):
    sys.exit("ctdiff: " + text)


def parse_setup(words):
    setup = {"seed": "basic", "net": []}
    for w in words:
        key, _, value = w.partition("=")
        if key == "seed":
            setup["seed"] = value
        elif key == "net":
            setup["net"] = value.split(",")
        else:
            die("unknown setup word " + w)
    return setup


def new_case(line, setup):
    command, _, label = line.partition("  # ")
    argv = shlex.split(command)
    if not argv or argv[0] not in side.REFERENCE:
        die("not a command: " + line)
    return {"key": line, "argv": argv, "label": label, "seed": setup["seed"], "stdin": "", "before": [],
            "events": [] if any(re.match(r"-E|--ev", a) for a in argv) else None, "silent": False, "free": set(), "unsteady": False,
            "signal": signal.SIGINT}


def detail(case, mark, rest):
    if mark == "<":
        case["stdin"] += rest + "\n"
    elif mark == "+":
        case["before"].append(rest)
    elif mark == "!":
        case["events"] = (case["events"] or []) + [rest]
    elif mark == "~":
        for w in rest.split():
            if w == "silent":
                case["silent"] = True
            elif w == "term":
                case["signal"] = signal.SIGTERM
            elif w == "unsteady":
                case["unsteady"] = True
            elif w == "noevents":
                case["events"] = None
            else:
                case["free"].add(w)
    else:
        die("unknown mark " + mark)


def read_cases(path):
    """Blocks of cases; see cases/README for the format."""
    blocks, setup = [], parse_setup([])
    with open(path) as f:
        for line in f.read().split("\n"):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("@setup"):
                setup = parse_setup(line.split()[1:])
                blocks.append({"setup": setup, "cases": []})
            elif line.startswith("  "):
                detail(blocks[-1]["cases"][-1], line[2], line[4:])
            else:
                if not blocks:
                    blocks.append({"setup": setup, "cases": []})
                blocks[-1]["cases"].append(new_case(line, setup))
    for b in blocks:    # one setup may appear several times: the key tells where
        for c in b["cases"]:
            c["where"] = "seed=%s net=%s" % (b["setup"]["seed"], ",".join(b["setup"]["net"]))
    return blocks


def read_differences(path):
    """{case key: (id, [(field, text)])} and the ordered list of (id, tag, sentence, [keys])."""
    table, reasons, key = {}, [], None
    if not os.path.exists(path):
        return table, reasons
    with open(path) as f:
        for n, line in enumerate(f.read().split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            m = re.match(r"\[([a-z0-9-]+)\] (\[[^\]]+\]) (.*)", line)
            if m:
                reasons.append((m.group(1), m.group(2), m.group(3), []))
            elif line.startswith("    "):
                field, _, text = line.strip().partition(" ")
                if field not in ("rc", "out", "err", "table"):
                    die("%s:%d: unknown field %s" % (path, n, field))
                table[key][1].append((field, text))
            else:
                key = line.strip()
                if key in table:
                    die("%s:%d: listed twice: %s" % (path, n, key))
                table[key] = (reasons[-1][0], [])
                reasons[-1][3].append(key)
    return table, reasons


def compare(case, a, b):
    """Names of the fields that differ."""
    ordered = case["events"] is not None
    slack = abs(a["age"] - b["age"])
    diff = []
    for f in FIELDS:
        if f in case["free"]:
            if f != "rc" and bool(a[f]) != bool(b[f]):
                diff.append(f)
        elif f == "rc":
            if a["rc"] != b["rc"]:
                diff.append(f)
        elif f == "table":
            if not same_table(a["table"], b["table"], slack):
                diff.append(f)
        elif not shape.same(a[f], b[f], ordered and f == "out", slack):
            diff.append(f)
    return diff


def same_table(a, b, slack):
    entries = ["\n".join(x for x in t.split("\n") if shape.ENTRY.search(x)) for t in (a, b)]
    return shape.shapes(a) == shape.shapes(b) and shape.same(entries[0], entries[1], slack=slack)


def as_expected(wanted, got):
    """What the list says about our answer; returns the first statement that does not hold."""
    for field, text in wanted:
        if field == "rc":
            if str(got["rc"]) != text:
                return "%s %s (got %s)" % (field, text, got["rc"])
        elif text == "(empty)":
            if got[field]:
                return "%s is not empty" % field
        elif text not in shape.mask(got[field]):
            return "%s lacks: %s" % (field, text)
    return None


def show(case, a, b, diff):
    print("  %s   {%s}" % (case["key"], case["where"]))
    for f in diff:
        for who, x in (("1.4.x", a), ("ours ", b)):
            text = str(x[f]) if f == "rc" else shape.mask(x[f])
            for line in (text.split("\n") if text else ["(nothing)"])[:14]:
                print("      %-5s %s | %s" % (f, who, line))


def learn(case, b, diff):
    """What a new entry of differences.txt would say; a reason has to be found by hand."""
    print(case["key"])
    for f in diff:
        text = str(b[f]) if f == "rc" else shape.mask(b[f]).split("\n")[0] or "(empty)"
        if f != "table" and not (shape.ENTRY.search(text) and f == "out"):
            print("    %s %s" % (f, text))


def run_file(path, tools_a, tools_b, pattern):
    results = []
    for block in read_cases(path):
        block["cases"] = [c for c in block["cases"]
                          if re.search(pattern or "", c["key"]) and not (c["unsteady"] and tools_a == tools_b)]
        if not block["cases"]:
            continue
        pair = [side.start(t, block) for t in (tools_a, tools_b)]
        answers = [side.finish(p) for p in pair]
        for kind, text in answers:
            if kind == "skip":
                print("SKIP: no network namespaces here: " + text)
                sys.exit(77)
            if kind == "broken":
                die("%s {%s}: %s" % (path, block["setup"], text))
        results += zip(block["cases"], answers[0][1], answers[1][1])
    return results


def judge(results, listed, verbose, learning):
    agree, differ, bad = 0, 0, 0
    for case, a, b in results:
        diff = compare(case, a, b)
        entry = listed.get(case["key"])
        if verbose:
            show(case, a, b, FIELDS)
        if not diff and entry is None:
            agree += 1
        elif not diff and case["unsteady"] and not as_expected(entry[1], b):
            agree += 1
        elif not diff:
            bad += 1
            print("LISTED as %s, but both agree now:\n  %s" % (entry[0], case["key"]))
        elif entry is None and learning:
            learn(case, b, diff)
        elif entry is None:
            bad += 1
            print("UNLISTED difference in %s:" % ", ".join(diff))
            show(case, a, b, diff)
        else:
            wrong = as_expected(entry[1], b)
            if wrong:
                bad += 1
                print("LISTED as %s, but our answer is not the listed one: %s" % (entry[0], wrong))
                show(case, a, b, diff)
            else:
                differ += 1
    return agree, differ, bad


def tool_paths(folder):
    return {name: os.path.join(folder, name) for name in side.REFERENCE}


def check_lists(files, reasons):
    """Names are unique, and every listed difference belongs to a case."""
    keys = [c["key"] for f in files for b in read_cases(f) for c in b["cases"]]
    twice = {k for k in keys if keys.count(k) > 1}
    lost = [k for r in reasons for k in r[3] if k not in keys]
    for k in twice:
        print("case appears twice: " + k)
    for k in lost:
        print("listed difference without a case: " + k)
    print("%d distinct command lines in %d files" % (len(set(keys)), len(files)))
    return 1 if twice or lost else 0


def document(reasons):
    rows = ["# Differences from conntrack-tools 1.4.7", "",
            "Written from `test/cli/differences.txt` by `test/cli/ctdiff.py --doc`; a test keeps the two equal.",
            "The suite runs each command line of `test/cli/cases/` through Debian's conntrack 1.4.7 and through ours and fails",
            "on every difference that is not in this list, and on every listed one that has gone.", "",
            "*BUG*: a defect of 1.4.x that is not repeated. *1.4.8+*, *1.4.9*: what the newer releases do. *NEW*: an extension.",
            "*TEXT*: wording only.", "",
            "Kernels without nfnetlink_cthelper answer every `nfct … helper` with `Invalid argument`. On a kernel that has it (the",
            "emulated machine of `test/vm`) both programs say and do the same, but for the hint of 1.4.9 on which module to unload.",
            "JSON has no counterpart in 1.4.x: `test/cli/json_lines.py` compares it",
            "with the text and with `doc/conntrack.schema.json`.", ""]
    for ident, tag, sentence, keys in reasons:
        rows += ["## %s %s" % (ident, tag), "", sentence, ""]
        rows += ["    " + k for k in keys] + [""]
    return "\n".join(rows).rstrip("\n") + "\n"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("files", nargs="*", help="case files or group names (default: all)")
    ap.add_argument("--reference", default="/usr/sbin")
    ap.add_argument("--ours", default=os.environ.get("CT_BIN", "build/bin"))
    ap.add_argument("--self", action="store_true", help="the reference against itself: must agree everywhere")
    ap.add_argument("--differences", default=os.path.join(HERE, "differences.txt"))
    ap.add_argument("--only", help="regular expression: run only these command lines")
    ap.add_argument("--verbose", action="store_true")
    ap.add_argument("--learn", action="store_true", help="print unlisted differences in the form of the list")
    ap.add_argument("--doc", action="store_true", help="print doc/cli-differences.md")
    ap.add_argument("--check", metavar="DOC", help="check the lists and that DOC is up to date; runs nothing")
    args = ap.parse_args()
    files = [f if os.path.exists(f) else os.path.join(HERE, "cases", f + ".cases") for f in args.files]
    files = files or sorted(glob.glob(os.path.join(HERE, "cases", "*.cases")))
    listed, reasons = read_differences(args.differences)
    if args.doc:
        sys.stdout.write(document(reasons))
        return 0
    if args.check:
        bad = check_lists(files, reasons)
        with open(args.check) as f:
            if f.read() != document(reasons):
                print("%s is not what --doc prints" % args.check)
                bad = 1
        return bad
    if os.geteuid() != 0:
        print("SKIP: needs root to make network namespaces")
        return 77
    for name, path in tool_paths(args.reference).items():
        if not os.path.exists(path):
            print("SKIP: the reference program %s is not installed" % path)
            return 77
    if args.self:
        args.ours, listed = args.reference, {}
    elif not shutil.which(os.path.join(args.ours, "conntrack")):
        die("no conntrack in " + args.ours)
    agree = differ = bad = 0
    for f in files:
        counts = judge(run_file(f, tool_paths(args.reference), tool_paths(args.ours), args.only), listed, args.verbose,
                       args.learn)
        agree, differ, bad = agree + counts[0], differ + counts[1], bad + counts[2]
    print("%d command lines agree, %d differ as listed, %d differ unlisted" % (agree, differ, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
