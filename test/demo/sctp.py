"""As much SCTP as connection tracking follows: the handshake and numbered DATA chunks, over raw sockets.

So associations can live through a firewall on kernels without SCTP. A kernel that has it answers our chunks with ABORT:
its owner drops those it sends (chunk type 6), as test/demo/lab.sh does.
"""
import ctypes
import random
import socket
import struct

PROTOCOL = 132
DATA, INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK = 0, 1, 2, 10, 11
HEAD = struct.Struct("!HHII")


def crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


CRC = list(crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for octet in data:
        crc = crc >> 8 ^ CRC[(crc ^ octet) & 255]
    return crc ^ 0xFFFFFFFF


def packet(sport, dport, tag, kind, body):
    chunk = struct.pack("!BBH", kind, 3 if kind == DATA else 0, 4 + len(body)) + body + bytes(-len(body) % 4)
    crc = crc32c(HEAD.pack(sport, dport, tag, 0) + chunk)
    return HEAD.pack(sport, dport, tag, struct.unpack("<I", struct.pack(">I", crc))[0]) + chunk


def parse(data, family):
    """Of what a raw socket received: sport, dport, tag, type of the first chunk, its body."""
    if family == socket.AF_INET:
        data = data[(data[0] & 15) * 4:]
    sport, dport, tag, _ = HEAD.unpack_from(data)
    kind, _, length = struct.unpack_from("!BBH", data, HEAD.size)
    return sport, dport, tag, kind, data[HEAD.size + 4:HEAD.size + length]


def init(tag):
    return struct.pack("!IIHHI", tag, 65536, 1, 1, 1)


def numbered(tsn, text):
    return struct.pack("!IHHI", tsn, 0, tsn & 0xFFFF, 0) + text


class Socket:
    """A client's association: send() takes text, recv() gives text or nothing."""

    def __init__(self, address, port, source, timeout):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.port, self.source, self.tsn = port, source, 0
        self.tag = random.randrange(1, 1 << 32)
        self.raw = socket.socket(self.family, socket.SOCK_RAW, PROTOCOL)
        self.only_for(source)
        self.raw.connect((address, 0))
        self.raw.settimeout(timeout)
        self.peer_tag, = struct.unpack_from("!I", self.ask(0, INIT, init(self.tag), INIT_ACK))
        self.ask(self.peer_tag, COOKIE_ECHO, b"cookie", COOKIE_ACK)
        self.raw.setblocking(False)

    def only_for(self, port):
        """Each raw socket hears all of the protocol; a filter in the kernel keeps the others' packets away."""
        at = 22 if self.family == socket.AF_INET else 2
        code = b"".join(struct.pack("HBBI", *c) for c in
                        [(0x28, 0, 0, at), (0x15, 0, 1, port), (0x06, 0, 0, 65535), (0x06, 0, 0, 0)])
        keep = ctypes.create_string_buffer(code)
        self.raw.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 4, ctypes.addressof(keep)))

    def ask(self, tag, kind, body, answer):
        self.raw.send(packet(self.source, self.port, tag, kind, body))
        while True:
            got = parse(self.raw.recv(65536), self.family)
            if got[2] == self.tag and got[3] == answer:
                return got[4]

    def fileno(self):
        return self.raw.fileno()

    def close(self):
        self.raw.close()

    def send(self, text):
        self.tsn += 1
        self.raw.send(packet(self.source, self.port, self.peer_tag, DATA, numbered(self.tsn, text)))

    def recv(self, size):
        _, _, tag, kind, body = parse(self.raw.recv(size), self.family)
        return body[12:] if tag == self.tag and kind == DATA else None


class Server:
    """Echoes DATA on every port; answer() handles one packet."""

    def __init__(self, family):
        self.family = family
        self.raw = socket.socket(family, socket.SOCK_RAW, PROTOCOL)
        self.raw.setblocking(False)
        self.peers = {}

    def fileno(self):
        return self.raw.fileno()

    def answer(self):
        data, address = self.raw.recvfrom(65536)
        sport, dport, tag, kind, body = parse(data, self.family)
        who = (address[0], sport, dport)
        if kind == INIT:
            self.peers[who] = struct.unpack_from("!I", body)[0]
        reply = {INIT: (INIT_ACK, init(self.own_tag(who)) + b"\0\7\0\x0acookie\0\0"), COOKIE_ECHO: (COOKIE_ACK, b""),
                 DATA: (DATA, body)}.get(kind)
        if reply and who in self.peers and (kind == INIT or tag == self.own_tag(who)):
            self.raw.sendto(packet(dport, sport, self.peers[who], *reply), (address[0], 0))

    def own_tag(self, who):
        return self.peers[who] ^ 0x5A5A5A5A or 1
