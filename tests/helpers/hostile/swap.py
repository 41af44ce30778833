#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Works against an unpacker: swap.py STORE OUTSIDE PAUSE runs until its standard input ends, and prints how often it struck.
With a PAUSE of more than 0 seconds between two strokes, what it works against gets further.

It takes directories of the layers that are being made in STORE/tmp away, for a moment, and puts symlinks in their place:
to the directory of the same path below OUTSIDE, where whoever followed them would make, change and remove files."""
import ctypes
import os
import random
import select
import sys

store, outside = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
rng, struck, pause, libc = random.Random(), 0, float(sys.argv[3]), ctypes.CDLL(None, use_errno=True)


def places():
    """(directory, its twin outside) for all that can be swapped."""
    tmp = f"{store}/tmp"
    for corner in os.listdir(tmp):
        for layer in os.listdir(f"{tmp}/{corner}"):
            if not layer.startswith("layer-"):
                continue
            top = f"{tmp}/{corner}/{layer}/fs"
            found = [(base, outside + base[len(top):]) for base, _, _ in os.walk(top)] + [(f"{tmp}/{corner}/{layer}", outside)]
            rng.shuffle(found)
            yield from found


def exchange(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2) < 0:  # AT_FDCWD, RENAME_EXCHANGE
        raise OSError(ctypes.get_errno(), a)


def swap(path, twin):
    """The name is never free: it is the directory, or the symlink."""
    os.symlink(twin, path + ".link")
    try:
        exchange(path, path + ".link")
        for _ in range(rng.choice([0, 20, 200])):
            os.getpid()
        exchange(path, path + ".link")
    finally:
        os.unlink(path + ".link")


while not select.select([sys.stdin], [], [], pause)[0]:
    try:
        for place in list(places()):
            swap(*place)
            struck += 1
            if pause:
                break
    except OSError:
        pass
print(struck)
