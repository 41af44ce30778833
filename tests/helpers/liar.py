#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that answers as it is told, whatever is asked: for what no registry would say.

    liar.py [--tls CERT KEY] LOG ANSWER...

An ANSWER is "METHOD REGEX STATUS[|NAME: VALUE]...[|@BODY]"; the first whose method ("*": any) and path fit counts, others
get 404. {port} in a value is the server's own. The body "endless" never ends. LOG gets a line for each request: method,
path, and the first word of its Authorization, or "-". It prints "listening on HOST:PORT" when it is ready.
"""
import http.server
import re
import ssl
import sys

args = sys.argv[1:]
tls = None
if args[0] == "--tls":
    tls, args = args[1:3], args[3:]
log, answers = open(args[0], "a"), [a.split("|") for a in args[1:]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def do(self):
        words = (self.headers.get("Authorization") or "-").split()
        log.write("%s %s %s\n" % (self.command, self.path, words[0]))
        log.flush()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, rest = "404", []
        for first, *more in answers:
            method, regex, code = first.split(" ")
            if method in ("*", self.command) and re.search(regex, self.path):
                status, rest = code, more
                break
        body = b""
        self.send_response_only(int(status))
        for part in rest:
            part = part.replace("{port}", str(self.server.server_address[1]))
            if part.startswith("@"):
                body = part[1:].encode()
            else:
                self.send_header(*part.split(": ", 1))
        if body == b"endless":
            self.end_headers()
            self.close_connection = True
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
