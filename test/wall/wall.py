#!/usr/bin/env python3
"""conntrackd and ctd-start beside a double of their workers (double.c): every illegal message, and the failures of the
start, of workers and of clients. Usage: wall.py DIRECTORY-WITH-conntrackd-ctd-start-ctd-worker [case ...]"""
import grp
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cases import CLONE_NEWNET, DEADLINE, LIBC, children, jailed, start, status_of, suite, wait_for as wait  # noqa: E402

BIN = os.path.abspath(sys.argv[1])
HURRY = {"WATCHDOG_USEC": "800000"}  # looks of the parent at its worker: every 0.4 s
HURRY_SECONDS = 4.4  # until a silent one is cut off
ACTS = """unknown-type huge-type parents-word configs-word helpers-word short long too-long no-header link
unconfigured-link ready flush-subsystem two-dumps netlink-type netlink-dump netlink-pid netlink-rider netlink-overrun
netlink-unknown netlink-delete-all quiet-type""".split()
STATS_ACTS = ACTS + "new update get delete-expect any-link".split()  # the last five are a sync worker's words
DEATHS = {"crash": "signal 11", "forbidden-call": "signal 31, killed by its seccomp filter",
          "descriptor": "signal 31, killed by its seccomp filter", "leave": "exit status 0"}
SPOILT = "lock-elsewhere log-elsewhere string relative links size helper sched both short fd type silent unsealed".split()


def wait_for(what, probe):
    return wait(what, probe, lambda: "".join(f"{d.dir}: {d.text()}\n" for d in Daemon.running))


def runs(pid):
    """It is there, and no zombie."""
    try:
        return status_of(pid)["State"].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Daemon:
    running = []

    def __init__(self, *lines, env=None, args=(), wait=True, start=True):
        self.dir = tempfile.mkdtemp(prefix="ct-wall-")
        os.chmod(self.dir, 0o755)
        self.ctl, self.lock, self.log = (f"{self.dir}/{n}" for n in ("ctl", "lock", "log"))
        self.conf = f"{self.dir}/conf"
        with open(self.conf, "w") as f:
            print(f"lockfile {self.lock}\nlogfile {self.log}\nctl {self.ctl}", *lines, sep="\n", file=f)
        self.proc = None
        if start:
            self.start(*args, env=env, wait=wait)

    def start(self, *args, env=None, wait=True, **kw):
        with open(f"{self.dir}/out", "a") as out:
            self.proc = start([f"{BIN}/conntrackd", "-C", self.conf, *args], stdout=out, stderr=out,
                              stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, **kw)
        if wait:
            wait_for("start of the daemon", lambda: "initialization completed" in self.text() or self.proc.poll())
            assert "initialization completed" in self.text(), self.output()

        Daemon.running = [self]

    def text(self):
        try:
            with open(self.log) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def output(self):
        with open(f"{self.dir}/out") as f:
            return f.read()

    def ask(self, command="status"):
        """The answer as a dictionary; {} when the connection was closed without one."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(DEADLINE)
            s.connect(self.ctl)
            got = b""
            try:
                s.sendall(command.encode() + b"\n")
                while more := s.recv(4096):
                    got += more
            except (ConnectionResetError, BrokenPipeError):
                pass
        words = got.decode().split()
        return {k: int(v) for k, v in zip(words[::2], words[1::2])}

    def ask_nobody(self, command):
        """Of who does not answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(self.ctl)
            s.sendall(command.encode() + b"\n")
            time.sleep(0.2)

    def status(self, key, value):
        return wait_for(f"{key} >= {value}", lambda: (self.ask_safely() or {}).get(key, -1) >= value)

    def ask_safely(self):
        try:
            return self.ask()
        except OSError:
            return None

    def end(self, status=0, remove=True):
        workers = self.children()
        if status == 0:
            self.proc.send_signal(signal.SIGTERM)
        got = self.proc.wait(DEADLINE)
        assert got == status, f"exit status {got}, not {status}: {self.output()}"
        self.nothing_is_left(workers)
        if remove:
            shutil.rmtree(self.dir)

    def nothing_is_left(self, workers):
        assert not os.path.exists(self.lock), "the lock is left"
        wait_for("end of the workers", lambda: not [w for w in workers if runs(w[0])])

    def children(self):
        return children(self.proc.pid)


def case_acts():
    """Each illegal message is refused and logged, its sender cut off, and a spare serves on; without one, status 75."""
    for i in range(0, len(ACTS), 2):
        d = Daemon()
        for n, act in enumerate(ACTS[i : i + 2], 1):
            before = d.text().count("broke rule")
            d.ask("act " + act)
            wait_for(f"{act}: refused", lambda: d.text().count("broke rule") == before + 1)
            d.status("takeover", n)
            d.status("refused", n)
            assert d.ask()["refused"] == n  # and not twice
            d.ask("new")
            d.status("results", 1)
            d.ask("delete")
        d.end()


