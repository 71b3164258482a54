#!/usr/bin/env python3
"""ctd-queue on a real kernel: client, firewall and server in namespaces, real connections of FTP and TFTP through queues,
with and without translation. Usage: queue.py DIRECTORY-WITH-queue_run CONNTRACK NFCT
The kernel is the judge: an expectation that it does not take, or a packet that was rewritten wrongly, breaks a connection."""
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from registry import Registry, must

BIN, CONNTRACK, NFCT = sys.argv[1:]
DEADLINE = 30
FTP_QUEUE = "ftp,inet,tcp,5,priv=24,minport=1024"  # for queue_run
CLIENT, SERVER, CLIENT6, SERVER6 = "10.1.0.2", "10.2.0.2", "fd01::2", "fd02::2"
HIDDEN, PUBLISHED = "10.2.0.100", "10.1.0.100"  # what the server knows of the client, and the client of the server

RULES = """
table ip t {
	ct helper ftp-h {
		type "ftp" protocol tcp
		l3proto ip
	}
	ct helper tftp-h {
		type "tftp" protocol udp
		l3proto ip
	}
	ct helper amanda-h {
		type "amanda" protocol udp
		l3proto ip
	}
	chain helpers {
		type filter hook prerouting priority 0
		udp dport 10080 ct helper set "amanda-h"
		tcp dport 21 ct helper set "ftp-h"
		udp dport 69 ct helper set "tftp-h"
	}
	chain pass {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		ct state new tcp dport 21 accept
		ct state new udp dport { 69, 10080 } accept
		reject with icmp type admin-prohibited
	}
}
table ip6 t {
	ct helper tftp-h {
		type "tftp" protocol udp
		l3proto ip6
	}
	chain helpers {
		type filter hook prerouting priority 0
		udp dport 69 ct helper set "tftp-h"
	}
	chain pass {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ct state new udp dport 69 accept
	}
}
"""
NAT = {
    "": "",
    "source": "chain post {\ntype nat hook postrouting priority 100\noifname fs ip saddr %s snat to %s\n}\n" % (CLIENT, HIDDEN),
    "destination": "chain pre {\ntype nat hook prerouting priority -100\nip daddr %s tcp dport 21 dnat to %s\n}\n" % (PUBLISHED, SERVER),
}
# Of queue_double: answers that break the policy, those that break it where there is translation, and what is no answer at all.
BREACHES = "accept drop two many class permanent follow udp icmp any dst ref foreign address port0 low sport nat private timeout unasked"
NAT_BREACHES = "nat natlow before behind far overlap order empty long edits text"
ILLEGAL = "unknown-type parents-word syncs-word short too-long huge no-header crash leave forbidden-call"


