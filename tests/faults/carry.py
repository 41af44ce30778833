# SPDX-License-Identifier: Apache-2.0
"""More verbs under test: those that carry images to and from registries, mount them, sign them, make files of them, and
unpack them when they are first run. The registry is Debian's docker-registry on loopback."""
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

from layout import make_layout
from verbs import ImageVerb


class Registry:
    """A docker-registry with its files in `folder`; ends with stop()."""

    def __init__(self, folder):
        config = folder + ".yml"
        with open(config, "w") as f:
            f.write("version: 0.1\nlog: { level: info }\n"
                    'storage: { filesystem: { rootdirectory: "%s" }, delete: { enabled: true } }\n'
                    'http: { addr: "127.0.0.1:0", secret: kist-faults }\n' % folder)
        with open(folder + ".log", "w") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.host = "127.0.0.1:" + self.port(folder + ".log")

    def port(self, log):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            with open(log) as f:
                text = f.read()
            found = re.search(r"listening on [^ \"]*:(\d+)", text)
            if found:
                return found.group(1)
            time.sleep(0.02)
        with open(log) as f:
            raise SystemExit("faults: docker-registry: status %s: %s" % (self.process.poll(), f.read()))

    def has(self, repository, tag):
        request = urllib.request.Request("http://%s/v2/%s/manifests/%s" % (self.host, repository, tag),
                                         headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                manifest = json.load(answer)
            for blob in [manifest["config"], *manifest["layers"]]:
                with urllib.request.urlopen("http://%s/v2/%s/blobs/%s" % (self.host, repository, blob["digest"]),
                                            timeout=10) as answer:
                    if len(answer.read()) != blob["size"]:
                        return "blob %s has another size" % blob["digest"]
        except (urllib.error.URLError, OSError) as e:
            return "%s/%s: %s" % (repository, tag, e)
        return ""

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Remote(ImageVerb):
    """With a registry, and no credentials or settings but the test's."""
    registry = None

    def prepare(self):
        super().prepare()
        home = self.p.work + "/home"
        os.makedirs(home)
        with open(home + "/registries.conf", "w"):
            pass
        os.environ.update(HOME=home, CONTAINERS_REGISTRIES_CONF=home + "/registries.conf", XDG_RUNTIME_DIR=home)
        for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                     "all_proxy", "ALL_PROXY"):
            os.environ.pop(name, None)
        self.registry = Registry(self.p.work + "/registry")
        self.words += (self.registry.host, "kist-registry", "registries.conf", "auth.json")

    def finish(self):
        if self.registry:
            self.registry.stop()


class Pull(Remote):
    """After an error, or a kill and the next command, nothing of it is in the store."""
    name = "pull"
    is_atomic = True

    def prepare(self):
        super().prepare()
        self.image = self.registry.host + "/app:1"
        self.names = (self.image,)
        self.p.must("image", "load", "-q", self.p.work + "/new")
        self.p.must("push", "-q", "--tls-verify=false", "new:new", self.image)
        self.p.must("image", "rm", "new:new")
        self.p.must("pull", "-q", "--tls-verify=false", self.image)
        self.p.must("image", "rm", self.image)

    def setup(self):
        pass

    def argv(self):
        return self.p.kist("pull", "-q", "--tls-verify=false", self.image)

    def worked(self, done):
        return self.check(sorted(["keep:keep", self.image]))

    def recover(self):
        p, problems = self.p, []
        for args in (("pull", "-q", "--tls-verify=false", self.image), ("image", "rm", self.image)):
            done = p.do(*args)
            if done.status != 0:
                problems.append("%s: status %d: %s" % (" ".join(args), done.status, done.err.strip()))
        return problems + self.store_is_sound()


class Push(Remote):
    """To a new repository each time. The store stays as it is; in the registry a tag leads to a whole image, or is not
    there."""
    name = "push"
    names = ("new:new",)
    count = 0

    def setup(self):
        super().setup()
        self.count += 1

    def argv(self):
        return self.p.kist("push", "-q", "--tls-verify=false", "new:new",
                           "%s/app%d:1" % (self.registry.host, self.count))

    def worked(self, done):
        lacks = self.registry.has("app%d" % self.count, "1")
        return "status 0, but %s" % lacks if lacks else self.check(["keep:keep", "new:new"])

    def recover(self):
        done = self.p.run(self.argv())
        lacks = self.registry.has("app%d" % self.count, "1")
        again = [] if done.status == 0 and not lacks else ["push: status %d: %s %s" % (done.status, done.err, lacks)]
        return again + super().recover()


