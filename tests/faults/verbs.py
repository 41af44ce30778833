# SPDX-License-Identifier: Apache-2.0
"""The verbs of kist that are tested: how each is called, how one sees that it has worked, how a user recovers."""
import ctypes
import json
import os
import subprocess
import time

from layout import make_layout

class Verb:
    """One command under test. `argv` may be a shell's words that end in `exec kist ...`: then only calls from there
    on count, in all processes."""
    name = ""
    is_atomic = True         # a failed command leaves nothing even before `delete --force`
    is_chain = False         # argv is a shell's words
    later = ()               # calls that come after the command's word: errors of theirs are another verb's
    words = ()               # one of these must be in the message
    done = None              # the command, when it has ended

    def __init__(self, place):
        self.p = place
        # what comes before the container (kist as it starts anew, its bundle, the state root, the store), and a
        # program's own failure
        self.words = (place.id, "own arguments", "own program", place.bundle, "state root", "store ", "exec: ")

    def prepare(self):       # once
        pass

    def setup(self):         # before each fault
        pass

    def finish(self):        # once, at the end
        pass

    def argv(self):
        raise NotImplementedError

    def worked(self, done):  # why a command that says it succeeded has not; or ""
        return ""

    def residues(self, done):  # what a failed command has left that is not a process, mount, cgroup or file
        return []

    def recover(self):
        """What a user does after a crash; returns what went wrong with that."""
        done = self.p.do("delete", "--force", self.p.id)
        return [] if done.status == 0 else ["delete --force: status %d: %s" % (done.status, done.err.strip())]

    def chain(self, first, last):
        quoted = [" ".join("'%s'" % w for w in words) for words in (first, last)]
        return ["/bin/sh", "-c", "%s && exec %s" % tuple(quoted)]


def said(done):
    return "" if "worked" in done.out else "status 0, but the program's output is %r" % done.out


class Create(Verb):
    name = "create"
    later = ("accept4",)     # start's

    def argv(self):
        return self.p.kist("create", "--bundle", self.p.bundle, "--pid-file", self.p.work + "/pid", self.p.id)

    def worked(self, done):
        if not os.path.exists(self.p.work + "/pid"):
            return "status 0, but there is no pid file"
        return works_on(self.p)


def works_on(p):
    """Whether a created container can be started and does its work."""
    state = p.do("state", p.id)
    if state.status != 0 or json.loads(state.out)["status"] != "created":
        return "status 0, but the state is %s" % (state.out or state.err)
    start = p.do("start", p.id)
    return "" if start.status == 0 else "status 0, but start: %s" % start.err


class Run(Verb):
    name = "run"

    def argv(self):
        return self.p.kist("run", "--bundle", self.p.bundle, self.p.id)

    def worked(self, done):
        return said(done)


class RunStaged(Run):
    """With a stage between kist and the container's process: a user namespace and a time namespace."""
    name = "run (user, time)"

    def prepare(self):
        def change(config):
            linux = config["linux"]
            linux["namespaces"] += [{"type": "user"}, {"type": "time"}]
            linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
            linux["timeOffsets"] = {"monotonic": {"secs": 100, "nanosecs": 0}}
        self.p.edit(change)


class RunMapped(Run):
    """An image's container with ids of its own: id-mapped layers, and a volume of the store."""
    name = "run (image, mapped)"
    is_atomic = False        # killed, it leaves its directory in the store for rm

    def __init__(self, place):
        super().__init__(place)
        self.words += ("option --userns", "image ", "for the container")

    def prepare(self):
        self.p.must("image", "import", self.p.bundle + "/rootfs", "mapped:1")
        self.p.run(self.argv())

    def argv(self):
        return self.p.kist("run", "--rm", "--name", self.p.id, "--userns", "auto", "-v", "work:/data", "mapped:1",
                           "/bin/sh", "-c", "echo worked >/data/file && echo worked")

    def recover(self):
        done = self.p.do("rm", "-f", self.p.id)
        problems = [] if done.status == 0 else ["rm -f: status %d: %s" % (done.status, done.err.strip())]
        return problems + super().recover()