class Inside:
    """with Inside("f"): what is opened belongs to that namespace and stays there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, name):
        self.there = os.open("/run/netns/" + name, os.O_RDONLY)
        self.here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def __enter__(self):
        assert self.libc.setns(self.there, 0x40000000) == 0

    def __exit__(self, *_):
        assert self.libc.setns(self.here, 0x40000000) == 0
        os.close(self.there)
        os.close(self.here)


def inside(name, *argv):
    return ["ip", "netns", "exec", name, *argv]


def opened(name, kind, family=socket.AF_INET):
    with Inside(name):
        s = socket.socket(family, kind)
    s.settimeout(DEADLINE)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


def listener(name, address, port):
    s = opened(name, socket.SOCK_STREAM)
    s.bind((address, port))
    s.listen()
    return s


def build():
    for n in "cfs":
        must("ip", "netns", "add", n)
    for host, address, router in ((("c0", "c"), (CLIENT, CLIENT6), ("fc", "10.1.0.1", "fd01::1", PUBLISHED)),
                                  (("s0", "s"), (SERVER, SERVER6), ("fs", "10.2.0.1", "fd02::1", HIDDEN))):
        dev, name = host
        must("ip", "link", "add", dev, "netns", name, "type", "veth", "peer", "name", router[0], "netns", "f")
        for ns, d, list_ in ((name, dev, address), ("f", router[0], router[1:])):
            for a in list_:
                must("ip", "-n", ns, "addr", "add", a + ("/64" if ":" in a else "/24"), "dev", d, *(["nodad"] if ":" in a else []))
            must("ip", "-n", ns, "link", "set", d, "up")
        must("ip", "-n", name, "route", "add", "default", "via", router[1])
        must("ip", "-n", name, "-6", "route", "add", "default", "via", router[2])
    must(*inside("f", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))


def wait(what, condition):
    end = time.monotonic() + DEADLINE
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, "never: " + what
        time.sleep(0.05)


class Queue:
    """ctd-queue with scripted workers, in the firewall; its stubs are registered and the rules that name them are loaded."""

    def __init__(self, nat=""):
        self.proc = subprocess.Popen(inside("f", BIN + "/queue_run", FTP_QUEUE, "tftp,inet,udp,6", "tftp,inet6,udp,7",
                                            "amanda,inet,udp,8"),
                                     stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.lines = []
        self.pid = int(self.proc.stdout.readline().split()[1])
        threading.Thread(target=self.read, daemon=True).start()
        wait("bound", lambda: len(self.said("the queue is bound")) == 4)
        must(NFCT, "add", "helper", "ftp", "inet", "tcp")
        registry = Registry()
        registry.enable("ftp", 5)
        registry.enable("tftp", 6, 0, 17)
        registry.enable("tftp", 7, 0, 17, socket.AF_INET6)
        registry.enable("amanda", 8, 0, 17, most=3)
        must(*inside("f", "nft", "-f", "-"), text=RULES)
        if nat:
            must(*inside("f", "nft", "-f", "-"), text="table ip n {\n%s}\n" % NAT[nat])

    def read(self):
        for line in self.proc.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, text):
        return [line for line in list(self.lines) if text in line]

    def counters(self, number=5):
        mark = "queue %d (" % number
        def lines():
            return [x for x in self.said(": packets ") if mark in x]
        have = len(lines())
        self.proc.send_signal(signal.SIGUSR1)
        words = wait("counters", lambda: lines()[have:])[-1].split("): ", 1)[1].split()
        return {k: int(v) for k, v in zip(words[::2], words[1::2])}

    def end(self):
        """The rules go, and with them every flow, so that the stubs can go."""
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            assert self.proc.wait(DEADLINE) == 0, self.lines
        must(*inside("f", "nft", "flush", "ruleset"))
        must(*inside("f", CONNTRACK, "-F"), quiet=True)
        must(NFCT, "flush", "helper")

    def kernel_is_content(self):
        """No verdict was refused, no packet lost."""
        for number in (5, 6, 7, 8):
            got = self.counters(number)
            assert got.get("errors", 0) == got.get("overruns", 0) == 0, got
        with open("/proc/%d/net/netfilter/nfnetlink_queue" % self.pid) as f:
            rows = [line.split() for line in f]
        assert [r[0] for r in rows] == ["5", "6", "7", "8"] and all(r[2] == r[5] == r[6] == "0" for r in rows), rows


def expectations(family="ipv4"):
    out = subprocess.run(inside("f", CONNTRACK, "-L", "expect", "-f", family), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [dict(reversed(re.findall(r"(\w+)=(\S+)", line))) for line in out.stdout.splitlines()]


def private_data():
    """What the kernel keeps of FTP's flow for the helper: queue_double counts packets in the first octet."""
    with Inside("f"):
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.send(struct.pack("=IHHII4s", 20, 0x101, 0x301, 1, 0, b"\2\0\0\0"))  # IPCTNL_MSG_CT_GET, dump
    got = re.findall(rb"\x08\0\x01\0ftp\0\x1c\0\x02\0(.)\0{23}", s.recv(65536), re.S)  # CTA_HELP_NAME, CTA_HELP_INFO
    s.close()
    assert len(got) == 1, got
    return got[0][0]


class Ftp:
    """A control connection."""

    def __init__(self, server=SERVER):
        l = listener("s", SERVER, 21)
        self.client = opened("c", socket.SOCK_STREAM)
        self.client.connect((server, 21))
        self.server = l.accept()[0]
        self.server.settimeout(DEADLINE)
        self.known_as = self.server.getpeername()[0]
        l.close()
        self.say(self.server, b"220 ready\r\n")

    def say(self, who, text, want=None):
        """One line from one end to the other: what arrives."""
        other = self.client if who is self.server else self.server
        who.sendall(text)
        got = b""
        while not got.endswith(b"\n"):
            got += other.recv(4096) or b"(end)\n"
        assert got == (text if want is None else want), (text, got, want)

    def close(self):
        self.client.close()
        self.server.close()


