"""What the suites of jailed processes share: root and a network namespace of one's own, the functions case_* one after
another, and no process left behind. A suite calls suite() last."""
import ctypes
import os
import signal
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
DEADLINE = 20
started = []  # every process that a case starts, so that a failed one leaves none behind


def start(*args, **kw):
    proc = subprocess.Popen(*args, **kw)
    started.append(proc)
    return proc


def wait_for(what, probe, more=lambda: ""):
    """The first true answer; without one what more() has to say."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        got = probe()
        if got:
            return got
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}\n{more()}")


def children(parent):
    """(pid, first argument) of those that still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                stat = f.read().rsplit(")", 1)[1].split()
            if int(stat[1]) == parent and stat[0] != "Z":
                with open(f"/proc/{pid}/cmdline") as f:
                    found.append((int(pid), (f.read().split("\0") + [""])[1]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":", 1) for line in f)


def jailed(pid):
    """It has its filter, or has ended."""
    try:
        return status_of(pid)["Seccomp"].strip() == "2"
    except (FileNotFoundError, ProcessLookupError):
        return True


def end_all():
    for proc in started:
        if proc.poll() is None:
            for pid, _ in children(proc.pid):
                os.kill(pid, signal.SIGKILL)
            proc.kill()


def suite(functions, names=(), prepare=lambda: None):
    """Runs the named cases of globals(), or all; ends with the suite's exit status."""
    if os.geteuid() != 0:
        print("needs root: processes give up rights that they must have first")
        sys.exit(77)
    if LIBC.unshare(CLONE_NEWNET) != 0:
        print("needs a network namespace of its own: unshare(CLONE_NEWNET) is refused")
        sys.exit(77)
    prepare()
    cases = {n[5:]: f for n, f in functions.items() if n.startswith("case_")}
    try:
        for name in names or cases:
            began = time.monotonic()
            cases[name]()
            print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
    finally:
        end_all()
    sys.exit(0)
