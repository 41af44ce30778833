#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a registry that does what networks and servers do on bad days, as rules say, and logs each request.

    faultproxy.py [--log FILE] [--tls CERT KEY] HOST:PORT [RULE]...

A rule is "METHOD REGEX TIMES ACTION[=ARGUMENT]": what is done to the next TIMES ("*": all) requests of that method
("*": any) whose path fits. The first rule that fits and is not used up counts. Without one, the request goes on as it is.
    cut=N         the connection is reset behind N bytes of the body
    short=N       the body ends in good order behind N bytes, and says that it is so long
    wrong=N       byte N of the body is another one
    digest        Docker-Content-Digest is that of something else
    type=T        Content-Type is T
    body=FILE     the body is that of a file
    status=N      an answer of status N, with a body in JSON; status=N,M: Retry-After is M
    redirect      307 to the same path of a second port, which is another host to a client
    stall=N       nothing more comes behind N bytes, until the client goes
    slow=N        N bytes per second
    endless       a body without length and end
    huge=N        a body of N bytes of white space
    norange       Range is ignored
    drop          the connection is reset before an answer
The log has one line of JSON for each request: port (1, or 2 for the second port), method, path, range, authorization
(its first word), status, sent (bytes of the body), rule (its number, from 1, or 0).
It prints "listening on HOST:PORT" when it is ready. Registries send absolute Locations by the Host header, so the client
comes back through the proxy.
"""
import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time

PIECE = 16384
lock = threading.Lock()
rules, log_file, upstream = [], None, None
second = None
remembered = {}  # path: Authorization, for the second port, which gets none


class Rule:
    def __init__(self, number, text):
        self.number = number
        self.method, regex, times, action = text.split(" ", 3)
        self.regex = re.compile(regex)
        self.left = None if times == "*" else int(times)
        self.action, _, self.argument = action.partition("=")

    def take(self, method, path):
        if self.left == 0 or self.method not in ("*", method) or not self.regex.search(path):
            return False
        if self.left is not None:
            self.left -= 1
        return True


def rule_for(method, path):
    with lock:
        for rule in rules:
            if rule.take(method, path):
                return rule
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reset(self):
        """Ends the connection by RST, as a router that has lost its state does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        try:
            self.wfile.flush()
        except OSError:
            pass
        self.connection.close()

    def note(self, status, sent, rule):
        words = (self.headers.get("Authorization") or "").split()
        row = {
            "port": 2 if self.server is second else 1,
            "method": self.command,
            "path": self.path,
            "range": self.headers.get("Range"),
            "authorization": words[0] if words else None,
            "status": status,
            "sent": sent,
            "rule": rule.number if rule else 0,
        }
        with lock:
            log_file.write(json.dumps(row) + "\n")
            log_file.flush()

    def answer(self, status, headers, body=b""):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # ---- what does not reach the registry ----

    def refuse(self, rule):
        status, _, after = rule.argument.partition(",")
        headers = [("Content-Type", "application/json")]
        if after:
            headers.append(("Retry-After", after))
        body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS" if status == "429" else "UNKNOWN",
                                       "message": "the proxy says so"}]}).encode()
        self.answer(int(status), headers, body)
        self.note(int(status), len(body), rule)

    def redirect(self, rule):
        remembered[self.path] = self.headers.get("Authorization")
        host = "%s:%d" % second.server_address
        scheme = "https" if isinstance(second.socket, ssl.SSLSocket) else "http"
        self.answer(307, [("Location", "%s://%s%s" % (scheme, host, self.path))])
        self.note(307, 0, rule)

    def endless(self, rule):
        self.send_response_only(200)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        sent = 0
        try:
            while True:
                self.wfile.write(b" " * PIECE)
                sent += PIECE
        except OSError:
            pass
        self.note(200, sent, rule)

    def huge(self, rule):
        total, sent = int(rule.argument), 0
        self.send_response_only(200)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Content-Length", str(total))
        self.end_headers()
        try:
            while sent < total:
                n = min(PIECE, total - sent)
                self.wfile.write(b" " * n)
                sent += n
        except OSError:
            self.close_connection = True
        self.note(200, sent, rule)

    def drop(self, rule):
        self.note(0, 0, rule)
        self.reset()

    # ---- what does ----

    def read_body(self):
        """Gives the request's body piece by piece, so that an upload may be of any size."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                if n:
                    yield self.rfile.read(n)
                self.rfile.readline()
                if not n:
                    return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def ask(self, rule):
        up = http.client.HTTPConnection(*upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect", "te")}
        if rule and rule.action == "norange":
            headers.pop("Range", None)
        if self.server is second:
            headers["Host"] = "%s:%d" % upstream
            if remembered.get(self.path):
                headers["Authorization"] = remembered[self.path]
        if isinstance(self.server.socket, ssl.SSLSocket):
            headers["X-Forwarded-Proto"] = "https"
        up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            up.putheader(name, value)
        up.endheaders()
        is_chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        limit = int(rule.argument) if rule and rule.action == "cut" and self.command in ("PUT", "PATCH") else None
        passed = 0
        for piece in self.read_body():
            up.sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
            passed += len(piece)
            if limit is not None and passed >= limit:
                up.sock.close()
                return None, passed
        if is_chunked:
            up.sock.sendall(b"0\r\n\r\n")
        return up.getresponse(), passed

    def send_body(self, got, rule, length):
        """Returns how many bytes went out; False in place of a count that goes on: the connection is gone."""
        sent = 0
        cut = int(rule.argument) if rule and rule.action in ("cut", "stall", "short") else None
        wrong = int(rule.argument) if rule and rule.action == "wrong" else None
        slow = int(rule.argument) if rule and rule.action == "slow" else None
        try:
            while True:
                want = PIECE if slow is None else max(1, slow // 10)
                if cut is not None:
                    want = min(want, cut - sent)
                piece = got.read(want) if want else b""
                if not piece:
                    break
                if wrong is not None and sent <= wrong < sent + len(piece):
                    at = wrong - sent
                    piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1:]
                self.wfile.write(piece)
                sent += len(piece)
                if slow is not None:
                    time.sleep(0.1)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            return sent
        if rule and rule.action == "stall" and sent < length:
            self.connection.settimeout(60)
            try:
                self.connection.recv(1)
            except OSError:
                pass
            self.close_connection = True
        if rule and rule.action == "cut" and sent < length:
            self.reset()
        return sent

    def forward(self, rule):
        got, passed = self.ask(rule)
        if got is None:
            self.note(0, passed, rule)
            self.reset()
            return
        self.send_response_only(got.status)
        length = int(got.headers.get("Content-Length") or 0)
        if rule and rule.action == "short":
            length = min(length, int(rule.argument))
        body = None
        if rule and rule.action == "body":
            with open(rule.argument, "rb") as f:
                body = f.read()
            length = len(body)
        for name, value in got.headers.items():
            if name.lower() in ("connection", "content-length", "transfer-encoding"):
                continue
            if rule and rule.action == "digest" and name == "Docker-Content-Digest":
                value = "sha256:" + "0" * 64
            if rule and rule.action == "body" and name == "Docker-Content-Digest":
                continue
            if rule and rule.action == "type" and name.lower() == "content-type":
                value = rule.argument
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        sent = 0
        if self.command != "HEAD":
            if body is not None:
                self.wfile.write(body)
                sent = len(body)
            else:
                sent = self.send_body(got, rule, length)
        self.note(got.status, sent, rule)

    def handle_any(self):
        rule = None if self.server is second else rule_for(self.command, self.path)
        special = {"status": self.refuse, "redirect": self.redirect, "endless": self.endless, "huge": self.huge,
                   "drop": self.drop}
        try:
            if rule and rule.action in special:
                for _ in self.read_body():
                    pass
                special[rule.action](rule)
            else:
                self.forward(rule)
        except (OSError, http.client.HTTPException):
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    global log_file, upstream, second
    words = sys.argv[1:]
    log_file = sys.stdout
    tls = None
    while words and words[0].startswith("--"):
        if words[0] == "--log":
            log_file = open(words[1], "a")
            words = words[2:]
        elif words[0] == "--tls":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(words[1], words[2])
            words = words[3:]
        else:
            sys.exit("faultproxy: " + words[0])
    host, _, port = words[0].rpartition(":")
    upstream = (host, int(port))
    rules.extend(Rule(i + 1, text) for i, text in enumerate(words[1:]))
    first, second = Server(("127.0.0.1", 0), Handler), Server(("127.0.0.1", 0), Handler)
    if tls:
        first.socket = tls.wrap_socket(first.socket, server_side=True)
        second.socket = tls.wrap_socket(second.socket, server_side=True)
    threading.Thread(target=second.serve_forever, daemon=True).start()
    print("listening on 127.0.0.1:%d" % first.server_address[1], flush=True)
    first.serve_forever()


main()
