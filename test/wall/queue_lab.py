"""ctd-queue, jailed, with workers of its own (queue_run.c) and a script that plays the kernel on a socketpair in place of the
netlink socket of a queue. The first argument of the script is the directory with queue_run, ctd-queue and queue_double."""
import ipaddress
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cases import DEADLINE, children, jailed, start, wait_for  # noqa: E402

BIN = os.path.abspath(sys.argv[1])
CLIENT, SERVER, OUTSIDE = "10.1.0.2", "10.2.0.2", "10.2.0.1"
BIND, VERDICT, EXP_NEW, PACKET = 0x0302, 0x0301, 0x0200, 0x0300
NESTED = 0x8000


def attr(kind, body, nested=False):
    return struct.pack("=HH", 4 + len(body), kind | (NESTED if nested else 0)) + body + bytes(-len(body) % 4)


def nest(kind, *parts):
    return attr(kind, b"".join(parts), True)


def attrs(data):
    """{type: octets}; no type may come twice."""
    got = {}
    while data:
        size, kind = struct.unpack_from("=HH", data)
        assert 4 <= size <= len(data), data
        kind &= 0x3fff
        assert kind not in got, kind
        got[kind] = data[4:size]
        data = data[(size + 3) & ~3 :]
    return got


def addr(text):
    return ipaddress.ip_address(text).packed


def csum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_packet(proto, src, sport, dst, dport, payload):
    a, b = addr(src), addr(dst)
    if proto == 6:
        l4 = struct.pack("!HHIIBBHHH", sport, dport, 1000, 2000, 0x50, 0x18, 500, 0, 0) + payload
    else:
        l4 = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    check = csum(a + b + struct.pack("!II", len(l4), proto) + l4)
    at = 16 if proto == 6 else 6
    l4 = l4[:at] + struct.pack("!H", check) + l4[at + 2 :]
    if len(a) == 16:
        return struct.pack("!IHBB", 6 << 28, len(l4), proto, 64) + a + b + l4
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 7, 0x4000, 64, proto, 0) + a + b
    return head[:10] + struct.pack("!H", csum(head)) + head[12:] + l4


def good_checksums(packet):
    """The lengths and checksums of an IPv4 or IPv6 packet with TCP or UDP."""
    v4 = packet[0] >> 4 == 4
    head = (packet[0] & 15) * 4 if v4 else 40
    proto = packet[9 if v4 else 6]
    l4 = packet[head:]
    assert struct.unpack_from("!H", packet, 2 if v4 else 4)[0] == (len(packet) if v4 else len(l4))
    assert not v4 or csum(packet[:head]) == 0
    ends = packet[12:20] if v4 else packet[8:40]
    assert csum(ends + struct.pack("!II", len(l4), proto) + l4) == 0
    assert proto == 6 or struct.unpack_from("!H", l4, 4)[0] == len(l4)


def tuple_attr(kind, proto, src, sport, dst, dport):
    four = len(addr(src)) == 4
    return nest(kind, nest(1, attr(1 if four else 3, addr(src)), attr(2 if four else 4, addr(dst))),
                nest(2, attr(1, bytes([proto])), attr(2, struct.pack("!H", sport)), attr(3, struct.pack("!H", dport))))


def read_tuple(data):
    t = attrs(data)
    ip, proto = attrs(t[1]), attrs(t[2])
    src, dst = (ip[1], ip[2]) if 1 in ip else (ip[3], ip[4])
    return proto[1][0], str(ipaddress.ip_address(src)), int.from_bytes(proto[2], "big"), \
        str(ipaddress.ip_address(dst)), int.from_bytes(proto[3], "big")


class Flow:
    """A flow of the client, source NAT on request."""

    def __init__(self, proto=6, dport=21, nat=False, helper="ftp", ct_id=77, client=CLIENT, server=SERVER, outside=OUTSIDE):
        self.proto, self.helper, self.ct_id, self.status = proto, helper, ct_id, 0x10 if nat else 0
        self.orig = (client, 41001, server, dport)
        self.reply = (server, dport, outside if nat else client, 41001)
        self.master = None

    def packet(self, payload, reply=False):
        t = self.orig if reply else self.reply  # as the other side sees it
        return ip_packet(self.proto, t[2], t[3], t[0], t[1], payload)

    def ct(self, priv=b""):
        help_attr = nest(5, attr(1, self.helper.encode() + b"\0"), *([attr(2, priv)] if priv else [])) if self.helper else b""
        return nest(11, tuple_attr(1, self.proto, *self.orig), tuple_attr(2, self.proto, *self.reply),
                    attr(3, struct.pack("!I", self.status | 0x2)), help_attr, attr(12, struct.pack("!I", self.ct_id)),
                    *([tuple_attr(14, self.proto, *self.master)] if self.master else []))


