#!/usr/bin/env python3
"""doc/conntrackctl.schema.json has exactly the figures of daemon/figures/figures.h, with their words.
Usage: schema.py FIGURES_PRINT SCHEMA [--write]. With --write the figures in the file are replaced by those of the table;
members that are not figures are left as they are."""
import json
import subprocess
import sys
from pathlib import Path

WIDTH = 120
# group of the table: the object that has its figures as members
HOMES = {
    "cache": "cache",
    "link": "link",
    "peer": "peer",
    "queue": "queue",
    "traffic": "stats.traffic",
    "network": "stats.network",
    "queues": "stats.queues",
    "commits": "stats.commits",
    "intake": "stats.netlink",
    "resync": "stats.netlink",
    "netlink": "stats.netlink",
    "local": "stats.runtime",
    "runtime": "stats.runtime",
    "daemon": "stats",
    "processes": "stats",
}
OPTIONAL = ("daemon", "processes")  # not in every part of the statistics


def home(schema, path):
    first, *rest = path.split(".")
    at = schema["$defs"][first]
    for name in rest:
        at = at["properties"][name]
    return at


def member(figure):
    kind = " ".join(w for w in (figure["kind"], figure["unit"]) if w)
    type_ = {"type": "boolean"} if figure["kind"] == "flag" else {"$ref": "#/$defs/count"}
    return {"description": figure["help"], "x-figure": kind, **type_}


def fill(schema, figures):
    for path in dict.fromkeys(HOMES.values()):
        at = home(schema, path)
        old = {k for k, v in at["properties"].items() if "x-figure" in v}
        at["properties"] = {k: v for k, v in at["properties"].items() if k not in old}
        at["required"] = [k for k in at["required"] if k in at["properties"]]
    for f in figures:
        at = home(schema, HOMES[f["group"]])
        assert f["name"] not in at["properties"], f"{f['group']}: two members {f['name']}"
        at["properties"][f["name"]] = member(f)
        if f["group"] not in OPTIONAL and f["kind"] != "age":
            at["required"].append(f["name"])


def text(value, indent=0):
    """JSON; what fits a line stands in one."""
    flat = json.dumps(value)
    if not isinstance(value, (dict, list)) or not value or len(flat) + indent <= WIDTH:
        if isinstance(value, dict) and value:
            return "{ " + flat[1:-1] + " }"
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + text(v, indent + 2) for v in value) + "\n" + " " * indent + "]"
    rows = (f"{pad}{json.dumps(k)}: {text(v, indent + 2)}" for k, v in value.items())
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"


def main():
    program, path = sys.argv[1], Path(sys.argv[2])
    lines = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    before = path.read_text()
    schema = json.loads(before)
    fill(schema, [json.loads(l) for l in lines])
    if "--write" in sys.argv:
        path.write_text(text(schema) + "\n")
        return 0
    if schema == json.loads(before):
        print(f"{len(lines)} figures")
        return 0
    print(f"{path.name} is not what the table of figures says: {Path(__file__).name} {program} {path} --write")
    return 1


sys.exit(main())
