#!/usr/bin/env python3
"""A cable that is bad on purpose: wire.py A B COUNTS LOST TWICE LATE joins the devices A and B of this namespace.

Of 1000 IPv4 frames it loses LOST, repeats TWICE and holds back LATE until up to eight others have passed, but not longer than
50 ms; the file COUNTS says how many "passed lost twice late" there were. The same in any kernel, with or without netem.
A line "LOST TWICE LATE" on standard input changes the figures.
"""
import os
import random
import select
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, OUTGOING = 263, 15, 4
ETH_P_ALL, IPV4 = 3, b"\x08\0"
HOLD = 0.05


def port(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)  # checksums that are still to be filled in travel as such
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((device, ETH_P_ALL))
    sock.setblocking(False)
    return sock


class Wire:
    def __init__(self, a, b, odds):
        self.other = {a: b, b: a}
        self.odds = odds
        self.held = []  # [deadline, frames to let pass, socket, frame]
        self.passed = self.lost = self.twice = self.late = 0

    def send(self, out, frame):
        try:
            out.send(frame)
        except OSError:
            pass
        self.passed += 1

    def frame(self, source):
        frame, address = source.recvfrom(1 << 17)
        if address[2] == OUTGOING:
            return
        out = self.other[source]
        if frame[10 + 12:10 + 14] != IPV4:
            return self.send(out, frame)
        dice = random.randrange(1000)
        lost, twice, late = self.odds
        if dice < lost:
            self.lost += 1
        elif dice < lost + late:
            self.late += 1
            self.held.append([time.monotonic() + HOLD, random.randrange(1, 9), out, frame])
            return
        else:
            self.send(out, frame)
            if dice < lost + late + twice:
                self.twice += 1
                self.send(out, frame)
        for each in self.held:
            each[1] -= 1

    def release(self, now):
        for each in [h for h in self.held if h[0] <= now or h[1] <= 0]:
            self.held.remove(each)
            self.send(each[2], each[3])


def main(a, b, path, *odds):
    random.seed(1)
    sockets = [port(a), port(b)]
    wire = Wire(*sockets, [int(n) for n in odds])
    print("ready", flush=True)
    written = 0
    while True:
        for source in select.select(sockets + [sys.stdin], [], [], 0.01)[0]:
            if source is sys.stdin:
                wire.odds = [int(n) for n in sys.stdin.readline().split()]
                continue
            try:
                wire.frame(source)
            except BlockingIOError:
                pass
        now = time.monotonic()
        wire.release(now)
        if now > written + 0.5:
            written = now
            with open(path + ".new", "w") as f:
                f.write("%d %d %d %d\n" % (wire.passed, wire.lost, wire.twice, wire.late))
            os.rename(path + ".new", path)


main(*sys.argv[1:])
