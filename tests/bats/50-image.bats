#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images in and out of the store: every kind of archive as umoci, skopeo, buildah and GNU tar write it, layers exactly
# as umoci unpacks them, sharing, names, removal, kills, and other tools on the store.

load ../helpers/common
load ../helpers/image

no_layer_is_left() {
	run find "$KIST_STORE/layers/sha256" "$KIST_STORE/blobs/sha256" "$KIST_STORE/tmp" -mindepth 1
	assert_output ""
}

# ---- formats ----

@test "an OCI layout by umoci: all tags, or one" {
	small_trees
	layout_image lay one base one
	layout_image lay two base two
	run image load lay
	assert_success
	assert_output $'lay:one\nlay:two'
	assert_equal "$(cat "$KIST_STORE/layers/sha256/$(layers_of lay:one | tail -n 1)/fs/opt/one")" one
	image rm lay:one lay:two
	run image load lay:two
	assert_output lay:two
	run image load lay:three
	assert_failure 1
	assert_output --partial 'has no image "three"'
}

@test "an OCI layout and an OCI archive by skopeo" {
	small_trees
	layout_image lay x base one
	skopeo copy -q oci:lay:x oci:sk:registry.test:5000/team/app:2
	run image load sk
	assert_output registry.test:5000/team/app:2
	image rm team/app:2
	skopeo copy -q oci:lay:x oci-archive:app.tar:app:3
	run image load app.tar
	assert_output app:3
}

@test "an archive packed by gzip or zstd, from a file, -i, and standard input" {
	small_trees
	layout_image lay x base one
	skopeo copy -q oci:lay:x oci-archive:app.tar:app:3
	gzip -k app.tar
	zstd -q app.tar
	for command in "load app.tar.gz" "load app.tar.zst" "load -i app.tar.gz"; do
		# shellcheck disable=SC2086
		run image $command
		assert_output app:3
		image rm app:3
		no_layer_is_left
	done
	run image load <app.tar.zst
	assert_output app:3
	image rm app:3
	run bash -c 'cat app.tar | "$KIST_IMAGE" --store "$1" load -' - "$KIST_STORE"
	assert_output app:3
}

@test "a docker-archive by skopeo, with several names" {
	small_trees
	layout_image lay x base one
	skopeo copy -q --additional-tag docker.io/library/app:4 --additional-tag other.test/app:5 oci:lay:x \
		docker-archive:d.tar:docker.io/library/app:3
	run image load d.tar
	assert_success
	assert_equal "$(sort <<<"$output" | xargs)" \
		"docker.io/library/app:3 docker.io/library/app:4 other.test/app:5"
	assert_equal "$(image inspect app:3 | jq -c '.[0].Config | [.User, .Cmd, .WorkingDir]')" \
		'["1000:1000",["/bin/sh"],"/tmp"]'
	# the config's bytes are the archive's own
	tar -xOf d.tar "$(tar -tf d.tar | grep '^[0-9a-f]\{64\}\.json$')" | sha256sum | cut -c -64 >want
	assert_equal "$(image inspect app:3 | jq -r '.[0].ConfigDigest')" "sha256:$(cat want)"
}

@test "a docker-archive of old times: layer.tar is a link to another image's, layers packed by gzip" {
	small_trees
	mkdir -p d/aa d/bb
	tar -C base -cf d/aa/layer.tar .
	tar -C one -czf d/bb/packed.tar .
	ln -s ../aa/layer.tar d/bb/layer.tar
	one=$(sha256sum <d/aa/layer.tar | cut -c -64)
	two=$(gzip -dc d/bb/packed.tar | sha256sum | cut -c -64)
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' \
		"$one" "$two" >d/config.json
	echo '[{"Config":"config.json","RepoTags":["old:1"],"Layers":["bb/layer.tar","bb/packed.tar"]}]' >d/manifest.json
	tar -C d -cf old.tar .
	run image load old.tar
	assert_success
	assert_output old:1
	assert_equal "$(layers_of old:1 | xargs)" "$one $two"
	rm -r "$KIST_STORE"
	run image load d
	assert_output old:1
}

@test "images by buildah: OCI, OCI archive, docker-archive" {
	small_trees
	b() { buildah --root "$PWD/b" --runroot "$PWD/br" --storage-driver vfs "$@"; }
	c=$(b from scratch)
	b copy -q "$c" base / >/dev/null
	b config --cmd '["/bin/sh"]' --env X=y "$c"
	for target in oci:bo:app:1 oci-archive:bo.tar:app:2 docker-archive:bd.tar:app:3; do
		b commit -q "$c" "$target" >/dev/null
	done
	run image load bo bo.tar bd.tar
	assert_success
	assert_equal "$(xargs <<<"$output")" "app:1 app:2 docker.io/library/app:3"
	assert_equal "$(layers_of app:1)" "$(layers_of app:3)"
	assert_equal "$(image inspect app:3 | jq -r '.[0].Config.Env | last')" X=y
	b rm -a >/dev/null
	# its networks, which it keeps here whatever --runroot says
	rm -rf /run/containers
}