class Kernel:
    """The other end of one queue."""

    def __init__(self, number, spec):
        self.number, self.spec = number, spec
        self.sock, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.sock, self.theirs):  # the kernel itself never has to wait
            end.setsockopt(socket.SOL_SOCKET, 32, 16 << 20)  # SO_SNDBUFFORCE
        self.sock.settimeout(DEADLINE)
        self.last_id = 0
        self.bind = None

    def answer_bind(self, err=0):
        self.bind = self.sock.recv(65536)
        size, kind, flags, seq, pid = struct.unpack_from("=IHHII", self.bind)
        assert (size, kind, flags, pid) == (len(self.bind), BIND, 5, 0), self.bind
        self.sock.send(struct.pack("=IHHIIi", 36, 2, 0, seq, 0, err) + self.bind[:16])

    def send(self, packet, flow, info=0, extra=b"", drop=(), priv=b""):
        """Queues a packet; its id."""
        self.last_id += 1
        parts = {"hdr": attr(1, struct.pack("!IHB", self.last_id, 0x800, 4)), "payload": attr(10, packet), "ct": flow.ct(priv),
                 "info": attr(12, struct.pack("!I", info))}
        family = 2 if "." in flow.orig[0] else 10
        body = struct.pack("!BBH", family, 0, self.number) + b"".join(v for k, v in parts.items() if k not in drop) + extra
        self.sock.send(struct.pack("=IHHII", 16 + len(body), PACKET, 0, 0, 0) + body)
        return self.last_id

    def hear(self):
        """(type, {attributes}) of the next message."""
        data = self.sock.recv(65536)
        size, kind = struct.unpack_from("=IH", data)
        assert size == len(data), data
        return kind, attrs(data[20:])

    def verdict(self, packet_id=None):
        kind, got = self.hear()
        assert kind == VERDICT, kind
        verdict, number = struct.unpack("!II", got.pop(2))
        assert verdict == 1 and packet_id in (None, number), (verdict, number, packet_id)
        return number, got

    def plain(self, packet_id):
        """The packet goes on as it is, and nothing else is said."""
        _, got = self.verdict(packet_id)
        assert got == {}, got

    def quiet(self):
        assert not select.select([self.sock], [], [], 0)[0], self.sock.recv(65536)


class Queue:
    """A running ctd-queue with its kernel."""

    def __init__(self, *specs, bind=0, worker=None):
        self.kernels = [Kernel(int(s.split(",")[3]), s) for s in specs]
        fds = [k.theirs.fileno() for k in self.kernels]
        self.proc = start([f"{BIN}/queue_run", *(["-w", worker] if worker else []), *[f"{s},nl={fd}" for s, fd in zip(specs, fds)]], pass_fds=fds,
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        for k in self.kernels:
            k.theirs.close()
        self.lines = []
        self.pid = int(self.proc.stdout.readline().split()[1])
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        for i, k in enumerate(self.kernels):
            k.answer_bind(bind if isinstance(bind, int) else bind[i])
        if bind == 0:
            self.log("the queue is bound", len(self.kernels))
            wait_for("jails of the workers", lambda: all(map(jailed, self.workers())))  # their time to answer runs from the packet

    def read(self):
        for line in self.proc.stdout:
            self.lines.append(line.rstrip("\n"))

    def log(self, text, times=1):
        def found():
            got = [line for line in list(self.lines) if text in line]
            return len(got) >= times and got
        return wait_for("logged: " + text, found, lambda: "\n".join(self.lines))

    def counters(self, number=5):
        """Of that queue, as a dictionary."""
        mark = re.compile(rf"queue {number} \(.*\): (packets .*)")

        def said():
            return [m[1] for m in map(mark.search, list(self.lines)) if m]
        have = len(said())
        self.proc.send_signal(signal.SIGUSR1)
        words = wait_for("counters", lambda: len(said()) > have and said()[-1].split())
        return {k: int(v) for k, v in zip(words[::2], words[1::2])}

    def workers(self):
        return [pid for pid, _ in children(self.proc.pid) if pid != self.pid]

    def end(self, status=0):
        if status == 0:
            self.proc.send_signal(signal.SIGTERM)
        got = self.proc.wait(DEADLINE)
        assert got == status, (got, self.lines)
        self.reader.join(DEADLINE)
        assert not any("ERROR" in line and "cannot enter" in line for line in self.lines), self.lines
