#!/usr/bin/env python3
"""Who may include whom (doc/design.md): each source below is compiled with one more header, by the build's own command.
Usage: layers.py BUILD. Headers of layers that are not below it must not be found; those of the first list must, or the
test would notice nothing."""
import json
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# source: headers that it may include; headers that it may not
ROWS = {
    "privsep/base/log.c": ("log.h cursor.h", "buf.h nla.h msg.h chan.h jail.h parent.h conf.h flow.h"),
    "privsep/ipc/chan.c": ("log.h chan.h", "buf.h nla.h jail.h guard.h parent.h conf.h flow.h loop.h"),
    "privsep/jail/jail.c": ("chan.h jail.h", "buf.h nla.h roles.h parent.h guard.h handover.h conf.h flow.h"),
    "privsep/parent/main.c": ("jail.h guard.h", "buf.h nla.h roles.h start.h conf.h blob.h flow.h wire.h sync.h loop.h ctl_msg.h queue.h"),
    "privsep/queue/relay.c": ("chan.h jail.h", "parent.h guard.h conf.h flow.h sync.h loop.h start.h ctl_msg.h"),
    "privsep/open/main.c": ("handover.h spawn.h", "start.h parent.h guard.h conf.h blob.h lex.h flow.h sync.h loop.h queue.h ctl_msg.h"),
    "privsep/start/main.c": ("handover.h spawn.h", "open.h parent.h guard.h conf.h blob.h lex.h flow.h sync.h loop.h queue.h ctl_msg.h"),
    "daemon/config/parse.c": ("conf.h buf.h", "flow.h wire.h sync.h loop.h channel.h ctl.h parent.h start.h"),
    "daemon/flow/cache.c": ("flow.h attrs.h buf.h conf.h", "wire.h mode.h sync.h loop.h channel.h ctl.h jail.h parent.h"),
    "daemon/wire/dec.c": ("wire.h flow.h buf.h", "mode.h sync.h loop.h channel.h ctl.h jail.h parent.h"),
    "daemon/mode/ftfw.c": ("wire.h flow.h", "sync.h loop.h channel.h ctl.h jail.h parent.h"),
    "daemon/channel/udp.c": ("conf.h loop.h figures.h", "mode.h sync.h wire.h flow.h ctl.h parent.h"),
    "daemon/figures/figures.c": ("msg.h", "flow.h cache.h ctl_msg.h ctl.h loop.h mode.h sync.h wire.h channel.h parent.h ask.h"),
    "daemon/ctl/ctl.c": ("ctl_msg.h flow.h loop.h", "mode.h sync.h wire.h channel.h parent.h"),
    "daemon/peers/peers.c": ("mode.h channel.h wire.h loop.h", "sync.h store.h commit.h inject.h ctl.h ctl_msg.h wall.h parent.h"),
    "daemon/kernel/resync.c": ("mode.h loop.h", "sync.h peers.h applier.h channel.h commit.h ctl.h ctl_msg.h wall.h parent.h"),
    "daemon/ha/ha.c": ("applier.h loop.h", "sync.h store.h resync.h intake.h ctl.h ctl_msg.h wall.h parent.h"),
    "daemon/control/verbs.c": ("ctl.h mode.h", "sync.h peers.h channel.h store.h commit.h ha.h wall.h parent.h"),
    "daemon/sync/sync.c": ("control.h ha.h resync.h peers.h wall.h", "parent.h guard.h handover.h start.h queue.h ask.h"),
    "cli/conntrackctl/ask.c": ("ctl_msg.h flow.h conf.h", "ctl.h mode.h sync.h wire.h channel.h parent.h guard.h start.h"),
    "helpers/ftp/ftp.c": ("inspect.h text.h buf.h helper_msg.h", "queue.h flow.h conf.h jail.h roles.h loop.h parent.h"),
    "cli/conntrack/list.c": ("buf.h nla.h", "flow.h conf.h ctl_msg.h mode.h sync.h wire.h parent.h guard.h"),
}


def commands(build):
    """Source to the command that compiles it, without output and source."""
    found = {}
    for c in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(c["command"])
        for option in ("-o", "-c"):
            at = words.index(option)
            del words[at : at + 2]
        found.setdefault(str(Path(c["file"]).resolve().relative_to(ROOT)), words)
    return found


def compiles(command, header):
    got = subprocess.run([*command, "-fsyntax-only", "-x", "c", "-"], input=f'#include "{header}"\n', text=True, stderr=subprocess.PIPE)
    assert got.returncode == 0 or f"{header}: No such file" in got.stderr or "file not found" in got.stderr, got.stderr
    return got.returncode == 0


def main():
    command, wrong = commands(Path(sys.argv[1])), 0
    headers = {p.name for d in ("privsep", "daemon", "helpers", "cli") for p in (ROOT / d).rglob("*.h")}
    for source, (may, may_not) in ROWS.items():
        for header in (may + " " + may_not).split():
            assert header in headers, header + " does not exist"
            if compiles(command[source], header) != (header in may.split()):
                print(f"{source} and {header}: {'not found' if header in may.split() else 'compiles'}")
                wrong += 1
    for p in [p for d in ("privsep", "daemon", "helpers", "cli") for p in (ROOT / d).rglob("*.[ch]")]:
        if '#include "../' in p.read_text():
            print(f"{p.relative_to(ROOT)}: a header by its path")
            wrong += 1
    print(f"{len(ROWS)} layers, {wrong} wrong")
    return wrong != 0


sys.exit(main())
