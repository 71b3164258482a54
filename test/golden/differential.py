#!/usr/bin/env python3
"""Asks conntrackd 1.4.7 about every text of cases.txt and compares: the verdict is the same, or cases.txt names the
difference. A client call reads the whole file before it looks for a daemon, so nothing is started."""
import os
import re
import subprocess
import sys
import tempfile

import cases

PROGRAM = "/usr/sbin/conntrackd"


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


def main():
    version = subprocess.run([PROGRAM, "-v"], capture_output=True) if os.path.exists(PROGRAM) else None
    if version is None or b"v1.4.7" not in version.stdout:
        print("needs conntrackd 1.4.7 as " + PROGRAM)
        return 77
    table, reasons = cases.load()
    seen, wrong = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        for c in table:
            good, said = theirs(c.text, os.path.join(scratch, "x.conf"))
            seen[c.why] = seen.get(c.why, 0) + 1
            if (good != c.good) != bool(c.why):
                wrong += 1
                print("cases.txt:%d: %r: 1.4.7 %s it: %s" % (c.line, c.text, "accepts" if good else "refuses", said))
            elif good and c.good:
                for w in unsaid(c.text, said):
                    wrong += 1
                    print("cases.txt:%d: %r: 1.4.7 warns: %s" % (c.line, c.text, w))
    for why, n in sorted(seen.items()):
        print("%4d %s" % (n, why + ": " + reasons[why] if why else "the same verdict"))
    print("%d texts, %d wrong" % (len(table), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