class ImageMount(ImageVerb):
    name = "image mount"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("mounts/", "overlay", "boot id")

    def prepare(self):
        super().prepare()
        self.p.must("image", "load", "-q", self.p.work + "/new")
        self.p.must("image", "mount", "new:new")
        self.p.must("image", "unmount", "new:new")
        self.p.must("image", "rm", "new:new")

    def argv(self):
        return self.p.kist("image", "mount", "new:new")

    def worked(self, done):
        path = done.out.strip()
        return "" if os.path.exists(path + "/etc/two") else "status 0, but %r has no tree" % path

    def recover(self):
        """Both ways out: unmounting it, or taking the image with all that holds it."""
        done = self.p.do("image", "unmount", "--all", "--force")
        problems = [] if done.status == 0 else ["unmount: status %d: %s" % (done.status, done.err.strip())]
        done = self.p.do("image", "mount")
        if done.status != 0 or "new" in done.out:
            problems.append("image mount: status %d: %s" % (done.status, done.out + done.err))
        return problems + super().recover()


class ImageUnmount(ImageMount):
    name = "image unmount"

    def setup(self):
        super().setup()
        self.p.must("image", "mount", "new:new")

    def argv(self):
        return self.p.kist("image", "unmount", "new:new")

    def worked(self, done):
        done = self.p.do("image", "mount")
        return "" if "new" not in done.out else "status 0, but it is mounted: %s" % done.out


class ImageConvert(ImageVerb):
    name = "image convert"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("convert",)

    def prepare(self):
        super().prepare()
        self.p.must("image", "load", "-q", self.p.work + "/new")
        self.p.run(self.argv())
        self.p.must("image", "rm", "new:new")

    def argv(self):
        return self.p.kist("image", "convert", "-q", "--drop-layers", "new:new")

    def files(self):
        top = self.p.store + "/erofs/sha256"
        return os.listdir(top) if os.path.isdir(top) else []

    def worked(self, done):
        if len(self.files()) != 1:
            return "status 0, but there are %s" % self.files()
        # an empty corner that could not be taken away is the next command's
        wrong = [line for line in self.p.do("image", "check", "-q").out.splitlines() if not line.startswith("tmp/")]
        return "" if not wrong else "status 0, but image check: %s" % wrong


class ImagePack(ImageVerb):
    """A file is there whole or not at all, beside what was unpacked for it."""
    name = "pack"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("app.kist", "pack", place.work)

    def prepare(self):
        super().prepare()
        self.p.must("image", "load", "-q", self.p.work + "/new")
        self.p.must("image", "pack", "-q", "-o", self.p.work + "/want.kist", "new:new")
        self.p.must("image", "rm", "new:new")

    def setup(self):
        super().setup()
        self.drop()

    def drop(self):
        shutil.rmtree(self.p.work + "/to", ignore_errors=True)
        os.mkdir(self.p.work + "/to")

    def argv(self):
        return self.p.kist("image", "pack", "-q", "-o", self.p.work + "/to/app.kist", "new:new")

    def whole(self):
        with open(self.p.work + "/to/app.kist", "rb") as a, open(self.p.work + "/want.kist", "rb") as b:
            return a.read() == b.read()

    def worked(self, done):
        return "" if os.listdir(self.p.work + "/to") == ["app.kist"] and self.whole() else "status 0, but no whole file"

    def residues(self, done):
        left = os.listdir(self.p.work + "/to")
        return [] if left == [] or (left == ["app.kist"] and self.whole()) else ["beside the file: %s" % left]

    def recover(self):
        problems = self.residues(None)
        done = self.p.run(self.argv())
        if done.status != 0 or self.worked(done):
            problems.append("pack: status %d: %s %s" % (done.status, done.err, self.worked(done)))
        return problems + super().recover()


class ImageSign(ImageVerb):
    name = "image sign"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("key.key", "sign", "COSIGN_PASSWORD", "passphrase")

    def prepare(self):
        super().prepare()
        os.environ["COSIGN_PASSWORD"] = ""
        self.key = self.p.work + "/key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        self.key + ".key"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", self.key + ".key", "-pubout", "-out", self.key + ".pub"], check=True)

    def argv(self):
        return self.p.kist("image", "sign", "--key", self.key + ".key", "new:new")

    def verified(self):
        done = self.p.do("image", "verify", "--key", self.key + ".pub", "new:new")
        return "" if done.status == 0 and "docker-manifest-digest" in done.out else "image verify: " + done.err

    def worked(self, done):
        return self.verified()

    def recover(self):
        done = self.p.run(self.argv())
        problems = ["sign again: status %d: %s" % (done.status, done.err)] if done.status != 0 else []
        lacks = self.verified()
        return problems + ([lacks] if lacks else []) + super().recover()


