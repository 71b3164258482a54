#!/usr/bin/env python3
"""Asks conntrackd 1.4.7 about every text of cases.txt and every file of examples/ and compares: the verdict is the same,
or the difference is named. A client call reads the whole file before it looks for a daemon, so nothing is started."""
import glob
import os
import re
import subprocess
import sys
import tempfile

import cases

PROGRAM = "/usr/sbin/conntrackd"
# Examples that 1.4.7 refuses, with the name of a reason in cases.txt; all others it takes.
REFUSED = {"ftfw-udp.conf": "ours", "legacy-0.9.3.conf": "legacy", "stats-0.9.14.conf": "stats"}


def theirs(text, scratch):
    """(accepted, what was said)"""
    with open(scratch, "wb") as f:
        f.write(text)
    p = subprocess.run([PROGRAM, "-C", scratch, "-s"], capture_output=True, timeout=20)
    said = p.stderr.decode("latin-1") + p.stdout.decode("latin-1")
    errors = [e for e in re.findall(r"\[ERROR\] (.*)", said) if not e.startswith("can't connect")]
    return not errors and p.returncode in (0, 1), said


def unsaid(text, said):
    """Warnings of 1.4.7 that we do not give; it looks up devices, which our parser cannot from inside its jail."""
    _, mine, _ = cases.ours(text, "-q")
    warnings = re.findall(r"\[warning\] (.*)", said)
    return [w for w in warnings if w.rstrip(".") not in mine and "is an invalid interface" not in w]


def examples():
    """As cases; all are good for us."""
    found = []
    for name in sorted(glob.glob(os.path.join(cases.HERE, "examples", "*.conf"))):
        with open(name, "rb") as f:
            found.append(cases.Case(os.path.basename(name), True, REFUSED.get(os.path.basename(name), ""), f.read(), ""))
    return found


def compare(c, scratch):
    """What differs and was not named, in words."""
    good, said = theirs(c.text, scratch)
    if (good != c.good) != bool(c.why):
        yield "1.4.7 %s it: %s" % ("accepts" if good else "refuses", said)
    elif good and c.good and b"\xef\xbb\xbf" not in c.text:  # behind a byte order mark 1.4.7 reads nothing
        yield from ("1.4.7 warns: " + w for w in unsaid(c.text, said))


def main():
    version = subprocess.run([PROGRAM, "-v"], capture_output=True) if os.path.exists(PROGRAM) else None
    if version is None or b"v1.4.7" not in version.stdout:
        print("needs conntrackd 1.4.7 as " + PROGRAM)
        return 77
    table, reasons = cases.load()
    files = examples()
    seen, wrong = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        for c in table + files:
            seen[c.why] = seen.get(c.why, 0) + 1
            for difference in compare(c, os.path.join(scratch, "x.conf")):
                wrong += 1
                print("%s: %r: %s" % (c.line, c.text, difference))
    for why, n in sorted(seen.items()):
        print("%4d %s" % (n, why + ": " + reasons[why] if why else "the same verdict"))
    print("%d texts, %d files, %d wrong" % (len(table), len(files), wrong))
    return 1 if wrong or len(files) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
