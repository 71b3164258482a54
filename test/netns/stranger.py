#!/usr/bin/env python3
"""What a local user without rights tries.
stranger.py take FAMILY ADDRESS PORT [DEVICE]: to bind an address and port in every way that shares it; 0 when one works
stranger.py hold ADDRESS PORT: has the port, until it is killed
stranger.py say FROM TO PORT: sends a sign of life to a daemon's port from an own port"""
import itertools
import socket
import struct
import sys
import time

FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}


def take(family, address, port, device=None):
    options = (socket.SO_REUSEADDR, socket.SO_REUSEPORT)
    for n in range(len(options) + 1):
        for which in itertools.combinations(options, n):
            with socket.socket(FAMILIES[family], socket.SOCK_DGRAM) as s:
                for o in which:
                    s.setsockopt(socket.SOL_SOCKET, o, 1)
                if device:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
                try:
                    s.bind((address, int(port)))
                except OSError:
                    continue
                return 0
    return 1


def hold(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind((address, int(port)))
        print("has it", flush=True)
        time.sleep(600)
    return 0


def say(own, to, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((own, 0))
        s.sendto(struct.pack(">BBHI", 0x1a, 0x10, 8, 12345), (to, int(port)))
    return 0


sys.exit({"take": take, "hold": hold, "say": say}[sys.argv[1]](*sys.argv[2:]))
