#!/usr/bin/env python3
"""forge.py FIRST-SEQ N HELPER [FROM]: a stranger on the link who speaks as fw-a, or from the address FROM. Sends N TCP flows
whose helper is HELPER, with %d replaced by the flow's number.
forge.py FIRST-SEQ N mark=M [FROM]: sends the flows that `ctblast create tcp' makes, with another mark.
forge.py FIRST-SEQ N swap=M [FROM]: the same with the ends of each flow changed over."""
import socket
import struct
import sys
import time

PEER = ("10.99.0.2", 3780)


def attr(kind, data):
    return struct.pack(">HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def message(seq, flags, attrs):
    """A CT_NEW of version 1."""
    return struct.pack(">BBHI", 0x10, flags, 8 + len(attrs), seq) + attrs


def flow(n, helper):
    return b"".join((attr(0, socket.inet_aton(f"10.{80 + n // 50000}.0.1") + socket.inet_aton("10.9.9.9")),
                     attr(5, struct.pack(">I", 0x8)), attr(2, bytes([6])), attr(3, struct.pack(">HH", 1000 + n % 50000, 21)),
                     attr(4, bytes([3])), attr(6, struct.pack(">I", 600)), attr(27, helper.encode() + b"\0")))


def marked(n, mark):
    return b"".join((attr(0, struct.pack(">I", 0x0A000000 | n) + socket.inet_aton("198.18.0.1")), attr(5, struct.pack(">I", 0xE)),
                     attr(2, bytes([6])), attr(3, struct.pack(">HH", 1024 + n % 60000, 80)), attr(4, bytes([3])),
                     attr(6, struct.pack(">I", 600)), attr(7, struct.pack(">I", mark))))


def swapped(n, mark):
    return b"".join((attr(0, socket.inet_aton("198.18.0.1") + struct.pack(">I", 0x0A000000 | n)), attr(5, struct.pack(">I", 0xE)),
                     attr(2, bytes([6])), attr(3, struct.pack(">HH", 80, 1024 + n % 60000)), attr(4, bytes([3])),
                     attr(6, struct.pack(">I", 600)), attr(7, struct.pack(">I", mark))))


def content(n, what):
    kind, _, mark = what.partition("=")
    if kind in ("mark", "swap") and mark:
        return (marked if kind == "mark" else swapped)(n, int(mark))
    return flow(n, what.replace("%d", str(n)))


def main():
    first, n, helper = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((sys.argv[4] if len(sys.argv) > 4 else "10.99.0.1", 3780))
        s.connect(PEER)
        for i in range(n):
            s.send(message(first + i, 0, content(i, helper)))
            if i % 500 == 499:
                time.sleep(0.05)  # what a socket buffer of the receiver takes
    return 0


sys.exit(main())