def numbers(address, port):
    return "%s,%d,%d" % (address.replace(".", ","), port >> 8, port & 255)


def one_expectation(want):
    got = wait("expectation", expectations)
    assert len(got) == 1 and all(got[0].get(k) == str(v) for k, v in want.items()), (got, want)


def data_flows(connecting, to, listening):
    connecting.connect(to)
    other = listening.accept()[0]
    other.settimeout(DEADLINE)
    connecting.sendall(b"x" * 10000)
    connecting.close()
    assert len(b"".join(iter(lambda: other.recv(65536), b""))) == 10000
    other.close()
    listening.close()


def active(f, port):
    """PORT: the server connects to the client. f.known_as: as which the server knows it."""
    data = listener("c", CLIENT, port)
    f.say(f.client, b"PORT %s\r\n" % numbers(CLIENT, port).encode(), b"PORT %s\r\n" % numbers(f.known_as, port).encode())
    one_expectation({"src": SERVER, "dst": f.known_as, "dport": port, "helper": "ftp"})
    data_flows(opened("s", socket.SOCK_STREAM), (f.known_as, port), data)
    f.say(f.server, b"226 sent\r\n")  # lengths that have changed are made good, in both directions
    f.say(f.client, b"NOOP\r\n")


def passive(f, server, port):
    """227: the client connects to the server, which it knows as that."""
    data = listener("s", SERVER, port)
    f.say(f.server, b"227 go (%s).\r\n" % numbers(SERVER, port).encode(), b"227 go (%s).\r\n" % numbers(server, port).encode())
    one_expectation({"src": CLIENT, "dst": server, "dport": port})
    data_flows(opened("c", socket.SOCK_STREAM), (server, port), data)
    f.say(f.client, b"NOOP\r\n")
    f.say(f.server, b"200 yes\r\n")


def nothing_passes(f, port):
    """The rules bite: a data connection that nobody has announced."""
    data = listener("c", CLIENT, port)
    try:
        opened("s", socket.SOCK_STREAM).connect((f.known_as, port))
    except OSError:
        data.close()
        return
    raise AssertionError("a connection passed that nobody has announced")


def case_ftp():
    q = Queue()
    f = Ftp()
    nothing_passes(f, 50000)
    active(f, 50001)
    before = private_data()
    active(f, 50002)
    assert before > 0 and private_data() > before
    passive(f, SERVER, 50003)
    q.kernel_is_content()
    must(NFCT, "disable", "helper", "ftp", "inet", "tcp")
    f.say(f.client, b"PORT %s\r\n" % numbers(CLIENT, 50004).encode())
    assert expectations() == []
    nothing_passes(f, 50004)
    f.close()
    q.end()


def case_ftp_behind_source_nat():
    q = Queue("source")
    f = Ftp()
    assert f.known_as == HIDDEN
    for port in (50101, 50102, 40000):  # the text grows each time
        active(f, port)
    passive(f, SERVER, 50103)
    f.say(f.client, b"x" * 5000 + b"\n")  # several packets
    q.kernel_is_content()
    assert q.counters()["edits"] >= 3
    f.close()
    q.end()


def case_ftp_behind_destination_nat():
    q = Queue("destination")
    f = Ftp(PUBLISHED)
    for port in (50201, 50202):
        passive(f, PUBLISHED, port)
    active(f, 50203)
    q.kernel_is_content()
    f.close()
    q.end()


def tftp(family, client, server):
    """The server answers from another port, as TFTP does. The first packet of a flow brings the expectation."""
    port69 = opened("s", socket.SOCK_DGRAM, family)
    port69.bind((server, 69))
    c = opened("c", socket.SOCK_DGRAM, family)
    c.bind((client, 0))
    c.sendto(b"\0\1file\0octet\0", (server, 69))
    text, where = port69.recvfrom(4096)
    assert text == b"\0\1file\0octet\0"
    answer = opened("s", socket.SOCK_DGRAM, family)
    answer.bind((server, 0))
    answer.sendto(b"\0\3\0\1data", where)
    text, where = c.recvfrom(4096)
    assert text == b"\0\3\0\1data" and where[1] == answer.getsockname()[1]
    c.sendto(b"\0\4\0\1", where)
    assert answer.recv(4096) == b"\0\4\0\1"
    for s in (port69, c, answer):
        s.close()


