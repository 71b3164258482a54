#!/usr/bin/env python3
"""The configuration worker and the log worker under their filters, with little and much of whatever may repeat: what a
library calls may depend on the size of the data. This script plays the start. Usage: amounts.py CTD-WORKER CTD-LINK"""
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cases import DEADLINE, start, suite, wait_for  # noqa: E402

WORKER, LINK = sys.argv[1:3]
USE_START, USE_CHECK, USE_PRINT = 0, 1, 2  # enum conf_use
NETS_MAX = 65536  # CONF_NETS_MAX


def enum(name):
    """The members of an enum of msg.h or setup.h that have no numbers written."""
    text = "".join(open(os.environ["CT_SRC"] + "/privsep/" + f).read() for f in ("ipc/msg.h", "setup/setup.h"))
    body = re.sub(r"/\*.*?\*/", "", re.search(r"^enum " + name + r" \{(.*?)\};", text, re.S | re.M)[1], flags=re.S)
    return {member.strip(): n for n, member in enumerate(body.split(","))}


TYPES, SINKS = enum("msg_type"), enum("log_sink")
CONF_TEXT, CONF, LOG_SINK, LOG_REOPEN, START, CHANNEL, CHANNEL_OPEN, LINK_CONF, LINK_WALL = (
    TYPES["MSG_" + t] for t in "CONF_TEXT CONF LOG_SINK LOG_REOPEN START CHANNEL CHANNEL_OPEN LINK LINK_WALL".split())
SINK_PARENT, SINK_WORKERS, SINK_DIR, SINK_FILE = (SINKS["SINK_" + s] for s in "PARENT WORKERS DIR FILE".split())
AMOUNTS = 0, 1, 60, 1000, 100000
SYNC = "Sync {{ Mode NOTRACK {{ }} {links} Options {{ {options} }} }} General {{ {general} }}\n"
LINK_TEXT = "UDP {{ IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.{0} Port 37{0:02} Interface eth0 }}\n"


def text(links=1, options="", general=""):
    return SYNC.format(links="".join(LINK_TEXT.format(i + 2) for i in range(links)), options=options, general=general)