class RunFirst(ImageVerb):
    """A container of an image whose layers are not unpacked yet, as when another tool wrote it into the store."""
    name = "run (unpacks)"
    names = ("box:1",)

    def __init__(self, place):
        super().__init__(place)
        self.words += ("box:1", place.id, "unpack", "exec: ", "state root", "for the container", "layers/sha256")

    def prepare(self):
        p = self.p
        super().prepare()
        p.must("image", "import", "-q", p.bundle + "/rootfs", "box:1")
        p.must("image", "save", "-q", "--format", "oci-archive", "-o", p.work + "/box.tar", "box:1")
        p.must("run", "--rm", "--name", p.id, "box:1", "/bin/true")
        p.must("image", "rm", "box:1")

    def setup(self):
        p = self.p
        before = set(os.listdir(p.store + "/layers/sha256"))
        p.must("image", "load", "-q", "--name", "box:1", p.work + "/box.tar")
        for name in set(os.listdir(p.store + "/layers/sha256")) - before:
            shutil.rmtree(p.store + "/layers/sha256/" + name)

    def argv(self):
        return self.p.kist("run", "--rm", "--name", self.p.id, self.image(), "/bin/echo", "worked")

    def image(self):
        return "box:1"

    def worked(self, done):
        return "" if "worked" in done.out else "status 0, but the program's output is %r" % done.out

    def recover(self):
        done = self.p.do("rm", "-f", self.p.id)
        problems = [] if done.status == 0 else ["rm -f: status %d: %s" % (done.status, done.err.strip())]
        return problems + super().recover()


class RunPacked(RunFirst):
    """A container of a packed file at its first use: unpacked into the store, as by every kernel and for everybody."""
    name = "run (packed)"

    def prepare(self):
        super().prepare()
        p = self.p
        os.environ["KIST_EROFS"] = "never"
        p.must("image", "load", "-q", "--name", "box:1", p.work + "/box.tar")
        p.must("image", "pack", "-q", "-o", p.work + "/app.kist", "box:1")
        p.must("image", "rm", "box:1")
        p.run(self.argv())
        p.must("image", "prune", "-f")
        self.words += (p.work + "/app.kist",)

    def setup(self):
        pass

    def finish(self):
        del os.environ["KIST_EROFS"]

    def image(self):
        return self.p.work + "/app.kist"


class RunMounted(RunPacked):
    """The same where the kernel mounts the file: verified, and noted."""
    name = "run (packed, mounted)"

    def prepare(self):
        super().prepare()
        os.environ["KIST_EROFS"] = "auto"
        self.p.run(self.argv())
        self.p.must("image", "prune", "-f")


class SystemPrune(ImageVerb):
    """Of a container that has ended, an image without a name, and a volume of nobody."""
    name = "system prune"
    names = ("new:new",)

    def __init__(self, place):
        super().__init__(place)
        self.words += (place.id, "prune", "state root", "clean up", "volume ")

    def prepare(self):
        super().prepare()
        make_layout(self.p.work + "/other", "other", ["/etc/other"])
        self.end_one()
        self.p.must("system", "prune", "-f")
        os.makedirs(self.p.store + "/volumes")

    def end_one(self):
        self.p.must("run", "-d", "--bundle", self.p.bundle, self.p.id)
        self.p.must("wait", self.p.id)

    def setup(self):
        self.p.must("image", "load", "-q", "--name", "new:new", self.p.work + "/other")
        self.p.must("image", "load", "-q", "--name", "new:new", self.p.work + "/new")
        os.mkdir(self.p.store + "/volumes/free")
        self.end_one()

    def argv(self):
        return self.p.kist("system", "prune", "-f", "--volumes")

    def worked(self, done):
        if os.listdir(self.p.store + "/volumes") or self.p.do("ps", "-aq").out:
            return "status 0, but there are %s" % os.listdir(self.p.store + "/volumes")
        return self.check(["keep:keep", "new:new"])

    def recover(self):
        done = self.p.run(self.argv())
        lacks = self.worked(done)
        again = [] if done.status == 0 and not lacks else ["system prune: status %d: %s %s" % (done.status, done.err, lacks)]
        return again + super().recover()


CARRY = {v.name: v for v in (Pull, Push, ImageMount, ImageUnmount, ImageConvert, ImagePack, ImageSign, RunFirst,
                             RunPacked, RunMounted, SystemPrune)}
