# Brings what the two programs print into a comparable form: process-dependent numbers are masked, times that pass
# while the test runs are taken out and compared with a tolerance, and entries in kernel hash order are sorted.
import re

TOLERANCE = 2

MASKS = [(re.compile(p, re.M), r) for p, r in (
    (r"\b(conntrack|nfct) v\d+\.\d+\.\d+", r"\1 vX"),
    (r"\bid=\d{6,}", "id=N"),
    (r"<id>\d+</id>", "<id>N</id>"),
    (r"portid=\d+", "portid=N"),
    (r" progname=\S+", ""),
    (r"\[(start|stop)=\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]", r"[\1=W]"),
    (r"<(start|stop)>\d+</\1>", r"<\1>N</\1>"),
    (r"^\[\d{10}\.[\d ]{6}\]\t", "[STAMP]\t"),
    (r"<when><hour>\d+</hour><min>\d\d</min><sec>\d\d</sec><wday>\d</wday><day>\d+</day><month>\d+</month>"
     r"<year>\d{4}</year></when>", "<when/>"),
)]
CPU = re.compile(r"^cpu=\d+.*$", re.M)
ENTRY = re.compile(r"src=|<flow|^-[AUD] ")
TIMES = re.compile(
    r"((?:^|[ \t])(?:tcp|udp|udplite|icmp|icmpv6|sctp|dccp|gre|unknown) +\d+ )(\d+)(?= |$)"
    r"|^()(\d+)(?= proto=)|((?:^| )-t )(\d+)|(<timeout>)(\d+)|(delta-time=)(\d+)|(<deltatime>)(\d+)")


def mask(text):
    for pattern, repl in MASKS:
        text = pattern.sub(repl, text)
    return CPU.sub(lambda m: re.sub(r"=\d+", "=N", m.group(0)), text)


def split_times(line):
    times = []

    def take(m):
        g = [x for x in m.groups() if x is not None]
        times.append(int(g[1]))
        return g[0] + "~"
    return TIMES.sub(take, line), times


def lines(text, ordered):
    """[(line with ~ for times, times)], runs of entry lines sorted unless their order matters."""
    rows = [split_times(x) for x in mask(text).split("\n")]
    if ordered:
        return rows
    done, run = [], []
    for row in rows + [("", None)]:
        if ENTRY.search(row[0]):
            run.append(row)
            continue
        done += sorted(run)
        run = []
        if row[1] is not None:
            done.append(row)
    return done


def policies(rows):
    """nfct prints one block a policy, in kernel order."""
    text = "\n".join(r[0] for r in rows)
    return sorted(re.split(r"(?<=^};)\n", text, flags=re.M))


def shapes(text):
    rows = lines(text, False)
    return sorted(r[0] for r in rows if ENTRY.search(r[0])), policies([r for r in rows if not ENTRY.search(r[0])])


def same(a, b, ordered=False, slack=0.0):
    """slack: how many seconds more one side's table has aged than the other's, on a busy machine."""
    if a == b:
        return True
    ra, rb = lines(a, ordered), lines(b, ordered)
    if "\n};" in a and policies(ra) == policies(rb):
        return True
    if [r[0] for r in ra] != [r[0] for r in rb]:
        return False
    return all(abs(x - y) <= TOLERANCE + slack for p, q in zip(ra, rb) for x, y in zip(p[1], q[1]))
