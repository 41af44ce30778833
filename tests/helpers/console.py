#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console.py SOCKET [WORD...]: receives a terminal's master over the console socket SOCKET, as an engine would, types
each WORD as a line into it, and copies what the terminal shows to standard output until its end."""
import os
import sys

from passed import receive


def main():
    _, fds = receive(sys.argv[1])
    if len(fds) != 1 or not os.isatty(fds[0]):
        print("not one terminal:", fds)
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
