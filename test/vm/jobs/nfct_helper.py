#!/usr/bin/env python3
"""nfct … helper beside the reference program, on a kernel with nfnetlink_cthelper. Usage: nfct_helper.py REFERENCE OURS
The registry is one for the whole kernel, so each list of commands runs with one program from an empty registry to its end,
then with the other. Texts, status and what the kernel then has, to the last byte of its dump, must be equal."""
import difflib
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["CT_SRC"], "test/cli"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shape
from registry import Registry, must

HINT = "Maybe unload nf_conntrack_{}.ko first?\n"  # ours and 1.4.9: the reference is older

KNOWN = ["amanda inet udp", "dhcpv6 inet6 udp", "ftp inet tcp", "ftp inet6 tcp", "mdns inet udp", "rpc inet tcp", "rpc inet udp",
         "sane inet tcp", "slp inet udp", "ssdp inet udp", "ssdp inet6 tcp", "tftp inet udp", "tns inet tcp"]
# A word in brackets is done by this script, outside the programs.
LISTS = {
    "empty registry": ["list helper", "flush helper", "get helper ftp", "delete helper ftp", "delete helper ftp inet tcp"],
    "every helper": ["add helper " + k for k in KNOWN] + ["list helper", "helper list"],
    "shapes of names": ["add helper rpc inet tcp", "add helper rpc inet udp", "add helper ftp inet6 tcp", "get helper rpc",
                        "get helper rpc inet", "get helper rpc inet udp", "get helper rpc inet6", "get helper ftp inet",
                        "get helper ftp inet6 udp", "delete helper ftp inet", "delete helper ftp inet6", "delete helper rpc inet tcp",
                        "delete helper rpc", "list helper"],
    "again": ["add helper ftp inet tcp", "add helper ftp inet tcp", "disable helper ftp inet tcp", "add helper ftp inet tcp",
              "flush helper", "disable helper tns inet tcp", "list helper", "h l", "f h", "list h"],
    "enabled by a daemon": ["[enable ftp 7]", "get helper ftp", "add helper ftp inet tcp", "[enable ftp 7]",
                            "disable helper ftp inet tcp", "list helper"],
    "another size": ["[enable ftp 7 32]", "get helper ftp", "add helper ftp inet tcp", "disable helper ftp inet tcp",
                     "delete helper ftp inet tcp", "list helper"],
    "used by a rule": ["add helper ftp inet tcp", "add helper tns inet tcp", "[rule ftp]", "delete helper ftp",
                       "delete helper ftp inet tcp", "flush helper", "list helper", "[norule]", "flush helper"],
    "owned by a module": ["[module tftp]", "add helper tftp inet udp", "disable helper tftp inet udp", "list helper", "get helper tftp",
                          "delete helper tftp", "[nomodule tftp]", "add helper tftp inet udp"],
    "no right": ["[user] list helper", "[user] add helper ftp inet tcp", "[user] flush helper", "[user] get helper ftp",
                 "[user] delete helper ftp"],
}


def by_hand(registry, words):
    if words[0] == "enable":
        registry.enable(*words[1:])
    elif words[0] == "rule":
        must("nft", "-f", "-", text='table ip t {\nct helper h {\ntype "%s" protocol tcp\nl3proto ip\n}\n}\n' % words[1])
    elif words[0] == "norule":
        must("nft", "delete", "table", "ip", "t")
    elif words[0] == "module":
        must("modprobe", "nf_conntrack_" + words[1])
    elif words[0] == "nomodule":
        must("rmmod", "nf_conntrack_" + words[1])
    else:
        sys.exit("unknown word " + words[0])


def run_list(registry, program, commands):
    registry.empty()
    results = []
    for c in commands:
        m = re.match(r"\[([^]]*)\] ?(.*)", c)
        if m and m.group(1) != "user":
            by_hand(registry, m.group(1).split())
            continue
        argv = [program] + (m.group(2) if m else c).split()
        if m:
            argv = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] + argv
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        results.append((c, p.returncode, shape.mask(p.stdout), shape.mask(p.stderr).replace(program, "nfct"), registry.dump()))
    registry.empty()
    return results


def differ(name, theirs, ours):
    bad = 0
    for a, b in zip(theirs, ours):
        hint = HINT.format(a[0].split()[2]) if a[0].startswith(("add helper", "disable helper")) else ""
        if a == b or (hint and "busy" in a[3] and (a[0], a[1], a[2], a[4]) == (b[0], b[1], b[2], b[4]) and a[3] == b[3].replace(hint, "")):
            continue
        bad += 1
        print("%s: nfct %s" % (name, a[0]))
        for field in range(1, 5):
            if a[field] != b[field]:
                print("".join("    %s\n" % x for x in difflib.unified_diff(
                    str(a[field]).split("\n"), str(b[field]).split("\n"), "reference", "ours", lineterm="")), end="")
    return bad


def json_says_the_same(registry, ours):
    """Each object has the fields of the text."""
    registry.enable("ftp", 7)
    must(ours, "add", "helper", "rpc", "inet", "udp")
    text = subprocess.run([ours, "list", "helper"], stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = subprocess.run([ours, "-j", "list", "helper"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    blocks = [dict(re.findall(r"\.(\w+) = (\w+)", b)) for b in re.findall(r"\{\n(.*?)\};", text, re.S)]
    objects = [{k: str(v) for k, v in json.loads(x).items()} for x in lines]
    registry.empty()
    if len(blocks) == 2 and blocks == objects:
        return 0
    print("JSON and text differ:", blocks, objects)
    return 1


def main():
    reference, ours = sys.argv[1:]
    must("modprobe", "nfnetlink_cthelper")
    registry = Registry()
    bad = 0
    for name, commands in LISTS.items():
        theirs = run_list(registry, reference, commands)
        bad += differ(name, theirs, run_list(registry, ours, commands))
    bad += json_says_the_same(registry, ours)
    print("%d commands with %d differences" % (sum(len(c) for c in LISTS.values()), bad))
    return 1 if bad else 0


sys.exit(main())
