#!/usr/bin/env python3
"""ctd-queue, jailed, beside a double of its helper workers (queue_double.c): this script plays the kernel on a socketpair
in place of the netlink socket of a queue. Usage: queue.py DIRECTORY-WITH-queue_run-ctd-queue-queue_double [case ...]"""
import os
import re
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cases import DEADLINE, suite, wait_for  # noqa: E402
from queue_lab import BIN, CLIENT, EXP_NEW, OUTSIDE, PACKET, SERVER, Flow, Queue, attr, attrs, good_checksums, read_tuple  # noqa: E402

FTP = "ftp,inet,tcp,5,minport=1024"
OTHER = "ftp,inet,tcp,6,minport=1024"  # keeps its workers, so ctd-queue goes on
PORT = b"PORT 10,1,0,2,220,83\r\n"


def act(name):
    return f"act {name} 1,2,3,4,5,6\r\n".encode()


def case_bind():
    """One acknowledged message; what the kernel refuses is said by name."""
    q = Queue(FTP + ",len=300,failopen")
    a = attrs(q.kernels[0].bind[20:])
    assert struct.unpack_from("!BBH", q.kernels[0].bind, 16) == (0, 0, 5)
    assert a == {1: bytes([1, 0, 0, 2]), 2: bytes([0, 0, 255, 255, 2]), 5: bytes([0, 0, 0, 3]), 4: b"\xff" * 4,
                 3: struct.pack("!I", 300)}, a
    q.end()
    q = Queue(FTP)
    assert attrs(q.kernels[0].bind[20:])[5] == bytes([0, 0, 0, 2]) and 3 not in attrs(q.kernels[0].bind[20:])
    q.end()
    for err, text in ((-22, "this kernel has no NFQUEUE"), (-95, "does not tell flows"), (-1, "another process has this queue"),
                      (-16, "configured twice"), (-12, "Cannot allocate memory")):
        q = Queue(FTP, bind=err)
        q.log(text)
        q.end(1)
    # one that is refused does not end the others
    q = Queue(FTP, OTHER, bind=(-1, 0))
    q.log("queue 5 (ftp): another process has this queue")
    q.log("queue 6 (ftp): the queue is bound")
    assert q.kernels[0].sock.recv(100) == b""
    f = Flow()
    check_ftp(q.kernels[1].verdict(q.kernels[1].send(f.packet(PORT), f))[1], False)
    q.end()
    # this machine's own kernel, whatever it has, says so too
    with subprocess.Popen([f"{BIN}/queue_run", FTP], stdout=subprocess.PIPE, text=True) as p:
        said = ""
        while "queue 5 (ftp): " not in said:
            said = p.stdout.readline()
        if "the queue is bound" in said:
            p.terminate()
        else:
            assert "this kernel has no NFQUEUE" in said or "does not tell flows" in said, said
    print("this kernel: " + said.strip())


def check_ftp(got, nat):
    exp = attrs(got[15])
    assert read_tuple(exp[2]) == (6, SERVER, 0, OUTSIDE if nat else CLIENT, 220 * 256 + 83), exp
    assert read_tuple(exp[3]) == (6, "255.255.255.255", 0, "255.255.255.255", 65535), exp
    assert exp[9] == bytes(4) and exp[8] == bytes(4), exp
    assert set(exp) == ({2, 3, 8, 9, 10, 11} if nat else {2, 3, 8, 9}), exp
    if nat:
        n = attrs(exp[10])
        assert n[1] == struct.pack("!I", 1) and read_tuple(n[2])[2] == 220 * 256 + 83 and exp[11] == b"nat-follow-master\0"