@test "layers packed by gzip, by zstd, and plain are one directory" {
	small_trees
	layout_image gz x base one
	skopeo copy -q --dest-compress --dest-compress-format zstd oci:gz:x oci:zst:app:zst
	skopeo copy -q --dest-decompress oci:gz:x oci:plain:app:plain
	run image load zst
	assert_success
	before=$(ls -di "$KIST_STORE"/layers/sha256/*/fs)
	run image load gz plain
	assert_success
	assert_equal "$(ls -di "$KIST_STORE"/layers/sha256/*/fs)" "$before"
	assert_equal "$(layers_of app:zst)" "$(layers_of app:plain)"
	run jq -r '.layers[].mediaType' "$KIST_STORE/blobs/sha256/$(image inspect app:zst | jq -r '.[0].Digest[7:]')"
	assert_line --index 0 application/vnd.oci.image.layer.v1.tar+zstd
}

@test "an index for several platforms: this machine's image is taken, through indexes in indexes" {
	small_trees
	layout_image lay x base one
	python3 - lay <<-'P'
	import hashlib, json, platform, sys
	top = sys.argv[1]
	arch = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
	kind = "application/vnd.oci.image.index.v1+json"
	desc = json.load(open(top + "/index.json"))["manifests"][0]
	desc.pop("annotations")
	other = dict(desc, digest="sha256:" + "ab" * 32, platform={"os": "linux", "architecture": "pdp11"})
	def wrap(*rows):
	    data = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": rows}).encode()
	    digest = hashlib.sha256(data).hexdigest()
	    open(top + "/blobs/sha256/" + digest, "wb").write(data)
	    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}
	inner = wrap(other, dict(desc, platform={"os": "linux", "architecture": arch}))
	outer = wrap(other, dict(inner, platform={"os": "linux", "architecture": arch}))
	outer["annotations"] = {"org.opencontainers.image.ref.name": "multi:1"}
	json.dump({"schemaVersion": 2, "manifests": [outer]}, open(top + "/index.json", "w"))
	P
	run image load lay
	assert_output multi:1
	assert_equal "$(layers_of multi:1 | wc -l)" 2
}

