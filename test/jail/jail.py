#!/usr/bin/env python3
"""What each process of the daemon can still do. Usage: jail.py PROBE DIRECTORY-WITH-conntrackd [sanitized]
The probe enters the jail of each role and tries one system call at a time; then the processes of a running daemon are
looked at from outside."""
import ctypes
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROBE, BIN = sys.argv[1], sys.argv[2]
ROLES = "parent config log sync stats helper link queue".split()
# allowed calls by role; every other call of the probe kills the process
ALLOWED = {"send": ROLES, "write": ROLES[:-1], "memory": ROLES[:-1], "epoll": ROLES[1:-1], "sendmsg": ["parent", "config", "link"],
           "accept": ["parent"], "setsockopt": ["parent", "link"], "socket": ["link"], "bind": ["link"], "connect": ["link"],
           "log-open": ["log"], "flags": ["sync"]}
CALLS = """sendto send sendmsg sendmmsg write socket netlink connect bind accept open log-open exec fork clone ptrace kill
setuid unshare mount code memory mprotect flags address setsockopt epoll io_uring bpf x32 limit""".split()
DEADLINE = 20


def probe_calls():
    for role in ROLES:
        for call in CALLS:
            got = subprocess.run([PROBE, role, call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            if role in ALLOWED.get(call, []):
                assert got.returncode == 0 and got.stdout.startswith(call.encode()), (role, call, got)
            else:
                assert got.returncode == -signal.SIGSYS and got.stdout == b"", (role, call, got)
    print(f"ok {len(ROLES)} roles, {len(CALLS)} calls each")


def probe_log_directory():
    """The log worker's openat is its only one: where landlock does not say so, it opens nothing."""
    got = subprocess.run([PROBE, "log", "log-open"], stdout=subprocess.PIPE)
    assert got.stdout == b"log-open: -1\n", got
    print("ok the log worker opens nothing without a directory")


def probe_bounding_set():
    """Without CAP_SETPCAP the bounding set stays as it is: that is no jail."""
    for role in ROLES:
        got = subprocess.run(["setpriv", "--bounding-set=-setpcap", PROBE, role, "send"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert got.returncode == 3 and b"cannot enter the jail: bounding set" in got.stdout + got.stderr, (role, got)
    print("ok no jail with a bounding set")


def fields(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":", 1) for line in f)


def check_process(pid, user, caps, own_net):
    st, uid = fields(pid), pwd.getpwnam(user)
    name = f"{user} {pid} {st['Name'].strip()}"
    assert st["Uid"].split() == [str(uid.pw_uid)] * 4, name
    assert st["Gid"].split() == [str(uid.pw_gid)] * 4, name
    assert st["Groups"].split() == [], (name, st["Groups"])
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        want = caps if kind in ("CapPrm", "CapEff") else 0
        assert int(st[kind], 16) == want, (name, kind, st[kind])
    assert st["NoNewPrivs"].strip() == "1" and st["Seccomp"].strip() == "2" and st["Seccomp_filters"].strip() == "1", name
    assert os.readlink(f"/proc/{pid}/root") == "/run/conntrackd/empty", name
    assert os.listdir(f"/proc/{pid}/root") == [], name
    assert (os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")) == own_net, name
    with open(f"/proc/{pid}/limits") as f:
        limits = f.read()
    for limit in ("Max processes", "Max core file size"):
        assert re.search(limit + r"\s+0\s+0\s", limits), (name, limit)
    if "log" not in st["Name"]:
        with open(f"/proc/{pid}/environ") as f:
            assert f.read().replace("\0", "") in ("", "TZ=" + os.environ.get("TZ", "")), name
    assert os.stat(f"/proc/{pid}/status").st_uid == 0, name + " can be dumped and traced by its user"


def children(parent):
    out = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid=,args="], stdout=subprocess.PIPE, text=True).stdout
    return [(int(line.split()[0]), line.split()[2]) for line in out.splitlines()]


def running_daemon():
    with tempfile.TemporaryDirectory(prefix="ct-jail-") as d:
        os.chmod(d, 0o755)
        with open(f"{d}/conf", "w") as f:
            f.write(f"lockfile {d}/lock\nlogfile {d}/log\nctl {d}/ctl\n")
        env = {**os.environ, "SECRET": "not for workers"}
        p = subprocess.Popen([f"{BIN}/conntrackd", "-C", f"{d}/conf"], stdin=subprocess.DEVNULL, env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + DEADLINE
            while time.monotonic() < end and (not os.path.exists(f"{d}/log") or "initialization" not in open(f"{d}/log").read()):
                time.sleep(0.05)
            check_process(p.pid, "_conntrackd", 1 << 12, False)  # CAP_NET_ADMIN
            roles = sorted(role for _, role in children(p.pid))
            assert roles == ["log", "log", "sync", "sync", "sync"], roles
            while time.monotonic() < end and any(fields(pid)["Seccomp"].strip() != "2" for pid, _ in children(p.pid)):
                time.sleep(0.05)  # spares may still be on their way
            for pid, role in children(p.pid):
                check_process(pid, "_ctd-worker", 0, True)
            nets = {os.readlink(f"/proc/{pid}/ns/net") for pid, _ in children(p.pid)}
            assert len(nets) == 5, nets
        finally:
            p.terminate()
            assert p.wait(DEADLINE) == 0
    print("ok six processes of a running daemon")


def running_queue():
    """ctd-queue and its helpers' workers; the kernel's end of its queue is a socket that says nothing."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {**os.environ, "SECRET": "not for workers"}
    p = subprocess.Popen([f"{BIN}/queue_run", f"ftp,inet,tcp,5,nl={theirs.fileno()}"], stdout=subprocess.PIPE, text=True,
                         pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=env)
    try:
        theirs.close()
        queue = int(p.stdout.readline().split()[1])
        ours.settimeout(DEADLINE)
        assert len(ours.recv(4096)) > 0  # it binds, so it is in its jail
        check_process(queue, "_conntrackd", 1 << 12, False)  # CAP_NET_ADMIN
        fds = [os.readlink(f"/proc/{queue}/fd/{n}").split(":")[0] for n in os.listdir(f"/proc/{queue}/fd")]
        assert fds.count("socket") == 4 and fds.count("anon_inode") == 1, fds  # queue, walls, log; signals
        workers = [int(pid) for pid in subprocess.run(["ps", "--ppid", str(p.pid), "-o", "pid="], stdout=subprocess.PIPE,
                                                      text=True).stdout.split() if int(pid) != queue]
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and any(fields(pid)["Seccomp"].strip() != "2" for pid in workers):
            time.sleep(0.05)
        assert len(workers) == 2, workers
        for pid in workers:
            check_process(pid, "_ctd-worker", 0, True)
    finally:
        p.terminate()
        assert p.wait(DEADLINE) == 0
    print("ok ctd-queue and two workers")


def main():
    if os.geteuid() != 0:
        print("needs root: processes give up rights that they must have first")
        return 77
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        print("needs a network namespace of its own: unshare(CLONE_NEWNET) is refused")
        return 77
    probe_calls()
    probe_log_directory()
    probe_bounding_set()
    running_daemon()
    running_queue()
    return 0


sys.exit(main())