def case_stats():
    """A stats worker dumps, deletes, flushes and stops, and that is all: each other message is refused, whoever may say it."""
    for i in range(0, len(STATS_ACTS), 2):
        flows(1024, 600)  # a dump of several records
        d = Daemon("stats 1")
        wait_for("roles", lambda: sorted(role for _, role in d.children()) == ["keeper", "log", "log", "stats", "stats", "stats"])
        for n, act in enumerate(STATS_ACTS[i : i + 2], 1):
            d.ask("act " + act)
            wait_for(f"{act}: refused", lambda: len(re.findall(r"worker stats \(pid=\d+\) broke rule", d.text())) == n)
            d.status("takeover", n)
        for n, word in enumerate(("delete", "flush"), 1):
            d.ask(word)
            d.status("results", n)
        got = d.ask()
        assert got["answers"] == 0 and got["takeover"] == len(STATS_ACTS[i : i + 2]), got
        d.end()
    d = Daemon("stats 1")
    flows(1024, 10)
    d.ask("dump")
    d.status("dumped", 1)
    d.status("events", 1)
    d.ask("act leave")
    d.status("takeover", 1)
    d.ask("stop")
    assert d.proc.wait(DEADLINE) == 0
    shutil.rmtree(d.dir)


def case_used_up():
    d = Daemon()
    for n in (1, 2):
        d.ask("act leave")
        d.status("takeover", n)
    d.ask("act leave")
    wait_for("the last word", lambda: "no spare sync worker is left" in d.text())
    d.end(75)


def case_deaths():
    """Workers that die are named with the cause, and replaced."""
    for act, text in DEATHS.items():
        d = Daemon()
        pid = next(p for p, role in d.children() if role == "sync")
        d.ask("act " + act)
        got = d.status("takeover", 1)
        wait_for(act, lambda: re.search(r"\(pid=\d+\) has aborted: worker sync, " + text, d.text()))
        assert got
        d.status("deaths", 1)
        assert d.ask()["signals"] == (0 if act == "leave" else 1)
        assert pid not in [p for p, _ in d.children()]
        d.end()


def case_ends():
    """However the daemon ends: neither socket nor lock is left, nor a worker, even one that stands still; what is not
    ours any more stays."""
    def with_sync_stopped(d):
        pid = next(p for p, role in d.children() if role == "sync")
        os.kill(pid, signal.SIGSTOP)

    def replaced(d):
        os.rename(d.lock, d.lock + ".old")
        with open(d.lock, "w") as f:
            f.write("another's")

    def without_keeper(d):
        os.kill(next(p for p, role in d.children() if role == "keeper"), signal.SIGKILL)
        wait_for("the news", lambda: "worker keeper, signal 9" in d.text())
        assert d.ask()["takeover"] == 0  # it is missed, but nobody ends for it

    for before in (lambda d: None, with_sync_stopped, replaced, without_keeper):
        for how in (signal.SIGTERM, signal.SIGKILL, "stop"):
            if how == "stop" and before == with_sync_stopped:
                continue  # nobody would hear it
            d = Daemon()
            workers = d.children()
            before(d)
            if how == "stop":
                assert d.ask("stop") == {}  # answered by the end of the connection
                assert os.path.exists(d.lock) == (before in (replaced, without_keeper)), d.text()
                assert os.path.exists(d.ctl) == (before == without_keeper)
            else:
                d.proc.send_signal(how)
            assert d.proc.wait(DEADLINE) == (-how if how == signal.SIGKILL else 0)
            wait_for("end of the workers", lambda: not [w for w in workers if runs(w[0])])
            assert os.path.exists(d.ctl) == (before == without_keeper)
            if before == replaced:
                with open(d.lock) as f:
                    assert f.read() == "another's"
            else:
                assert os.path.exists(d.lock) == (before == without_keeper)
            shutil.rmtree(d.dir)


def case_directory():
    """In a directory that is not root's both files stay, which is said once each, and the next start works."""
    d = Daemon(start=False)
    os.chown(d.dir, pwd.getpwnam("nobody").pw_uid, -1)
    for n in (1, 2):
        d.start()
        assert d.text().count("stays when the daemon ends: its directory belongs to uid") == 2, d.text()
        d.proc.send_signal(signal.SIGTERM)
        assert d.proc.wait(DEADLINE) == 0
        assert os.path.exists(d.lock) and os.path.exists(d.ctl)
        os.unlink(d.log)
    shutil.rmtree(d.dir)


def case_killed():
    """Killed and started again at once, many times: the keeper of the one that was killed removes nothing of the next."""
    d = Daemon(start=False)
    for _ in range(10):
        d.start()
        os.unlink(d.log)
        d.proc.kill()
        d.proc.wait()
    d.start()
    assert os.path.exists(d.lock) and d.ask()["takeover"] == 0
    d.end()


def case_scheduler():
    """Only the parent runs before others; a worker that spins keeps nobody from anything, and ends with the daemon."""
    for policy in (os.SCHED_FIFO, os.SCHED_RR):
        d = Daemon(f"sched {int(policy)}", start=False)
        d.start(preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5)))
        assert os.sched_getscheduler(d.proc.pid) == policy
        for pid, role in d.children():
            assert os.sched_getscheduler(pid) == os.SCHED_OTHER, role
        with open(f"/proc/{d.proc.pid}/limits") as f:
            assert re.search(r"Max realtime timeout +30000000 +30000000", f.read())
        d.ask_nobody("act spin")
        d.end()


def case_log_worker():
    d = Daemon()
    pid = next(p for p, role in d.children() if role == "log")
    os.kill(pid, signal.SIGKILL)
    wait_for("a spare log worker", lambda: "a spare log worker takes over" in d.text())
    d.end()