def case_answers():
    """What an honest helper wants arrives, in the queue's own words."""
    q = Queue(FTP + ",priv=24", "tftp,inet6,udp,7", "amanda,inet,udp,8")
    k, k6, am = q.kernels
    plain, nat = Flow(), Flow(nat=True)
    priv = bytes(range(24))
    _, got = k.verdict(k.send(plain.packet(PORT), plain, priv=priv))
    check_ftp(got, False)
    help_attr = attrs(attrs(got[11])[5])
    assert set(got) == {11, 15} and set(attrs(got[11])) == {5}
    assert help_attr == {1: b"ftp\0", 2: bytes([1]) + priv[1:]}, help_attr
    packet = nat.packet(PORT)
    _, got = k.verdict(k.send(packet, nat, priv=priv))
    check_ftp(got, True)
    assert got[10][40:] == b"PORT 10,2,0,1,220,83\r\n" and got[10][20:36] == packet[20:36], got
    good_checksums(got[10])
    _, got = k.verdict(k.send(plain.packet(b"227 Entering (10,2,0,2,9,9)\r\n", True), plain, info=3, priv=priv))
    assert read_tuple(attrs(got[15])[2]) == (6, CLIENT, 0, SERVER, 9 * 256 + 9)
    f6 = Flow(17, 69, helper="tftp", client="fd01::2", server="fd02::2")
    _, got = k6.verdict(k6.send(f6.packet(b"\0\1file\0octet\0"), f6, info=2))
    exp = attrs(got[15])
    assert got[11] == b"" and read_tuple(exp[2]) == (17, "fd02::2", 0, "fd01::2", 41001), got
    f = Flow(17, 10080, helper="amanda", nat=True)
    packet_id = am.send(f.packet(b"CONNECT DATA 5000 MESG 5001 INDEX 5002\n", True), f, info=3)
    for port in (5000, 5001):  # two by requests of their own, before the verdict
        kind, got = am.hear()
        assert kind == EXP_NEW and read_tuple(got[1]) == (17, CLIENT, 41001, SERVER, 10080), got
        assert read_tuple(got[2]) == (6, CLIENT, 0, SERVER, port) and 3 in got and got[11] == b"nat-follow-master\0", got
    _, got = am.verdict(packet_id)
    assert read_tuple(attrs(got[15])[2]) == (6, CLIENT, 0, SERVER, 5002), got
    n = q.counters()
    assert n == {"packets": 3, "asked": 3, "answers": 3, "expectations": 3, "edits": 1}, n
    q.end()


def case_unasked():
    """Packets that nobody can judge go on, each counted by its reason."""
    q = Queue(FTP)
    k = q.kernels[0]
    f, good = Flow(), Flow().packet(PORT)
    other = Flow(17)
    damaged = [
        ("noflow", good, {"drop": ("ct",)}), ("noflow", good, {"drop": ("info",)}), ("noflow", good, {"drop": ("payload",)}),
        ("truncated", good, {"extra": attr(13, struct.pack("!I", len(good) + 1))}),
        ("segments", good, {"extra": attr(14, struct.pack("!I", 3))}), ("empty", f.packet(b""), {}),
        ("fragment", good[:6] + b"\x20\x00" + good[8:], {}), ("fragment", good[:6] + b"\0\1" + good[8:], {}),
        ("headers", b"", {}), ("headers", good[:19], {}), ("headers", good[:39], {}), ("headers", b"\x44" + good[1:], {}),
        ("headers", b"\x4f" + good[1:], {}), ("headers", b"\x55" + good[1:], {}), ("headers", good[:2] + b"\xff\xff" + good[4:], {}),
        ("headers", good[:9] + b"\x2f" + good[10:], {}), ("headers", good[:32] + b"\x40" + good[33:], {}),
        ("headers", good[:32] + b"\xf0" + good[33:], {}), ("headers", other.packet(PORT), {}),
        ("long", f.packet(b"x" * 65440), {}),
    ]
    want = {}
    for why, packet, kw in damaged:
        k.plain(k.send(packet, f, **kw))
        want["accepted:" + why] = want.get("accepted:" + why, 0) + 1
    for flow in (Flow(helper="sip"), Flow(helper=None), other):
        k.plain(k.send(flow.packet(PORT), flow))
    want["accepted:notours"] = 3
    # what cannot even be answered
    k.sock.send(struct.pack("=IHHII", 20, PACKET, 0, 0, 0) + bytes(4))
    k.sock.send(b"abc")
    k.sock.send(struct.pack("=IHHII", 4, PACKET, 0, 0, 0))
    k.sock.send(struct.pack("=IHHII", 400000, PACKET, 0, 0, 0) + bytes(8))
    k.sock.send(struct.pack("=IHHIIi", 36, 2, 0, 9, 0, -2) + bytes(16))
    k.plain(k.send(good[:19], f))
    want["accepted:headers"] += 1
    got = q.counters()
    assert got.pop("packets") == len(damaged) + 5 and got.pop("errors") == 5, got
    assert got == want, (got, want)
    check_ftp(k.verdict(k.send(good, f))[1], False)
    q.end()


BREACHES = {"accept": "verdict", "drop": "verdict", "two": "count", "many": "count", "class": "flags", "permanent": "flags",
            "follow": "flags", "udp": "protocol", "icmp": "protocol", "any": "address", "dst": "address", "ref": "address",
            "foreign": "address", "address": "address", "port0": "port", "low": "port", "sport": "port", "nat": "nat",
            "private": "private", "timeout": "timeout", "unasked": "edit"}
