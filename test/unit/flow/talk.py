#!/usr/bin/python3
# talk.py server | client: connections of every kind through a router, talked over once, and again when a line is read.
# Each conversation of the client says on the second time whether its peer still answers.
import select, socket, struct, sys, threading, time

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def echo_tcp(listener):
    while True:
        c, _ = listener.accept()
        threading.Thread(target=lambda c=c: [c.sendall(d) for d in iter(lambda: c.recv(100), b"")], daemon=True).start()


def echo_udp(s):
    while True:
        data, who = s.recvfrom(100)
        s.sendto(data, who)


def server():
    for addr in ("10.2.0.2", "fd02::2"):
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        for kind, serve in ((TCP, echo_tcp), (UDP, echo_udp)):
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((addr, 9000))
            if kind == TCP:
                s.listen(16)
            threading.Thread(target=serve, args=(s,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Ping:
    """An echo request with a fixed id."""

    def __init__(self, addr, ident):
        self.v6, self.addr, self.ident, self.seq = ":" in addr, addr, ident, 0
        self.s = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET, socket.SOCK_RAW,
                               socket.IPPROTO_ICMPV6 if self.v6 else socket.IPPROTO_ICMP)

    def talk(self):
        self.seq += 1
        head = struct.pack("!BBHHH", 128 if self.v6 else 8, 0, 0, self.ident, self.seq)
        if not self.v6:
            head = head[:2] + struct.pack("!H", checksum(head)) + head[4:]
        self.s.sendto(head, (self.addr, 0))
        end = time.monotonic() + 3
        while select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
            got = self.s.recv(200)
            got = got if self.v6 else got[20:]
            if got[0] == (129 if self.v6 else 0) and struct.unpack("!HH", got[4:8]) == (self.ident, self.seq):
                return True
        return False


class Stream:
    def __init__(self, kind, addr, port):
        self.s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, kind)
        self.s.settimeout(3)
        self.s.connect((addr, port))

    def talk(self):
        try:
            self.s.send(b"hello")
            return self.s.recv(100) == b"hello"
        except OSError:
            return False


def client():
    talks = {}
    for v, real, called in ((4, "10.2.0.2", "10.1.0.99"), (6, "fd02::2", "fd01::99")):
        for kind, name in ((TCP, "tcp"), (UDP, "udp")):
            talks[f"{name}{v} snat"] = Stream(kind, real, 9000)
            talks[f"{name}{v} snat dnat port"] = Stream(kind, called, 8000)
            talks[f"{name}{v} snat to a port"] = Stream(kind, real, 9000)
        talks[f"icmp{v} snat"] = Ping(real, 0x1234)
    failed = [name for name, t in talks.items() if not t.talk()]
    print("ready" if not failed else f"never worked: {failed}", flush=True)
    if failed:
        sys.exit(1)
    sys.stdin.readline()
    failed = [name for name, t in talks.items() if not t.talk()]
    print(f"broken: {failed}" if failed else f"{len(talks)} conversations go on", flush=True)
    sys.exit(len(failed) != 0)


server() if sys.argv[1] == "server" else client()