def case_log_blocked():
    """A log worker that hangs and a log socket that waits, which its writers can cause: the parent does not wait."""
    d = Daemon()
    pids = [p for p, role in d.children() if role == "log"]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    d.ask("act block-log")
    for n, act in enumerate(("short", "leave"), 1):
        d.ask("act " + act)
        d.status("takeover", n)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    wait_for("the parent's line", lambda: "broke rule 4 (length)" in d.text())
    d.end()


def case_log_flooded():
    """A worker that fills the log does not drown the parent's lines, not even after it was cut off."""
    d = Daemon()
    for n in (1, 2):
        d.ask("act flood-log")
        d.status("takeover", n)
    wait_for("both cuts", lambda: d.text().count("broke rule") == 2 and d.text().count("takes over") == 2)
    assert "flood" in d.text()
    d.end()


def case_chaos():
    """Hundreds of messages that are allowed, in any order, then spoilt ones: the spare finds a parent that is as before."""
    for seed in range(0, 12, 2):
        d = Daemon("link udp lo 127.0.0.1 127.0.0.2 3780")
        fds = len(os.listdir(f"/proc/{d.proc.pid}/fd"))
        for n in (1, 2):
            d.ask(f"act chaos {seed + n}")
            d.status("takeover", n)
            wait_for("refused", lambda: d.text().count("broke rule") == n)
            results = d.ask()["results"]
            d.ask("new")
            d.status("results", results + 1)
        assert "link" in [role for _, role in d.children()], d.text()
        wait_for("no descriptor more", lambda: len(os.listdir(f"/proc/{d.proc.pid}/fd")) == fds - 4)  # two walls, two triggers
        with open(f"/proc/{d.proc.pid}/status") as f:
            rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        assert rss < 8192, rss
        d.end()


def case_requests():
    d = Daemon()  # of an empty table
    d.ask("flush")
    d.status("results", 1)
    d.end()
    d = Daemon("nlbuf 1000000", "nlbufmax 2000000")
    d.ask("new")
    got = d.status("results", 1)
    wait_for("events", lambda: d.ask()["events"] == 100)
    got = d.ask()
    assert got["own"] == 100 and got["failed"] == 0 and got["records"] < 20, got
    d.ask("new")
    d.status("results", 2)
    got = d.ask()
    assert got["failed"] == 100 and got["last"] == -17, got  # -EEXIST
    d.ask("get")
    d.status("answers", 100)
    d.ask("dump")
    d.status("done", 1)
    assert d.ask()["dumped"] == 100
    d.ask("flush")
    wait_for("events of the flush", lambda: d.ask()["events"] == 200)
    d.ask("get")
    d.status("failed", 200)
    got = d.ask()
    assert got["last"] == -2, got  # -ENOENT
    d.ask("act quiet")
    d.status("results", got["results"] + 1)
    d.ask("get")
    d.status("answers", 200)
    d.ask("act quiet")
    d.status("failed", 300)
    assert d.ask()["last"] == -17, d.ask()
    d.ask("flush")  # what is not asked quietly is reported as ever
    wait_for("events of the second flush", lambda: d.ask()["events"] >= 300)
    assert d.ask()["events"] == 300, d.ask()
    d.end()


def flows(first, n):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for port in range(first, first + n):
            try:
                s.sendto(b"x", ("127.0.0.1", port))
            except (ConnectionRefusedError, PermissionError):  # nobody there, or the table is full
                pass


def case_overrun():
    """A worker that does not listen for a while: the kernel overruns, loudly, and nothing else happens."""
    d = Daemon("nlbuf 20000", "nlbufmax 100000")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(d.ctl)
    s.sendall(b"sleep\n")
    for _ in range(3):
        flows(1024, 60000)
    assert d.status("overruns", 1)
    wait_for("growth", lambda: d.ask()["grown"] > 0 and d.ask()["bufsize"] in (40000, 80000))
    wait_for("its limit", lambda: d.ask()["limited"] > 0 or d.ask()["overruns"] < 3)
    assert d.ask()["takeover"] == 0
    s.close()
    d.end()


def case_flood():
    """A worker that asks without end and never reads: the parent neither blocks nor grows."""
    d = Daemon("nlbuf 20000", "nlbufmax 100000", env=HURRY)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(d.ctl)
    s.sendall(b"flood\n")
    flows(1024, 20000)
    time.sleep(1)
    with open(f"/proc/{d.proc.pid}/status") as f:
        rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    assert rss < 8192, rss
    wait_for("the cut", lambda: "gives no sign of life: cut off" in d.text())
    d.status("takeover", 1)
    s.close()
    d.end()


def case_hang():
    """A serving worker that hangs is cut off and ended, and a spare serves."""
    d = Daemon(env=HURRY)
    pid = next(p for p, role in d.children() if role == "sync")
    os.kill(pid, signal.SIGSTOP)
    wait_for("the cut", lambda: f"worker sync (pid={pid}) gives no sign of life: cut off" in d.text())
    time.sleep(1.5 * HURRY_SECONDS)  # nobody says anything to the spare but the parent
    assert d.ask()["takeover"] == 1
    d.ask("new")
    d.status("results", 1)
    assert f"(pid={pid}) has aborted: worker sync, signal 9" in d.text(), d.text()
    assert pid not in [p for p, _ in d.children()] and d.ask()["takeover"] == 1
    d.ask("act mute")  # takes everything, says nothing
    d.status("takeover", 2)
    d.end()


