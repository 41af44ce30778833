# SPDX-License-Identifier: Apache-2.0
"""A small image in an OCI layout directory."""
import gzip
import hashlib
import io
import json
import os
import tarfile


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def make_layout(folder, tag, paths):
    """An OCI layout with one layer per path, each with a few kinds of files, by umoci's rules but without umoci. One file
    is the same in all layers of all layouts."""
    blobs = folder + "/blobs/sha256"
    os.makedirs(blobs)

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(blobs + "/" + digest, "wb") as f:
            f.write(data)
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}

    layers, diffs = [], []
    for path in paths:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, kind in ((".", tarfile.DIRTYPE), ("etc", tarfile.DIRTYPE), (path[1:], tarfile.REGTYPE),
                               (path[1:] + ".s", tarfile.SYMTYPE), (path[1:] + ".h", tarfile.LNKTYPE),
                               ("etc/same", tarfile.REGTYPE)):
                info = tarfile.TarInfo(name)
                info.type, info.mode, info.linkname = kind, 0o755, path[1:] if kind != tarfile.SYMTYPE else "one"
                data = b"" if kind != tarfile.REGTYPE else (name if name == "etc/same" else tag + path).encode() * 50
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        diffs.append("sha256:" + hashlib.sha256(raw.getvalue()).hexdigest())
        layers.append(blob(gzip.compress(raw.getvalue(), mtime=0), "layer.v1.tar+gzip"))
    config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["true"]},
                              "rootfs": {"type": "layers", "diff_ids": diffs}}).encode(), "config.v1+json")
    manifest = blob(json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode(), "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
    write(folder + "/index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    write(folder + "/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