class RunDevice(Run):
    """With a network device that kist-net moves. The host's side is a network namespace of this process's own."""
    name = "run (network device)"
    device = "fault0"

    def prepare(self):
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:   # CLONE_NEWNET
            raise SystemExit("faults: unshare: %s" % os.strerror(ctypes.get_errno()))
        self.ip("link", "set", "lo", "up")   # the verbs that follow are in it too
        self.p.program("/bin/sh", "-c", "[ -e /sys/class/net/eth0 ] && echo worked")
        def change(config):
            config["linux"]["netDevices"] = {self.device: {"name": "eth0"}}
        self.p.edit(change)

    def ip(self, *words):
        return subprocess.run(["ip", *words], capture_output=True, text=True, check=False).stdout

    def setup(self):
        self.ip("link", "add", self.device, "type", "veth", "peer", "name", "peer0")
        self.ip("address", "add", "10.99.0.1/24", "dev", self.device)
        self.ip("link", "set", self.device, "up")

    def names(self):
        return [line.split()[1].rstrip(":").split("@")[0] for line in self.ip("-o", "link").splitlines()]

    def is_whole(self):
        return "10.99.0.1/24" in self.ip("-o", "address", "show", "dev", self.device)

    def residues(self, done):
        """What an error has not put back."""
        # it was killed itself, and nobody else knows the addresses; the program runs, and the devices are its
        if "kist-net: ended without a word" in done.err or "wait for the program" in done.err:
            return []
        end = time.monotonic() + 2
        while not self.is_whole() and time.monotonic() < end:
            time.sleep(0.005)
        return [] if self.is_whole() else ["the device is not back: %s" % self.names()]

    def recover(self):
        problems = super().recover()
        # it went with the container's network, or is back whole: nothing between
        end = time.monotonic() + 2
        while (half := set(self.names()) & {"peer0"}) and not self.is_whole() and time.monotonic() < end:
            time.sleep(0.005)
        if half and not self.is_whole():
            problems.append("half moved: %s %s" % (self.names(), self.ip("-o", "address")))
        self.ip("link", "delete", "peer0")
        return problems


class Start(Verb):
    name = "start"
    is_atomic = False
    is_chain = True

    def argv(self):
        return self.chain(self.p.kist("create", "--bundle", self.p.bundle, self.p.id), self.p.kist("start", self.p.id))

    def worked(self, done):
        end = time.monotonic() + 1
        while "worked" not in done.out and time.monotonic() < end:
            time.sleep(0.005)
            with open(self.p.work + "/out") as f:
                done.out = f.read()
        return said(done)


class OnRunning(Verb):
    """Verbs that need a running container, made anew for each fault."""
    is_atomic = False

    def prepare(self):
        self.p.program("/bin/sleep", "1000")

    def setup(self):
        self.p.must("create", "--bundle", self.p.bundle, self.p.id)
        self.p.must("start", self.p.id)

    def state(self):
        done = self.p.do("state", self.p.id)
        return json.loads(done.out)["status"] if done.status == 0 else done.err.strip()

    def expect(self, *wanted):
        end = time.monotonic() + 2
        while (state := self.state()) not in wanted and time.monotonic() < end:
            time.sleep(0.005)
        return "" if state in wanted else "status 0, but the container is %s" % state


class Exec(OnRunning):
    name = "exec"

    def argv(self):
        return self.p.kist("exec", self.p.id, "/bin/echo", "worked")

    def worked(self, done):
        return said(done)


class MountsAdd(OnRunning):
    """Into a running container, and all of two or none."""
    name = "mounts add"

    def prepare(self):
        super().prepare()
        self.p.edit(lambda config: config["root"].update(readonly=False))
        self.list = self.p.work + "/mounts"
        with open(self.list, "w") as f:
            json.dump([{"destination": "/tmp/a", "source": "/", "options": ["bind", "ro"]},
                       {"destination": "/tmp/b", "type": "tmpfs"}], f)

    def argv(self):
        return self.p.kist("mounts", "add", self.p.id, self.list)

    def mounted(self):
        pid = json.loads(self.p.do("state", self.p.id).out)["pid"]
        with open("/proc/%d/mountinfo" % pid) as f:
            points = [line.split()[4] for line in f]
        return [point for point in points if point in ("/tmp/a", "/tmp/b")]

    def worked(self, done):
        return "" if self.mounted() == ["/tmp/a", "/tmp/b"] else "status 0, but there are %s" % self.mounted()

    def residues(self, done):
        mounted = self.mounted()
        return ["mounted: %s" % mounted] if mounted else []


class MountsRemove(MountsAdd):
    name = "mounts remove"

    def setup(self):
        super().setup()
        self.p.must("mounts", "add", self.p.id, self.list)

    def argv(self):
        return self.p.kist("mounts", "remove", self.p.id, self.list)

    def worked(self, done):
        return "" if not self.mounted() else "status 0, but there are %s" % self.mounted()

    def residues(self, done):
        return []


