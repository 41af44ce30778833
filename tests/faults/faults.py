# SPDX-License-Identifier: Apache-2.0
"""Which faults there are, what must hold after each, and the counting. Used by sweep, kill-random, race and sample."""
import errno
import json
import os
import signal
import subprocess
import tempfile
import time

from place import (CRASHES, ISOLATE, KIST, LIMIT_S, Place, build_inject, drop_root, template_mounts, work_place)
from carry import CARRY
from verbs import VERBS as FIRST, works_on

VERBS = {**FIRST, **CARRY}

# What cannot fail, or what the C library does not survive: futex, and brk (2.36: malloc's first growth of the heap).
# The C library's own start, before main, does not survive a lack of memory. Nothing has happened yet then.
LIBC_CALLS = 60
NOT_FAILING = {"exit_group", "exit", "rt_sigreturn", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
               "futex", "brk", "rt_sigprocmask", "getpid", "getppid", "gettid"}
MORE = [
    ("EMFILE", "openat openat2 open_tree fsopen fsmount pipe2 socket socketpair pidfd_open fcntl accept4 signalfd4"),
    ("ENOSPC", "write mkdirat mkdir mknodat symlinkat linkat fsconfig move_mount mount renameat ftruncate fallocate "
               "pwrite64 fsync"),
    ("ENOMEM", "mmap mprotect clone clone3 mremap bpf unshare"),
    ("EPERM", "setns unshare mount mount_setattr move_mount pivot_root setresuid setresgid setgroups capset prctl "
              "keyctl sethostname bpf clone3 fchownat mknodat unlinkat"),
    ("EINTR", "read write openat flock recvmsg sendmsg wait4 waitid poll ppoll accept4 connect rt_sigtimedwait futex "
              "epoll_wait fcntl"),
    ("EAGAIN", "clone clone3"),
]


def errors_of(name):
    if name in NOT_FAILING:
        return []
    more = [error for error, names in MORE if name in names.split()]
    return more if name == "mmap" else ["EIO"] + more


class Tally:
    """Counts, and prints what is wrong as it is found."""
    KINDS = ("faults", "leaks", "hangs", "crashes", "residues", "lies", "silent", "missed")

    def __init__(self, label):
        self.label = label
        self.counts = dict.fromkeys(self.KINDS, 0)
        self.seconds = time.monotonic()

    def add(self, kind, fault="", what=""):
        self.counts[kind] += 1
        if fault:
            print("%s: %s: %s: %s" % (self.label, kind, fault, what), flush=True)

    def bad(self):
        return sum(self.counts[k] for k in self.KINDS if k not in ("faults", "missed"))

    def line(self):
        return json.dumps({"label": self.label, "seconds": round(time.monotonic() - self.seconds, 1), **self.counts})


def text_of(counts):
    return ", ".join("%d %s" % (counts[k], k) for k in Tally.KINDS if counts[k] or k in Tally.KINDS[:4])


