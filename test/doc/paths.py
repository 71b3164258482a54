#!/usr/bin/env python3
"""Files and folders that the documents name exist: `daemon/flow/flow.h` below the root, `flow.h` somewhere."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ["README.md", "SECURITY.md", "doc/design.md", "doc/CONTRIBUTING.md", "doc/wire.md"]
NAME = re.compile(r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?$")
OURS = ("privsep", "daemon", "helpers", "cli", "conf", "cmake", "test", "doc")


def files():
    return {p.name for top in OURS for p in (ROOT / top).rglob("*")}


def main():
    known, wrong, seen = files(), 0, 0
    for doc in DOCS:
        for token in re.findall(r"`([^`\n]+)`", (ROOT / doc).read_text()):
            name = token.split(" ")[0].split(":")[0]
            if not NAME.match(name) or "NAME" in name:
                continue
            if name.split("/")[0] in OURS and "/" in name:
                exists = (ROOT / name).exists()
            elif "/" not in name and name.endswith((".c", ".h", ".py", ".cmake")):
                exists = name in known
            else:
                continue
            seen += 1
            if not exists:
                print(f"{doc}: there is no {name}")
                wrong += 1
    print(f"{seen} names, {wrong} wrong")
    return wrong != 0 or seen < 50


sys.exit(main())
