# SPDX-License-Identifier: Apache-2.0
"""Descriptors that a runtime passes to an engine over a socket: the engine's side."""
import array
import os
import socket


def receive(path):
    """Listens at path for one connection; gives the bytes and the descriptors of its one message."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path + ".new")
    listener.listen(1)
    os.rename(path + ".new", path)   # who sees it can connect
    listener.settimeout(30)
    word, control, _, _ = listener.accept()[0].recvmsg(4096, socket.CMSG_SPACE(4 * 8))
    fds = array.array("i")
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return word, list(fds)
