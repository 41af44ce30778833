#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes archives that lie: make.py CASE OUT OUTSIDE writes the image CASE to OUT (an OCI layout, or an archive for
the cases of docker-archive). OUTSIDE is a directory that the image tries to reach. make.py --list prints all cases."""
import gzip
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zlib

OUT = OUTSIDE = ""
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# ---- tar, entry by entry ----

def entry(name, kind=tarfile.REGTYPE, data=b"", link="", pax=None, **attrs):
    """One entry with its headers. Names go into pax records as they are, so that nothing is tidied up."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.mtime = kind, len(data), link, 0o644, 1700000000
    if kind == tarfile.DIRTYPE:
        info.mode = 0o755
    for key, value in attrs.items():
        setattr(info, key, value)
    info.pax_headers = dict(pax or {})
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + data + b"\0" * (-len(data) % 512)


def link(name, to):
    return entry(name, tarfile.SYMTYPE, link=to)


def hard(name, to):
    return entry(name, tarfile.LNKTYPE, link=to)


def tar(*entries):
    return b"".join(entries) + b"\0" * 1024


def header(name, size=0, kind=b"0", **fields):
    """A raw ustar header; fields are offset=bytes pairs as atOFFSET."""
    h = bytearray(512)
    h[0:len(name)] = name
    h[100:108], h[108:116], h[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    h[124:136], h[136:148] = b"%011o\0" % size, b"%011o\0" % 0
    h[156:157], h[257:265] = kind, b"ustar\x0000"
    for key, value in fields.items():
        at = int(key[2:])
        h[at:at + len(value)] = value
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def pax_body(body):
    return header(b"pax", len(body), b"x") + body + b"\0" * (-len(body) % 512)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(b"%d" % size) + len(body) != size:
        size = len(b"%d" % size) + len(body)
    return b"%d" % size + body


def sparse(records, data, size=None):
    return pax_body(b"".join(records)) + header(b"sparse", len(data) if size is None else size) + \
        data + b"\0" * (-len(data) % 512) + b"\0" * 1024


# ---- layouts ----

def put(data, digest=None):
    digest = digest or sha(data)
    path = f"{OUT}/blobs/sha256/{digest[7:]}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return {"digest": digest, "size": len(data)}


def write_layout(manifest_desc, ref="t"):
    manifest_desc.setdefault("mediaType", MANIFEST)
    manifest_desc["annotations"] = {"org.opencontainers.image.ref.name": ref}
    with open(f"{OUT}/oci-layout", "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    with open(f"{OUT}/index.json", "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest_desc]}, f)


def config_of(diff_ids, **process):
    return {"architecture": "amd64", "os": "linux", "config": process,
            "rootfs": {"type": "layers", "diff_ids": diff_ids}}


def layout(*tars, blobs=None, diff_ids=None, types=None, edit_layers=None, edit_manifest=None, edit_desc=None,
           edit_config=None):
    """A layout with these layers; edit_* change the documents before they are written."""
    os.makedirs(OUT, exist_ok=True)
    blobs = blobs or list(tars)
    layers = [dict(put(b), mediaType=(types or {}).get(i, LAYER)) for i, b in enumerate(blobs)]
    config = config_of(diff_ids or [sha(t) for t in tars])
    if edit_config:
        edit_config(config)
    if edit_layers:
        edit_layers(layers)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": dict(put(json.dumps(config).encode()),
                mediaType=CONFIG), "layers": layers}
    if edit_manifest:
        edit_manifest(manifest)
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    desc = put(text)
    if edit_desc:
        edit_desc(desc)
    write_layout(desc)


def manifest_text(change):
    """A good image whose manifest's text goes through `change`."""
    good = tar(entry("f"))
    layout(good)
    path = f"{OUT}/index.json"
    with open(path) as f:
        index = json.load(f)
    desc = index["manifests"][0]
    with open(f"{OUT}/blobs/sha256/{desc['digest'][7:]}", "rb") as f:
        write_layout(put(change(f.read())))


