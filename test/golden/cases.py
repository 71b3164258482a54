"""Reads cases.txt: shared by the two scripts that judge configuration texts, ours alone and beside conntrackd 1.4.7."""
import collections
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LINK = "IPv4_address 127.0.0.1 IPv4_Destination_Address 127.0.0.2 Port 3780 Interface lo"
GROUP = "IPv4_address 225.0.0.50 Group 3780 IPv4_interface 127.0.0.1 Interface lo"
AROUND = {
    "F": "%s",
    "G": "General { %s }",
    "N": "General { UNIX { %s } }",
    "D": "General { Scheduler { %s } }",
    "P": "General { Filter { %s } }",
    "S": "Sync { Mode FTFW { } UDP { " + LINK + " } %s }",
    "M": "Sync { UDP { " + LINK + " } %s }",
    "L": "Sync { Mode FTFW { } %s }",
    "U": "Sync { Mode FTFW { } UDP { " + LINK + " %s } }",
    "T": "Sync { Mode FTFW { } TCP { " + LINK + " %s } }",
    "C": "Sync { Mode FTFW { } Multicast { " + GROUP + " %s } }",
    "O": "Sync { Mode FTFW { } UDP { " + LINK + " } Options { %s } }",
    "X": "Stats { %s }",
    "H": "Helper { %s }",
    "Y": "Helper { Type ftp inet tcp { %s } }",
}

Case = collections.namedtuple("Case", "line good why text message")


def unescape(text):
    text = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)
    return text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").encode("latin-1")


def load():
    """All cases, and the reasons for differences by name."""
    cases, reasons = [], {}
    with open(os.path.join(HERE, "cases.txt"), encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("!"):
                name, _, reason = line[1:].partition(" ")
                reasons[name] = reason.strip()
                continue
            text, _, message = line.partition(" => ")
            verdict, where, *rest = text.split(" ", 2)
            verdict, _, why = verdict.partition("!")
            assert verdict in ("ok", "no") and (not why or why in reasons), line
            around = AROUND[where]
            body = rest[0] if rest else ""
            cases.append(Case(number, verdict == "ok", why, unescape(around.replace("%s", body)), message))
    return cases, reasons


def conf_check():
    return os.path.join(os.environ.get("CT_BUILD", os.path.join(HERE, "../../build")), "test", "conf_check")


def ours(text, *args):
    """(accepted, what was said, settings)"""
    p = subprocess.run([conf_check(), *args, "-"], input=text, capture_output=True, timeout=20)
    assert p.returncode in (0, 1), (p.returncode, p.stderr)
    return p.returncode == 0, p.stderr.decode("latin-1"), p.stdout
