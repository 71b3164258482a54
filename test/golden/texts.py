#!/usr/bin/env python3
"""Every text of cases.txt is accepted or refused as it says, with the message it names; what is accepted, printed and
read again gives the same text; the manual page knows every keyword, and the table of settings every field. So do the example files of conntrackd's package, where they are installed."""
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


TOP = os.path.join(cases.HERE, "../..")


def source(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def documented():
    """Every keyword of the table stands in the manual page."""
    words = set(re.findall(r"\w+", source("doc/conntrackd.conf.5")))
    keys = re.findall(r'^\t\{"(\w+)", ', source("daemon/config/fields.c"), re.M)
    for key in keys:
        if key not in words:
            wrong("fields.c", key + " is not in conntrackd.conf(5)")
    if len(keys) < 90:
        wrong("fields.c", "only %d keywords found" % len(keys))


def members(header, struct):
    text = re.sub(r"/\*.*?\*/", "", source(header), flags=re.S)
    body = re.search(r"struct %s \{(.*?)\n\};" % struct, text, re.S)[1]
    return [n for line in body.split(";") for n in re.findall(r"(\w+)(?:\[[^\]]*\])*\s*(?=,|$)", line.strip())]


def rows():
    """Every field of the settings has one row: the compiler cannot miss one, and what has no row is lost on its way."""
    table = source("daemon/config/fields.c")
    lists = {"net", "filter", "link", "link_any_source", "helper", "expect_helper", "reserved", "reserved2", "l"}
    for header, struct, form in (
        ("daemon/config/conf.h", "conf", "CONF(%s)"),
        ("daemon/config/conf.h", "conf_filter", "CONF(filter.%s)"),
        ("daemon/config/conf.h", "conf_link", "LINK(%s)"),
        ("daemon/config/conf.h", "conf_net", "AT(conf_net, %s)"),
        ("privsep/setup/setup.h", "msg_link", "LINK(l.%s)"),
        ("privsep/setup/setup.h", "msg_helper", "HELPER(%s)"),
    ):
        found = [m for m in members(header, struct) if m not in lists]
        for m in found:
            n = sum(form % m in line and not re.search(r"\b(SAME|ALIAS)\b", line) for line in table.split("\n"))
            if n != 1:
                wrong("fields.c", "%d rows for %s of struct %s" % (n, m, struct))
        if len(found) < 2 and struct != "conf_link":
            wrong(header, "struct %s was not found" % struct)


def same_there(what, here, there):
    if len(here) < 4 or here != there:
        wrong("facts", "%s: %s, what includes nothing of the daemon knows %s" % (what, sorted(here), sorted(there)))


def facts():
    """What is privileged, and the parsers of packets, include no header of the daemon: they know the same names."""
    paths = re.findall(r'#define PATH_\w+\s+"(/[^"]+)"', source("daemon/worker/facts/facts.h"))
    start = source("privsep/start/main.c") + source("privsep/start/config.c")
    same_there("paths", set(paths), set(re.findall(r"/(?:etc|var)/[\w./-]+", start)))
    names = set(re.findall(r'^\t\{"(\w+)",\s+IPPROTO', source("daemon/worker/facts/facts.c"), re.M))
    same_there("helpers", names, set(re.findall(r'\[HELPER_\w+\] = \{"(\w+)"', source("privsep/queue/policy.c"))))
    parsers = "".join(source(f) for f in glob.glob(os.path.join(TOP, "helpers/*/*.c")))
    same_there("parsers", names, set(re.findall(r'struct parser parser_\w+ = \{"(\w+)"', parsers)))


def main():
    table, _ = cases.load()
    files = glob.glob(os.path.join(cases.HERE, "examples", "*.conf"))
    files += glob.glob(os.path.join(TOP, "conf", "*.conf"))
    files += glob.glob("/usr/share/doc/conntrackd/examples/**/conntrackd.conf", recursive=True)
    for c in table:
        check_case(c)
    files = [f for f in files if os.path.basename(f) != "keepalived.conf"]
    for name in files:
        with open(name, "rb") as f:
            fixed_point(name, f.read())
    documented()
    rows()
    facts()
    print("%d texts, %d files, %d wrong" % (len(table), len(files), failed))
    return 1 if failed or len(table) < 300 else 0


sys.exit(main())