NAT_BREACHES = {"nat": "nat", "natlow": "nat", "before": "edit", "behind": "edit", "far": "edit", "overlap": "edit",
                "order": "edit", "empty": "edit", "long": "edit", "edits": "edit", "text": "text"}


def case_breaches():
    """Each breach of the policy: the packet goes on, nothing of the answer arrives, it is counted, and the worker that has
    done it too often is cut off; the spare goes on, and without one everything is accepted at once."""
    todo = [(Flow(), name, why) for name, why in BREACHES.items()] + [(Flow(nat=True), name, why) for name, why in NAT_BREACHES.items()]
    per_worker = 8
    for i in range(0, len(todo), 2 * per_worker):
        q = Queue(FTP, OTHER)
        k = q.kernels[0]
        want = {}
        some = todo[i : i + 2 * per_worker]
        some += [some[-1]] * (2 * per_worker - len(some))
        for n, (flow, name, why) in enumerate(some):
            if n % per_worker == 4:  # in between it may be right
                check_ftp(k.verdict(k.send(flow.packet(PORT), flow))[1], flow.status != 0)
            k.plain(k.send(flow.packet(act(name)), flow))
            want["breach:" + why] = want.get("breach:" + why, 0) + 1
            if n == per_worker - 1:
                q.log("cut off")
                assert "no worker is left" not in "".join(q.lines)
        q.log("no worker is left, every packet is accepted unseen from now on")
        k.plain(k.send(Flow().packet(PORT), Flow()))
        got = q.counters()
        assert {name: v for name, v in got.items() if name.startswith("breach:")} == want, (got, want)
        assert got["accepted:answer"] == 2 * per_worker and got["takeovers"] == 2 and got["accepted:noworker"] == 1, got
        k.quiet()
        q.end()


def case_sequence():
    """An answer for a packet that does not wait, or waits in another queue, or for the second time."""
    q = Queue(FTP, "ftp,inet,tcp,6,minport=1024")
    k, other = q.kernels
    f = Flow()
    waits = other.send(f.packet(act("silent")), f)
    for n, name in enumerate(("seq", "queue", "twice", "seq"), 1):
        packet_id = k.send(f.packet(act(name)), f)
        number, got = k.verdict(packet_id)  # accepted when its time is over, or as answered the first time
        assert (got == {}) == (name != "twice"), (name, got)
    other.plain(waits)
    got = q.counters()
    assert got["breach:sequence"] == 4 and got["expectations"] == 1 and got["accepted:slow"] == 3, got
    assert "breach:sequence" not in q.counters(6)
    k.quiet()
    other.quiet()
    q.end()


ILLEGAL = """unknown-type huge-type parents-word queues-word syncs-word configs-word short too-long huge argument ready
no-header""".split()


def case_illegal():
    """A message that breaks the table of the wall ends its sender, and what it had to answer goes on."""
    f = Flow()
    for i in range(0, len(ILLEGAL), 2):
        q = Queue(FTP, OTHER)
        k = q.kernels[0]
        for name in ILLEGAL[i : i + 2]:
            k.plain(k.send(f.packet(act(name)), f))
        got = q.log("broke rule", 2)
        q.log("no worker is left")
        k.plain(k.send(f.packet(PORT), f))
        n = q.counters()
        assert n["accepted:lost"] == 2 and n["takeovers"] == 2 and "expectations" not in n, (n, got)
        k.quiet()
        q.end()


def case_deaths():
    """A worker that dies, by itself or by its filter: its packets go on at once, the spare serves."""
    f = Flow()
    for name in ("crash", "leave", "descriptor", "forbidden-call"):
        q = Queue(FTP, OTHER)
        k = q.kernels[0]
        ids = [k.send(f.packet(act("silent")), f) for _ in range(5)] + [k.send(f.packet(act(name)), f)]
        for packet_id in ids:
            k.plain(packet_id)
        q.log("a worker has ended")
        check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)
        n = q.counters()
        assert n["accepted:lost"] == 6 and n["takeovers"] == 1, n
        q.end()
    q = Queue(FTP, OTHER)  # the spare dies first: nothing happens
    k = q.kernels[0]
    check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)
    os.kill(sorted(q.workers())[1], signal.SIGKILL)
    q.log("a worker has ended")
    check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)
    assert "takeovers" not in q.counters()
    k.plain(k.send(f.packet(act("leave")), f))
    q.log("no worker is left")
    q.end()
    q = Queue(FTP + ",workers=0", OTHER)
    q.log("no worker is left")
    q.kernels[0].plain(q.kernels[0].send(f.packet(PORT), f))
    q.end()


