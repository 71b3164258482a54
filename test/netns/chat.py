"""chat.py ADDRESS: two sockets of this host talk to each other, several times a second, until killed."""
import socket
import sys
import time

near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
near.bind((sys.argv[1], 4000))
far.bind((sys.argv[1], 4001))
while True:
    for one, other in (near, far), (far, near):
        one.sendto(b"x", other.getsockname())
        other.recv(1)
    time.sleep(0.2)
