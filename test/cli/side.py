# One side of the comparison: runs a list of cases with one set of programs, each case from an equally seeded table.
# Every setup block gets its own anonymous network and mount namespace, which vanish with the process that made them.
# Seeding, scripted actions and dumps always use the reference programs, so both sides differ only in the tool tried.
import ctypes
import ctypes.util
import os
import pickle
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

REFERENCE = {"conntrack": "/usr/sbin/conntrack", "nfct": "/usr/sbin/nfct"}
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = 65534
ETC = ("protocols", "services", "nsswitch.conf", "passwd", "group", "hosts", "ld.so.cache", "ld.so.conf",
       "ld.so.conf.d", "localtime", "host.conf", "ethertypes", "iproute2")
DEADLINE = 15.0
READING = {"-L", "--dump", "-G", "--get", "-C", "--counter", "-S", "--stats", "-V", "-h"}
STATUS = {"-u", "--status"}

libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)


class NoNamespaces(Exception):
    pass


def must(ret, what):
    if ret != 0:
        raise NoNamespaces("%s: %s" % (what, os.strerror(ctypes.get_errno())))


def isolate():
    must(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")


def private_etc(with_labels):
    """A small copy of /etc, so that a label file can be placed there without touching the host's."""
    home = tempfile.mkdtemp(prefix="ctdiff-etc-%d-" % os.getpid())
    must(libc.mount(b"tmpfs", home.encode(), b"tmpfs", 0, b"mode=755"), "mount tmpfs")
    for name in ETC:
        path = os.path.join("/etc", name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(home, name), symlinks=True)
        elif os.path.exists(path):
            shutil.copy(path, os.path.join(home, name))
    if with_labels:
        os.mkdir(os.path.join(home, "xtables"))
        shutil.copy(os.path.join(HERE, "seeds/connlabel.conf"), os.path.join(home, "xtables/connlabel.conf"))
    must(libc.mount(home.encode(), b"/etc", None, MS_BIND, None), "bind /etc")
    must(libc.umount2(home.encode(), 2), "umount")
    os.rmdir(home)


def sysctl(name, value):
    with open("/proc/sys/net/netfilter/" + name, "w") as f:
        f.write(str(value))


def reference(argv, stdin=None):
    return subprocess.run(argv, executable=REFERENCE[argv[0]], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=DEADLINE)


class Side:
    def __init__(self, tools, setup):
        self.tools, self.setup = tools, setup
        self.ftp = []
        self.seeded_at, self.table, self.touched, self.seed_now, self.count = 0.0, None, True, None, None
        isolate()
        private_etc("labels" in setup["net"] or "labelconf" in setup["net"])
        if "nobody" in setup["net"]:  # to where anybody may go
            self.tools = {name: shutil.copy(path, "/etc/ctdiff-" + name) for name, path in tools.items()}
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        sysctl("nf_conntrack_events", 1)
        sysctl("nf_conntrack_acct", int("acct" in setup["net"]))
        sysctl("nf_conntrack_timestamp", int("timestamp" in setup["net"]))
        if "labels" in setup["net"]:
            self.nft("table inet l { chain c { type filter hook forward priority 0; ct label set 1; } }")
        if "ftp" in setup["net"]:
            self.nft('table ip h { ct helper f { type "ftp" protocol tcp; }; chain c { type filter hook output '
                     'priority 0; tcp dport 21 ct helper set "f"; } }')
        if "tracked" in setup["net"]:
            self.nft("table inet t { chain c { type filter hook output priority 0; ct state invalid drop; } }")

    @staticmethod
    def nft(text):
        subprocess.run(["nft", "-f", "-"], input=text.replace(";", "\n").replace("{", "{\n").replace("}", "\n}\n"),
                       text=True, check=True)

    def ftp_traffic(self):
        """A control connection that announces a data port, so that there is a master and an expectation."""
        for s in self.ftp:
            s.close()
        srv = socket.socket()
        srv.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        srv.bind(("127.0.0.1", 21))
        srv.listen(1)
        cli = socket.socket()
        cli.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        cli.bind(("127.0.0.1", 40021))
        cli.connect(("127.0.0.1", 21))
        peer, _ = srv.accept()
        for s in (cli, peer):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for line in (b"NOOP\r\n", b"PORT 127,0,0,1,156,64\r\n"):    # the helper reads from the second line on
            cli.sendall(line)
            peer.recv(100)
        self.ftp = [cli, peer, srv]
        until = time.monotonic() + 5
        while not reference(["conntrack", "-L", "expect"]).stdout:
            if time.monotonic() > until:
                raise RuntimeError("the ftp helper made no expectation")
            time.sleep(0.01)

    def flush(self):
        for s in self.ftp:
            s.close()
        self.ftp = []
        for f in ([], ["expect"]) if "ftp" in self.setup["net"] else ([],):
            reference(["conntrack", "-F"] + f)
        if "timeout" in self.setup["net"]:
            reference(["nfct", "flush", "timeout"])

    def seed(self, name):
        self.flush()
        if "ftp" in self.setup["net"]:
            self.ftp_traffic()
        if name != "none":
            with open(os.path.join(HERE, "seeds", name + ".seed")) as f:
                lines = [x for x in f.read().splitlines() if x and not x.startswith("#")]
            table = "\n".join(x for x in lines if x.startswith("-"))
            if table:
                r = reference(["conntrack", "-R", "-"], table + "\n")
                if r.returncode != 0:
                    raise RuntimeError("seed %s: %s" % (name, r.stderr))
            for x in lines:
                if not x.startswith("-"):
                    self.step(x)
        self.table, self.touched = self.dump(), False
        self.seed_now, self.seeded_at, self.count = name, time.monotonic(), self.entries()

    @staticmethod
    def entries():
        with open("/proc/sys/net/netfilter/nf_conntrack_count") as f:
            return f.read()

    def look(self, case, rc):
        """The table after a case. A command line error does nothing: the number of entries is proof enough."""
        if rc != 2 or self.entries() != self.count or "timeout" in self.setup["net"]:
            self.table = self.dump()
            self.touched |= not READING.intersection(case["argv"])
            if STATUS.intersection(case["argv"]):   # some bits show in this format only
                return self.table + reference(["conntrack", "-L", "-o", "save"]).stdout
        return self.table

    @staticmethod
    def step(line):
        import shlex
        argv = shlex.split(line)
        if argv[0] in REFERENCE:
            r = reference(argv)
            if r.returncode != 0:
                raise RuntimeError("step %s: %s" % (line, r.stderr))
        elif argv[0] == "sleep":
            time.sleep(float(argv[1]))
        else:
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)

    def dump(self):
        out = reference(["conntrack", "-L", "-o", "extended,labels"]).stdout
        if "ftp" in self.setup["net"]:
            out += reference(["conntrack", "-L", "expect"]).stdout
        if "timeout" in self.setup["net"]:
            out += reference(["nfct", "list", "timeout"]).stdout
        return out

    def unchanged(self):
        """The cases since seeding only read or were refused, and the table is young: timeouts still compare."""
        return not self.touched and time.monotonic() - self.seeded_at < 1.0

    def spawn(self, case, stdin, stdout, stderr):
        argv = case["argv"]
        path = self.tools[argv[0]]
        ids = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if "nobody" in self.setup["net"] else {}
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if os.environ.get("ASAN_OPTIONS"):
            env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        return subprocess.Popen(argv, executable=path, stdin=stdin, stdout=stdout, stderr=stderr, env=env, **ids)

    def run(self, case):
        if case["events"] is not None:
            return self.run_events(case)
        p = self.spawn(case, subprocess.PIPE, subprocess.PIPE, subprocess.PIPE)
        try:
            out, err = p.communicate(case["stdin"].encode(), timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            err += b"<<harness: killed after %d s>>" % DEADLINE
        return p.returncode, out.decode(errors="replace"), err.decode(errors="replace")

    @staticmethod
    def event_sockets(pid):
        """Receive queue lengths of this namespace's netfilter sockets that joined a group."""
        rows = []
        with open("/proc/%d/net/netlink" % pid) as f:
            for line in f.readlines()[1:]:
                w = line.split()
                if w[1] == "12" and int(w[3], 16) != 0:
                    rows.append(int(w[4]))
        return rows

    def wait(self, p, cond, limit=5.0):
        until = time.monotonic() + limit
        while p.poll() is None and time.monotonic() < until:
            try:
                if cond():
                    return True
            except OSError:
                pass
            time.sleep(0.005)
        return False

    @staticmethod
    def asleep(pid):
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "S"

    def run_events(self, case):
        """Start the listener, wait until it has joined its groups, act, wait until it has read all, end it."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            p = self.spawn(case, subprocess.DEVNULL, out, err)
            try:
                if case["silent"]:      # joins nothing: only give it time to start
                    self.wait(p, lambda: False, 0.5)
                else:
                    self.wait(p, lambda: self.event_sockets(p.pid))
                for action in case["events"]:
                    if p.poll() is None:
                        self.step(action)
                drained = lambda: not any(self.event_sockets(p.pid)) and self.asleep(p.pid)
                for _ in range(2):
                    self.wait(p, drained)
                    time.sleep(0.01)
                if p.poll() is None:
                    p.send_signal(case["signal"])
                try:
                    rc = p.wait(DEADLINE)
                except subprocess.TimeoutExpired:
                    p.kill()
                    rc = p.wait()
            finally:
                if p.poll() is None:    # a scripted action failed
                    p.kill()
                    p.wait()
            texts = []
            for f in (out, err):
                f.seek(0)
                texts.append(f.read().decode(errors="replace"))
            return rc, texts[0], texts[1]


def run_block(tools, block, pipe):
    """In a forked process: all cases of one setup block, answers pickled into the pipe."""
    answers = []
    try:
        side = Side(tools, block["setup"])
        for case in block["cases"]:
            if side.seed_now != case["seed"] or case["before"] or not side.unchanged():
                side.seed(case["seed"])
            for line in case["before"]:
                side.step(line)
                side.touched = True
            rc, out, err = side.run(case)
            answers.append({"rc": rc, "out": out, "err": err, "table": side.look(case, rc),
                            "age": time.monotonic() - side.seeded_at})
        result = ("ok", answers)
    except NoNamespaces as e:
        result = ("skip", str(e))
    except Exception as e:
        result = ("broken", "%s: %s" % (type(e).__name__, e))
    with os.fdopen(pipe, "wb") as f:
        pickle.dump(result, f)


def start(tools, block):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            run_block(tools, block, w)
        finally:
            os._exit(0)
    os.close(w)
    return pid, os.fdopen(r, "rb")


def finish(started):
    pid, f = started
    data = f.read()
    f.close()
    os.waitpid(pid, 0)
    return pickle.loads(data) if data else ("broken", "a side ended without an answer")