def worker(role, out=subprocess.PIPE):
    """A process, our end of its wall, our end of its log socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    log = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    proc = start([WORKER, role] if role is not None else [LINK], pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                 preexec_fn=lambda: (os.dup2(theirs.fileno(), 30), os.dup2(log[1].fileno(), 31), os.dup2(30, 3), os.dup2(31, 4)))
    theirs.close()
    ours.settimeout(DEADLINE)
    return proc, ours, log[0]


def configure(conf, use=USE_START):
    """Exit status, what was said, the settings as a descriptor or None."""
    with tempfile.TemporaryFile() as f, tempfile.TemporaryFile() as out:
        f.write(conf.encode())
        f.seek(0)
        proc, wall, _ = worker("config", out)
        socket.send_fds(wall, [struct.pack("=II", CONF_TEXT, use) + b"the.conf"], [f.fileno()])
        _, fds, _, _ = socket.recv_fds(wall, 4096, 1)
        status = proc.wait(DEADLINE)
        out.seek(0)
        return status, out.read().decode(), fds[0] if fds else None


def taken(what, conf):
    for use in USE_START, USE_CHECK, USE_PRINT:
        status, said, fd = configure(conf, use)
        assert status == 0 and (fd is not None) == (use == USE_START), (what, use, status, said[-500:])
        if fd is not None:
            os.close(fd)
    return said


def refused(what, conf, why):
    for use in USE_START, USE_CHECK:
        status, said, fd = configure(conf, use)
        assert status == 1 and fd is None and why in said and "the.conf:" in said, (what, use, status, said[-500:])


def nets(n, v6=False):
    """n different ones, in no order."""
    some = ((i * 7919) % 100003 for i in range(n))
    line = "IPv6_address fd00::{:x}:{:x}" if v6 else "IPv4_address 10.1{}.{}.{}"
    return "\n".join(line.format(i >> 16, i & 65535) if v6 else line.format(i >> 16, i >> 8 & 255, i & 255) for i in some)


def case_networks():
    for n in AMOUNTS:
        for v6 in False, True:
            conf = text(general="Filter { Address Ignore {\n" + nets(n, v6) + "\n} }")
            if n <= NETS_MAX:
                assert taken(("networks", n), conf).count("_address 10.1" if not v6 else "_address fd00::") == n, (n, v6)
            else:
                refused(("networks", n), conf, f"the.conf:{NETS_MAX + 3}:14:")
    conf = text(general="Filter { Address Ignore {\n" + nets(NETS_MAX) + "\n} }")
    taken("all there may be", conf)
    conf = text(general="Filter { Address Ignore {\n" + nets(NETS_MAX + 1) + "\n} }")
    refused("one too many", conf, f"more than {NETS_MAX} addresses in `Filter'")


def case_same_networks():
    """What is written twice counts once it was read, and is warned of."""
    for n in 1, 60, 1000, NETS_MAX - 1:
        said = taken(("again", n), text(general="Filter { Address Ignore { IPv4_address 10.0.0.0/8\n" +
                                        "IPv4_address 10.0.0.0/8\n" * n + "} }"))
        assert said.count("IPv4_address 10.0.0.0/8") == 1 and said.count("is repeated") == n, (n, said[-300:])


def case_links():
    refused("none", text(0), "")
    for n in 1, 2, 3, 4:
        taken(("links", n), text(n))
    for n in 5, 60, 90:
        refused(("links", n), text(n), "the.conf:5:")


def case_expectation_helpers():
    for n in 1, 2, 32:
        taken(("names", n), text(options="ExpectationSync { " + " ".join(f"h{i}" for i in range(n)) + " }"))
    for n in 33, 1000, 100000:
        refused(("names", n), text(options="ExpectationSync { " + " ".join(f"h{i}" for i in range(n)) + " }"), "")


def case_helpers():
    kinds = "ftp/tcp amanda/udp rpc/tcp rpc/udp sane/tcp ssdp/udp ssdp/tcp tftp/udp tns/tcp".split()
    names = [(*kind.split("/"), family) for kind in kinds for family in ("inet", "inet6")]
    rows = [f"Type {name} {family} {proto} {{ QueueNum {i} QueueLen 10 }}\n" for i, (name, proto, family) in enumerate(names)]
    for n in 0, 1, 16, 17, 1000:
        conf = text() + "Helper {\n" + "".join((rows * 60)[:n]) + "}\n"
        if n <= 16:
            taken(("helpers", n), conf)
        else:
            refused(("helpers", n), conf, "more than 16 helpers")


def case_protocols_and_words():
    for n in AMOUNTS:
        taken(("protocols", n), text(general="Filter { Protocol Accept { " + "TCP 17\n" * n + "} State Accept { " +
                                     "ESTABLISHED CLOSED TIME_WAIT\n" * n + "for TCP } }"))
        taken(("comments", n), text() + "# nothing\n" * n)
        taken(("blanks", n), text() + " " * n)
        status, said, _ = configure(text() + "x" * n + " {", USE_CHECK)
        assert status == 1 and "the.conf:" in said, (n, status, said[-300:])
        said = taken(("warnings", n), text(general="Filter { Protocol Accept { " + "nosuch\n" * n + "} }"))
        assert said.count("cannot find protocol `nosuch'") >= n


def case_links_opened_again():
    """ctd-link, which stays in this network."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    local = socket.inet_aton("127.0.0.1") + bytes(12)
    link = struct.pack("=BBBBHH16s16s16sII", 1, socket.AF_INET, 0, 0, 3780, 0, b"lo", local, local, 0, 0)
    for n in AMOUNTS:
        proc, wall, _ = worker(None)
        asker, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wall.send(struct.pack("=II", LINK_CONF, 0) + link)
        socket.send_fds(wall, [struct.pack("=II", LINK_WALL, 0)], [theirs.fileno()])
        for _ in range(n):
            asker.send(struct.pack("=II", CHANNEL_OPEN, 0))
            said, fds, _, _ = socket.recv_fds(asker, 100, 2)
            assert said[0] == CHANNEL and len(fds) == 2, (n, said)
            for fd in fds:
                os.close(fd)
        wall.close()
        assert proc.wait(DEADLINE) == 0, n


def case_log_lines():
    """Every line of the parent is in the file, whatever there is of them; then the file is opened again."""
    _, _, settings = configure(text(general="LogFile /var/log/x.log"))
    for n in AMOUNTS:
        with tempfile.TemporaryDirectory(prefix="ct-amounts-") as d:
            os.chmod(d, 0o777)
            proc, wall, _ = worker("log")
            sinks = {SINK_PARENT: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
                     SINK_WORKERS: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)}
            for which, (take, _) in sinks.items():
                take.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                socket.send_fds(wall, [struct.pack("=II", LOG_SINK, which)], [take.fileno()])
            for which, fd in (SINK_DIR, os.open(d, os.O_PATH)), (SINK_FILE, os.open(d + "/x.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)):
                socket.send_fds(wall, [struct.pack("=II", LOG_SINK, which)], [fd])
                os.close(fd)
            socket.send_fds(wall, [struct.pack("=II", CONF, 0)], [settings])
            wall.send(struct.pack("=II", START, 0))
            assert wall.recv(100)[4] == 1 and wall.recv(100)[4] == 2  # jailed, serving
            _, put = sinks[SINK_PARENT]
            for i in range(n):
                put.send(b"\1line %d " % i + b"x" * (i % 1000))
            wait_for("the lines", lambda: sum(1 for _ in open(d + "/x.log")) == n, lambda: proc.poll())
            os.rename(d + "/x.log", d + "/old.log")
            wall.send(struct.pack("=II", LOG_REOPEN, 0))
            wait_for("the new file", lambda: os.path.exists(d + "/x.log"), lambda: proc.poll())
            for _ in range(n):
                wall.send(struct.pack("=II", LOG_REOPEN, 0))
            put.send(b"\1last")
            wait_for("the last line", lambda: "last" in open(d + "/x.log").read(), lambda: proc.poll())
            wall.close()
            assert proc.wait(DEADLINE) == 0, n
    os.close(settings)


suite(globals(), sys.argv[3:])
