#!/usr/bin/env python3
"""Long-lived numbered TCP streams: what the demonstration measures a take-over with.

streams.py server PORT ...              echoes on each port, IPv4 and IPv6, until it is ended
streams.py client COUNT STATUS TARGET ... COUNT streams spread over the targets ADDRESS/PORT/NAME

A stream sends "N\n" ten times a second and wants exactly that line back; its gap is the longest time without progress.
The client rewrites the file STATUS twice a second: one line "now alive silent broken worst_gap_ms echoes" and one line a
target "NAME streams alive worst_gap_ms". A line on its standard input ("mark") forgets the gaps measured so far.
Alive: an echo was seen in the last two seconds. Broken: reset, or an echo that is not the line that was sent.
"""
import os
import selectors
import socket
import sys
import time

EVERY = 0.1
SILENT = 2.0


def serve(ports):
    sel = selectors.DefaultSelector()
    for port in ports:
        s = socket.create_server(("::", port), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
        s.setblocking(False)
        sel.register(s, selectors.EVENT_READ, True)
    print("ready", flush=True)
    while True:
        for key, _ in sel.select():
            if key.data:
                c, _ = key.fileobj.accept()
                c.setblocking(False)
                sel.register(c, selectors.EVENT_READ, False)
                continue
            try:
                data = key.fileobj.recv(65536)
                if data:
                    key.fileobj.send(data)
                    continue
            except OSError:
                pass
            sel.unregister(key.fileobj)
            key.fileobj.close()


class Stream:
    def __init__(self, target, now):
        self.name, self.broken, self.worst = target[2], "", 0.0
        self.sent = self.echoed = 0
        self.buf = b""
        self.progress = self.next = now
        self.sock = socket.create_connection(target[:2], timeout=10)
        self.sock.setblocking(False)

    def fail(self, why):
        self.broken = self.broken or why

    def send(self, now):
        self.next = now + EVERY
        try:
            self.sock.send(b"%d\n" % self.sent)
            self.sent += 1
        except BlockingIOError:
            pass
        except OSError as e:
            self.fail(e.strerror)

    def receive(self, now):
        try:
            data = self.sock.recv(65536)
        except OSError as e:
            return self.fail(e.strerror)
        if not data:
            return self.fail("closed")
        lines = (self.buf + data).split(b"\n")
        self.buf = lines.pop()
        for line in lines:
            if line != b"%d" % self.echoed:
                return self.fail("wrong echo")
            self.echoed += 1
        self.worst = max(self.worst, now - self.progress)
        self.progress = now

    def alive(self, now):
        return not self.broken and now - self.progress < SILENT

    def gap(self, now):
        return max(self.worst, now - self.progress)


def report(path, streams, now):
    alive = sum(s.alive(now) for s in streams)
    broken = sum(bool(s.broken) for s in streams)
    worst = max(s.gap(now) for s in streams)
    rows = ["%.3f %d %d %d %d %d" % (now, alive, len(streams) - alive - broken, broken, worst * 1000,
                                    sum(s.echoed for s in streams))]
    for name in dict.fromkeys(s.name for s in streams):
        mine = [s for s in streams if s.name == name]
        rows.append("%s %d %d %d" % (name, len(mine), sum(s.alive(now) for s in mine),
                                     max(s.gap(now) for s in mine) * 1000))
    with open(path + ".new", "w") as f:
        f.write("\n".join(rows) + "\n")
    os.rename(path + ".new", path)


def run_client(count, path, targets):
    sel = selectors.DefaultSelector()
    sel.register(sys.stdin, selectors.EVENT_READ, None)
    streams = []
    for i in range(count):
        s = Stream(targets[i % len(targets)], time.monotonic())
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


def main(argv):
    if argv[:1] == ["server"]:
        serve([int(p) for p in argv[1:]])
    elif argv[:1] == ["client"]:
        targets = [(a, int(p), n) for a, p, n in (t.split("/") for t in argv[3:])]
        run_client(int(argv[1]), argv[2], targets)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
