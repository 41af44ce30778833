# SPDX-License-Identifier: Apache-2.0
"""Both ends of sd_notify(3).

notify.py listen SOCKET COUNT   prints COUNT messages, one per line, newlines as |, "+fd" for a descriptor
notify.py flood COUNT           sends COUNT messages to $NOTIFY_SOCKET, each with three descriptors
notify.py send MESSAGE...       sends each to $NOTIFY_SOCKET; BARRIER waits until the other end has closed its descriptor
"""
import os
import select
import socket
import sys


def listen(path, count):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("\0" + path[1:] if path[0] == "@" else path)
    print("listening", flush=True)
    for _ in range(count):
        text, fds, _, _ = socket.recv_fds(s, 4096, 4)
        print(text.decode().strip("\n").replace("\n", "|") + " +fd" * len(fds), flush=True)
        for fd in fds:
            os.close(fd)


def send(messages):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    for m in messages:
        if m != "BARRIER":
            s.send(m.encode())
            continue
        r, w = os.pipe()
        socket.send_fds(s, [b"BARRIER=1"], [w])
        os.close(w)
        p = select.poll()
        p.register(r, 0)
        print("barrier" if p.poll(5000) else "no barrier", flush=True)


def flood(count):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    for _ in range(count):
        socket.send_fds(s, [b"FDSTORE=1"], [0, 1, 2])


if sys.argv[1] == "flood":
    flood(int(sys.argv[2]))
elif sys.argv[1] == "listen":
    listen(sys.argv[2], int(sys.argv[3]))
else:
    send(sys.argv[2:])
