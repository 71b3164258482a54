#!/usr/bin/env python3
"""What each process of the daemon can still do. Usage: jail.py PROBE DIRECTORY-WITH-conntrackd [sanitized]
The probe enters the jail of each role and tries one system call at a time; then the processes of a running daemon are
looked at from outside."""
import os
import pwd
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cases import DEADLINE, children, jailed, start, status_of, suite, wait_for  # noqa: E402

PROBE, BIN = sys.argv[1], sys.argv[2]
ROLES = "parent config log sync stats helper link queue".split()
# allowed calls by role; every other call of the probe kills the process
ALLOWED = {"send": ROLES, "write": ROLES[:-1], "memory": ROLES[:-1], "epoll": ROLES[1:-1], "sendmsg": ["parent", "config", "link"],
           "accept": ["parent"], "setsockopt": ["parent", "link"], "socket": ["link"], "bind": ["link"], "connect": ["link"],
           "log-open": ["log"], "flags": ["sync"], "cpu": ["parent", "sync", "stats"]}
CALLS = """stat readlink access alarm log-read sendto send sendmsg sendmmsg write socket netlink connect bind accept open log-open exec fork clone ptrace kill
setuid unshare mount code memory mprotect flags address setsockopt epoll io_uring bpf x32 limit shutdown cpu
others-cpu""".split()


