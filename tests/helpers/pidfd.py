#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pidfd.py SOCKET: receives a pidfd over the socket SOCKET, as an engine would, prints the word that came with it and the
pid that it stands for, and at the end of that process "ended"."""
import array
import os
import select
import socket
import sys


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1] + ".new")
    listener.listen(1)
    os.rename(sys.argv[1] + ".new", sys.argv[1])   # who sees it can connect
    listener.settimeout(30)
    connection = listener.accept()[0]
    word, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 8))
    fds = array.array("i")
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    if len(fds) != 1:
        print("not one descriptor:", list(fds))
        return 1
    with open("/proc/self/fdinfo/%d" % fds[0]) as f:
        pid = [line.split()[1] for line in f if line.startswith("Pid:")]
    print(word.decode(), *pid, flush=True)
    poll = select.poll()
    poll.register(fds[0], select.POLLIN)
    poll.poll(30000)
    print("ended", flush=True)
    return 0


sys.exit(main())
