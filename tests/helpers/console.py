#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console.py SOCKET [WORD...]: receives a terminal's master over the console socket SOCKET, as an engine would, types
each WORD as a line into it, and copies what the terminal shows to standard output until its end."""
import array
import os
import socket
import sys


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1] + ".new")
    listener.listen(1)
    os.rename(sys.argv[1] + ".new", sys.argv[1])   # who sees it can connect
    listener.settimeout(30)
    connection = listener.accept()[0]
    _, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 8))
    fds = array.array("i")
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    if len(fds) != 1 or not os.isatty(fds[0]):
        print("not one terminal:", list(fds))
        return 1
    for word in sys.argv[2:]:
        os.write(fds[0], word.encode() + b"\n")
    while True:
        try:
            data = os.read(fds[0], 65536)
        except OSError:  # EIO: the last user of the terminal is gone
            return 0
        if not data:
            return 0
        os.write(1, data)


sys.exit(main())