class Update(OnRunning):
    """Two limits of the group, and the kept configuration: after an error all three are as before."""
    name = "update"
    files = ("cgroup.max.depth", "cgroup.max.descendants")

    def __init__(self, place):
        super().__init__(place)
        self.words += (place.work + "/resources",)

    def prepare(self):
        super().prepare()
        self.list = self.p.work + "/resources"
        with open(self.list, "w") as f:
            json.dump({"unified": dict(zip(self.files, ("5", "9")))}, f)

    def argv(self):
        return self.p.kist("update", "--resources", self.list, self.p.id)

    def found(self):
        """The limits, and what is kept of them."""
        pid = json.loads(self.p.do("state", self.p.id).out)["pid"]
        with open("/proc/%d/cgroup" % pid) as f:
            group = next(line[3:].strip() for line in f if line.startswith("0::"))
        values = []
        for name in self.files:
            with open("/sys/fs/cgroup%s/%s" % (group, name)) as f:
                values.append(f.read().strip())
        with open("%s/%s/config.json" % (self.p.root, self.p.id)) as f:
            kept = json.load(f)["linux"].get("resources", {}).get("unified", {})
        return values + [kept.get(name) for name in self.files]

    def worked(self, done):
        found = self.found()
        return "" if found == ["5", "9", "5", "9"] else "status 0, but there are %s" % found

    def residues(self, done):
        found = self.found()
        return [] if found == ["max", "max", None, None] else ["changed: %s" % found]


class ExecGuarded(Exec):
    """With a stage that sheds the host's descriptors, for a container that may trace processes."""
    name = "exec (guarded)"

    def prepare(self):
        super().prepare()
        caps = lambda config: [names.append("CAP_SYS_PTRACE") for names in config["process"]["capabilities"].values()]
        self.p.edit(caps)


class Kill(OnRunning):
    name = "kill"

    def argv(self):
        return self.p.kist("kill", self.p.id, "KILL")

    def worked(self, done):
        return self.expect("stopped")


class Pause(OnRunning):
    name = "pause"

    def argv(self):
        return self.p.kist("pause", self.p.id)

    def worked(self, done):
        return self.expect("paused")


class Resume(OnRunning):
    name = "resume"

    def setup(self):
        super().setup()
        self.p.must("pause", self.p.id)

    def argv(self):
        return self.p.kist("resume", self.p.id)

    def worked(self, done):
        return self.expect("running")


class Delete(OnRunning):
    name = "delete"

    def setup(self):
        super().setup()
        self.p.must("kill", self.p.id, "KILL")
        self.expect("stopped")

    def argv(self):
        return self.p.kist("delete", self.p.id)

    def worked(self, done):
        return "" if self.p.do("state", self.p.id).status != 0 else "status 0, but the container is there"


class DeleteForce(Delete):
    name = "delete --force"

    def setup(self):
        OnRunning.setup(self)

    def argv(self):
        return self.p.kist("delete", "--force", self.p.id)


class State(OnRunning):
    name = "state"

    def argv(self):
        return self.p.kist("state", self.p.id)

    def worked(self, done):
        return "" if '"running"' in done.out else "status 0, but the output is %r" % done.out


class RunDetached(Verb):
    """With the keeper: its calls count until `wait` has come back."""
    name = "run -d"
    is_chain = True
    is_atomic = False

    def prepare(self):       # the store's own folders
        self.p.must("run", "-d", "--bundle", self.p.bundle, self.p.id)
        self.p.must("rm", "-f", self.p.id)

    def argv(self):
        return self.chain(self.p.kist("run", "-d", "--bundle", self.p.bundle, self.p.id),
                          self.p.kist("wait", self.p.id))

    def worked(self, done):
        if done.hit in ("writev", "read"):
            return ""        # what the log could not take is lost by design: the container goes on
        logs = self.p.do("logs", self.p.id)
        return "" if "worked" in logs.out else "status 0, but the log is %r" % (logs.out + logs.err)

    def recover(self):
        done = self.p.do("rm", "-f", self.p.id)
        problems = [] if done.status == 0 else ["rm -f: status %d: %s" % (done.status, done.err.strip())]
        return problems + super().recover()


