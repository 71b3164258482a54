#!/usr/bin/env python3
"""Every text of cases.txt is accepted or refused as it says, with the message it names; what is accepted, printed and
read again gives the same text; the manual page knows every keyword. So do the example files of conntrackd's package, where they are installed."""
import glob
import os
import re
import sys

import cases

failed = 0


def wrong(where, what):
    global failed
    failed += 1
    print("%s: %s" % (where, what))


def as_expected(name, settings):
    """NAME.printed beside NAME.conf holds what it means."""
    expected = name[: -len(".conf")] + ".printed"
    if os.path.exists(expected):
        with open(expected, "rb") as f:
            if f.read() != settings:
                wrong(name, "does not print as " + expected + ":\n" + settings.decode())


def fixed_point(where, text):
    good, said, settings = cases.ours(text)
    if not good:
        return wrong(where, "refused: " + said)
    good, said, again = cases.ours(settings)
    if not good:
        wrong(where, "its own output is refused: %s\n%s" % (said, settings.decode()))
    elif again != settings:
        wrong(where, "not a fixed point:\n%s---\n%s" % (settings.decode(), again.decode()))
    as_expected(where, settings)


def check_case(c):
    where = "cases.txt:%d" % c.line
    good, said, settings = cases.ours(c.text)
    if good != c.good:
        return wrong(where, "%r: %s" % (c.text, said or "accepted"))
    if c.message not in said:
        wrong(where, "%r: said %r" % (c.text, said))
    if not good and not (said.startswith("[") and "-:" in said):
        wrong(where, "no place in %r" % said)
    if good:
        fixed_point(where, c.text)


def documented():
    """Every keyword of the tables stands in the manual page."""
    with open(os.path.join(cases.HERE, "../../doc/conntrackd.conf.5"), encoding="ascii") as f:
        words = set(re.findall(r"\w+", f.read()))
    found = 0
    for name in glob.glob(os.path.join(cases.HERE, "../../daemon/config/kw_*.c")):
        with open(name, encoding="ascii") as f:
            for key in re.findall(r'(?:\.name = |KW_\w+\(|LINK_ADDR\()"(\w+)"', f.read()):
                found += 1
                if key not in words:
                    wrong(name, key + " is not in conntrackd.conf(5)")
    if found < 90:
        wrong("kw_*.c", "only %d keywords found" % found)


def paths():
    """What is privileged includes no header of the daemon, and knows the same names of files."""
    top = os.path.join(cases.HERE, "../..")
    with open(os.path.join(top, "daemon/worker/facts/facts.h"), encoding="ascii") as f:
        known = re.findall(r'#define PATH_\w+\s+"(/[^"]+)"', f.read())
    start = ""
    for name in ("main.c", "config.c"):
        with open(os.path.join(top, "privsep/start", name), encoding="ascii") as f:
            start += f.read()
    found = set(re.findall(r"/(?:etc|var)/[\w./-]+", start))
    if len(known) < 4 or found != set(known):
        wrong("privsep/start", "knows %s, facts.h %s" % (sorted(found), sorted(known)))


def main():
    table, _ = cases.load()
    files = glob.glob(os.path.join(cases.HERE, "examples", "*.conf"))
    files += glob.glob(os.path.join(cases.HERE, "../../conf", "*.conf"))
    files += glob.glob("/usr/share/doc/conntrackd/examples/**/conntrackd.conf", recursive=True)
    for c in table:
        check_case(c)
    files = [f for f in files if os.path.basename(f) != "keepalived.conf"]
    for name in files:
        with open(name, "rb") as f:
            fixed_point(name, f.read())
    documented()
    paths()
    print("%d texts, %d files, %d wrong" % (len(table), len(files), failed))
    return 1 if failed or len(table) < 300 else 0


sys.exit(main())
