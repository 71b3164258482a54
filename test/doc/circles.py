#!/usr/bin/env python3
"""No include circles. A module is X.c and X.h of one folder; a circle is a group of modules, or of folders, in which each
includes, over others or not, every other one. KNOWN lists those that are there still: it only gets shorter, because a
circle that is gone or has changed fails as well. Usage: circles.py [ROOT]. Tries the finder on circles of its own first."""
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

TOPS = ("privsep", "daemon", "helpers", "cli")
# One circle a line, its members sorted; whoever owns the folder takes the line out.
KNOWN = """
helpers/lib/inspect helpers/lib/memory
"""


def sources(root):
    return [p for top in TOPS if (root / top).is_dir() for p in sorted((root / top).rglob("*.[ch]"))]


def owner(root, includer, name, headers):
    """Headers are included by bare name: one of the same folder, else of the same tree, else of any."""
    top = lambda p: p.relative_to(root).parts[0]
    found = headers.get(name, [])
    for near in (lambda p: p.parent == includer.parent, lambda p: top(p) == top(includer), lambda p: True):
        some = [p for p in found if near(p)]
        assert len(some) < 2, f"{includer} includes {name}, which is {' and '.join(map(str, some))}"
        if some:
            return some[0]
    return None


def edges(root):
    """Includes between modules and between folders."""
    headers, modules, folders = defaultdict(list), defaultdict(set), defaultdict(set)
    for p in sources(root):
        if p.suffix == ".h":
            headers[p.name].append(p)
    for p in sources(root):
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', p.read_text(), re.M):
            to = owner(root, p, name, headers)
            if to is None:
                continue
            a, b = (str(x.relative_to(root).with_suffix("")) for x in (p, to))
            modules[a].add(b)
            folders[str(Path(a).parent)].add(str(Path(b).parent))
    return modules, folders


def reach(graph, start):
    seen, todo = set(), [start]
    while todo:
        for to in graph.get(todo.pop(), ()):
            if to not in seen:
                seen.add(to)
                todo.append(to)
    return seen


def circles(graph):
    far = {n: reach(graph, n) for n in graph}
    rings = {frozenset(m for m in far[n] if n in far.get(m, ())) for n in graph if n in far[n]}
    return sorted(" ".join(sorted(r)) for r in rings if len(r) > 1)


def find(root):
    modules, folders = edges(root)
    return circles(modules) + circles(folders)


def try_self():
    """Two modules of a folder, two folders, and neither."""
    with tempfile.TemporaryDirectory() as d:
        root = Path(d)
        for path, text in {"daemon/a/x.h": '#include "y.h"', "daemon/a/x.c": '#include "x.h"', "daemon/a/y.h": "",
                           "daemon/a/y.c": '#include "z.h"', "daemon/a/z.h": "", "daemon/a/z.c": '#include "x.h"',
                           "daemon/b/k.h": '#include "x.h"', "cli/c/l.c": '#include "k.h"', "cli/c/m.h": ""}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text + "\n")
        assert find(root) == ["daemon/a/x daemon/a/y daemon/a/z"], find(root)
        (root / "daemon/a/z.c").write_text('#include "m.h"\n#include <x.h>\n')
        assert find(root) == ["cli/c daemon/a daemon/b"], find(root)
        (root / "cli/c/l.c").write_text("")
        assert find(root) == [], find(root)


def main():
    try_self()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found, known = find(root), [x for x in KNOWN.splitlines() if x]
    for c in sorted(set(found) - set(known)):
        print("circle: " + c)
    for c in sorted(set(known) - set(found)):
        print("not there any more, take it out of KNOWN: " + c)
    print(f"{len(sources(root))} sources, {len(found)} circles, {len(known)} known")
    return found != sorted(known)


sys.exit(main())