WAITED = ("accepted:slow", "accepted:lost", "accepted:noworker", "accepted:busy", "accepted:channel")


def send_until_cut_off(q, flow, payload, times):
    """Packets, each in a turn of its own, until so many workers were too slow; their ids."""
    ids = []
    end = time.monotonic() + DEADLINE
    while sum("does not answer in time: cut off" in line for line in list(q.lines)) < times:
        assert time.monotonic() < end, q.lines
        ids.append(q.kernels[0].send(flow.packet(payload), flow))
        q.counters()
    return ids


def case_silence():
    """Who never answers delays packets for a while, then is cut off; a late answer is no fault."""
    q = Queue(FTP, OTHER)
    k = q.kernels[0]
    f = Flow()
    ids = send_until_cut_off(q, f, act("silent"), 2)
    ids.append(k.send(f.packet(PORT), f))
    heard = [k.verdict() for _ in ids]
    assert sorted(number for number, _ in heard) == ids and all(got == {} for _, got in heard)
    n = q.counters()
    assert n["accepted:slow"] >= 64 and n["accepted:noworker"] >= 1, n
    assert sum(n.get(why, 0) for why in WAITED) == len(ids), n
    assert n["takeovers"] == 2 and "answers" not in n, n
    q.end()


def case_asleep():
    """A worker that reads no more: as many packets as may wait do, what does not fit goes on at once."""
    q = Queue(FTP)
    k = q.kernels[0]
    f = Flow()
    ids = [k.send(f.packet(act("asleep")), f)] + [k.send(f.packet(PORT), f) for _ in range(999)]
    heard = set()
    while len(heard) < len(ids):
        number, got = k.verdict()
        assert number not in heard and (got == {} or 15 in got)
        heard.add(number)
    more = send_until_cut_off(q, f, PORT, 1)
    for _ in more:
        k.verdict()
    n = q.counters()
    assert n["accepted:busy"] + n.get("accepted:channel", 0) > 0 and n["accepted:slow"] >= 32, n
    assert sum(n.get(why, 0) for why in ("accepted:busy", "accepted:slow", "accepted:channel", "accepted:lost")) \
        + n.get("expectations", 0) + n.get("accepted:rate", 0) == 1000 + len(more), n
    check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)
    q.end()


def case_flood():
    """A worker that answers without end is cut off, and neither memory nor other queues notice."""
    q = Queue(FTP, "ftp,inet,tcp,6")
    k, other = q.kernels
    f = Flow()
    _, got = k.verdict(k.send(f.packet(act("flood")), f))
    assert 15 in got
    q.log("breach:sequence): cut off")
    check_ftp(other.verdict(other.send(f.packet(PORT), f))[1], False)
    check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)
    n = q.counters()
    assert n["breach:sequence"] == 8 and n["takeovers"] == 1 and n["expectations"] == 2, n
    with open(f"/proc/{q.pid}/status") as text:
        rss = int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1))
    assert rss < 16384, rss
    q.end()


def case_rate():
    """More expectations than the rate allows: the packets go on, nobody is at fault."""
    q = Queue(FTP + ",rate=4,flowrate=2")
    k = q.kernels[0]
    made, began = 0, time.monotonic()
    for n in range(40):
        f = Flow(ct_id=n // 20 + 1)
        made += 15 in k.verdict(k.send(f.packet(PORT), f))[1]
    got = q.counters()
    most = 12 + 4 * (time.monotonic() - began)
    assert got["accepted:rate"] == 40 - made and 8 <= made <= most and "breach" not in str(got), (made, got)
    q.end()


def case_nobody():
    """Without a worker for any queue there is nothing to do: what waits goes on, and the starter may begin anew."""
    q = Queue(FTP, OTHER)
    f = Flow()
    for k in q.kernels:
        for _ in range(2):
            k.plain(k.send(f.packet(act("leave")), f))
    q.log("no worker is left", 2)
    q.end(75)


def case_stop():
    """On SIGTERM, and when the starter is gone, what waits goes on first."""
    f = Flow()
    for gone in (False, True):
        q = Queue(FTP)
        k = q.kernels[0]
        ids = [k.send(f.packet(act("silent")), f) for _ in range(3)]
        check_ftp(k.verdict(k.send(f.packet(PORT), f))[1], False)  # so the three are there
        if gone:
            q.proc.kill()
        else:
            q.proc.send_signal(signal.SIGTERM)
        for packet_id in ids:
            k.plain(packet_id)
        assert k.sock.recv(100) == b""
        assert q.proc.wait(DEADLINE) == (-signal.SIGKILL if gone else 0)


suite(globals(), sys.argv[2:])
