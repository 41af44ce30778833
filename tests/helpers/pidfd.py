#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pidfd.py SOCKET: receives a pidfd over the socket SOCKET, as an engine would, prints the word that came with it and the
pid that it stands for, and at the end of that process "ended"."""
import select
import sys

from passed import receive


def main():
    word, fds = receive(sys.argv[1])
    if len(fds) != 1:
        print("not one descriptor:", fds)
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