class Load(Verb):
    """The store must be as before after an error, and after the next load and rm."""
    name = "image load"

    def __init__(self, place):
        super().__init__(place)
        self.words = (place.work + "/new", place.store, "kist-image", "policy.json")

    def prepare(self):
        p = self.p
        make_layout(p.work + "/keep", "keep", ["/etc/kept"])
        make_layout(p.work + "/new", "new", ["/etc/one", "/etc/two"])
        p.must("image", "load", p.work + "/keep")
        # what the first load makes and keeps
        p.must("image", "load", p.work + "/new")
        p.must("image", "rm", "new:new")

    def argv(self):
        return self.p.kist("image", "load", "-q", self.p.work + "/new")

    def worked(self, done):
        return self.check(["keep:keep", "new:new"])

    def check(self, names):
        done = self.p.do("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        if done.status != 0 or sorted(done.out.split()) != names:
            return "image ls: %s" % (done.out + done.err)
        return ""

    def recover(self):
        p, problems = self.p, []
        for args in (("image", "load", "-q", p.work + "/new"), ("image", "rm", "new:new")):
            done = p.do(*args)
            if done.status != 0:
                problems.append("%s: status %d: %s" % (" ".join(args), done.status, done.err.strip()))
        return problems + self.store_is_sound()

    def store_is_sound(self):
        """Nothing but the image that was there from the beginning, and that as its digests say."""
        kept = self.check(["keep:keep"])
        done = self.p.do("image", "check", "-q")
        problems = [kept] if kept else []
        return problems + (["image check: %s" % (done.out + done.err)] if done.status != 0 else [])


class ImageRm(Load):
    """Killed, it may leave blobs and layers that no image names: the next load finds them."""
    name = "image rm"
    is_atomic = False

    def __init__(self, place):
        super().__init__(place)
        self.words += ("new:new", "layer sha256:", "blob sha256:", "lock ", "layers/sha256", "erofs/sha256")

    def setup(self):
        self.p.must("image", "load", "-q", self.p.work + "/new")

    def argv(self):
        return self.p.kist("image", "rm", "new:new")

    def worked(self, done):
        return self.check(["keep:keep"])


class ImageVerb(ImageRm):
    """What changes the store otherwise. A user recovers with a prune, after which nothing is there but `keep`; and then
    a load must go as ever."""
    is_atomic = False
    names = ()               # that there may be after it

    def recover(self):
        p, problems = self.p, []
        for args in (("image", "rm", "-f", *self.names), ("image", "prune", "-f"), ("image", "check", "-q"),
                     ("image", "load", "-q", p.work + "/new"), ("image", "rm", "new:new")):
            done = p.do(*args)
            if done.status != 0:
                problems.append("%s: status %d: %s" % (" ".join(args), done.status, done.out + done.err.strip()))
        return problems + self.store_is_sound()


class ImageImport(ImageVerb):
    name = "image import"
    names = ("made:1",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("import ", place.work + "/tree", "policy.json")

    def prepare(self):
        super().prepare()
        os.makedirs(self.p.work + "/tree/etc")
        with open(self.p.work + "/tree/etc/made", "w") as f:
            f.write("made")

    def setup(self):
        pass

    def argv(self):
        return self.p.kist("image", "import", "-q", self.p.work + "/tree", "made:1")

    def worked(self, done):
        return self.check(["keep:keep", "made:1"])


class ImageTag(ImageVerb):
    name = "image tag"
    names = ("new:new", "more:1")

    def argv(self):
        return self.p.kist("image", "tag", "new:new", "more:1")

    def worked(self, done):
        return self.check(["keep:keep", "more:1", "new:new"])


class ImagePrune(ImageVerb):
    """Of an image that has no name, and of one that no container has: -a."""
    name = "image prune"
    names = ("new:new", "held:1")

    def prepare(self):
        super().prepare()
        make_layout(self.p.work + "/other", "other", ["/etc/other"])
        self.words += ("clean up",)

    def setup(self):
        self.p.must("image", "load", "-q", "--name", "new:new", self.p.work + "/other")
        self.p.must("image", "load", "-q", "--name", "new:new", self.p.work + "/new")

    def argv(self):
        return self.p.kist("image", "prune", "-f")

    def worked(self, done):
        return self.check(["keep:keep", "new:new"])


class ImageRepair(ImageVerb):
    """A layer is unpacked again and swapped in: at each instant it is whole, if not right."""
    name = "image check --repair"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("image new:new", "image \"new:new\"", "layers/sha256", "tmp/", "fs")

    def setup(self):
        super().setup()
        for path, _, names in os.walk(self.p.store + "/layers"):
            for name in names:
                if name == "two":
                    with open(os.path.join(path, name), "a") as f:
                        f.write("broken")

    def argv(self):
        return self.p.kist("image", "check", "-q", "--repair", "new:new")

    def worked(self, done):
        done = self.p.do("image", "check", "-q", "new:new")
        return "" if done.status == 0 else "image check: %s" % done.out
class Commit(Load):
    """An image of a stopped container. A killed kist-image, whose files the next command takes away, is an error that kist
    tells."""
    name = "commit"
    is_atomic = False

    def __init__(self, place):
        super().__init__(place)
        self.words = ("commit", "container own", place.store, "state root", "kist-image", "own:own", "state own")

    def prepare(self):
        p = self.p
        p.must("image", "import", p.bundle + "/rootfs", "keep:keep")
        p.must("run", "--name", "own", "keep:keep", "/bin/sh", "-c", "echo 1 >/one; echo 2 >/etc/two")
        p.must("commit", "own", "new:new")
        p.must("image", "rm", "new:new")

    def argv(self):
        return self.p.kist("commit", "-q", "own", "new:new")

    def recover(self):
        """Each commit makes another image, by its time: one that is there loses its name to the next."""
        p, problems = self.p, []
        for args in (("commit", "-q", "own", "new:new"), ("image", "rm", "new:new"), ("image", "prune")):
            done = p.do(*args)
            if done.status != 0:
                problems.append("%s: status %d: %s" % (" ".join(args), done.status, done.err.strip()))
        kept = self.check(["keep:keep"])
        return problems + ([kept] if kept else [])


class Save(Commit):
    """A file is there whole or not at all."""
    name = "image save"
    is_atomic = True

    def __init__(self, place):
        super().__init__(place)
        self.words = ("save", "image ", place.store, "kist-image")

    def prepare(self):
        super().prepare()
        self.p.must("image", "save", "-o", self.p.work + "/want.tar", "keep:keep")

    def setup(self):
        if os.path.exists(self.out()):
            os.unlink(self.out())

    def out(self):
        return self.p.work + "/out.tar"

    def argv(self):
        return self.p.kist("image", "save", "-q", "-o", self.out(), "keep:keep")

    def whole(self):
        with open(self.out(), "rb") as a, open(self.p.work + "/want.tar", "rb") as b:
            return a.read() == b.read()

    def worked(self, done):
        return "" if os.path.exists(self.out()) and self.whole() else "status 0, but the archive is not whole"

    def residues(self, done):
        left = [n for n in os.listdir(self.p.work) if n.endswith(".tmp")]
        if os.path.exists(self.out()) and not self.whole():
            left.append("out.tar, half written")
        for name in left:
            if name.endswith(".tmp"):
                os.unlink(self.p.work + "/" + name)
        return left

    def recover(self):
        self.setup()
        return []


class Hooked:
    """With hooks of all six kinds. A folder that createRuntime makes goes with poststop: it stands for what hooks hold."""

    def hooks(self):
        self.made = self.p.work + "/made"
        true = [{"path": "/bin/true"}]
        self.p.edit(lambda config: config.update(hooks={
            "prestart": true, "createRuntime": [{"path": "/bin/mkdir", "args": ["mkdir", "-p", self.made]}],
            "createContainer": true, "startContainer": true, "poststart": true,
            "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", "! test -e %s || rmdir %s" % (self.made, self.made)]}]}))

    def prepare(self):
        super().prepare()
        self.hooks()

    def recover(self):
        is_told = "poststop" in self.done.err    # it has failed, and that is said: nothing more is promised
        problems = super().recover()
        if os.path.exists(self.made):
            os.rmdir(self.made)
            problems += [] if is_told else ["poststop has not run"]
        return problems