def case_pause():
    """All of us stopped for longer than a worker may be silent, as in a frozen group: nobody is cut off."""
    d = Daemon(env=HURRY)
    everybody = [p for p, _ in d.children()] + [d.proc.pid]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(1.5 * HURRY_SECONDS)
    for pid in reversed(everybody):  # the parent first
        os.kill(pid, signal.SIGCONT)
    d.status("looked", 12)  # all of the looks that a silent worker has, and more
    assert d.ask()["takeover"] == 0
    d.end()


def case_crowd():
    """More clients than descriptors may travel at once cost the surplus ones their connection, not the worker its life."""
    d = Daemon()
    sleeper = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sleeper.connect(d.ctl)
    sleeper.sendall(b"sleep\n")
    crowd = []
    for _ in range(400):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(d.ctl)
        crowd.append(s)
    sleeper.recv(1)
    for s in crowd:
        s.close()
    wait_for("an answer after all", lambda: d.ask_safely())
    assert "does not take message" not in d.text(), d.text()
    assert d.ask()["takeover"] == 0
    d.end()


def case_interrupt():
    """Control-C reaches every process of the terminal: the daemon stops as by SIGTERM, its workers do not die before it."""
    for _ in range(5):
        d = Daemon(start=False)
        d.start(start_new_session=True)
        wait_for("jails of the workers", lambda: all(jailed(pid) for pid, _ in d.children()))
        os.killpg(d.proc.pid, signal.SIGINT)
        assert d.proc.wait(DEADLINE) == 0, d.text()
        assert "shutdown received" in d.text() and "aborted" not in d.text(), d.text()
        shutil.rmtree(d.dir)


def case_setup():
    """A configuration worker that lies: the start ends, nothing is created."""
    for how in SPOILT:
        d = Daemon("setup " + how, wait=False)
        assert d.proc.wait(DEADLINE) == 1, how
        assert "configuration worker failed" in d.output(), (how, d.output())
        assert not os.path.exists(d.lock) and not os.path.exists(d.ctl), how
        assert not os.path.exists(d.lock + ".d") and not os.path.exists("/var/tmp/ct-wall-elsewhere"), how
        shutil.rmtree(d.dir)


def case_setup_hang():
    """A configuration worker that does not come to an end is killed, and the start ends, and so does a check: after the one
    time of 20 seconds that the worker has, whatever it does in it."""
    d = Daemon("setup hang", start=False)
    procs = [start([f"{BIN}/conntrackd", "-C", d.conf, *args], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
             for args in ([], ["--check"])]
    workers = [wait_for("the worker", lambda: [pid for pid, role in children(p.pid) if role == "config"])[0] for p in procs]
    for p in procs:
        assert p.wait(20 + DEADLINE / 2) == 1
        said = p.stderr.read()
        assert "the time it took is wrong" in said, said
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers) and not os.path.exists(d.lock)
    shutil.rmtree(d.dir)


