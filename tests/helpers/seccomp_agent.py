#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seccomp_agent.py SOCKET FOLDER [--errno CALL=ERRNO]... [--drop | --die]

An agent for linux.seccomp.listenerPath. Listens at SOCKET and keeps what it gets in FOLDER: a file N.json per connection
with the state that came over it and, under "agent", how many descriptors came with the first bytes; and a file "calls"
with the numbers of the system calls that it was asked about, one a line. It lets them go on, but those of --errno, which
end with that error. --drop closes each connection unread; --die ends once it has the first descriptor.
"""
import argparse
import array
import fcntl
import json
import os
import socket
import struct
import threading

# linux/seccomp.h: struct seccomp_notif, struct seccomp_notif_resp
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101
CONTINUE = 1


def answer(listener, errnos, calls):
    while True:
        notif = bytearray(80)
        try:
            fcntl.ioctl(listener, NOTIF_RECV, notif)
        except OSError:
            return  # the last process under the filter has ended
        ident, _, _, call = struct.unpack_from("=QIIi", notif)
        calls.write(f"{call}\n")
        calls.flush()
        error = errnos.get(call, 0)
        try:
            fcntl.ioctl(listener, NOTIF_SEND, bytearray(struct.pack("=QqiI", ident, 0, -error, 0 if error else CONTINUE)))
        except OSError:
            pass  # it was killed while it waited


def receive(connection):
    text, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(64))
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    while more := connection.recv(65536):
        text += more
    return json.loads(text) if text else None, fds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("folder")
    parser.add_argument("--errno", action="append", default=[])
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--die", action="store_true")
    options = parser.parse_args()
    errnos = {int(call): int(number) for call, number in (pair.split("=") for pair in options.errno)}
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(options.socket + ".new")
    server.listen(16)
    os.rename(options.socket + ".new", options.socket)   # who sees it can connect
    calls = open(os.path.join(options.folder, "calls"), "a", encoding="ascii")
    count = 0
    while True:
        connection, _ = server.accept()
        if options.drop:
            connection.close()
            continue
        state, fds = receive(connection)
        connection.close()
        if state is None:
            continue  # a start that came to nothing
        state["agent"] = {"fds": len(fds)}
        count += 1
        name = os.path.join(options.folder, f"{count}.json")
        with open(name + ".new", "w", encoding="utf-8") as file:
            json.dump(state, file)
        os.rename(name + ".new", name)
        if options.die:
            return
        for fd in fds:
            threading.Thread(target=answer, args=(fd, errnos, calls), daemon=True).start()


main()
