#!/usr/bin/env python3
"""nfct … helper beside the reference program, on a kernel with nfnetlink_cthelper. Usage: nfct_helper.py REFERENCE OURS
The registry is one for the whole kernel, so each list of commands runs with one program from an empty registry to its end,
then with the other. Texts, status and what the kernel then has, to the last byte of its dump, must be equal."""
import difflib
import json
import os
import re
import socket
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["CT_SRC"], "test/cli"))
import shape

CTHELPER, NEW, GET, DEL = 9, 0, 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE = 1, 4, 0x300, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
HINT = "Maybe unload nf_conntrack_{}.ko first?\n"  # ours and 1.4.9: the reference is older

KNOWN = ["amanda inet udp", "dhcpv6 inet6 udp", "ftp inet tcp", "ftp inet6 tcp", "mdns inet udp", "rpc inet tcp", "rpc inet udp",
         "sane inet tcp", "slp inet udp", "ssdp inet udp", "ssdp inet6 tcp", "tftp inet udp", "tns inet tcp"]
# A word in brackets is done by this script, outside the programs.
LISTS = {
    "empty registry": ["list helper", "flush helper", "get helper ftp", "delete helper ftp", "delete helper ftp inet tcp"],
    "every helper": [w for k in KNOWN for w in ("add helper " + k, "get helper " + k)] + ["list helper", "helper list"],
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


def attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def nest(kind, data):
    return attr(kind | 0x8000, data)


class Registry:
    """What the kernel has, in its own words."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.socket.bind((0, 0))
        self.number = 0

    def talk(self, kind, flags, payload=b""):
        self.number += 1
        self.socket.send(struct.pack("=IHHII4s", 20 + len(payload), CTHELPER << 8 | kind, flags | NLM_F_REQUEST, self.number, 0,
                                     b"\2\0\0\0") + payload)
        answers = []
        while True:
            data = self.socket.recv(65536)
            while data:
                length, kind, _, number = struct.unpack_from("=IHHI", data)
                if kind == NLMSG_ERROR and number == self.number:
                    error = struct.unpack_from("=i", data, 16)[0]
                    if error:
                        raise OSError(-error, os.strerror(-error))
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return sorted(answers)
                answers.append(data[16:length].hex())
                data = data[length + -length % 4:]

    def dump(self):
        return self.talk(GET, NLM_F_DUMP)

    def enable(self, name, queue, private=24):
        policy = attr(1, name.encode() + b"\0") + attr(2, struct.pack(">I", 1)) + attr(3, struct.pack(">I", 300))
        self.talk(NEW, NLM_F_ACK | NLM_F_CREATE,
                  attr(1, name.encode() + b"\0") + nest(2, attr(1, struct.pack(">H", 2)) + attr(2, b"\6")) +
                  attr(3, struct.pack(">I", int(queue))) + nest(4, attr(1, struct.pack(">I", 1)) + nest(2, policy)) +
                  attr(5, struct.pack(">I", int(private))) + attr(6, struct.pack(">I", 1)))

    def empty(self):
        self.talk(DEL, NLM_F_ACK)


def must(*argv, text=None):
    subprocess.run(argv, input=text, text=True, check=True)


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
