#!/usr/bin/env python3
"""ftp.py server ADDRESS | client ADDRESS SERVER: as much FTP and TFTP as connection tracking listens to, for test/lib/ftp.sh.

The client reads a command a line (open, pasv, epsv, port, eprt, get, rrq, block, noop) and answers each with one line on its output:
the command and how it went. "get" fetches over the data connection that the last pasv or port announced. "rrq" sends a TFTP read
request and "block" has the server answer it, which it is told over the FTP connection.
"""
import re
import socket
import sys
import threading

WAIT = 3.0
TFTP_BLOCK = b"\0\3\0\1all of the file\n"
CONTENT = b"all of the file\r\n"


def bound(address, port, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    return sock


def listener(address):
    sock = bound(address, 0)
    sock.listen(1)
    sock.settimeout(WAIT)
    return sock


def comma(sock):
    host, port = sock.getsockname()[:2]
    return "%s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255)


def from_comma(text):
    n = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", text).groups()
    return ".".join(n[:4]), int(n[4]) << 8 | int(n[5])


class Dialogue:
    """Server side of one control connection."""

    def __init__(self, conn, address, requests):
        self.conn, self.address, self.requests = conn, address, requests
        self.passive = self.active = None

    def announce(self):
        self.active = None
        self.passive = listener(self.address)
        return self.passive

    def data(self):
        if self.passive is None:
            return socket.create_connection(self.active, WAIT, (self.address, 0))
        conn, _ = self.passive.accept()
        self.passive.close()
        return conn

    def send_file(self):
        try:
            with self.data() as conn:
                conn.sendall(CONTENT)
            return "226 done"
        except OSError:
            return "425 no data connection"

    def send_block(self):
        """As a TFTP server: from a port of its own."""
        self.requests.settimeout(WAIT)
        try:
            _, to = self.requests.recvfrom(512)
        except OSError:
            return "450 no read request"
        with bound(self.address, 0, socket.SOCK_DGRAM) as sock:
            sock.sendto(TFTP_BLOCK, to)
        return "200 block sent"

    def answer(self, word, arg):
        if word == "PASV":
            return "227 Entering Passive Mode (%s)" % comma(self.announce())
        if word == "EPSV":
            return "229 Entering Extended Passive Mode (|||%d|)" % self.announce().getsockname()[1]
        if word in ("PORT", "EPRT"):
            self.passive = None
            self.active = from_comma(arg) if word == "PORT" else (arg.split("|")[2], int(arg.split("|")[3]))
            return "200 %s accepted" % word
        if word == "RETR":
            return self.send_file()
        if word == "SITE":
            return self.send_block()
        return "200 %s" % word

    def run(self):
        lines = self.conn.makefile("rw", newline="\r\n")
        try:
            for line in lines:
                word, _, arg = line.strip().partition(" ")
                lines.write(self.answer(word, arg) + "\r\n")
                lines.flush()
        except OSError:
            pass


def server(address):
    sock = bound(address, 21)
    sock.listen(16)
    requests = bound(address, 69, socket.SOCK_DGRAM)
    print("ready", flush=True)
    while True:
        conn, _ = sock.accept()
        threading.Thread(target=Dialogue(conn, address, requests).run, daemon=True).start()


class Client:
    def __init__(self, address, peer):
        self.address, self.peer = address, peer
        self.lines = self.listening = self.remote = self.tftp = None

    def ask(self, text):
        self.lines.write(text + "\r\n")
        self.lines.flush()
        reply = self.lines.readline().strip()
        if not reply.startswith("2"):
            raise OSError(reply or "closed")
        return reply

    def open(self):
        conn = socket.create_connection((self.peer, 21), WAIT, (self.address, 0))
        conn.settimeout(3 * WAIT)
        self.lines = conn.makefile("rw", newline="\r\n")

    def pasv(self):
        self.listening = None
        self.remote = from_comma(self.ask("PASV"))

    def epsv(self):
        self.listening = None
        self.remote = (self.peer, int(self.ask("EPSV").split("|")[3]))

    def port(self):
        self.listening = listener(self.address)
        self.ask("PORT " + comma(self.listening))

    def eprt(self):
        self.listening = listener(self.address)
        self.ask("EPRT |%d|%s|%d|" % ((2 if ":" in self.address else 1,) + self.listening.getsockname()[:2]))

    def noop(self):
        self.ask("NOOP")

    def rrq(self):
        self.tftp = bound(self.address, 0, socket.SOCK_DGRAM)
        self.tftp.settimeout(WAIT)
        self.tftp.sendto(b"\0\1file\0octet\0", (self.peer, 69))

    def block(self):
        self.ask("SITE BLOCK")
        if self.tftp.recv(512) != TFTP_BLOCK:
            raise OSError("another block")

    def fetch(self, found):
        try:
            if self.listening:
                conn, _ = self.listening.accept()
            else:
                conn = socket.create_connection(self.remote, WAIT, (self.address, 0))
            conn.settimeout(WAIT)
            with conn, conn.makefile("rb") as lines:
                found.append(lines.read())
        except OSError:
            pass

    def get(self):
        found = []
        data = threading.Thread(target=self.fetch, args=(found,))
        data.start()
        try:
            self.ask("RETR file")
        finally:
            data.join()
        if found != [CONTENT]:
            raise OSError("no content")


def client(address, peer):
    c = Client(address, peer)
    print("ready", flush=True)
    for line in sys.stdin:
        word = line.strip()
        try:
            getattr(c, word)()
            print(word, "ok", flush=True)
        except OSError as e:
            print(word, "failed:", e, flush=True)


{"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