@test "100 layers, and a layer that repeats" {
	mkdir tree
	for i in $(seq 100); do
		echo "$i" >tree/file
		tar -C tree --mtime @"$((i % 99))" -cf "$i.tar" ./file
	done
	python3 - <<-'P'
	import hashlib, json, os
	os.makedirs("many/blobs/sha256")
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open("many/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	tars = [open("%d.tar" % i, "rb").read() for i in range(1, 101)] + [open("7.tar", "rb").read()]
	layers = [dict(put(t), mediaType="application/vnd.oci.image.layer.v1.tar") for t in tars]
	config = put(json.dumps({"rootfs": {"type": "layers", "diff_ids": [x["digest"] for x in layers]}}).encode())
	manifest = put(json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode())
	json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("many/index.json", "w"))
	open("many/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
	P
	run image load --name many many
	assert_output many:latest
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 100
	assert_equal "$(layers_of many | wc -l)" 101
}

# ---- what a layer holds ----

@test "a layer has all kinds of files and metadata, exactly" {
	mkdir wide
	wide_tree wide
	tar -C wide --format=pax --xattrs --xattrs-include='*' -cf wide.tar .
	image import wide.tar wide >/dev/null
	tree_list wide >want
	tree_list "$KIST_STORE/layers/sha256/$(layers_of wide)/fs" >have
	assert_equal "$(wc -l <have)" "$(wc -l <want)"
	run diff want have
	assert_success
}

@test "the same layer is as umoci unpacks it, three layers with deletions too" {
	mkdir wide
	wide_tree wide
	umoci init --layout lay
	umoci new --image lay:x
	umoci insert --image lay:x wide / >/dev/null
	umoci unpack --image lay:x u >/dev/null
	(
		cd u/rootfs
		rm hard zero
		rm -r deep/er && echo now a file >deep/er
		rm -r sticky
		rm dangling && mkdir dangling && echo x >dangling/x
		mkdir -p new/dir && ln bin/busybox new/box
	)
	umoci repack --image lay:x u >/dev/null
	(
		cd u/rootfs
		rm deep/er && mkdir -p deep/er/again
		rm -r new && mkdir new && echo y >new/y
		mkdir sticky
	)
	rm -rf u2 && umoci unpack --image lay:x u2 >/dev/null
	rm -rf u2/rootfs/deep/er u2/rootfs/new
	mkdir -p u2/rootfs/deep/er/again u2/rootfs/new u2/rootfs/sticky
	echo y >u2/rootfs/new/y
	umoci repack --image lay:x u2 >/dev/null
	mkdir hole && echo in >hole/in
	umoci insert --opaque --image lay:x hole /private >/dev/null
	umoci unpack --image lay:x last >/dev/null
	run image load lay
	assert_success
	merged lay:x m
	tree_list last/rootfs >want
	tree_list m >have
	unmerge m
	run diff want have
	assert_success
	assert [ "$(wc -l <want)" -gt 15 ]
}

@test "whiteouts and opaque directories in every order" {
	mkdir -p low/a low/b low/c low/d/sub low/e
	for f in a/1 a/2 b/1 c/1 d/1 d/sub/1 e/1 f g; do echo low >"low/$f"; done
	python3 - <<-'P'
	import tarfile
	t = tarfile.open("up.tar", "w")
	def add(name, kind=tarfile.REGTYPE):
	    i = tarfile.TarInfo(name)
	    i.type, i.mode = kind, 0o755
	    t.addfile(i)
	add(".wh.f")                      # deleted
	add(".wh.g"), add("g")            # deleted, then new: the new one stays
	add("a/new"), add("a/.wh.1")      # deleted beside something new
	add("b", tarfile.DIRTYPE), add("b/.wh..wh..opq"), add("b/new"), add("b/.wh.1")
	add("c/new"), add(".wh.c")        # deleted after its new content: that stays, the old goes
	add(".wh.d"), add("d/new")        # deleted before its new content
	add("e/.wh.1"), add("e/.wh..wh..opq")
	t.close()
	P
	tar -C low -cf low.tar .
	python3 - <<-'P'
	import hashlib, json, os
	os.makedirs("img/blobs/sha256")
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open("img/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	layers = [dict(put(open(n, "rb").read()), mediaType="application/vnd.oci.image.layer.v1.tar")
	          for n in ("low.tar", "up.tar")]
	config = put(json.dumps({"rootfs": {"type": "layers", "diff_ids": [x["digest"] for x in layers]}}).encode())
	manifest = put(json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode())
	json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("img/index.json", "w"))
	open("img/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
	P
	image load img
	merged img m
	(cd m && find . -mindepth 1 | LC_ALL=C sort | xargs) >have
	ls m/b m/e >/dev/null
	unmerge m
	assert_equal "$(cat have)" "./a ./a/2 ./a/new ./b ./b/new ./c ./c/new ./d ./d/new ./e ./g"
}

@test "an opaque root hides all layers below it" {
	small_trees
	layout_image lay x base
	umoci insert --opaque --image lay:x one / >/dev/null
	umoci insert --image lay:x two / >/dev/null
	image load lay
	merged lay:x m
	(cd m && find . -type f | LC_ALL=C sort | xargs) >have
	unmerge m
	assert_equal "$(cat have)" "./opt/one ./srv/two"
}

@test "sparse files of all four kinds keep their holes" {
	truncate -s 200M hole
	printf begin | dd of=hole conv=notrunc status=none
	printf middle | dd of=hole bs=1M seek=100 conv=notrunc status=none
	for i in $(seq 40); do printf part | dd of=hole bs=1M seek=$((i * 3)) conv=notrunc status=none; done
	want=$(sha256sum <hole)
	for how in --format=gnu --format=pax\ --sparse-version={0.0,0.1,1.0}; do
		# shellcheck disable=SC2086
		tar -S $how -cf s.tar hole
		assert [ "$(stat -c %s s.tar)" -lt 1000000 ]
		image import s.tar sparse >/dev/null
		file=$KIST_STORE/layers/sha256/$(layers_of sparse)/fs/hole
		assert_equal "$(sha256sum <"$file")" "$want"
		assert [ "$(stat -c %b "$file")" -lt 2000 ]
	done
}

@test "every format of GNU tar" {
	mkdir -p t/sub
	echo text >t/sub/file
	ln t/sub/file t/hard
	ln -s sub/file t/soft
	touch -d @1600000000 t/sub/file t/sub
	tree_list t notimes >want
	for format in v7 oldgnu gnu ustar posix; do
		tar -C t --format=$format -cf t.tar .
		image import t.tar "f:$format" >/dev/null
		tree_list "$KIST_STORE/layers/sha256/$(layers_of "f:$format")/fs" notimes >have
		run diff want have
		assert_success
		assert_equal "$(stat -c %Y "$KIST_STORE/layers/sha256/$(layers_of "f:$format")/fs/sub/file")" 1600000000
	done
	tar -C t --format=oldgnu --owner=3000000 --group=:4000000 -cf t.tar ./sub
	image import t.tar f:big >/dev/null
	assert_equal "$(stat -c %u:%g "$KIST_STORE/layers/sha256/$(layers_of f:big)/fs/sub/file")" 3000000:4000000
}

@test "parents that the archive leaves out are 0755, umask or not" {
	mkdir -p t/a/b
	echo x >t/a/b/c
	tar -C t -cf t.tar a/b/c
	(umask 077 && image import t.tar x >/dev/null)
	layer=$KIST_STORE/layers/sha256/$(layers_of x)/fs
	assert_equal "$(stat -c %a "$layer" "$layer/a" "$layer/a/b" | xargs)" "755 755 755"
}

@test "a layer that does not describe its directories leaves them as the layers below have them" {
	mkdir -p low/tmp low/data/sub one/opt
	chmod 1777 low/tmp
	chown 5:6 low/data/sub
	chmod 2750 low/data/sub
	setfattr -n user.x -v y low/data
	touch -d '2001-01-01' low/data low/data/sub low
	layout_image lay x low
	mkdir -p up/tmp up/data/sub
	echo 1 >up/tmp/file
	echo 2 >up/data/sub/file
	tar -C up -cf up.tar tmp/file data/sub/file
	python3 - <<-'P'
	import hashlib, json
	def read(d): return json.load(open("lay/blobs/sha256/" + d["digest"][7:]))
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open("lay/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	index = json.load(open("lay/index.json"))
	row = index["manifests"][0]
	manifest = read(row)
	config = read(manifest["config"])
	layer = dict(put(open("up.tar", "rb").read()), mediaType="application/vnd.oci.image.layer.v1.tar")
	config["rootfs"]["diff_ids"].append(layer["digest"])
	manifest["layers"].append(layer)
	manifest["config"].update(put(json.dumps(config).encode()))
	row.update(put(json.dumps(manifest).encode()))
	json.dump(index, open("lay/index.json", "w"))
	P
	image load lay
	merged lay:x m
	stat -c '%n %a %u:%g %Y' m/tmp m/data m/data/sub | sed 's/ [0-9]*$//;1q' >have
	stat -c '%n %a %u:%g %Y' m/data m/data/sub >>have
	getfattr -n user.x --only-values m/data >>have
	unmerge m
	run cat have
	old=$(date -d 2001-01-01 +%s)
	assert_output "m/tmp 1777 0:0"$'\n'"m/data 755 0:0 $old"$'\n'"m/data/sub 2750 5:6 $old"$'\n'y
}

# ---- import ----

@test "import: a directory gives the same tree as its tar" {
	mkdir wide
	wide_tree wide
	run image import wide dir:1
	assert_success
	assert_output --regexp '^sha256:[0-9a-f]{64}$'
	tree_list wide >want
	tree_list "$KIST_STORE/layers/sha256/$(layers_of dir:1)/fs" >have
	run diff want have
	assert_success
	# GNU tar reads what kist writes
	mkdir gnu
	tar -C gnu --xattrs --xattrs-include='*' -xzpf "$KIST_STORE/blobs/sha256/$(layer_row dir:1 digest | cut -d: -f2)"
	tree_list gnu >have
	run diff want have
	assert_success
}

# layer_row IMAGE KEY: what the manifest says of an image's only layer
layer_row() {
	jq -r --arg key "$2" '.layers[0][$key]' "$KIST_STORE/blobs/sha256/$(image inspect "$1" | jq -r '.[0].Digest' | cut -d: -f2)"
}

@test "import: what is plain is packed by gzip, what is packed stays as it is" {
	local name
	small_trees
	image import base dir
	tar -C base -cf a.tar .
	image import a.tar file
	image import - pipe <a.tar
	cat a.tar | image import - stdin
	for name in dir file pipe stdin; do
		assert_equal "$(layer_row $name mediaType)" application/vnd.oci.image.layer.v1.tar+gzip
		assert [ "$(layer_row $name size)" -lt "$(stat -c %s a.tar)" ]
	done
	assert_equal "$(layer_row pipe digest)" "$(layer_row file digest)"
	assert_equal "$(layers_of file)" "$(sha256sum <a.tar | cut -d' ' -f1)"
	gzip -n <a.tar >a.tar.gz
	zstd -q a.tar
	image import a.tar.gz gz
	image import - zst <a.tar.zst
	assert_equal "$(layer_row gz digest)" "sha256:$(sha256sum <a.tar.gz | cut -d' ' -f1)"
	assert_equal "$(layer_row zst digest)" "sha256:$(sha256sum <a.tar.zst | cut -d' ' -f1)"
	assert_equal "$(layer_row zst mediaType)" application/vnd.oci.image.layer.v1.tar+zstd
	assert_equal "$(layers_of gz)" "$(layers_of zst)"
}

@test "import: packed, from a pipe, with changes to the config" {
	small_trees
	tar -C base -cz . | image import -c 'CMD ["sh","-l"]' -c 'ENV A=b c' --change 'USER 5' -c 'WORKDIR /w' \
		-c 'EXPOSE 80' -c 'VOLUME /v' -c 'LABEL x=y' -c 'ENTRYPOINT run it' -c 'STOPSIGNAL INT' - app
	assert_equal "$(image inspect app | jq -cS '.[0].Config')" \
		'{"Cmd":["sh","-l"],"Entrypoint":["/bin/sh","-c","run it"],"Env":["A=b c"],"ExposedPorts":{"80/tcp":{}},"Labels":{"x":"y"},"StopSignal":"INT","User":"5","Volumes":{"/v":{}},"WorkingDir":"/w"}'
	run image import -c 'RUN x' base app:2
	assert_failure 1
	assert_output --partial 'change "RUN x": not one of'
	run image import base 'Bad Name'
	assert_failure 1
	run image import nowhere app:3
	assert_failure 1
	assert_output --partial 'import nowhere: nowhere: No such file or directory'
	assert_equal "$(image ls -q | wc -l)" 1
}

# ---- sharing ----

@test "images with a common base share its directory; a second load reads no layer" {
	small_trees
	layout_image lay one base
	umoci tag --image lay:one two
	umoci insert --image lay:one one / >/dev/null
	umoci insert --image lay:two two / >/dev/null
	image load lay:one
	base=$(layers_of lay:one | head -n 1)
	before=$(stat -c '%i %Z' "$KIST_STORE/layers/sha256/$base/fs/bin/busybox")
	image load lay:two
	assert_equal "$(layers_of lay:two | head -n 1)" "$base"
	assert_equal "$(stat -c '%i %Z' "$KIST_STORE/layers/sha256/$base/fs/bin/busybox")" "$before"
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 3
	# blobs that the store has need not be in the archive
	for blob in lay/blobs/sha256/*; do
		[ "$(stat -c %s "$blob")" -lt 5000 ] || rm "$blob"
	done
	run image load lay:two
	assert_success
}

@test "a blob that claims to be another's layer is found out" {
	small_trees
	layout_image lay x base
	image load lay
	# the same diffID, which is in the store, with another blob
	tar -C one -cf evil.tar .
	python3 - "sha256:$(layers_of lay:x)" <<-'P'
	import hashlib, json, os, sys
	os.makedirs("evil/blobs/sha256")
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open("evil/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	layer = dict(put(open("evil.tar", "rb").read()), mediaType="application/vnd.oci.image.layer.v1.tar")
	config = put(json.dumps({"rootfs": {"type": "layers", "diff_ids": [sys.argv[1]]}}).encode())
	manifest = put(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode())
	json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("evil/index.json", "w"))
	open("evil/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
	P
	store_files >before
	run image load --name evil evil
	assert_failure 1
	assert_output --partial 'diffID mismatch'
	run diff before <(store_files)
	assert_success
}

# ---- names, listing, removal ----

@test "names: short and long forms, hosts, tags, digests" {
	small_trees
	layout_image lay x one
	image load --name docker.io/library/app:1 lay >/dev/null
	image load --name localhost/tool lay >/dev/null
	digest=$(image inspect app:1 | jq -r '.[0].Digest')
	for name in app:1 docker.io/app:1 docker.io/library/app:1 library/app:1 tool tool:latest localhost/tool "$digest" \
		"${digest:7:12}" "app@$digest" "app:1@$digest"; do
		run image inspect --format '{{.Digest}}' "$name"
		assert_output "$digest"
	done
	for name in app app:2 quay.io/app:1 nosuch "app@sha256:$(printf 0%.0s {1..64})"; do
		run image inspect "$name"
		assert_failure 1
		assert_output --partial "image \"$name\": not in the store (get it with \"kist pull\" or \"kist load\")"
	done
	# two hosts have a name: it does not tell which
	layout_image lay y two
	image load --name one.test/same lay:x >/dev/null
	image load --name two.test/same lay:y >/dev/null
	run image inspect same
	assert_failure 1
	assert_output --partial 'several images have this name'
	# a name in another spelling moves to the new image
	image load --name app:1 lay:y >/dev/null
	assert_equal "$(image ls --format '{{.Repository}}:{{.Tag}}' | grep -c 'app:1$')" 1
	refute [ "$(image inspect app:1 | jq -r '.[0].Digest')" = "$digest" ]
}

@test "ls and inspect: table, -q, json, templates" {
	small_trees
	layout_image lay x base
	run image ls
	assert_output --regexp '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$'
	assert_dir_not_exist "$KIST_STORE"
	image load lay >/dev/null
	run image ls
	assert_line --index 1 --regexp '^lay +x +[0-9a-f]{12} +.* ago +[0-9.]+MB$'
	run image ls -q
	assert_output --regexp '^[0-9a-f]{12}$'
	run image ls --format '{{.Repository}}|{{.Tag}}|{{.ID}}'
	assert_output --regexp '^lay\|x\|[0-9a-f]{12}$'
	assert_equal "$(image ls --format json | jq -r '.[0].Name')" lay:x
	assert_equal "$(image inspect lay:x | jq -r '.[0] | [.Os, .Architecture, .RepoTags[0], (.Layers | length)] | @csv')" \
		'"linux","amd64","lay:x",1'
	assert_equal "$(image inspect --format '{{.Config.User}}' lay:x)" 1000:1000
}

@test "rm keeps what others need, and removes the rest" {
	small_trees
	layout_image lay one base one
	layout_image lay two base two
	image load lay >/dev/null
	one=$(layers_of lay:one | tail -n 1) two=$(layers_of lay:two | tail -n 1)
	base=$(layers_of lay:one | head -n 1)
	id=$(image inspect --format '{{.Id}}' lay:one)
	run image rm lay:one
	assert_output "Untagged: lay:one"$'\n'"Deleted: $id"
	assert_dir_not_exist "$KIST_STORE/layers/sha256/$one"
	assert_dir_exist "$KIST_STORE/layers/sha256/$two"
	assert_dir_exist "$KIST_STORE/layers/sha256/$base"
	run image rm lay:one
	assert_failure 1
	run image rm -f lay:one
	assert_success
	image rm "$(image ls -q)"
	no_layer_is_left
	assert_equal "$(image ls -q)" ""
}

@test "a container's image stays, unless forced; its layers stay always" {
	small_trees
	layout_image lay one base one
	image load lay >/dev/null
	mkdir "$KIST_STORE/containers/c1"
	layers_of lay:one | sed 's/^/sha256:/' >"$KIST_STORE/containers/c1/layers"
	layers=$(ls "$KIST_STORE/layers/sha256")
	run image rm lay:one
	assert_failure 1
	assert_output --partial 'container c1 is made from it'
	run image prune -a
	assert_output "Total reclaimed space: 0B"
	run image rm -f lay:one
	assert_success
	assert_equal "$(ls "$KIST_STORE/layers/sha256")" "$layers"
	rm -r "$KIST_STORE/containers/c1"
	image prune
	no_layer_is_left
}

@test "an image that loses its name stays until prune" {
	small_trees
	layout_image lay x one
	layout_image lay y two
	image load --name app lay:x >/dev/null
	old=$(image inspect app | jq -r '.[0].Digest')
	image load --name app lay:y >/dev/null
	run image ls --format '{{.Repository}}'
	assert_equal "$(sort <<<"$output" | xargs)" "<none> app"
	run image prune
	assert_line --index 0 "$old"
	assert_line --index 1 --regexp '^Total reclaimed space: [0-9]+kB$'
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 1
	run image prune -a
	no_layer_is_left
}

# ---- other tools on the store ----

@test "skopeo and umoci read the store as it is" {
	small_trees
	layout_image lay x base one
	image load --name app:1 lay >/dev/null
	run umoci ls --layout "$KIST_STORE"
	assert_output app:1
	skopeo copy -q "oci:$KIST_STORE:app:1" docker-archive:out.tar:app:1
	umoci unpack --image "$KIST_STORE:app:1" u >/dev/null
	assert_equal "$(cat u/rootfs/opt/one)" one
	# byte for byte: the manifest's digest is the same
	skopeo copy -q "oci:$KIST_STORE:app:1" oci:back:app:1
	assert_equal "$(jq -r '.manifests[0].digest' back/index.json)" "$(jq -r '.manifests[0].digest' lay/index.json)"
}

@test "an image that umoci wrote into the store is unpacked on demand" {
	small_trees
	layout_image lay x base
	image load --name app:1 lay >/dev/null
	umoci insert --image "$KIST_STORE:app:1" --tag app:2 one / >/dev/null
	assert_equal "$(image inspect app:2 | jq -c '[.[0].Layers[].Unpacked]')" "[true,false]"
	run image unpack app:2
	assert_success
	assert_equal "$(image inspect app:2 | jq -c '[.[0].Layers[].Unpacked]')" "[true,true]"
	assert_equal "$(cat "$KIST_STORE/layers/sha256/$(layers_of app:2 | tail -n 1)/fs/opt/one")" one
}

# ---- at once, killed, full ----

@test "eight loads, removals and listings at once" {
	small_trees
	layout_image lay one base one
	layout_image lay two base two
	local pids=() # the harness has a watchdog of its own among the jobs: wait for these only
	for i in 1 2 3 4; do
		image load --name "a:$i" lay:one >/dev/null 2>>errors &
		pids+=($!)
		image load --name "b:$i" lay:two >/dev/null 2>>errors &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(cat errors)" ""
	assert_equal "$(image ls -q | wc -l)" 8
	for i in $(seq 12); do
		image load --name "c:$i" lay:one >/dev/null 2>>errors &
		pids+=($!)
		image rm -f "c:$((i - 1))" a:1 >/dev/null 2>>errors &
		pids+=($!)
		image prune >/dev/null 2>>errors &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(cat errors)" ""
	merged a:2 m
	assert_equal "$(cat m/opt/one)" one
	unmerge m
	image rm -f "$(image inspect a:2 | jq -r '.[0].Digest')" "$(image inspect b:2 | jq -r '.[0].Digest')" >/dev/null
	no_layer_is_left
}

@test "killed at random times: the next command leaves nothing half there" {
	mkdir wide good
	wide_tree wide
	for i in $(seq 300); do head -c 3000 /dev/urandom >"wide/f$i"; done
	umoci init --layout lay
	umoci new --image lay:x
	umoci insert --image lay:x wide / >/dev/null
	umoci insert --image lay:x good /opt >/dev/null
	echo fine >good/fine
	image import good good >/dev/null
	store_files >empty
	image load --name full lay >/dev/null
	store_files | grep -v '^./index.json' >full
	image rm full >/dev/null
	run diff empty <(store_files)
	assert_success
	killed=0
	for i in $(seq 60); do
		"$KIST_IMAGE" --store "$KIST_STORE" load --name full lay >/dev/null 2>&1 &
		sleep "0.0$((i % 6))$((RANDOM % 10))"
		kill -KILL $! 2>/dev/null && killed=$((killed + 1))
		wait $! 2>/dev/null || :
		image ls -q >/dev/null
		image rm -f nosuch
		if image inspect full >/dev/null 2>&1; then
			run diff full <(store_files | grep -v '^./index.json')
			assert_success
			image rm full >/dev/null
		fi
		run diff empty <(store_files)
		assert_success
		[ -z "$(ls -A "$KIST_STORE/tmp")" ]
	done
	assert [ $killed -gt 10 ]
	image load --name full lay
}

@test "a full disk: the load fails with its words, and leaves the store as it was" {
	small_trees
	head -c 3000000 /dev/urandom >base/data
	layout_image lay x base
	mkdir "$KIST_STORE"
	mount -t tmpfs -o size=3m kist-test "$KIST_STORE"
	image import one good >/dev/null
	store_files >before
	run image load lay
	assert_failure 1
	assert_output --partial 'No space left on device'
	assert_output --partial 'layer sha256:'
	run diff before <(store_files)
	assert_success
	umount "$KIST_STORE"
}

@test "memory stays small whatever a layer's size" {
	mkdir big
	head -c 150000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 >big/file 2>/dev/null
	for i in $(seq 2000); do echo "$i" >"big/$i"; done
	tar -C big -cf - . | gzip -1 >big.tar.gz
	run python3 - "$KIST_IMAGE" --store "$KIST_STORE" import big.tar.gz big <<-'P'
	import resource, subprocess, sys
	subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	P
	assert_success
	assert [ "$output" -lt 32768 ]
}

# zstd_layers PREFIX...: an OCI layout "lay" with an image "app", one layer for each tar archive PREFIX.tar.zst of PREFIX.tar
zstd_layers() {
	python3 - "$@" <<-'P'
	import hashlib, json, os, sys
	os.makedirs("lay/blobs/sha256")
	def put(data, kind):
	    hex = hashlib.sha256(data).hexdigest()
	    with open("lay/blobs/sha256/" + hex, "wb") as f:
	        f.write(data)
	    return {"mediaType": kind, "digest": "sha256:" + hex, "size": len(data)}
	kind = "application/vnd.oci.image."
	diffs = ["sha256:" + hashlib.sha256(open(name + ".tar", "rb").read()).hexdigest() for name in sys.argv[1:]]
	layers = [put(open(name + ".tar.zst", "rb").read(), kind + "layer.v1.tar+zstd") for name in sys.argv[1:]]
	config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}
	manifest = {"schemaVersion": 2, "config": put(json.dumps(config).encode(), kind + "config.v1+json"), "layers": layers}
	row = put(json.dumps(manifest).encode(), kind + "manifest.v1+json")
	row["annotations"] = {"org.opencontainers.image.ref.name": "app"}
	json.dump({"schemaVersion": 2, "manifests": [row]}, open("lay/index.json", "w"))
	json.dump({"imageLayoutVersion": "1.0.0"}, open("lay/oci-layout", "w"))
	P
}

# peak_of COMMAND...: its peak memory in KiB
peak_of() {
	python3 - "$@" <<-'P'
	import resource, subprocess, sys
	subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	P
}

@test "memory stays small whatever the windows of zstd layers" {
	local i
	mkdir big
	head -c 40000000 /dev/urandom >big/file
	# what comes again 120 MB later is found in a window of 128 MiB alone
	for i in 1 2; do
		head -c 120000000 /dev/zero | openssl enc -aes-128-ctr -K "0$i" -iv 00 2>/dev/null >zeros
		cat big/file zeros big/file >"big/data$i"
	done
	rm zeros
	tar -C big -cf a.tar file data1
	tar -C big -cf b.tar data2
	head -c 1000000 big/file >big/file2
	tar -C big -cf c.tar file2
	zstd -q -1 --long=27 <a.tar >a.tar.zst
	zstd -q -1 --long=27 <b.tar >b.tar.zst
	zstd -q --ultra -22 <c.tar >c.tar.zst
	for i in d e f g h; do
		head -c 20000000 /dev/urandom >"big/$i"
		tar -C big -cf "$i.tar" "$i"
		# a window of 8 MiB, which every reader has to take
		zstd -q -1 --zstd=wlog=23 <"$i.tar" >"$i.tar.zst"
	done
	[[ $(zstd -lv a.tar.zst) == *"128 MiB"* ]]
	[[ $(zstd -lv c.tar.zst) == *"128 MiB"* ]]
	[[ $(zstd -lv d.tar.zst) == *"8.00 MiB"* ]]
	rm -r big
	zstd_layers a b c d e f g h
	# eight at a time, as on a machine with eight processors: sysconf(3) reads this file
	echo 0-7 >eight
	mount --bind eight /sys/devices/system/cpu/online
	[ "$(getconf _NPROCESSORS_ONLN)" = 8 ]
	run peak_of "$KIST_IMAGE" --store "$KIST_STORE" load lay
	assert_success
	echo "peak: $output KiB"
	assert [ "$output" -lt 65536 ]
	run image check
	assert_success
	run peak_of "$KIST_IMAGE" --store "$KIST_STORE" check -q
	assert_success
	echo "peak of check: $output KiB"
	assert [ "$output" -lt 65536 ]
	umount /sys/devices/system/cpu/online
	run ls -A "$KIST_STORE/tmp"
	assert_output ''
}

@test "a zstd layer's window above 512 MiB is refused, with the layer and the window" {
	mkdir t
	head -c 1000000 /dev/urandom >t/file
	tar -C t -cf a.tar file
	zstd -q -1 --long=29 <a.tar >a.tar.zst
	image import a.tar.zst taken
	zstd -q -1 --long=30 <a.tar >a.tar.zst
	zstd_layers a
	run image load lay
	assert_failure 1
	assert_output --partial "layer sha256:$(sha256sum <a.tar.zst | cut -d' ' -f1): zstd: a window of 1024 MiB; at most 512 are taken"
	# no disk for a window that only a file can hold
	mount -t tmpfs -o size=20m kist-test "$KIST_STORE"
	zstd -q --ultra -22 <a.tar >a.tar.zst
	run image import a.tar.zst full
	assert_failure 1
	assert_output --partial "layer 1: zstd: a window of 128 MiB: No space left on device"
	umount "$KIST_STORE"
}

@test "a wrong --store is refused" {
	mkdir other
	echo mine >other/file
	run "$KIST_IMAGE" --store other load x
	assert_failure 1
	assert_output --partial 'store other: holds "file" and is not an image store'
	run "$KIST_IMAGE" --store other/file ls
	assert_failure 1
}

@test "usage: wrong words are status 2" {
	run image frobnicate
	assert_failure 2
	run image rm
	assert_failure 2
	run image ls --nosuch
	assert_failure 2
	run image load --name x a b
	assert_failure 1
}