def run(d, *args, **kw):
    return subprocess.run([f"{BIN}/conntrackd", "-C", d.conf, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=DEADLINE, stdin=subprocess.DEVNULL, **kw)


def case_command_line():
    d = Daemon(start=False)
    assert run(d, "--check").returncode == 0
    with open(d.conf) as f:
        got = run(d, "--print")
        assert got.returncode == 0 and got.stdout == f.read()
    with open(d.conf, "a") as f:  # a copy that there is no room for: the first half of the text is not used instead
        f.write("#" * 8000)
    cut = run(d, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert cut.returncode == 1 and f"can't open config file `{d.conf}': File too large" in cut.stderr, cut
    with open(d.conf, "w") as f:
        f.write("error")
    got = run(d, "--check")
    assert got.returncode == 1 and "a configuration error" in got.stderr
    assert run(d).returncode == 1 and run(d, "-d").returncode == 1
    for args in ([], ["-d"], ["--check"]):
        assert subprocess.run([f"{BIN}/conntrackd", "-C", d.dir, *args]).returncode == 2, args
    missing = subprocess.run([f"{BIN}/conntrackd", "-C", "/nonexistent"], stderr=subprocess.PIPE, text=True)
    assert missing.returncode == 1 and "can't open config file `/nonexistent'" in missing.stderr
    with open(f"{BIN}/conntrackctl", "w") as f:
        f.write('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n')
    os.chmod(f"{BIN}/conntrackctl", 0o755)
    for args in (["-s", "cache"], ["-k"], ["-C"], ["-h"], ["x"], ["-d", "-v"], ["--help"]):
        got = subprocess.run([f"{BIN}/conntrackd", *args], stdout=subprocess.PIPE, text=True)
        assert got.returncode == 3 and got.stdout.split() == ["--compat", *args], (args, got)
    os.unlink(f"{BIN}/conntrackctl")
    shutil.rmtree(d.dir)


def case_rights():
    """Root without one of the rights that the start needs, as in a container: one line says which, and nothing is there."""
    d = Daemon(start=False)
    before = set(os.listdir(d.dir))
    for right in "setuid setgid net_admin".split():
        for option in ([], ["-d"]):
            got = subprocess.run(["setpriv", f"--bounding-set=-{right}", f"{BIN}/conntrackd", "-C", d.conf, *option],
                                 stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
            assert got.returncode == 1 and got.stderr.count("\n") == 1, (right, got)
            assert f"needs CAP_{right.upper()}" in got.stderr and set(os.listdir(d.dir)) == before, (right, got)
    for program in ("conntrackd", "ctd-start"):
        shutil.copy(f"{BIN}/{program}", d.dir)  # to where anybody may go
    got = subprocess.run([f"{d.dir}/conntrackd", "-C", d.conf], stderr=subprocess.PIPE, text=True, timeout=DEADLINE,
                         preexec_fn=lambda: os.setresuid(65534, 65534, 65534))
    assert got.returncode == 1 and "must be started by root" in got.stderr and got.stderr.count("\n") == 1, got
    d.start()
    d.end()


def about(pid):
    """Program file, name, arguments: what supervisors look at."""
    with open(f"/proc/{pid}/cmdline") as line, open(f"/proc/{pid}/comm") as name:
        return os.readlink(f"/proc/{pid}/exe"), name.read().rstrip(), line.read().split("\0")[:-1]


def case_identity():
    """The process that stays is the program that was started, with the words that were typed, however it was started."""
    d = Daemon(start=False)
    os.symlink(f"{BIN}/conntrackd", f"{d.dir}/another")
    shutil.copytree(BIN, f"{d.dir}/prefix/sbin", ignore=shutil.ignore_patterns("ctd-*", "queue_*", "link_*"))
    shutil.copytree(BIN, f"{d.dir}/prefix/libexec/openconntrack", ignore=shutil.ignore_patterns("conntrackd"))
    for argv, program, directory in ((["conntrackd"], f"{BIN}/conntrackd", None), (["./conntrackd"], "./conntrackd", BIN),
                                     (["any name"], f"{d.dir}/another", None), (["../sbin/conntrackd", "-d"],
                                      f"{d.dir}/prefix/sbin/conntrackd", f"{d.dir}/prefix/sbin")):
        argv = argv[:1] + ["-C", d.conf] + argv[1:]
        if os.path.exists(d.log):
            os.unlink(d.log)
        proc = start(argv, executable=program, cwd=directory, stdin=subprocess.DEVNULL)
        wait_for("start", lambda: "initialization completed" in d.text())
        with open(d.lock) as f:
            pid = int(f.read())
        real = os.path.realpath(os.path.join(directory or "/", program))
        assert about(pid) == (real, "conntrackd", argv), (about(pid), argv)
        os.kill(pid, signal.SIGTERM)
        assert proc.wait(DEADLINE) == 0
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
    # a handover that is none: memory of the right place, but not of the right kind
    fd = os.memfd_create("handover")
    os.write(fd, bytes(100000))
    d.proc = start([f"{BIN}/conntrackd", "-C", d.conf], preexec_fn=lambda: os.dup2(fd, 3), close_fds=False)
    d.status("takeover", 0)
    for path in (f"{BIN}/ctd-start", f"{d.dir}/prefix/libexec/openconntrack/ctd-start"):
        got = subprocess.run([path, "-C", d.conf], stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        assert got.returncode == 64 and "started by conntrackd, not by hand" in got.stderr, got
    os.close(fd)
    d.end()


def descriptors(pid):
    return [os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)]


def case_descriptors():
    """No worker but the one for the configuration has what the daemon was started with: a terminal could be read and
    written to. Descriptors that are closed stay unused."""
    ip("link", "set", "lo", "up")
    for closed in ([], [0], [2], [0, 1, 2]):
        d = Daemon("link udp lo 127.0.0.1 127.0.0.2 3780", start=False)
        ours, theirs = os.openpty()
        d.proc = start([f"{BIN}/conntrackd", "-C", d.conf], stdin=theirs, stdout=theirs, stderr=theirs,
                       preexec_fn=lambda: [os.close(n) for n in closed])
        terminal = os.ttyname(theirs)
        os.close(theirs)
        wait_for("start", lambda: "initialization completed" in d.text())
        assert descriptors(d.proc.pid) == ["/dev/null" if n in closed else terminal for n in range(3)]
        for pid, role in d.children():
            assert descriptors(pid) == 3 * ["/dev/null"], (role, descriptors(pid))
        os.close(ours)
        d.end()
    d = Daemon(start=False)
    for args in (["--check"], ["--print"], []):
        got = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", f"{BIN}/conntrackd", "-C", d.conf + "x", *args])
        assert got.returncode == 1
        got = subprocess.run(["sh", "-c", 'ulimit -n 5; exec "$@"', "sh", f"{BIN}/conntrackd", "-C", d.conf, *args],
                             stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        assert got.returncode == 1 and "can't open /dev/null: Too many open files" in got.stderr, got
    shutil.rmtree(d.dir)


def case_surroundings():
    """What whoever starts the daemon may have done to signals, limits, the mask of file modes, watchdog and directory."""
    def spoil():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)))
        os.umask(0o777)
        os.chdir(lost)
        os.rmdir(lost)

    lost = tempfile.mkdtemp()
    d = Daemon(start=False)
    d.start(preexec_fn=spoil, env={"WATCHDOG_USEC": "1"})
    pid = next(p for p, role in d.children() if role == "sync")
    os.kill(pid, signal.SIGKILL)
    wait_for("its end", lambda: re.search(rf"\(pid={pid}\) has aborted: worker sync, signal 9", d.text()))
    d.status("looked", 12)
    assert d.ask()["takeover"] == 1
    d.end()
    d = Daemon(start=False)
    with open(d.conf, "w") as f:
        f.write("error")
    assert run(d, "--check", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)).returncode == 1
    got = run(d, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert got.returncode == 1 and "File too large" in got.stderr, got
    shutil.rmtree(d.dir)
    d = Daemon(start=False)  # in a /run of its own, with nothing in it
    d.proc = start(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && umask 077 && exec "$@"', "sh",
                    f"{BIN}/conntrackd", "-C", d.conf], stdin=subprocess.DEVNULL)
    wait_for("start", lambda: "initialization completed" in d.text())
    empty = os.stat(f"/proc/{d.proc.pid}/root")
    above = os.stat(f"/proc/{d.proc.pid}/root/..")
    assert empty.st_mode & 0o777 == 0o555 and above.st_mode & 0o777 == 0o755, (empty, above)
    d.end()