class RunHooked(Hooked, Run):
    name = "run (hooks)"


class StartHooked(Hooked, Start):
    name = "start (hooks)"


class DeleteHooked(Hooked, Delete):
    name = "delete (hooks)"


class Stop(OnRunning):
    name = "stop"

    def argv(self):
        return self.p.kist("stop", "-t", "0", self.p.id)

    def worked(self, done):
        return self.expect("stopped")


class Rm(RunDetached):
    """The record of a container whose program runs under a keeper."""
    name = "rm -f"
    is_chain = False

    def prepare(self):
        super().prepare()
        self.p.program("/bin/sleep", "1000")

    def setup(self):
        self.p.must("run", "-d", "--bundle", self.p.bundle, self.p.id)

    def argv(self):
        return self.p.kist("rm", "-f", self.p.id)

    def worked(self, done):
        return "" if self.p.do("inspect", self.p.id).status != 0 else "status 0, but the container is there"


VERBS = {v.name: v for v in (Create, Run, RunStaged, RunMapped, RunDevice, Exec, ExecGuarded, Update, MountsAdd,
                             MountsRemove, Start, Kill, Pause, Resume, State, Delete,
                             RunHooked, StartHooked, DeleteHooked, DeleteForce, Stop, RunDetached, Rm, Load, ImageRm,
                             ImageImport, ImageTag, ImagePrune, ImageRepair, Commit, Save)}
