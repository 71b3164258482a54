#!/usr/bin/env python3
"""Compares the wall table in SECURITY.md with the rows of privsep/ipc/msg_rules.c; --write brings the document up to date."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MSG = ROOT / "privsep/ipc/msg.h"
RULES = ROOT / "privsep/ipc/msg_rules.c"
DOC = ROOT / "SECURITY.md"
BEGIN, END = "<!-- wall table begin -->\n", "<!-- wall table end -->"
GROUPS = {"SERVING": "sync, stats", "WORKER": "log, sync, stats, helper"}


def fields(row):
    """Splits at top-level commas."""
    out, depth, word = [], 0, ""
    for ch in row:
        depth += (ch == "(") - (ch == ")")
        if ch == "," and depth == 0:
            out.append(word.strip())
            word = ""
        else:
            word += ch
    return out + [word.strip()]


def who(word):
    words = [w.removeprefix("R_") for w in word.split(" | ")]
    return ", ".join(GROUPS.get(w, w.lower()) for w in words)


def length(lo, hi, unit):
    if lo == hi == "0":
        return "none"
    if lo == hi:
        return re.sub(r"sizeof\((struct \w+)\)", r"`\1`", lo)
    text = f"{lo} to {hi}"
    text = re.sub(r"sizeof\((struct \w+)\)", r"`\1`", text)
    return text + (", multiple of " + re.sub(r"sizeof\((struct \w+)\)", r"`\1`", unit) if unit != "0" else "")


def table():
    source = RULES.read_text()
    body = source[source.index("static const struct msg_rule rules"):]
    body = body[body.index("{\n") : body.index("\n};")] + "\n"
    limits = dict(re.findall(r"#define\s+(\w+_(?:MAX|LEN)|NL_MIN)\s+(\d+)", source + MSG.read_text()))
    lines = ["| Message | from | to | phase | payload | descriptors | deeper check |", "|---|---|---|---|---|---|---|"]
    for name, row in re.findall(r"\[(MSG_\w+)\]\s*=\s*\{(.*?)\},?\n", body, re.S):
        row = re.sub(r"ONE\((\w+)\)", r"sizeof(struct \1), sizeof(struct \1), 0", row)
        sender, receiver, phase, lo, hi, unit, _arg, fds, check = fields(" ".join(row.split()))
        phase = phase.lower().replace(" | ", ", ")
        lines.append(
            f"| `{name}` | {who(sender)} | {who(receiver)} | {phase} | {length(limits.get(lo, lo), limits.get(hi, hi), unit)} | {fds} |"
            f" {'`' + check + '`' if check != 'NULL' else ''} |")
    if len(lines) < 20:
        sys.exit("wall_table: msg_rules.c has another form than this script reads")
    return "\n".join(lines) + "\n"


def main():
    doc = DOC.read_text()
    start, end = doc.index(BEGIN) + len(BEGIN), doc.index(END)
    want = table()
    if "--write" in sys.argv:
        DOC.write_text(doc[:start] + want + doc[end:])
    elif doc[start:end] != want:
        sys.exit("SECURITY.md: the wall table is not that of msg_rules.c; run test/doc/wall_table.py --write")
    print(f"{want.count('MSG_')} messages agree")


main()
