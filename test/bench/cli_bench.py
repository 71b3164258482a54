# The measurements of cli_bench.sh, in a network namespace of their own. Each step runs both tools on equal tables and
# prints processor time (user + system), wall time and peak memory; ratios are ours / 1.4.7.
import os
import re
import signal
import subprocess
import sys
import threading
import time

OURS = os.path.join(os.environ.get("CT_BIN", "build/bin"), "conntrack")
THEIRS = "/usr/sbin/conntrack"
FLOWS, WORK = int(sys.argv[1]), sys.argv[2]
ROUNDS = 3
rows = []


class Peak(threading.Thread):
    """Peak memory of a program, read until it ends: ru_maxrss would count what this script had before exec."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.kib, self.done = "/proc/%d/status" % pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.005):
            try:
                with open(self.path) as f:
                    m = re.search(r"VmHWM:\s+(\d+)", f.read())
                self.kib = max(self.kib, int(m.group(1))) if m else self.kib
            except OSError:
                return

    def mib(self):
        self.done.set()
        self.join()
        return self.kib / 1024


def measure(tool, words):
    """(cpu seconds, wall seconds, peak MiB) of one run; its output is thrown away."""
    begin = time.monotonic()
    p = subprocess.Popen([tool] + words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = Peak(p.pid)
    _, status, u = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return u.ru_utime + u.ru_stime, time.monotonic() - begin, peak.mib()


def best(results):
    """The run with the least processor time: the machine may have had other things to do."""
    return min(results, key=lambda r: r[0])


def row(name, ours, theirs, note=""):
    if theirs is None:
        line = "| %s | %.2f | – | – | %.2f | – | %.1f | – | %s |" % (name, ours[0], ours[1], ours[2], note)
    else:
        line = "| %s | %.2f | %.2f | **%.2f** | %.2f | %.2f | %.1f | %.1f | %s |" % (
            name, ours[0], theirs[0], ours[0] / max(theirs[0], 1e-3), ours[1], theirs[1], ours[2], theirs[2], note)
    rows.append(line)
    print(line, flush=True)


def each(name, ours, theirs, mib, their_mib, note, ratio=True):
    line = "| %s | %.2f | %.2f | %s | – | – | %.1f | %.1f | %s |" % (
        name, ours, theirs, "**%.2f**" % (ours / max(theirs, 1e-3)) if ratio else "–", mib, their_mib, note)
    rows.append(line)
    print(line, flush=True)


def count():
    with open("/proc/sys/net/netfilter/nf_conntrack_count") as f:
        return int(f.read())


def flush():
    subprocess.run([THEIRS, "-F"], stderr=subprocess.DEVNULL, check=True)
    until = time.monotonic() + 60
    while count() > 0 and time.monotonic() < until:
        time.sleep(0.05)


def load_file():
    """Half tcp, half udp; one source network in 16 flows, so that filters hit a sixteenth."""
    path = os.path.join(WORK, "flows")
    with open(path, "w") as f:
        for i in range(FLOWS):
            src = "10.%d.%d.%d" % (i & 15, i >> 4 & 255, i >> 12 & 255)
            if i & 1:
                f.write("-I -s %s -d 192.0.2.1 -p tcp --sport %d --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED "
                        "-t 30000\n" % (src, 1024 + (i >> 20)))
            else:
                f.write("-I -s %s -d 192.0.2.1 -p udp --sport %d --dport 53 -t 30000\n" % (src, 1024 + (i >> 20)))
    return path


def load(path):
    flush()
    results = {}
    for tool in (THEIRS, OURS):
        flush()
        results[tool] = measure(tool, ["-R", path])
        if count() < FLOWS * 0.99:
            print("%s -R made %d of %d flows" % (tool, count(), FLOWS))
    row("-R, %d lines" % FLOWS, results[OURS], results[THEIRS])


def listing(name, ours, theirs):
    a, b = [], []
    for _ in range(ROUNDS):
        a.append(measure(OURS, ours))
        if theirs is not None:
            b.append(measure(THEIRS, theirs))
    row(name, best(a), best(b) if b else None)


def change(name, words, undo, note=""):
    """A command that changes a sixteenth of the table; undo puts it back."""
    results = {}
    for tool in (THEIRS, OURS):
        results[tool] = measure(tool, words)
        undo()
    row(name, results[OURS], results[THEIRS], note)


def marked(mark):
    out = subprocess.run([OURS, "-L", "-m", str(mark)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(re.search(r"(\d+) flow entries", out.stderr).group(1))


def update():
    """1.4.7 gives up after a part of many entries, so there is no ratio."""
    cpu, done, peak = {}, {}, {}
    for tool, mark in ((THEIRS, 7), (OURS, 8)):
        r = measure(tool, ["-U", "-s", "10.3.0.0/16", "-m", str(mark)])
        done[tool] = marked(mark)
        cpu[tool], peak[tool] = r[0] / max(done[tool], 1) * 1e6, r[2]
    each("-U -s 10.3.0.0/16 -m N (1 in 16), microseconds an entry", cpu[OURS], cpu[THEIRS], peak[OURS], peak[THEIRS],
         "changed: %d, 1.4.7 %d before it failed" % (done[OURS], done[THEIRS]), ratio=False)


def refill(path):
    subprocess.run([OURS, "-R", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def sixteenth(path):
    part = os.path.join(WORK, "part")
    with open(path) as f, open(part, "w") as g:
        g.writelines(x for x in f if " 10.3." in x)
    return part


def watch(tool, path, words):
    """Processor time of a listener while FLOWS entries are made as fast as the kernel takes them."""
    flush()
    out = os.path.join(WORK, "events")
    with open(out, "w") as f, open(out + ".err", "w") as e:
        p = subprocess.Popen([tool, "-E", "-e", "NEW"] + words, stdout=f, stderr=e)
        peak = Peak(p.pid)
        time.sleep(0.5)
        refill(path)
        last = -1
        while last != os.path.getsize(out):     # until it has written all it got
            last = os.path.getsize(out)
            time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        _, status, u = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    with open(out, "rb") as f:
        shown = sum(1 for _ in f)
    os.unlink(out)
    return u.ru_utime + u.ru_stime, shown, peak.mib()


def events(path):
    for name, words in (("-E", []), ("-E -b 64 MiB", ["-b", "67108864"])):
        a, b = watch(OURS, path, words), watch(THEIRS, path, words)
        per = [x[0] / max(x[1], 1) * 1e6 for x in (a, b)]
        each(name + ", microseconds an event", per[0], per[1], a[2], b[2],
             "shown: %d %%, 1.4.7 %d %%" % (a[1] * 100 // FLOWS, b[1] * 100 // FLOWS))


def main():
    print("| step | CPU s | 1.4.7 | ratio | wall s | 1.4.7 | peak MiB | 1.4.7 | |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    path = load_file()
    load(path)
    part = sixteenth(path)
    listing("-L", ["-L"], ["-L"])
    listing("-L -o xml", ["-L", "-o", "xml"], ["-L", "-o", "xml"])
    listing("-L -o save", ["-L", "-o", "save"], ["-L", "-o", "save"])
    listing("-L -o json (beside 1.4.7's text)", ["-L", "-o", "json"], ["-L"])
    listing("-L -s 10.3.0.0/16 (1 in 16)", ["-L", "-s", "10.3.0.0/16"], ["-L", "-s", "10.3.0.0/16"])
    listing("-L -p udp -s 10.2.1.1 (few)", ["-L", "-p", "udp", "-s", "10.2.1.1"], ["-L", "-p", "udp", "-s", "10.2.1.1"])
    update()
    change("-D -s 10.3.0.0/16 (1 in 16)", ["-D", "-s", "10.3.0.0/16"], lambda: refill(part))
    change("-D, one flow", ["-D", "-s", "10.3.0.0", "-d", "192.0.2.1", "-p", "tcp", "--dport", "80"], lambda: None,
           "the second tool finds nothing to delete")
    events(path)
    flush()
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w") as f:
            f.write("| step | CPU s | 1.4.7 | ratio | wall s | 1.4.7 | peak MiB | 1.4.7 | |\n"
                    "|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n")


main()
