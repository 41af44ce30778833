# SPDX-License-Identifier: Apache-2.0
"""A place to work in, and the search for what kist leaves. Used by verbs.py and faults.py.

All of it runs as root under tests/helpers/isolate, where every process, mount and cgroup that is not there at the
beginning is kist's doing.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(TOP, os.environ.get("O", "build"))
KIST = os.path.realpath(os.environ.get("KIST") or os.path.join(OUT, "kist"))
ISOLATE = os.path.join(TOP, "tests/helpers/isolate")
CGROUPS = "/sys/fs/cgroup"
LIMIT_S = 15          # a command that takes longer hangs
SETTLE_S = 2.0        # the kernel takes a moment to end processes and to let go of what they held
CRASHES = {128 + s for s in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)}


def build_inject(folder):
    """Compiles inject.c into folder; returns the program's path."""
    program = os.path.join(folder, "inject")
    if not os.path.exists(program):
        new = "%s.%d" % (program, os.getpid())
        subprocess.run(["cc", "-D_GNU_SOURCE", "-std=gnu17", "-O2", "-o", new, os.path.join(HERE, "inject.c"),
                        "-lseccomp"], check=True)
        os.rename(new, program)
    return program


class Done:
    """A command that has ended: its status as a shell has it, its words."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds
        self.hangs, self.hit, self.calls = [], None, []


class Place:
    """A state root, a store and a bundle of their own, and what was there before."""

    def __init__(self, work):
        self.work = work
        self.root, self.store = work + "/root", work + "/store"
        self.bundle, self.id = work + "/bundle", "faulty"
        self.report = work + "/report"
        self.inject = build_inject(os.environ.get("KIST_FAULTS_BIN") or work)
        self.files = [open(work + "/" + name, "w+b") for name in ("out", "err")]
        self.make_bundle()

    def make_bundle(self):
        rootfs = self.bundle + "/rootfs"
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            os.makedirs(rootfs + "/" + name)
        shutil.copy(shutil.which("busybox"), rootfs + "/bin/busybox")
        for name in ("sh", "echo", "sleep", "true"):
            os.symlink("busybox", rootfs + "/bin/" + name)
        subprocess.run([KIST, "spec"], cwd=self.bundle, check=True)
        self.edit(lambda c: c["process"].update(terminal=False))
        self.program("/bin/echo", "worked")

    def edit(self, change):
        path = self.bundle + "/config.json"
        with open(path) as f:
            config = json.load(f)
        change(config)
        with open(path, "w") as f:
            json.dump(config, f)

    def program(self, *args):
        self.edit(lambda c: c["process"].update(args=list(args)))

    def kist(self, *args):
        return [KIST, "--root", self.root, "--store", self.store, *args]

    def run(self, argv, limit_s=LIMIT_S):
        """Runs a command. Its output goes to files, since a container may keep a pipe open."""
        for f in self.files:
            f.seek(0)
            f.truncate()
        begin = time.monotonic()
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.files[0], stderr=self.files[1])
        try:
            status = p.wait(limit_s)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            status = 124
        texts = []
        for f in self.files:
            f.seek(0)
            texts.append(f.read().decode(errors="replace"))
        return Done(128 - status if status < 0 else status, texts[0], texts[1], time.monotonic() - begin)

    def do(self, *args):
        return self.run(self.kist(*args))

    def must(self, *args):
        done = self.do(*args)
        if done.status != 0:
            raise SystemExit("faults: set up: kist %s: status %d: %s" % (" ".join(args), done.status, done.err))
        return done

    def traced(self, argv, fault=None):
        """Runs a command under inject, with the fault (role, n, what), else with a list of all calls."""
        words = [self.inject, "-t", str(LIMIT_S), "-r", self.report]
        words += ["-f", "%d:%d:%s" % fault] if fault else ["-a"]
        done = self.run(words + argv, LIMIT_S + 5)
        with open(self.report) as f:
            for line in f:
                kind, *rest = line.split()
                if kind == "hang":
                    done.hangs.append(" ".join(rest))
                elif kind == "hit":
                    done.hit = rest[2]
                elif kind in ("call", "exec"):
                    done.calls.append((kind, int(rest[0]), int(rest[1]), rest[2] if len(rest) > 2 else ""))
        if done.status == 124 and not done.hangs:
            done.hangs.append("the time limit is reached")
        return done

    def warm(self):
        """Makes what kist keeps by design: the mount namespace template. It can only be pinned from a younger
        namespace, and which one is younger depends on the processor in some kernels: all are tried."""
        cpus = sorted(os.sched_getaffinity(0))
        for cpu in cpus:
            os.sched_setaffinity(0, {cpu})
            self.must("create", "--bundle", self.bundle, self.id)
            self.must("delete", "--force", self.id)
            if len(template_mounts(self.root)) == 2:
                self.cpu = cpu
                break
            shutil.rmtree(self.root)
        else:
            raise SystemExit("faults: no mount namespace template on any processor")
        os.sched_setaffinity(0, set(cpus))

    # ---- what is there ----

    def snapshot(self):
        found = set()
        for point, kind in mounts():
            if not point.startswith(self.root + "/.template"):
                found.add("mount %s %s" % (point, kind))
        for path, _, _ in os.walk(CGROUPS):
            found.add("cgroup " + path)
        found.update(processes())
        for top in (self.root, "/run"):
            for path, dirs, names in os.walk(top):
                if path == self.root and ".template" in dirs:
                    dirs.remove(".template")
                found.update("file %s/%s" % (path, name) for name in dirs + names)
        found.update(self.store_files())
        return found

    def store_files(self):
        found = set()
        for path, dirs, names in os.walk(self.store):
            found.update("store %s/%s" % (path[len(self.store):], name) for name in dirs + names)
        if os.path.exists(self.store + "/index.json"):
            with open(self.store + "/index.json") as f:
                found.add("index " + f.read().strip())
        return found

    def note(self):
        self.before = self.snapshot()

    def left(self, settle_s=SETTLE_S):
        """What is there now and was not before, and what is gone of the state and the store, as a sorted list."""
        end = time.monotonic() + settle_s
        while True:
            now = self.snapshot()
            # mounts of others were copied into this namespace, and may go at any time
            news = sorted(now - self.before)
            news += sorted("gone: " + x for x in self.before - now if x.startswith(("store", "index", "file")))
            if not news or time.monotonic() > end:
                return news
            time.sleep(0.005)

    def sweep_up(self):
        """After a leak, so that the next fault starts from clean ground."""
        for _ in range(20):
            for what in self.left(0):
                kind, _, rest = what.partition(" ")
                try:
                    if kind == "process":
                        os.kill(int(rest.split()[0]), signal.SIGKILL)
                    elif kind == "cgroup":
                        write(rest + "/cgroup.kill", "1")
                        os.rmdir(rest)
                    elif kind == "mount":
                        subprocess.run(["umount", "-l", rest.rsplit(" ", 1)[0]], stderr=subprocess.DEVNULL)
                    elif kind == "file":
                        shutil.rmtree(rest) if os.path.isdir(rest) else os.unlink(rest)
                    elif kind == "store":
                        rest = self.store + rest
                        shutil.rmtree(rest) if os.path.isdir(rest) else os.unlink(rest)
                except OSError:
                    pass
            if not self.left(0.05):
                return


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def mounts():
    with open("/proc/self/mountinfo") as f:
        for line in f:
            words = line.split()
            yield words[4], words[words.index("-") + 1]


def template_mounts(root):
    return [point for point, _ in mounts() if point.startswith(root + "/.template")]


def ancestors():
    pid, found = os.getpid(), set()
    while pid > 1:
        found.add(pid)
        with open("/proc/%d/stat" % pid) as f:
            pid = int(f.read().rpartition(")")[2].split()[1])
    return found


def processes():
    mine = ancestors()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == 1 or int(name) in mine:
            continue
        try:
            with open("/proc/%s/stat" % name) as f:
                comm, _, rest = f.read().partition("(")[2].rpartition(")")
            if rest.split()[0] not in "ZX":
                yield "process %s %s" % (name, comm)
        except OSError:
            pass


def drop_root(root):
    for point in reversed(template_mounts(root)):
        subprocess.run(["umount", "-l", point], check=True)
    shutil.rmtree(root, ignore_errors=True)


def work_place():
    return tempfile.mkdtemp(prefix="kist-faults.")
