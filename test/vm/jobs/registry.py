# The kernel's registry of user-space helpers (nfnetlink_cthelper), in its own words.
import os
import socket
import struct
import subprocess

CTHELPER, NEW, GET, DEL = 9, 0, 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE = 1, 4, 0x300, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3


def attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def nest(kind, data):
    return attr(kind | 0x8000, data)


def must(*argv, text=None, quiet=False):
    out = subprocess.DEVNULL if quiet else None
    subprocess.run(argv, input=text, text=True, check=True, stdout=out, stderr=out)


class Registry:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.socket.bind((0, 0))
        self.number = 0

    def talk(self, kind, flags, payload=b""):
        self.number += 1
        self.socket.send(struct.pack("=IHHII4s", 20 + len(payload), CTHELPER << 8 | kind, flags | NLM_F_REQUEST, self.number, 0,
                                     b"\2\0\0\0") + payload)
        answers = []
        while True:
            data = self.socket.recv(65536)
            while data:
                length, kind, _, number = struct.unpack_from("=IHHI", data)
                if kind == NLMSG_ERROR and number == self.number:
                    error = struct.unpack_from("=i", data, 16)[0]
                    if error:
                        raise OSError(-error, os.strerror(-error))
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return sorted(answers)
                answers.append(data[16:length].hex())
                data = data[length + -length % 4:]

    def dump(self):
        return self.talk(GET, NLM_F_DUMP)

    def enable(self, name, queue, private=24, proto=6, family=socket.AF_INET, most=1):
        """Made, or changed, as a daemon does: with that queue, and serving."""
        policy = attr(1, name.encode() + b"\0") + attr(2, struct.pack(">I", most)) + attr(3, struct.pack(">I", 300))
        self.talk(NEW, NLM_F_ACK | NLM_F_CREATE,
                  attr(1, name.encode() + b"\0") + nest(2, attr(1, struct.pack(">H", family)) + attr(2, bytes([proto]))) +
                  attr(3, struct.pack(">I", int(queue))) + nest(4, attr(1, struct.pack(">I", 1)) + nest(2, policy)) +
                  attr(5, struct.pack(">I", int(private))) + attr(6, struct.pack(">I", 1)))

    def empty(self):
        self.talk(DEL, NLM_F_ACK)
