#!/usr/bin/env python3
"""clients.py SOCKET silent|garbage|half|deaf|hasty N: control clients that misbehave, twenty at once, for test/netns/service.sh.
clients.py SOCKET crowd N: N of them, as many at once as the script may have files, for test/netns/amounts.sh.

Says "KIND there" once all of them are connected and have done their worst, then holds on until it is ended; a crowd leaves.
"""
import os
import signal
import socket
import struct
import sys

MAGIC = 0x4F437432
LAYOUT = int(os.environ.get("CTL_LAYOUT", "0"))  # common.sh says it
DUMP, STATS = 3, 1


def request(verb, caches=1, tables=1):
    return struct.pack("=IIIHBBB3x", 0xFFFFFFFF, MAGIC, LAYOUT, verb, caches, tables, 0)


BEHAVIOUR = {
    "silent": b"",
    "garbage": os.urandom(4096),
    "half": request(STATS)[:5],
    "deaf": request(DUMP),
    "hasty": request(DUMP),
}


def crowd(path, n):
    signal.alarm(100)
    held = []
    for _ in range(n):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(path)  # waits while there is no place
        held.append(s)
        if len(held) == 1000:
            held.clear()


def main():
    path, kind = sys.argv[1:3]
    if kind == "crowd":
        return crowd(path, int(sys.argv[3]))
    held = []
    for _ in range(20):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(5)
        s.connect(path)
        try:
            s.sendall(BEHAVIOUR[kind])
        except (BrokenPipeError, ConnectionResetError):
            pass  # being thrown out is a fine answer to garbage
        if kind == "hasty":
            s.close()
        held.append(s)
    print(kind, "there", flush=True)
    signal.pause()


main()