def case_tftp():
    for nat in ("", "source"):
        q = Queue(nat)
        tftp(socket.AF_INET, CLIENT, SERVER)
        if not nat:
            tftp(socket.AF_INET6, CLIENT6, SERVER6)
            assert q.counters(7)["expectations"] == 1
        assert q.counters(6)["expectations"] == 1
        q.kernel_is_content()
        q.end()


def case_amanda():
    """Several expectations from one packet, of which all but the last are requests of their own, and a longer life for the flow."""
    for nat in ("", "source"):
        q = Queue(nat)
        server, client = opened("s", socket.SOCK_DGRAM), opened("c", socket.SOCK_DGRAM)
        server.bind((SERVER, 10080))
        client.sendto(b"hello\n", (SERVER, 10080))
        _, where = server.recvfrom(4096)
        ports = [50601, 50602, 50603]
        answer = b"CONNECT DATA %d MESG %d INDEX %d\n" % tuple(ports)
        server.sendto(answer, where)
        assert client.recv(4096) == answer
        got = expectations()
        assert sorted(int(e["dport"]) for e in got) == ports and all((e["src"], e["dst"]) == (CLIENT, SERVER) for e in got), got
        for port in reversed(ports):
            data_flows(opened("c", socket.SOCK_STREAM), (SERVER, port), listener("s", SERVER, port))
        flow = subprocess.run(inside("f", CONNTRACK, "-L", "-p", "udp", "--dport", "10080"), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout.split()
        assert int(flow[2]) > 200, flow
        q.kernel_is_content()
        server.close()
        client.close()
        q.end()


def breaches(nat, names):
    """No answer that breaks the policy becomes an expectation, and every packet arrives as it was sent."""
    names = names.split()
    for some in (names[:11], names[11:]):  # a worker is cut off at its eighth
        q = Queue(nat)
        f = Ftp()
        for name in some:
            f.say(f.client, b"act %s 1,2,3,4,5,6\r\n" % name.encode())
            assert expectations() == [], name
        got = q.counters()
        assert sum(n for why, n in got.items() if why.startswith("breach:")) == len(some) and "expectations" not in got, got
        active(f, 50400)  # the next answer may be right
        q.kernel_is_content()
        f.close()
        q.end()


def case_breaches():
    breaches("", BREACHES)


def case_breaches_behind_nat():
    breaches("source", NAT_BREACHES)


def case_workers_that_do_not_answer():
    names = ILLEGAL.split()
    for pair in zip(names[::2], names[1::2]):
        q = Queue()
        f = Ftp()
        for name in pair:
            f.say(f.client, b"act %s 1,2,3,4,5,6\r\n" % name.encode())
        wait("no worker", lambda: q.said("no worker is left"))
        f.say(f.client, b"PORT %s\r\n" % numbers(CLIENT, 50500).encode())
        assert expectations() == []
        nothing_passes(f, 50500)
        q.kernel_is_content()
        f.close()
        q.end()


def case_killed():
    """Without ctd-queue the packets pass, and a new one serves the same stubs."""
    q = Queue()
    f = Ftp()
    os.kill(q.pid, signal.SIGKILL)
    assert q.proc.wait(DEADLINE) == 128 + signal.SIGKILL
    f.say(f.client, b"PORT %s\r\n" % numbers(CLIENT, 50301).encode())
    assert expectations() == []
    again = subprocess.Popen(inside("f", BIN + "/queue_run", FTP_QUEUE), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    wait("bound", lambda: "bound" in again.stdout.readline())
    active(f, 50302)
    again.send_signal(signal.SIGTERM)
    assert again.wait(DEADLINE) == 0
    f.close()
    q.end()


def main():
    build()
    for name, case in list(globals().items()):
        if not name.startswith("case_"):
            continue
        t0 = time.monotonic()
        try:
            case()
            print("ok    %s (%d s)" % (name[5:], time.monotonic() - t0), flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            print("FAIL  %s: %r" % (name[5:], e), flush=True)
            return 1  # what it left in the kernel would spoil the others
    return 0


sys.exit(main())