class Sweep:
    """All faults of one verb."""

    def __init__(self, place, verb, tally, is_fresh=False):
        self.p, self.verb, self.tally, self.is_fresh = place, verb, tally, is_fresh

    def points(self):
        """Traces the verb once: [(role, n, name)], in the order in which they happen."""
        self.verb.setup()
        done = self.verb.done = self.p.traced(self.verb.argv())
        if done.status != 0 or self.verb.worked(done):
            raise SystemExit("faults: %s does not work without a fault: status %d: %s %s"
                             % (self.verb.name, done.status, done.err, self.verb.worked(done)))
        self.verb.recover()
        self.check_left("no fault at all")
        marks = [i for i, c in enumerate(done.calls) if c[0] == "exec" and c[1] == 0 and c[3] == KIST]
        calls = done.calls[marks[-1] if self.verb.name.startswith("start") else 0:]
        # not ours: the shell of a chain and its child until they become kist; the container's program
        others, self.base = {0, 1} if self.verb.is_chain else set(), {}
        found = []
        for kind, role, n, name in calls:
            if kind == "exec":
                self.base[role] = n
                others.discard(role)
                if not name.startswith(os.path.dirname(KIST)):
                    others.add(role)
            elif kind == "call" and role not in others:
                found.append((role, n, name))
        return found

    def faults(self, points):
        for role, n, name in points:
            yield role, n, name, "kill"
        for role, n, name in points:
            for error in errors_of(name) if name not in self.verb.later else ():
                yield role, n, name, error

    def one(self, role, n, name, what):
        number = "kill" if what == "kill" else str(getattr(errno, what))
        if self.is_fresh:
            drop_root(self.p.root)
        self.verb.setup()
        done = self.verb.done = self.p.traced(self.verb.argv(), (role, n, number))
        name = done.hit or name     # threads do not always make the same calls
        fault = "%s at call %d of process %d (%s)" % (what, n, role, name)
        is_void = done.hit is None or (what != "kill" and name in NOT_FAILING)
        self.tally.add("missed" if is_void else "faults")
        if done.hangs:
            self.tally.add("hangs", fault, "; ".join(done.hangs))
        is_start = name in ("mmap", "mprotect") and n - self.base.get(role, 0) < LIBC_CALLS
        # a process that is killed after the command's word is no lie of the command
        is_killed = what == "kill" and (role == 0 or done.status in (0, 128 + signal.SIGKILL))
        if not is_void and not (is_start and done.status in CRASHES):
            self.judge(fault, name, done, is_killed)
        problems = self.verb.recover()
        if problems:
            self.tally.add("leaks", fault, "; ".join(problems))
            self.verb.recover()
        self.check_left(fault)

    def judge(self, fault, name, done, is_killed):
        """What the command says of itself, against what it has done."""
        if done.status in CRASHES:
            self.tally.add("crashes", fault, "status %d, message %r" % (done.status, done.err.strip()))
        elif done.status == 0:
            lie = "" if is_killed else self.verb.worked(done)
            if lie:
                self.tally.add("lies", fault, lie)
        elif not is_killed:
            self.check_failed(fault, name, done)

    def check_failed(self, fault, name, done):
        if not any(word in done.err for word in self.verb.words) and name not in ("write", "mmap", "mprotect"):
            self.tally.add("silent", fault, "status %d, message %r" % (done.status, done.err.strip()))
        # what could not be synced, or told, is done all the same: whole, and for as long as the power is on
        left = self.verb.residues(done)
        if left:
            self.tally.add("residues", fault, "%s [%s]" % ("; ".join(left), done.err.strip()))
        if self.verb.is_atomic and not (name in ("fsync", "write") and not self.verb.worked(done)):
            left = self.p.left(0.3)
            if left:
                self.tally.add("residues", fault, "%s [%s]" % ("; ".join(left[:4]), done.err.strip()))

    def check_left(self, fault):
        try:
            os.unlink(self.p.work + "/pid")
        except FileNotFoundError:
            pass
        left = self.p.left()
        if left:
            self.tally.add("leaks", fault, "; ".join(left[:6]))
            self.p.sweep_up()
        if self.is_fresh:
            self.check_template(fault)

    def check_template(self, fault):
        """After the fault: the next create works, and exactly the two mounts of the template are there."""
        p = self.p
        done = p.do("create", "--bundle", p.bundle, p.id)
        problem = works_on(p) if done.status == 0 else done.err
        p.do("delete", "--force", p.id)
        pinned = template_mounts(p.root)
        if problem or len(pinned) != 2:
            self.tally.add("leaks", fault, "template: %s %s" % (problem, pinned))

    def run(self, step=1, share=0):
        """Each step-th fault, or about as many as share says."""
        os.makedirs(self.p.root, exist_ok=True)
        self.p.warm()
        try:
            self.verb.prepare()
            if self.is_fresh:
                os.sched_setaffinity(0, {self.p.cpu})
                drop_root(self.p.root)
            self.p.note()
            faults = list(self.faults(self.points()))
            if share:
                step = max(1, len(faults) // share)
            for fault in faults[step // 2::step]:
                self.one(*fault)
        finally:
            self.verb.finish()


def run_parallel(tasks, jobs):
    """Runs (label, argv) under isolate, `jobs` at a time; prints what they print and returns the sum of their tallies."""
    total, todo, running = dict.fromkeys(Tally.KINDS, 0), list(tasks), []
    with tempfile.TemporaryDirectory(prefix="kist-faults-bin.") as folder:
        os.environ["KIST_FAULTS_BIN"] = folder
        build_inject(folder)
        while todo or running:
            while todo and len(running) < jobs:
                label, argv = todo.pop(0)
                running.append((label, subprocess.Popen([ISOLATE, *argv], stdout=subprocess.PIPE,
                                                        stderr=subprocess.STDOUT, text=True)))
            label, process = running.pop(0)
            add_output(label, process, total)
    return total


def add_output(label, process, total):
    tally = None
    for line in process.stdout:
        if line.startswith("TALLY "):
            tally = json.loads(line[6:])
            continue
        print(line, end="", flush=True)
    process.wait()
    if tally is None:
        print("%s: ended early, status %d" % (label, process.returncode))
        total["crashes"] += 1
        return
    for kind in Tally.KINDS:
        total[kind] += tally[kind]
    print("%s: %s, %.0f s" % (label, text_of(tally), tally["seconds"]), flush=True)


def conclude(total):
    """Prints the last line; returns the exit status."""
    print(text_of(total))
    return 1 if any(total[k] for k in Tally.KINDS if k not in ("faults", "missed")) else 0
