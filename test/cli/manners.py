#!/usr/bin/env python3
# How the tools behave as programs: with one capability and without, before a reader that goes away or that reads both
# streams as one, when events come faster than they are read, and with files that never end.
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import side

BIN = os.environ["CT_BIN"]
TOOLS = {"conntrack": os.path.join(BIN, "conntrack"), "nfct": os.path.join(BIN, "nfct")}
NEW = "-I -s %s -d 2.2.2.2 -p udp --sport %d --dport 2 -t 500"
BURST = 20000
failures = []


def check(ok, what):
    print("%s %s" % ("ok  " if ok else "FAIL", what))
    if not ok:
        failures.append(what)


def nobody(path, words, stdin=""):
    ids = {"user": side.NOBODY, "group": side.NOBODY, "extra_groups": []}
    return subprocess.run([path] + words.split(), input=stdin, capture_output=True, text=True, timeout=30, **ids)


def one_capability():
    """Copies with cap_net_admin+ep, run by an ordinary user, do everything; without it one line says why not."""
    home = tempfile.mkdtemp(prefix="ct-manners-%d-" % os.getpid(), dir="/var/tmp")
    try:
        os.chmod(home, 0o755)
        for name, path in TOOLS.items():
            for kind in ("able", "bare"):
                shutil.copy(path, os.path.join(home, name + "-" + kind))
            subprocess.run(["setcap", "cap_net_admin+ep", os.path.join(home, name + "-able")], check=True)
        conntrack, nfct = os.path.join(home, "conntrack-able"), os.path.join(home, "nfct-able")
        for words, stdin in ((NEW % ("1.1.1.1", 1), ""), ("-L", ""), ("-U -s 1.1.1.1 -m 5", ""),
                             ("-G -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2", ""), ("-C", ""), ("-S", ""),
                             ("-D -s 1.1.1.1", ""), ("-R -", NEW % ("1.1.1.2", 2) + "\n"), ("-F", "")):
            r = nobody(conntrack, words, stdin)
            check(r.returncode == 0, "with cap_net_admin: conntrack %s%s" % (words, "" if r.returncode == 0 else ": " + r.stderr))
        for words in ("add timeout a inet udp replied 5", "list timeout", "default-get timeout inet tcp", "flush timeout"):
            r = nobody(nfct, words)
            check(r.returncode == 0, "with cap_net_admin: nfct " + words)
        for words in ("-L", "-D", "-E", "-I expect -t 1 -p tcp"):
            r = nobody(os.path.join(home, "conntrack-bare"), words)
            if words == "-L":
                check(r.returncode == 1 and r.stderr.count("\n") == 1 and "CAP_NET_ADMIN" in r.stderr,
                      "without: conntrack -L says so in one line and exits 1")
            else:
                check(r.returncode in (1, 2) and not r.stdout, "without: conntrack %s fails" % words)
        r = nobody(os.path.join(home, "nfct-bare"), "list timeout")
        check(r.returncode == 1 and r.stderr.count("\n") == 1, "without: nfct list timeout says so in one line and exits 1")
    finally:
        shutil.rmtree(home)