def case_no_file():
    """What is no file as configuration is refused at once, and nobody waits for its other end."""
    d = Daemon(start=False)
    os.unlink(d.conf)
    os.mkfifo(d.conf)
    for path in (d.conf, "/dev/zero"):
        for args in ([], ["-d"], ["--check"], ["--print"]):
            got = subprocess.run([f"{BIN}/conntrackd", "-C", path, *args], stderr=subprocess.PIPE, text=True,
                                 timeout=DEADLINE)
            assert got.returncode == 1 and f"can't open config file `{path}': it is no file" in got.stderr, (args, got)
    shutil.rmtree(d.dir)


def case_daemon():
    """-d returns 0 when the worker serves, and 1 with the reason when it cannot."""
    d = Daemon(start=False)
    terminal = os.openpty()
    got = subprocess.run([f"{BIN}/conntrackd", "-C", d.conf, "-d"], stdin=terminal[1], timeout=DEADLINE)
    assert got.returncode == 0, got
    with open(d.lock) as f:
        pid = int(f.read())
    try:  # it is nobody's child
        assert d.ask()["takeover"] == 0
        again = run(d, "-d")
        assert again.returncode == 1 and f"lockfile `{d.lock}' exists, perhaps conntrackd already running?" in again.stderr, again
        assert descriptors(pid)[:2] == 2 * ["/dev/null"], descriptors(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
    os.close(terminal[0])
    os.close(terminal[1])
    wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
    with open(d.conf, "a") as f:
        print("diestart 1", file=f)
    got = run(d, "-d")
    assert got.returncode == 1 and "conntrackd cannot start" in got.stderr, got
    assert run(d).returncode == 1
    shutil.rmtree(d.dir)


def case_stale():
    """What a killed daemon leaves behind blocks nobody; a live one is not pushed aside."""
    d = Daemon()
    other = Daemon(start=False)
    with open(other.conf, "a") as f:
        print("ctl " + d.ctl, file=f)
    got = run(other)
    assert got.returncode == 1 and "another daemon listens there" in got.stderr, got
    shutil.rmtree(other.dir)
    os.kill(next(p for p, role in d.children() if role == "keeper"), signal.SIGKILL)
    d.proc.kill()
    d.proc.wait()
    assert os.path.exists(d.lock) and os.path.exists(d.ctl)
    os.unlink(d.log)
    d.start()
    assert oct(os.stat(d.ctl).st_mode & 0o777) == "0o600" and oct(os.stat(d.lock).st_mode & 0o777) == "0o600"
    with open(d.lock) as f:
        assert int(f.read()) == d.proc.pid
    os.unlink(d.ctl)
    with open(d.ctl, "w") as f:
        f.write("precious")
    second = run(d)
    assert second.returncode == 1
    d.end(remove=False)
    assert os.path.getsize(d.ctl) == 8 and not os.path.exists(d.lock)  # not what was there at the start
    shutil.rmtree(d.dir)
    d = Daemon(start=False)
    with open(d.ctl, "w") as f:
        f.write("precious")
    got = run(d)
    assert got.returncode == 1 and "no socket" in got.stderr and os.path.getsize(d.ctl) == 8, got
    shutil.rmtree(d.dir)


def as_user(uid, gid, groups, d, command="status"):
    """The answer that a client under other ids gets."""
    r, w = os.pipe()
    if os.fork() == 0:
        try:
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
            try:
                got = d.ask(command)
            except PermissionError:
                got = "refused"
            os.write(w, repr(got).encode())
        finally:
            os._exit(0)
    os.close(w)
    with os.fdopen(r) as f:
        text = f.read()
    os.wait()
    return eval(text)  # our own repr


def case_access():
    group = grp.getgrnam("adm")
    nobody = pwd.getpwnam("nobody").pw_uid
    d = Daemon("group adm")
    st = os.stat(d.ctl)
    assert oct(st.st_mode & 0o777) == "0o660" and st.st_gid == group.gr_gid
    assert d.ask()["access"] == 3
    assert as_user(nobody, 65534, [], d) == "refused"
    assert as_user(nobody, 65534, [group.gr_gid], d)["access"] == 2
    assert as_user(nobody, group.gr_gid, [], d)["access"] == 2
    parent = pwd.getpwnam("_conntrackd").pw_uid
    assert as_user(parent, 65534, [group.gr_gid], d)["access"] == 3
    os.chmod(d.ctl, 0o666)  # the mode is not what decides
    assert as_user(nobody, 65534, [], d) == {}
    d.end()
    d = Daemon("group no-such-group", wait=False)
    assert d.proc.wait(DEADLINE) == 1 and "does not exist" in d.output()
    shutil.rmtree(d.dir)


def case_notify():
    path = tempfile.mktemp(prefix="ct-wall-notify-")
    for name in (path, "\0" + path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(name)
            s.settimeout(DEADLINE)
            os.path.exists(path) and os.chmod(path, 0o666)
            d = Daemon(env={"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "200000"}, wait=False)
            seen = ""
            while "READY=1" not in seen or "WATCHDOG=1" not in seen:
                seen += s.recv(256).decode() + "\n"
            assert f"MAINPID={d.proc.pid}" in seen
            d.proc.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in seen:
                seen += s.recv(256).decode() + "\n"
            d.end()
    os.path.exists(path) and os.unlink(path)


def case_reopen():
    d = Daemon()
    os.rename(d.log, d.log + ".1")
    with open(d.log, "w"):
        pass
    os.chown(d.log, pwd.getpwnam("_ctd-worker").pw_uid, -1)
    d.proc.send_signal(signal.SIGHUP)
    wait_for("the new file in use", lambda: any(os.readlink(f"/proc/{pid}/fd/{n}") == d.log for pid, role in d.children()
                                                if role == "log" for n in os.listdir(f"/proc/{pid}/fd")))
    d.ask("act leave")
    wait_for("a line in it", lambda: "takes over" in d.text())
    d.end()


def case_stop():
    d = Daemon()
    d.ask("stop")
    assert d.proc.wait(DEADLINE) == 0
    assert "---- shutdown received ----" in d.text()
    shutil.rmtree(d.dir)


def case_stop_unasked():
    """A worker that says stop without an operator who may is cut off: nobody would start the daemon again."""
    group = grp.getgrnam("adm")
    nobody = pwd.getpwnam("nobody").pw_uid
    d = Daemon("group adm", env=HURRY)
    d.ask_nobody("act stop-late")
    wait_for("the cut", lambda: re.search(r"worker sync \(pid=\d+\) broke rule 6 \(content\) with message", d.text()))
    wait_for("the spare", lambda: "a spare sync worker takes over" in d.text())
    assert as_user(nobody, 65534, [group.gr_gid], d, "stop") == {}  # the first that this one hears of
    wait_for("the second cut", lambda: d.text().count("broke rule 6 (content)") == 2)
    d.status("takeover", 2)
    d.ask("stop")
    assert d.proc.wait(DEADLINE) == 0
    shutil.rmtree(d.dir)


def case_lingering():
    """A client that may not ask sends a socket that lingers when it is closed, and nobody reads it: the parent does not wait."""
    d = Daemon()
    os.chmod(d.ctl, 0o666)
    "".encode("idna")  # loaded while it can be
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.kill(d.proc.pid, signal.SIGSTOP)  # it shall be the last one that has the socket
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setresuid(65534, 65534, 65534)
                held = []
                for _ in range(5):
                    s = socket.create_connection(server.getsockname())
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
                    s.setblocking(False)
                    c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    c.connect(d.ctl)
                    held += [s, c]
                    try:
                        while True:
                            s.send(bytes(65536))
                    except BlockingIOError:
                        pass
                    try:
                        socket.send_fds(c, [b"x"], [s.fileno()])
                    except PermissionError:  # newer kernels do not pass it on
                        pass
                os._exit(0)  # an end does not linger
            except OSError as e:
                print(e, file=sys.stderr, flush=True)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        os.kill(d.proc.pid, signal.SIGCONT)
        for _ in range(5):
            assert d.ask()["takeover"] == 0
    d.end()


def ip(*args):
    subprocess.run(["ip", *args], check=True)


class Elsewhere:
    """A second network namespace: what is done inside a with block, and sockets made there, belong to it."""

    def __init__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        LIBC.unshare(CLONE_NEWNET)
        self.away = os.open("/proc/self/ns/net", os.O_RDONLY)
        LIBC.setns(self.home, 0)
        self.path = f"/proc/{os.getpid()}/fd/{self.away}"

    def __enter__(self):
        LIBC.setns(self.away, 0)

    def __exit__(self, *_):
        LIBC.setns(self.home, 0)


def case_links():
    """Channel sockets: bound to device and address, connected to the peer, handed out again after a take-over."""
    def set_up(dev, v4, ll):
        ip("addr", "add", v4, "dev", dev)
        ip("addr", "add", ll, "dev", dev, "nodad")
        ip("link", "set", dev, "up")

    def make_pair():
        ip("link", "add", "cw0", "type", "veth", "peer", "name", "cw1")
        ip("link", "set", "cw1", "netns", peer_side.path)
        set_up("cw0", "10.9.8.1/24", "fe80::8:1/64")
        with peer_side:
            set_up("cw1", "10.9.8.2/24", "fe80::8:2/64")

    peer_side = Elsewhere()
    make_pair()
    for link, group in (("udp cw0 10.9.8.1 10.9.8.2 3780", None), ("udp cw0 fe80::8:1 fe80::8:2 3781", None),
                        ("mcast cw0 10.9.8.1 225.0.0.50 3782", "225.0.0.50"), ("mcast cw0 fe80::8:1 ff02::50 3783", "ff02::50")):
        peer, port = link.split()[3:]
        family = socket.AF_INET6 if ":" in peer else socket.AF_INET
        with peer_side:
            s = socket.socket(family, socket.SOCK_DGRAM)
            index = socket.if_nametoindex("cw1")
        with s:
            s.settimeout(DEADLINE)
            s.bind(("", int(port)) if group or family == socket.AF_INET else (peer, int(port), 0, index))
            if group and family == socket.AF_INET:
                s.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton("10.9.8.2"))
            elif group:
                s.setsockopt(socket.SOL_IPV6 if hasattr(socket, "SOL_IPV6") else 41, socket.IPV6_JOIN_GROUP,
                             socket.inet_pton(family, group) + index.to_bytes(4, sys.byteorder))
            d = Daemon("link " + link)
            for _ in range(2):
                d.ask("channel")
                d.status("channels", 1)
                d.ask("say")
                data, who = s.recvfrom(100)
                assert data == b"hello" and who[0].split("%")[0] == link.split()[2], (link, data, who)
                d.ask("act leave")
                wait_for("take-over", lambda: (d.ask_safely() or {}).get("channels") == 0)
            d.end()
    # a device that is deleted and made again; in between there is no channel
    d = Daemon("link udp cw0 10.9.8.1 10.9.8.2 3780")
    d.ask("channel")
    d.status("channels", 1)
    ip("link", "del", "cw0")
    d.ask("channel")
    d.status("nochannel", 1)
    make_pair()
    with peer_side:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with s:
        s.settimeout(DEADLINE)
        s.bind(("", 3780))
        d.ask("channel")
        d.status("channels", 2)
        d.ask("say")
        assert s.recvfrom(100)[0] == b"hello"
    opener = next(pid for pid, name in children(d.proc.pid) if name == "link")
    os.kill(opener, signal.SIGKILL)
    wait_for("the news", lambda: "worker link, signal 9" in d.text())
    assert d.ask()["takeover"] == 0  # it is missed, but nobody ends for it
    d.end()
    for link, text in (("udp nodev 10.9.8.1 10.9.8.2 3780", "can't open channel socket: No such device (link 1, nodev, 10.9.8.1 port 3780)"),
                       ("udp cw0 10.9.8.77 10.9.8.2 3780",
                        "can't open channel socket: Cannot assign requested address (link 1, cw0, 10.9.8.77 port 3780)"),
                       ("tcp cw0 10.9.8.1 10.9.8.2 3780", "can't open channel socket: Protocol not supported")):
        d = Daemon("link " + link, wait=False)
        assert d.proc.wait(DEADLINE) == 1 and text in d.output(), (link, d.output())
        shutil.rmtree(d.dir)


def case_link_worker():
    """A taken-over link worker: it has nothing to say to the parent, and no sockets but for datagrams; neither the parent's
    descriptors nor the worker that serves suffer. One that is asked without end goes on."""
    global BIN
    d = Daemon("link udp lo 127.0.0.1 127.0.0.2 3780")
    d.ask("act flood-opens")
    assert d.ask()["channels"] + d.ask()["nochannel"] > 20, d.ask()
    assert "link" in [role for _, role in d.children()], d.text()
    d.end()
    genuine, BIN = BIN, tempfile.mkdtemp(prefix="ct-wall-bin-")
    for name, source in (("conntrackd", "conntrackd"), ("ctd-start", "ctd-start"), ("ctd-open", "ctd-open"), ("ctd-keeper", "ctd-keeper"), ("ctd-worker", "ctd-worker"),
                         ("ctd-link", "link_double")):
        shutil.copy(f"{genuine}/{source}", f"{BIN}/{name}")
    for port in range(7001, 7011):
        d = Daemon(f"link udp lo 127.0.0.1 127.0.0.2 {port}")
        before = sorted(os.readlink(f"/proc/{d.proc.pid}/fd/{n}") for n in os.listdir(f"/proc/{d.proc.pid}/fd"))
        end = r"worker link \(pid=\d+\) broke rule 2 \(sender\)" if port < 7004 else r"aborted: worker link, signal 31"
        wait_for("the cut", lambda: re.search(end, d.text()))
        left = lambda: sorted(os.readlink(f"/proc/{d.proc.pid}/fd/{n}") for n in os.listdir(f"/proc/{d.proc.pid}/fd"))
        wait_for("what it had is closed", lambda: len(left()) == len(before) - 2)  # wall, trigger
        assert set(left()) <= set(before), (before, left())
        d.ask("channel")
        assert d.ask()["channels"] == 1 and d.ask()["takeover"] == 0
        d.end()
    shutil.rmtree(BIN)
    BIN = genuine


def prepare():
    ip("link", "set", "lo", "up")
    # with a rule that looks at connections the kernel tracks them here
    subprocess.run(["nft", "add table inet t; add chain inet t c { type filter hook input priority 0; };"
                    "add rule inet t c ct state new accept"], check=True)


suite(globals(), sys.argv[2:], prepare)