def case_calls():
    for role in ROLES:
        for call in CALLS:
            got = subprocess.run([PROBE, role, call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            if role in ALLOWED.get(call, []):
                assert got.returncode == 0 and got.stdout.startswith(call.encode()), (role, call, got)
            else:
                assert got.returncode == -signal.SIGSYS and got.stdout == b"", (role, call, got)


def case_log_directory():
    """The log worker opens files in the directory of its log and nowhere else: that is its root, also without landlock."""
    got = subprocess.run([PROBE, "log", "log-open"], stdout=subprocess.PIPE)
    assert got.stdout == b"log-open: -1\n", got
    for lacks_landlock in False, True:
        with tempfile.TemporaryDirectory(prefix="ct-jail-") as d:
            os.chmod(d, 0o777)
            os.mkdir(d + "/logs")
            os.chmod(d + "/logs", 0o777)
            os.symlink(d, d + "/logs/out")
            without = [PROBE.replace("jail_probe", "container"), "landlock"] if lacks_landlock else []
            for call in "log-open", "log-above":
                got = subprocess.run([*without, PROBE, "log", call, "0", d + "/logs"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                assert got.stdout.startswith("left out: %d\n" % (8 if lacks_landlock else 0)) and got.returncode == 0, got
            assert os.listdir(d) == ["logs"] and "log" in os.listdir(d + "/logs"), os.listdir(d)


# What may be missing: bits of enum jail_wall, what takes it away, what is said when it is asked for
NET, ROOT, BOUNDS, LANDLOCK, ALL, ANYHOW = 1, 2, 4, 8, 15, 16
MISSING = [(NET, ["unshare"], "", "network namespace: Operation not permitted"), (LANDLOCK, ["landlock"], "", "landlock"),
           (BOUNDS, [], "-setpcap", "bounding set"), (ROOT, [], "-sys_chroot", "chroot"),
           (NET | LANDLOCK, ["unshare", "landlock"], "", "cannot enter the jail")]


def probe(role, asked, denied=(), bounds="", call="send"):
    before = [PROBE.replace("jail_probe", "container"), *denied] if denied else []
    before += ["setpriv", "--bounding-set=" + bounds] if bounds else []
    return subprocess.run([*before, PROBE, role, call, str(asked)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True)


def case_left_out():
    """A wall that cannot be had is left out and told, unless it is asked for; no other goes with it."""
    for role in ROLES:
        got = probe(role, ALL)
        assert got.returncode == 0 and got.stdout.startswith("left out: 0\n"), (role, got)
        for walls, denied, bounds, why in MISSING:
            for net in (NET,) if role in ("parent", "queue", "link") else ():
                walls &= ~net  # they have none
            got = probe(role, 0, denied, bounds)
            assert got.returncode == 0 and got.stdout.startswith(f"left out: {walls}\n"), (role, walls, got)
            got = probe(role, 0, denied, bounds, "open")  # the filter is there all the same
            assert got.returncode == -signal.SIGSYS, (role, walls, got)
            got = probe(role, ALL & ~walls, denied, bounds)
            assert got.returncode == 0, (role, walls, got)
            if walls:
                got = probe(role, ALL, denied, bounds)
                assert got.returncode == 3 and why in got.stdout, (role, walls, got)


def case_never_left_out():
    """To become somebody else, and the filter."""
    for role in ROLES:
        for denied, bounds in ((), "-setuid"), ((), "-setgid"), (["seccomp"], ""):
            got = probe(role, ANYHOW, denied, bounds)
            assert got.returncode == 3 and "cannot enter the jail" in got.stdout, (role, denied, bounds, got)


def case_fails_though_offered():
    """A wall that is there and fails is a reason not to run, unless any reason will do."""
    spoil = ["unshare", "-m", "sh", "-ec", 'D=/run/conntrackd/empty; mount -t tmpfs none /run; mkdir -p $D; touch $D/x; exec "$@"', "sh"]
    for asked, status in (0, 3), (ALL, 3), (ANYHOW, 0):
        got = subprocess.run([*spoil, PROBE, "sync", "send", str(asked)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert got.returncode == status and (status or got.stdout.startswith("left out: 2\n")), (asked, got)


def case_user_namespace():
    """Where root may make no namespaces, but everybody user namespaces, nothing is missing."""
    for role in "config", "sync", "log", "helper":
        got = probe(role, ALL, (), "-sys_admin")
        assert got.returncode == 0 and got.stdout.startswith("left out: 0\n"), (role, got)


def case_root():
    """Nobody's root is a directory that somebody else could put something into, or has."""
    for spoil, good in (("", True), ("mkdir -p $D", True), ("mkdir -p $D && chmod 775 $D", False),
                        ("mkdir -p $D && chmod 757 $D", False), ("mkdir -p $D && chown nobody $D", False),
                        ("mkdir -p $D && touch $D/x", False), ("mkdir -p ${D%/*} && touch $D", False),
                        ("mkdir -p ${D%/*} && ln -s / $D", False), ("mkdir -p ${D%/*} && ln -s nowhere $D", False)):
        for role in ("parent", "sync"):
            got = subprocess.run(["unshare", "-m", "sh", "-ec", "D=/run/conntrackd/empty; mount -t tmpfs none /run; " + spoil +
                                  '\nexec "$@"', "sh", PROBE, role, "send"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if good:
                assert got.returncode == 0 and got.stdout.startswith("send: 1"), (spoil, got)
            else:
                assert got.returncode == 3 and "must be empty, root's and not writable" in got.stderr, (spoil, got)


def case_settings():
    """No worker looks at the settings, which come from another one, before it is jailed: without a jail it says only that."""
    for role in ("log", "sync"):
        wall, log = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        settings = os.memfd_create("settings")
        os.write(settings, b"these are none")
        socket.send_fds(wall[0], [struct.pack("=II", 2, 0)], [settings])  # MSG_CONF
        p = start(["unshare", "-m", "sh", "-ec", "mount -t tmpfs none /run; mkdir -m 777 -p /run/conntrackd/empty; exec $0 $1",
                   os.environ["CT_BIN"] + "/ctd-worker", role], pass_fds=(3, 4), stdin=subprocess.DEVNULL,
                  preexec_fn=lambda: (os.dup2(wall[1].fileno(), 3), os.dup2(log[1].fileno(), 4)))
        assert p.wait(DEADLINE) == 1
        log[0].settimeout(DEADLINE)
        assert b"cannot enter the jail: /run/conntrackd/empty must be" in log[0].recv(2000), role
        os.close(settings)


def case_asked_of_workers():
    """What must be there comes along with the settings, and is heard before they are looked at."""
    for role in ("log", "sync"):
        for asked in (ALL, 0):
            wall, log = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            settings = os.memfd_create("settings")
            socket.send_fds(wall[0], [struct.pack("=II", 2, asked)], [settings])  # MSG_CONF
            p = start([PROBE.replace("jail_probe", "container"), "unshare", os.environ["CT_BIN"] + "/ctd-worker", role], pass_fds=(3, 4),
                      stdin=subprocess.DEVNULL, preexec_fn=lambda: (os.dup2(wall[1].fileno(), 3), os.dup2(log[1].fileno(), 4)))
            os.close(settings)
            log[0].settimeout(DEADLINE)
            if asked:
                assert b"cannot enter the jail: network namespace" in log[0].recv(2000), role
            else:
                wait_for("the jail", lambda: jailed(p.pid))
            wall[0].close()
            wall[1].close()
            p.wait(DEADLINE)


def check_process(pid, user, caps, own_net, root=None, holds_directories=False):
    st, uid = status_of(pid), pwd.getpwnam(user)
    name = f"{user} {pid} {st['Name'].strip()}"
    assert st["Uid"].split() == [str(uid.pw_uid)] * 4, name
    assert st["Gid"].split() == [str(uid.pw_gid)] * 4, name
    assert st["Groups"].split() == [], (name, st["Groups"])
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        want = caps if kind in ("CapPrm", "CapEff") else 0
        assert int(st[kind], 16) == want, (name, kind, st[kind])
    assert st["NoNewPrivs"].strip() == "1" and st["Seccomp"].strip() == "2" and st["Seccomp_filters"].strip() == "1", name
    assert os.readlink(f"/proc/{pid}/root") == (root or "/run/conntrackd/empty"), name
    assert root or os.listdir(f"/proc/{pid}/root") == [], name
    assert holds_directories or not any(os.path.isdir(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")), name
    assert (os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")) == own_net, name
    with open(f"/proc/{pid}/limits") as f:
        limits = f.read()
    for limit in ("Max processes", "Max core file size"):
        assert re.search(limit + r"\s+0\s+0\s", limits), (name, limit)
    if "log" not in st["Name"]:
        with open(f"/proc/{pid}/environ") as f:
            assert f.read().replace("\0", "") in ("", "TZ=" + os.environ.get("TZ", "")), name
    assert os.stat(f"/proc/{pid}/status").st_uid == 0, name + " can be dumped and traced by its user"


def all_jailed(pids):
    """Spares may still be on their way."""
    wait_for("every filter", lambda: all(map(jailed, pids)))


def case_daemon():
    """All processes of a running daemon."""
    with tempfile.TemporaryDirectory(prefix="ct-jail-") as d:
        os.chmod(d, 0o755)
        with open(f"{d}/conf", "w") as f:
            f.write(f"lockfile {d}/lock\nlogfile {d}/log\nctl {d}/ctl\n")
        env = {**os.environ, "SECRET": "not for workers"}
        p = start([f"{BIN}/conntrackd", "-C", f"{d}/conf"], stdin=subprocess.DEVNULL, env=env,
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("start", lambda: os.path.exists(f"{d}/log") and "initialization" in open(f"{d}/log").read())
            check_process(p.pid, "_conntrackd", 1 << 12, False)  # CAP_NET_ADMIN
            roles = ["keeper", "log", "log", "sync", "sync", "sync"]
            wait_for("roles", lambda: sorted(role for _, role in children(p.pid)) == roles, lambda: children(p.pid))
            all_jailed([pid for pid, _ in children(p.pid)])
            for pid, role in children(p.pid):
                if role == "keeper":
                    check_process(pid, "root", 0, False, holds_directories=True)
                else:
                    check_process(pid, "_ctd-worker", 0, True, d if role == "log" else None)
            nets = {os.readlink(f"/proc/{pid}/ns/net") for pid, _ in children(p.pid)}
            assert len(nets) == 6, nets
        finally:
            p.terminate()
            assert p.wait(DEADLINE) == 0


def case_queue():
    """ctd-queue and its helpers' workers; the kernel's end of its queue is a socket that says nothing."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {**os.environ, "SECRET": "not for workers"}
    p = start([f"{BIN}/queue_run", f"ftp,inet,tcp,5,nl={theirs.fileno()}"], stdout=subprocess.PIPE, text=True,
              pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=env)
    try:
        theirs.close()
        queue = int(p.stdout.readline().split()[1])
        ours.settimeout(DEADLINE)
        assert len(ours.recv(4096)) > 0  # it binds, so it is in its jail
        check_process(queue, "_conntrackd", 1 << 12, False)  # CAP_NET_ADMIN
        fds = [os.readlink(f"/proc/{queue}/fd/{n}").split(":")[0] for n in os.listdir(f"/proc/{queue}/fd")]
        assert fds.count("socket") == 4 and fds.count("anon_inode") == 1, fds  # queue, walls, log; signals
        workers = [pid for pid, _ in children(p.pid) if pid != queue]
        all_jailed(workers)
        assert len(workers) == 2, workers
        for pid in workers:
            check_process(pid, "_ctd-worker", 0, True)
    finally:
        p.terminate()
        assert p.wait(DEADLINE) == 0


suite(globals())