def zeros_packed(total, piece, pack):
    """`total` zero bytes as many equal members, without making them all; the tar header of a file comes first."""
    one = pack(b"\0" * piece)
    return pack(header(b"zeros", total)) + one * (total // piece) + pack(b"\0" * 1024)


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


# ---- docker archives ----

def docker(members, manifest=None, links=()):
    with tarfile.open(OUT, "w", format=tarfile.PAX_FORMAT) as t:
        for name, to in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            t.addfile(info)
        if manifest is not None:
            members = dict(members, **{"manifest.json": json.dumps(manifest).encode()})
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))


def docker_image(layer_name="l/layer.tar", config_name=None, diff_ids=None, links=(), layers=None):
    good = tar(entry("f", data=b"data\n"))
    config = json.dumps(config_of([sha(good)] if diff_ids is None else diff_ids)).encode()
    name = config_name or sha(config)[7:] + ".json"
    members = {name: config}
    if not links and layers is None:
        members[layer_name] = good
    docker(members, [{"Config": name, "RepoTags": ["t:t"], "Layers": layers or [layer_name]}], links)


# ---- the cases ----

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", "-")] = f
    return f


def layer_case(name, make):
    CASES[name] = lambda: layout(tar(*make()))


for name, make in {
    "dotdot": lambda: [entry("../../../../../../../../.." + OUTSIDE + "/pwned")],
    "dotdot-inside": lambda: [entry("a/b", tarfile.DIRTYPE), entry("a/b/../../../../../outside/pwned")],
    "absolute": lambda: [entry(OUTSIDE + "/pwned", data=b"x")],
    "symlink-absolute": lambda: [link("l", OUTSIDE), entry("l/pwned", data=b"x")],
    "symlink-upwards": lambda: [link("l", "../../../../../../../../.." + OUTSIDE), entry("l/pwned", data=b"x")],
    "symlink-chain": lambda: [link("b", "../../.."), link("a", "b"), entry("a/pwned", data=b"x")],
    "symlink-file": lambda: [link("f", OUTSIDE + "/canary"), entry("f", data=b"x")],
    "symlink-dir-replaced": lambda: [link("d", OUTSIDE), entry("d", tarfile.DIRTYPE, mode=0o777), entry("d/pwned")],
    "symlink-loop": lambda: [link("a", "b"), link("b", "a"), entry("a/x")],
    "hardlink-absolute": lambda: [hard("h", OUTSIDE + "/canary")],
    "hardlink-upwards": lambda: [hard("h", "../../../../../../../../.." + OUTSIDE + "/canary")],
    "hardlink-through-symlink": lambda: [link("l", OUTSIDE), hard("h", "l/canary")],
    "hardlink-to-symlink": lambda: [link("s", OUTSIDE + "/canary"), hard("h", "s"), entry("h", data=b"x")],
    "hardlink-chmod": lambda: [link("s", OUTSIDE + "/canary"), hard("h", "s"), hard("h", "s")],
    "hardlink-to-dir": lambda: [entry("d", tarfile.DIRTYPE), hard("h", "d")],
    "hardlink-to-itself": lambda: [entry("h", data=b"x"), hard("h", "h")],
    "hardlink-to-parent": lambda: [entry("d", tarfile.DIRTYPE), entry("d/f", data=b"x"), hard("d", "d/f")],
    "root-symlink": lambda: [link(".", OUTSIDE), entry("pwned")],
    "root-symlink-slash": lambda: [link("/", OUTSIDE), entry("pwned")],
    "root-file": lambda: [entry("./", data=b"x", pax={"path": "."})],
    "root-hardlink": lambda: [entry("f"), hard("./.", "f")],
    "root-device": lambda: [entry(".", tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "whiteout-dotdot": lambda: [entry(".wh...")],
    "whiteout-dot": lambda: [entry(".wh..")],
    "whiteout-empty": lambda: [entry("d/.wh.")],
    "whiteout-directory": lambda: [entry(".wh.x", tarfile.DIRTYPE)],
    "whiteout-parent": lambda: [entry(".wh.x/f")],
    "whiteout-symlink": lambda: [link(".wh.x", OUTSIDE)],
    "whiteout-through-symlink": lambda: [link("l", OUTSIDE), entry("l/.wh.canary")],
    "opaque-through-symlink": lambda: [link("l", OUTSIDE), entry("l/.wh..wh..opq")],
    "whiteout-aufs": lambda: [entry(".wh..wh.plnk/1.2"), entry(".wh..wh.aufs"), entry("f")],
    "whiteout-device": lambda: [entry("gone", tarfile.CHRTYPE, devmajor=0, devminor=0), entry("f")],
    "device-range": lambda: [entry("d", tarfile.CHRTYPE, devmajor=0o777777, devminor=1)],
    "xattr-overlay": lambda: [entry("d", tarfile.DIRTYPE, pax={
        "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.redirect": "/etc",
        "SCHILY.xattr.user.overlay.opaque": "y"})],
    "xattr-labels": lambda: [entry("f", pax={
        "SCHILY.xattr.security.selinux": "a:b:c:d", "SCHILY.xattr.security.ima": "x", "SCHILY.xattr.security.evm": "x",
        "SCHILY.xattr.user.kept": "yes"})],
    "xattr-huge": lambda: [entry("f", pax={"SCHILY.xattr.user.x": "v" * 70000})],
    "pax-huge": lambda: [entry("f", pax={"comment": "v" * (2 << 20)})],
    "path-deep": lambda: [entry("d/" * 600 + "f")],
    "path-long": lambda: [entry("d" * 200 + ("/" + "d" * 200) * 25)],
    "name-long": lambda: [entry("n" * 300)],
    "parent-is-file": lambda: [entry("f"), entry("f/x")],
    "parent-is-device": lambda: [entry("f", tarfile.CHRTYPE, devmajor=1, devminor=3), entry("f/x")],
    "uid-range": lambda: [entry("f", pax={"uid": "4294967295"})],
    "uid-negative": lambda: [entry("f", pax={"uid": "-1"})],
    "symlink-empty": lambda: [link("l", "")],
    "fifo-passwd": lambda: [entry("etc/passwd", tarfile.FIFOTYPE)],
    "setuid": lambda: [entry("su", data=b"x", mode=0o4755)],
    "twice": lambda: [entry("f", data=b"first"), entry("f", data=b"second"), entry("d", tarfile.DIRTYPE),
                      entry("d/x"), entry("d", data=b"file now")],
    "size-negative": lambda: [header(b"f", at124=b"\xff" * 12)],
    "size-huge": lambda: [header(b"f", at124=b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7)],
    "cut-in-data": lambda: [header(b"f", 1 << 20) + b"x" * 4096],
    "cut-in-header": lambda: [entry("f"), header(b"g")[:200] + b"\1" * 100],
    "checksum": lambda: [header(b"f")[:148] + b"0000001\0" + header(b"f")[156:]],
    "type-unknown": lambda: [header(b"f", kind=b"Z")],
    "lone-zero-block": lambda: [entry("f"), b"\0" * 512, entry("g")],
    "pax-record": lambda: [pax_body(b"999999 path=x\n"), header(b"f")],
    "pax-nul": lambda: [pax_body(record(b"path", b"a\0b")), header(b"f")],
    "pax-at-end": lambda: [pax_body(record(b"path", b"a"))],
    "gnu-long-name": lambda: [header(b"L", 5000, b"L") + b"n" * 5000 + b"\0" * 120, header(b"f")],
    "sparse-overlap": lambda: [sparse([record(b"GNU.sparse.map", b"0,10,5,10"), record(b"GNU.sparse.size", b"100"),
                                       record(b"GNU.sparse.numblocks", b"2")], b"x" * 20)],
    "sparse-beyond": lambda: [sparse([record(b"GNU.sparse.map", b"90,20"), record(b"GNU.sparse.size", b"100")],
                                     b"x" * 20)],
    "sparse-sum": lambda: [sparse([record(b"GNU.sparse.map", b"0,20"), record(b"GNU.sparse.size", b"100")], b"x" * 30)],
    "sparse-count": lambda: [sparse([record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0"),
                                     record(b"GNU.sparse.realsize", b"100")], b"99999999\n" + b"0\n0\n" * 200)],
    "sparse-overflow": lambda: [sparse([record(b"GNU.sparse.map", b"9223372036854775807,9223372036854775807"),
                                        record(b"GNU.sparse.size", b"100")], b"x" * 20)],
}.items():
    layer_case(name, make)


@case
def bomb_gzip():
    layout(b"", blobs=[zeros_packed(10 << 30, 64 << 20, lambda d: gzip.compress(d, 9, mtime=0))], types={0: LAYER + "+gzip"})


@case
def bomb_zstd():
    layout(b"", blobs=[zeros_packed(10 << 30, 64 << 20, zstd)], types={0: LAYER + "+zstd"})


@case
def zstd_window():
    good = tar(entry("f"))
    layout(good, blobs=[zstd(good, "--ultra", "--long=30")], types={0: LAYER + "+zstd"})


def packed(name, ending, change):
    def make():
        good = tar(entry("f", data=os.urandom(40000)))
        layout(good, blobs=[change(good)], types={0: LAYER + ending})
    CASES[name] = make


packed("gzip-garbage", "+gzip", lambda t: gzip.compress(t) + b"garbage")
packed("gzip-cut", "+gzip", lambda t: gzip.compress(t)[:-12])
packed("gzip-checksum", "+gzip", lambda t: gzip.compress(t)[:-8] + struct.pack("<II", zlib.crc32(t) ^ 1, len(t)))
packed("gzip-corrupt", "+gzip", lambda t: gzip.compress(t)[:20] + b"\xff" * 64 + gzip.compress(t)[84:])
packed("zstd-cut", "+zstd", lambda t: zstd(t)[:-9])
packed("zstd-garbage", "+zstd", lambda t: zstd(t) + b"garbage")
packed("type-gzip-is-zstd", "+gzip", zstd)
packed("type-tar-is-gzip", "", gzip.compress)
packed("gzip-members", "+gzip", lambda t: gzip.compress(t[:700]) + gzip.compress(t[700:]) + b"\0" * 512)


@case
def blob_altered():
    good = tar(entry("f", data=b"good"))
    layout(good)
    put(tar(entry("f", data=b"evil")), sha(good))


@case
def config_altered():
    good = tar(entry("f"))
    config = json.dumps(config_of([sha(good)])).encode()
    layout(good)
    put(config.replace(b"linux", b"l1nux"), sha(config))


@case
def manifest_altered():
    layout(tar(entry("f")))
    with open(f"{OUT}/index.json") as f:
        desc = json.load(f)["manifests"][0]
    put(b'{"schemaVersion":2}', desc["digest"])


@case
def layer_size():
    layout(tar(entry("f")), edit_layers=lambda layers: layers[0].update(size=layers[0]["size"] + 1))


@case
def layer_size_negative():
    layout(tar(entry("f")), edit_layers=lambda layers: layers[0].update(size=-1))


@case
def config_size():
    layout(tar(entry("f")), edit_manifest=lambda m: m["config"].update(size=1))


@case
def manifest_size():
    layout(tar(entry("f")), edit_desc=lambda d: d.update(size=7))


@case
def diff_id():
    layout(tar(entry("f")), diff_ids=["sha256:" + "0" * 64])


@case
def diff_id_second():
    layout(tar(entry("f")), tar(entry("g")), diff_ids=[sha(tar(entry("f"))), "sha256:" + "1" * 64])


@case
def diff_ids_count():
    layout(tar(entry("f")), diff_ids=[sha(tar(entry("f")))] * 2)


@case
def manifest_is_index():
    layout(tar(entry("f")), edit_manifest=lambda m: m.update(manifests=[]))


@case
def digest_path():
    layout(tar(entry("f")), edit_layers=lambda layers: layers[0].update(
        digest="sha256:../../../../../../../.." + OUTSIDE + "/canary"))


@case
def digest_upper():
    layout(tar(entry("f")), edit_layers=lambda layers: layers[0].update(digest=layers[0]["digest"].upper()))


@case
def digest_of_diff_id():
    layout(tar(entry("f")), diff_ids=["sha256:" + "../" * 20 + "aaaa"])


@case
def digest_of_index():
    layout(tar(entry("f")), edit_desc=lambda d: d.update(digest="sha256:../../index.json"))


@case
def media_type():
    layout(tar(entry("f")), edit_desc=lambda d: d.update(mediaType=INDEX))


@case
def layer_type():
    layout(tar(entry("f")), types={0: "application/x-secret"})


@case
def schema_version():
    layout(tar(entry("f")), edit_manifest=lambda m: m.update(schemaVersion=1))


@case
def manifest_huge():
    layout(tar(entry("f")), edit_manifest=lambda m: m.update(annotations={"x": "y" * (5 << 20)}))


@case
def config_huge():
    layout(tar(entry("f")), edit_config=lambda c: c.update(author="y" * (9 << 20)))


@case
def layers_many():
    one = tar(entry("f"))
    layout(*[one] * 128)


@case
def layer_missing():
    good = tar(entry("f"))
    layout(good)
    os.unlink(f"{OUT}/blobs/sha256/{sha(good)[7:]}")


@case
def blob_fifo():
    good = tar(entry("f"))
    layout(good)
    path = f"{OUT}/blobs/sha256/{sha(good)[7:]}"
    os.unlink(path)
    os.mkfifo(path)


@case
def blob_symlink():
    good = tar(entry("f"))
    layout(good)
    path = f"{OUT}/blobs/sha256/{sha(good)[7:]}"
    os.unlink(path)
    os.symlink(OUTSIDE + "/canary", path)


@case
def json_twice():
    manifest_text(lambda t: t[:-1] + b',"layers":[]}')


@case
def json_deep():
    manifest_text(lambda t: t[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}")


@case
def json_cut():
    manifest_text(lambda t: t[:-20])


@case
def json_type():
    manifest_text(lambda t: t.replace(b'"layers": [', b'"layers": "', 1).replace(b"}]}", b'}"}'))


@case
def platform():
    layout(tar(entry("f")))
    with open(f"{OUT}/index.json") as f:
        desc = json.load(f)["manifests"][0]
    desc["platform"] = {"os": "plan9", "architecture": "pdp11"}
    del desc["annotations"]
    write_layout(dict(put(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [desc]}).encode()),
                      mediaType=INDEX))


@case
def layout_version():
    layout(tar(entry("f")))
    with open(f"{OUT}/oci-layout", "w") as f:
        f.write('{"imageLayoutVersion":"9.9"}')


@case
def steering():
    good = tar(entry("f"))
    layout(good, edit_config=lambda c: c.update(config={
        "Env": ["HOST_SECRET", "=x", "GOOD=1"], "Labels": {"io.kist.privileged": "1", "good": "1"}, "Cmd": ["true"]}))


@case
def docker_layer_path():
    docker_image(layers=["../../../../../../../.." + OUTSIDE + "/canary"])


@case
def docker_layer_link():
    docker_image(links=[("l/layer.tar", OUTSIDE + "/canary")])


@case
def docker_layer_link_upwards():
    docker_image(links=[("l/layer.tar", "../../../../../canary")])


@case
def docker_config_lies():
    docker_image(config_name="0" * 64 + ".json")


@case
def docker_diff_id():
    docker_image(diff_ids=["sha256:" + "2" * 64])


@case
def docker_layers_count():
    docker_image(diff_ids=[])


@case
def docker_no_config():
    docker({}, [{"Config": "none.json", "RepoTags": ["t:t"], "Layers": []}])


@case
def docker_bad_name():
    good = tar(entry("f"))
    config = json.dumps(config_of([sha(good)])).encode()
    docker({"c.json": config, "l.tar": good}, [{"Config": "c.json", "RepoTags": ["../../etc:x"], "Layers": ["l.tar"]}])


@case
def archive_cut():
    docker_image()
    with open(OUT, "r+b") as f:
        f.truncate(2048)


@case
def archive_garbage():
    with open(OUT, "wb") as f:
        f.write(os.urandom(8192))


@case
def archive_empty():
    open(OUT, "wb").close()


@case
def archive_bomb():
    with open(OUT, "wb") as f:
        f.write(zeros_packed(10 << 30, 64 << 20, lambda d: gzip.compress(d, 9, mtime=0)))


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print("\n".join(CASES))
    else:
        OUT, OUTSIDE = sys.argv[2], sys.argv[3]
        CASES[sys.argv[1]]()