def jail():
    """What a listening conntrack keeps: CAP_NET_ADMIN at most, no new privileges, a seccomp filter."""
    p = subprocess.Popen([TOOLS["conntrack"], "-E"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        status = ""
        while "Seccomp:\t2" not in status and time.monotonic() < until:
            with open("/proc/%d/status" % p.pid) as f:
                status = f.read()
            time.sleep(0.01)
        caps = {k: int(v, 16) for k, v in re.findall(r"^(Cap\w+):\t(\w+)$", status, re.M)}
        check(caps.get("CapEff") == 1 << 12 and caps.get("CapPrm") == 1 << 12 and caps.get("CapInh") == 0,
              "conntrack -E as root keeps CAP_NET_ADMIN only")
        check("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, "and no new privileges, under seccomp")
    finally:
        p.send_signal(signal.SIGINT)
        check(p.wait(10) == 0, "and ends with exit code 0 when interrupted")


def fill():
    lines = "".join("-I -s 10.%d.%d.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500\n" % (i // 250, i % 250)
                    for i in range(BURST))
    subprocess.run([TOOLS["conntrack"], "-R", "-"], input=lines, text=True, check=True, timeout=120, stderr=subprocess.DEVNULL)


def reader_leaves():
    """A listing to a reader that goes away ends without a word, however far it got."""
    fill()
    for words in ("-L", "-L -o xml", "-L -o json", "-L -o save"):
        p = subprocess.Popen([TOOLS["conntrack"]] + words.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdout.readline()
        p.stdout.close()
        err = p.stderr.read().decode()
        rc = p.wait(30)
        check(rc in (0, -signal.SIGPIPE) and err == "", "conntrack %s | head is quiet (exit %d%s)" % (words, rc, err and ": " + err))
    p = subprocess.Popen([TOOLS["conntrack"], "-L"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, text=True)
    err = p.communicate(timeout=30)[1]
    check(p.returncode == 1 and "No space left" in err, "conntrack -L > /dev/full is an error")
    subprocess.run([TOOLS["conntrack"], "-F"], check=True, stderr=subprocess.DEVNULL)


def events_lost():
    """A listener that is stopped while 20000 entries are made loses events, says so, and goes on."""
    for words in ("-E -b 10000", "-E -b 10000 -o json"):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            p = subprocess.Popen([TOOLS["conntrack"]] + words.split(), stdout=out, stderr=err)
            try:
                wait(lambda: side.Side.event_sockets(p.pid))
                p.send_signal(signal.SIGSTOP)
                fill()
                p.send_signal(signal.SIGCONT)
                wait(lambda: "ENOBUFS" in text(err))
                wait(lambda: not any(side.Side.event_sockets(p.pid)))
                subprocess.run([TOOLS["conntrack"]] + (NEW % ("7.7.7.7", 7)).split(), check=True, stderr=subprocess.DEVNULL)
                went_on = wait(lambda: "7.7.7.7" in text(out))
                p.send_signal(signal.SIGINT)
                rc = p.wait(10)
            finally:
                if p.poll() is None:
                    p.kill()
                    p.wait()
            told = text(err)
            check("WARNING: We have hit ENOBUFS! We are losing events." in told, "conntrack %s tells of lost events" % words)
            check(went_on, "and shows what comes after them")
            check(rc == 0 and re.search(r"\d+ flow events have been shown\.", told), "and ends with its count")
            if "json" in words:
                check('"event":"lost"' in text(out), "and marks the place in its JSON")
        subprocess.run([TOOLS["conntrack"], "-F"], check=True, stderr=subprocess.DEVNULL)


def table(n):
    """n entries, which list as about 130 bytes each."""
    subprocess.run([TOOLS["conntrack"], "-F"], check=True, stderr=subprocess.DEVNULL)
    lines = "".join(NEW % ("10.1.1.%d" % (i + 1), 1) + "\n" for i in range(n))
    subprocess.run([TOOLS["conntrack"], "-R", "-"], input=lines, text=True, check=True, stderr=subprocess.DEVNULL)


def together(path, words, n):
    """What one reader of both streams gets, as lines, from a table of n entries."""
    table(n)
    r = subprocess.run([path] + words.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    return r.stdout.splitlines()


def summary_first():
    """The summary of a short list comes before it, as from 1.4.x, whose standard output waits in stdio's buffer."""
    said = re.compile(r"entries have been|Operation failed")
    for words in ("-D -s 10.1.1.0/24", "-L", "-L -o xml", "-L -o save", "-U -f ipv4 -m 5 -s 10.1.1.1", "-D -o id",
                  "-G -s 10.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2", "-D -s 9.9.9.9"):
        old, ours = (together(path, words, 3) for path in (side.REFERENCE["conntrack"], TOOLS["conntrack"]))
        where = [[i for i, x in enumerate(lines) if said.search(x)] for lines in (old, ours)]
        wanted = [len(ours) - 1] if "-L" in words and "xml" in words else [0]
        check(where[0] == where[1] == wanted and len(old) == len(ours),
              "conntrack %s 2>&1: the summary is line %s, as from 1.4.x" % (words, where[1]))
    for words in ("-L", "-D"):
        lines = together(TOOLS["conntrack"], words, 200)
        check(len(lines) == 201 and said.search(lines[-1]) and not any(said.search(x) for x in lines[:-1]),
              "conntrack %s 2>&1 of a long list ends with the summary, and no line is cut" % words)
    table(1)
    ours, theirs = pty.openpty()
    p = subprocess.Popen([TOOLS["conntrack"], "-D"], stdout=theirs, stderr=theirs)
    os.close(theirs)
    got = b""
    try:
        while not got.endswith(b"deleted.\r\n"):
            got += os.read(ours, 4096)
    except OSError:
        pass
    check(p.wait(30) == 0 and got.startswith(b"udp") and b"deleted" in got, "on a terminal the entries come first")
    os.close(ours)
    table(2)
    p = subprocess.Popen([TOOLS["conntrack"], "-D"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    first = p.stdout.readline()
    p.stdout.close()
    check(b"2 flow entries" in first and p.wait(30) in (0, -signal.SIGPIPE), "conntrack -D 2>&1 | head -n1 has the summary")
    table(2)
    with open("/dev/full", "w") as full:
        r = subprocess.run([TOOLS["conntrack"], "-L"], stdout=full, stderr=subprocess.PIPE, text=True)
    check(r.returncode == 1 and "No space left" in r.stderr, "a short list > /dev/full is an error")


def endless():
    """Files that never end, or are no text, take little memory and are refused with file and line; nothing is done."""
    table(1)
    for words in ("-R /dev/zero", "-D --from-file /dev/zero", "-R /dev/urandom", "-D --from-file /dev/urandom"):
        r = subprocess.run([TOOLS["conntrack"]] + words.split(), capture_output=True, text=True, timeout=60)
        check(r.returncode == 2 and re.search(r": /dev/\w+:\d+: ", r.stderr), "conntrack %s: %s" % (words, r.stderr.split("\n")[0]))
    for line in ("-A -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 50", "-I" + " x" * 50000):
        feed = subprocess.Popen(["yes", "--", line], stdout=subprocess.PIPE)
        r = subprocess.run([TOOLS["conntrack"], "-R", "-"], stdin=feed.stdout, capture_output=True, text=True, timeout=60)
        feed.stdout.close()
        feed.wait(30)
        check(r.returncode == 2 and re.search(r": stdin:\d+: ", r.stderr), "endless lines: " + r.stderr.split("\n")[0])
    r = subprocess.run([TOOLS["conntrack"], "-C"], capture_output=True, text=True)
    check(r.stdout == "1\n", "nothing of them was carried out")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    check(most < 500, "and none took more than %d MB" % most)
    r = subprocess.run([TOOLS["conntrack"], "-R", "-"], input="-F", text=True, capture_output=True)
    check(r.returncode == 0, "a last line without newline counts")


def text(f):
    f.seek(0)
    return f.read()


def wait(cond, limit=60):
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if cond():
            return True
        time.sleep(0.02)
    return False


def main():
    if os.geteuid() != 0 or not shutil.which("setcap"):
        print("SKIP: needs root and setcap")
        return 77
    try:
        side.isolate()
    except side.NoNamespaces as e:
        print("SKIP: no network namespaces here: %s" % e)
        return 77
    side.sysctl("nf_conntrack_events", 1)
    for part in (one_capability, jail, reader_leaves, summary_first, endless, events_lost):
        part()
    print("%d wrong" % len(failures))
    return 1 if failures else 0


sys.exit(main())
