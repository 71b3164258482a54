#!/usr/bin/env python3
"""relay.py LISTEN TO: what comes in on the loopback address LISTEN goes on to TO, port 3780, from a port of its own, as a
replicator of datagrams does that does not forge sources."""
import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as says:
    heard.bind((sys.argv[1], 3780))
    while True:
        says.sendto(heard.recv(65535), (sys.argv[2], 3780))
