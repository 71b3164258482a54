#!/usr/bin/env python3
"""Long-lived numbered streams: what the demonstration and test/ha measure a take-over with.

streams.py server PORT ...              echoes TCP and UDP on each port and SCTP on all, IPv4 and IPv6, until it is ended
streams.py client COUNT STATUS TARGET ... COUNT streams spread over the targets PROTOCOL/ADDRESS/PORT/NAME (tcp, udp, icmp, sctp)
streams.py churn RATE STATUS TARGET ...   RATE short exchanges a second instead (tcp, udp)

A stream sends "N\n" ten times a second and wants exactly that line back; its gap is the longest time without progress.
TCP wants every line, the others may lose some. The client rewrites the file STATUS twice a second: one line
"now alive silent broken worst_gap_ms echoes stalest" and one line a target "NAME streams alive worst_gap_ms stalest"; stalest is when
the stream that waits longest had its last echo, and times are in seconds since 1970. Why a stream broke, and from which
port, is said on its output. A line on its standard input ("mark") forgets the gaps measured so far.
Alive: an echo was seen in the last two seconds. Broken: reset, or an echo that is not what was sent.
Churn's STATUS is "begun done"; what is not answered within three seconds is left alone.
"""
import os
import selectors
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
import sctp

EVERY = 0.1
SILENT = 2.0
PATIENCE = 3.0


class EchoTcp:
    def __init__(self, conn):
        self.conn = conn
        conn.setblocking(False)

    def fileno(self):
        return self.conn.fileno()

    def answer(self):
        data = self.conn.recv(65536)
        if not data:
            raise ConnectionError
        self.conn.send(data)


