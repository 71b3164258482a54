#!/usr/bin/env python3
"""The shipped helpers behind ctd-queue, all jailed: every packet of test/vectors/helpers goes in as the kernel queues it, and
what comes out is what the vector wants. Usage: helpers.py DIRECTORY-WITH-queue_run-ctd-queue CTD-HELPER VECTORS [case ...]"""
import ipaddress
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
HELPER, VECTORS = os.path.abspath(sys.argv[2]), sys.argv[3]
del sys.argv[2:4]
from cases import suite  # noqa: E402
from queue_lab import EXP_NEW, VERDICT, Flow, Queue, attrs, good_checksums, read_tuple  # noqa: E402

PROTO = {"tcp": 6, "udp": 17}
# accepted before a helper sees them: packets without payload, of which amanda's vector wants a timeout
UNASKED = {"amanda/empty"}


def read_vectors(name):
    """[{name, helper, family, proto, orig, reply, master, status, packets: [(number, ct_info, octets)], want, may}]"""
    cases, v, info = [], None, 0
    with open(f"{VECTORS}/{name}.vec") as f:
        for line in f:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "case":
                v = {"name": rest, "master": False, "packets": [], "want": {}, "may": {}}
            elif word == "helper":
                v["helper"], v["family"], v["proto"] = rest.split()
            elif word in ("orig", "reply"):
                _, src, sport, dst, dport = rest.split()
                v[word] = (src, int(sport), dst, int(dport))
            elif word == "master":
                v["master"] = True
            elif word == "nat":
                v["status"] = (0x10 if "src" in rest else 0) | (0x20 if "dst" in rest else 0)
            elif word == "pkt":
                number, direction, state = rest.split()
                info = {"established": 0, "related": 1, "new": 2}[state] + (3 if direction == "reply" else 0)
            elif word == "hex":
                v["packets"].append((int(number), info, bytes.fromhex(rest)))
            elif word in ("want", "may"):
                number, _, what = rest.partition(" ")
                v[word].setdefault(int(number), []).append(what)
            elif word == "end":
                cases.append(v)
    return cases


def end(address, port, mask_address, mask_port):
    whole = int(ipaddress.ip_address(mask_address)) != 0
    return (address if whole else "*"), (port if mask_port else "*")


def expectation(data):
    """In the words of the vectors."""
    exp = attrs(data)
    proto, src, sport, dst, dport = read_tuple(exp[2])
    mask = read_tuple(exp[3])
    assert mask[4] == 65535 and int(ipaddress.ip_address(mask[3])) + 1 == 1 << (32 if "." in dst else 128), mask
    src, sport = end(src, sport, mask[1], mask[2])
    number, flags = (struct.unpack("!I", exp[k])[0] for k in (9, 8))
    text = f"expect class={number} flags={flags} {'tcp' if proto == 6 else 'udp'} src={src} sport={sport} dst={dst} dport={dport}"
    if 10 in exp:
        nat = attrs(exp[10])
        text += f" nat={'reply' if nat[1][3] else 'orig'}:{read_tuple(nat[2])[2]}"
        assert exp[11] == b"nat-follow-master\0", exp[11]
    if 6 in exp:
        text += " helper=" + exp[6].rstrip(b"\0").decode()
    return text


def outcome(kernel, packet_id):
    """All that is said about a packet, up to its verdict."""
    said = []
    while True:
        kind, got = kernel.hear()
        if kind == EXP_NEW:
            said.append(expectation(b"".join(attr_bytes(k, v) for k, v in got.items() if k not in (1, 7))))
            continue
        assert kind == VERDICT, kind
        verdict, number = struct.unpack("!II", got[2])
        assert number == packet_id, (number, packet_id)
        if verdict == 0:
            said.append("drop")
        if 15 in got:
            said.append(expectation(got[15]))
        if 10 in got:
            good_checksums(got[10])
            said.append("payload " + l4_payload(got[10]).hex())
        ct = attrs(got[11]) if 11 in got else {}
        if 7 in ct:
            said.append(f"timeout {struct.unpack('!I', ct[7])[0]}")
        info = attrs(ct[5]).get(2, b"") if 5 in ct else None
        return said, info


def attr_bytes(kind, body):
    return struct.pack("=HH", 4 + len(body), kind) + body + bytes(-len(body) % 4)


def l4_payload(packet):
    head = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    l4 = packet[head:]
    return l4[(l4[12] >> 4) * 4 :] if packet[9 if packet[0] >> 4 == 4 else 6] == 6 else l4[8:]


class VectorFlow(Flow):
    def __init__(self, v, ct_id):
        self.proto, self.helper, self.ct_id, self.status = PROTO[v["proto"]], v["helper"], ct_id, v["status"]
        self.orig, self.reply, self.master = v["orig"], v["reply"], v["orig"] if v["master"] else None


def wrong_of(v, kernel, flow):
    wrong, priv = [], bytes(32)
    for number, info, packet in v["packets"]:
        packet_id = kernel.send(packet, flow, info, priv=priv)
        said, new = outcome(kernel, packet_id)
        priv = new if new else priv
        want, may = v["want"].get(number, []), v["may"].get(number, [])
        if v["name"] in UNASKED:
            want = []
        wrong += [f"{v['name']}: packet {number} gave {s}" for s in said if s not in want + may]
        wrong += [f"{v['name']}: packet {number} lacks {w}" for w in want if w not in said]
    return wrong


def run_vectors(name):
    """One queue for each kind of flow, as a configuration has."""
    wrong, done, queues = [], 0, {}
    for v in read_vectors(name):
        key = f"{v['helper']},{v['family']},{v['proto']}"
        if key not in queues:
            queues[key] = Queue(f"{key},5,minport=1,priv=32,rate=100000,flowrate=1000", worker=HELPER)
        wrong += wrong_of(v, queues[key].kernels[0], VectorFlow(v, 1000 + done))
        done += 1
    for q in queues.values():
        counters = q.counters()
        assert not [k for k in counters if k.startswith("breach") or k in ("accepted:answer", "accepted:slow")], counters
        q.end()
    assert not wrong, "\n".join(wrong)
    print(f"{name}: {done} cases through {len(queues)} queues")


for helper in ("amanda", "dhcpv6", "ftp", "mdns", "rpc", "sane", "slp", "ssdp", "tftp", "tns", "generic"):
    globals()["case_" + helper] = lambda helper=helper: run_vectors(helper)

suite(globals(), sys.argv[2:])
