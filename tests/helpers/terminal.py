#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py COMMAND [ARG...]: runs COMMAND on a new pseudo terminal of 80x24 as its controlling terminal.

Standard input is typed into the terminal (its end is not), what is shown goes to standard output, and the exit
status is the command's (128+n after signal n). Functions cannot be run: callers pass programs.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def main():
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        try:
            os.execvp(sys.argv[1], sys.argv[1:])
        except OSError as e:
            print(e, file=sys.stderr)
            os._exit(127)
    sources = [master, 0]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if master in ready:
            try:
                data = os.read(master, 65536)
            except OSError:  # EIO: the last user of the terminal is gone
                break
            if not data:
                break
            os.write(1, data)
        if 0 in ready:
            data = os.read(0, 65536)
            if data:
                os.write(master, data)
            else:
                sources.remove(0)
    status = os.waitpid(pid, 0)[1]
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


sys.exit(main())