class Listener:
    def __init__(self, port, sel):
        self.sel = sel
        self.sock = socket.create_server(("::", port), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
        self.sock.setblocking(False)

    def fileno(self):
        return self.sock.fileno()

    def answer(self):
        conn, _ = self.sock.accept()
        self.sel.register(EchoTcp(conn), selectors.EVENT_READ)


class EchoUdp:
    def __init__(self, port):
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.bind(("::", port))
        self.sock.setblocking(False)

    def fileno(self):
        return self.sock.fileno()

    def answer(self):
        self.sock.sendto(*self.sock.recvfrom(65536))


def serve(ports):
    sel = selectors.DefaultSelector()
    lasting = [sctp.Server(socket.AF_INET), sctp.Server(socket.AF_INET6)]
    for port in ports:
        lasting += [Listener(port, sel), EchoUdp(port)]
    for each in lasting:
        sel.register(each, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in sel.select():
            try:
                key.fileobj.answer()
            except OSError:
                if key.fileobj not in lasting:
                    sel.unregister(key.fileobj)
                    key.fileobj.conn.close()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Stream:
    """What all streams have in common: numbers, and when an echo came."""

    def __init__(self, target, number, now):
        _, self.address, self.port, self.name = target
        self.broken, self.worst = "", 0.0
        self.sent = self.echoed = 0
        self.progress = self.next = now
        self.sock = self.open(number)

    def fail(self, why):
        if not self.broken:
            self.broken = why
            print("%.3f %s %s: %s after %d of %d" % (time.time(), self.name, self.label(), why, self.echoed, self.sent), flush=True)

    def label(self):
        return self.sock.getsockname()[1]

    def wrap(self, text):
        return text

    def send(self, now):
        self.next = now + EVERY
        try:
            self.sock.send(self.wrap(b"%d\n" % self.sent))
            self.sent += 1
        except BlockingIOError:
            pass
        except OSError as e:
            self.refused(e)

    def refused(self, error):
        self.fail(error.strerror)

    def receive(self, now):
        try:
            data = self.sock.recv(65536)
        except OSError as e:
            return self.refused(e)
        if self.take(data):
            self.worst = max(self.worst, now - self.progress)
            self.progress = now

    def alive(self, now):
        return self.echoed > 0 and not self.broken and now - self.progress < SILENT

    def gap(self, now):
        return max(self.worst, now - self.progress)


class Tcp(Stream):
    buf = b""

    def open(self, number):
        sock = socket.create_connection((self.address, self.port), timeout=10)
        sock.setblocking(False)
        return sock

    def take(self, data):
        if not data:
            return self.fail("closed")
        lines = (self.buf + data).split(b"\n")
        self.buf = lines.pop()
        for line in lines:
            if line != b"%d" % self.echoed:
                return self.fail("wrong echo")
            self.echoed += 1
        return True


class Datagrams(Stream):
    def refused(self, error):
        """An ICMP error while nobody routes is no end."""

    def take(self, data):
        data = self.unwrap(data)
        if data is None:
            return False
        if not data.endswith(b"\n") or not data[:-1].isdigit() or int(data) >= self.sent:
            return self.fail("wrong echo")
        if int(data) < self.echoed:
            return False
        self.echoed = int(data) + 1
        return True

    def unwrap(self, data):
        return data


class Udp(Datagrams):
    def open(self, number):
        sock = socket.socket(family_of(self.address), socket.SOCK_DGRAM)
        sock.connect((self.address, self.port))
        sock.setblocking(False)
        return sock


class Icmp(Datagrams):
    """A ping socket: the kernel fills in the identifier and the checksum. net.ipv4.ping_group_range must admit us."""

    def open(self, number):
        self.kind = 128 if ":" in self.address else 8
        sock = socket.socket(family_of(self.address), socket.SOCK_DGRAM,
                             socket.IPPROTO_ICMPV6 if self.kind == 128 else socket.IPPROTO_ICMP)
        sock.connect((self.address, 0))
        sock.setblocking(False)
        return sock

    def wrap(self, text):
        return struct.pack("!BBHHH", self.kind, 0, 0, 0, self.sent & 0xFFFF) + text

    def unwrap(self, data):
        return data[8:] if data[0] in (0, 129) else None


class Sctp(Datagrams):
    def open(self, number):
        return sctp.Socket(self.address, self.port, 20000 + number, 10)

    def label(self):
        return self.sock.source


KINDS = {"tcp": Tcp, "udp": Udp, "icmp": Icmp, "sctp": Sctp}


def write(path, rows):
    with open(path + ".new", "w") as f:
        f.write("\n".join(rows) + "\n")
    os.rename(path + ".new", path)


def report(path, streams, now):
    alive = sum(s.alive(now) for s in streams)
    broken = sum(bool(s.broken) for s in streams)
    worst = max(s.gap(now) for s in streams)
    wall = time.time()
    rows = ["%.3f %d %d %d %d %d %.3f" % (wall, alive, len(streams) - alive - broken, broken, worst * 1000,
                                         sum(s.echoed for s in streams), wall - now + min(s.progress for s in streams))]
    for name in dict.fromkeys(s.name for s in streams):
        mine = [s for s in streams if s.name == name]
        rows.append("%s %d %d %d %.3f" % (name, len(mine), sum(s.alive(now) for s in mine),
                                          max(s.gap(now) for s in mine) * 1000, wall - now + min(s.progress for s in mine)))
    write(path, rows)


def run_client(count, path, targets):
    sel = selectors.DefaultSelector()
    sel.register(sys.stdin, selectors.EVENT_READ, None)
    streams = []
    for i in range(count):
        target = targets[i % len(targets)]
        s = KINDS[target[0]](target, i, time.monotonic())
        streams.append(s)
        sel.register(s.sock, selectors.EVENT_READ, s)
    begin = time.monotonic()
    for i, s in enumerate(streams):
        s.progress, s.next = begin, begin + EVERY * i / count
    next_report = 0
    while True:
        for key, _ in sel.select(0.01):
            now = time.monotonic()
            if key.data is None:
                if not sys.stdin.readline():
                    return
                for s in streams:
                    s.worst = 0.0
            else:
                key.data.receive(now)
                if key.data.broken:
                    sel.unregister(key.fileobj)
        now = time.monotonic()
        for s in streams:
            if not s.broken and s.next <= now:
                s.send(now)
        if next_report <= now:
            next_report = now + 0.5
            report(path, streams, now)


def begin_exchange(target, sel, now):
    kind, address, port, _ = target
    sock = socket.socket(family_of(address), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.connect_ex((address, port))
    sel.register(sock, selectors.EVENT_WRITE, now)


def go_on(sel, key):
    """True when the exchange is over and was answered."""
    try:
        if key.events == selectors.EVENT_WRITE:
            key.fileobj.send(b"hello\n")
            sel.modify(key.fileobj, selectors.EVENT_READ, key.data)
            return False
        answered = bool(key.fileobj.recv(100))
    except OSError:
        answered = False
    sel.unregister(key.fileobj)
    key.fileobj.close()
    return answered


def run_churn(rate, path, targets):
    sel = selectors.DefaultSelector()
    begun = done = 0
    start = time.monotonic()
    next_report = 0
    while True:
        now = time.monotonic()
        while begun < (now - start) * rate:
            begin_exchange(targets[begun % len(targets)], sel, now)
            begun += 1
        for key, _ in sel.select(1 / rate):
            done += go_on(sel, key)
        if next_report <= now:
            next_report = now + 0.5
            write(path, ["%d %d" % (begun, done)])
            for key in list(sel.get_map().values()):
                if key.data < now - PATIENCE:
                    sel.unregister(key.fileobj)
                    key.fileobj.close()


def main(argv):
    targets = [(k, a, int(p), n) for k, a, p, n in (t.split("/") for t in argv[3:])] if argv[:1] != ["server"] else []
    if argv[:1] == ["server"]:
        serve([int(p) for p in argv[1:]])
    elif argv[:1] == ["client"] and targets:
        run_client(int(argv[1]), argv[2], targets)
    elif argv[:1] == ["churn"] and targets:
        run_churn(int(argv[1]), argv[2], targets)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
