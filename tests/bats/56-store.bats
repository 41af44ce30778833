#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The store proves itself: other tools that write into it, check and repair, trees and sizes, mounts, removal, and many
# commands at once.

load ../helpers/common
load ../helpers/image
load ../helpers/engine

# ---- other tools write the layout while kist does not run ----

@test "run unpacks by itself what umoci and skopeo wrote into the store" {
	base_image
	mkdir -p one/opt two/srv
	echo one >one/opt/one
	echo two >two/srv/two
	umoci insert --image "$KIST_STORE:base:1" --tag app:2 one / >/dev/null
	umoci config --image "$KIST_STORE:app:2" --config.cmd /bin/cat --config.cmd /opt/one
	run kist plan app:2
	assert_failure
	assert_output --partial 'kist image unpack'
	run kist run --rm app:2
	assert_success
	assert_output one
	# of an image that is unpacked, nothing is executed
	KIST_LIBEXEC=/nowhere run kist run --rm app:2
	assert_output one
	layout_image lay x one two
	skopeo copy -q oci:lay:x "oci:$KIST_STORE:registry.test/sk:1"
	run kist image unpack sk:1
	assert_success
	assert_equal "$(image ls --format '{{.Repository}}' | LC_ALL=C sort | xargs)" "app base registry.test/sk"
	# what is killed there goes when nobody names it any more
	umoci rm --image "$KIST_STORE:registry.test/sk:1"
	umoci gc --layout "$KIST_STORE"
	two=$(sha256sum <two/srv/two | cut -c -64)
	assert [ -n "$(find "$KIST_STORE/layers" -name two)" ]
	image prune
	assert_equal "$(find "$KIST_STORE/layers" -name two)" ""
	run kist run --rm app:2
	assert_output one
}

@test "run of an image whose layer blob is broken says so, and leaves no container" {
	base_image
	mkdir -p one/opt
	echo one >one/opt/one
	umoci insert --image "$KIST_STORE:base:1" --tag app:2 one / >/dev/null
	blob=$(image inspect app:2 | jq -r '.[0].Layers[1].Digest[7:]')
	printf x | dd of="$KIST_STORE/blobs/sha256/$blob" bs=1 seek=40 conv=notrunc status=none
	run kist run --rm --name c app:2 true
	assert_failure 125
	assert_output --partial "layer sha256:$blob"
	assert_output --partial 'image "app:2": its layers could not be unpacked'
	assert_equal "$(kist ps -aq)" ""
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
}

@test "what other tools keep in index.json stays as it is" {
	base_image
	base_image other:1
	python3 - "$KIST_STORE" <<-'P'
	import hashlib, json, sys
	top = sys.argv[1]
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open(top + "/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	index = json.load(open(top + "/index.json"))
	index["annotations"] = {"x.y": "z"}
	index["foreign"] = [1, 9223372036854775807]
	index["manifests"][0]["annotations"]["com.test.note"] = "mine"
	index["manifests"][0]["platform"] = {"os": "linux", "architecture": "amd64"}
	index["manifests"].append(dict(put(b"no document at all"), mediaType="application/vnd.test.thing"))
	index["manifests"].append({"mediaType": "application/vnd.test.thing", "size": 3, "digest": "sha512:" + "ab" * 64})
	json.dump(index, open(top + "/index.json", "w"))
	P
	jq -S '.manifests |= sort_by(.digest + .annotations["org.opencontainers.image.ref.name"])' "$KIST_STORE/index.json" >want
	thing=$(jq -r '.manifests[] | select(.size == 18) | .digest[7:]' "$KIST_STORE/index.json")
	mkdir -p one/opt
	echo one >one/opt/one
	image import one new:1 >/dev/null
	kist run --rm base:1 true
	image unpack base:1
	image rm new:1
	image prune
	mkdir copy
	cp -r "$KIST_STORE"/{oci-layout,blobs} copy/
	jq '.manifests |= map(select(.size > 100))' "$KIST_STORE/index.json" >copy/index.json
	image load copy:base:1
	assert_equal "$(image ls --format '{{.Name}}' | LC_ALL=C sort | xargs)" "base:1 other:1"
	jq -S '.manifests |= sort_by(.digest + .annotations["org.opencontainers.image.ref.name"])' "$KIST_STORE/index.json" >have
	run diff want have
	assert_success
	assert_file_exist "$KIST_STORE/blobs/sha256/$thing"
}

# ---- check and repair ----

# three_layers: images app:1 and app:2, which share their first two layers: a wide tree, then one that deletes and hides
three_layers() {
	mkdir -p wide up/dir up2
	wide_tree wide
	truncate -s 3M wide/sparse
	printf x | dd of=wide/sparse bs=1 seek=1500000 conv=notrunc status=none
	umoci init --layout lay
	umoci new --image lay:1
	umoci insert --image lay:1 wide / >/dev/null
	umoci insert --image lay:1 --whiteout /deep/er
	echo up >up/dir/file
	umoci insert --opaque --image lay:1 up /private >/dev/null
	umoci tag --image lay:1 2
	umoci insert --image lay:2 up2 /two >/dev/null
	image load --name app:1 lay:1
	image load --name app:2 lay:2
} >/dev/null

# layer N: the tree of layer N of app:2
layer() {
	echo "$KIST_STORE/layers/sha256/$(layers_of app:2 | sed -n "$1p")/fs"
}

@test "check: a sound store has nothing wrong, in any of its forms" {
	run image check
	assert_success
	three_layers
	base_image
	run --separate-stderr image check
	assert_success
	assert_output ""
	# shellcheck disable=SC2154
	assert_regex "$stderr" '^[0-9]+ blobs and 5 layers checked, 0 wrong$'
	run image check -q --quick app:1
	assert_success
	assert_output ""
	# archives in every format, and the odd things that image suites unpack
	mkdir -p t/a/b
	echo x >t/a/b/c
	for format in v7 oldgnu gnu ustar posix; do
		tar -C t --format=$format -cf t.tar a/b/c
		image import t.tar "f:$format" >/dev/null
	done
	for how in --format=gnu --format=pax\ --sparse-version={0.0,0.1,1.0}; do
		# shellcheck disable=SC2086
		tar -C wide -S $how -cf s.tar sparse
		image import s.tar "s:$(cksum <<<"$how" | cut -d' ' -f1)" >/dev/null
	done
	python3 - <<-'P'
	import tarfile
	t = tarfile.open("odd.tar", "w")
	def add(name, kind=tarfile.REGTYPE, link=""):
	    i = tarfile.TarInfo(name)
	    i.type, i.mode, i.linkname, i.mtime = kind, 0o755, link, 5
	    t.addfile(i)
	add(".wh.f"), add(".wh.g"), add("g"), add("a/new"), add("a/.wh.1")
	add("b", tarfile.DIRTYPE), add("b/.wh.x"), add("b/.wh..wh..opq"), add("b/.wh.1"), add("b/new")
	add("c/new"), add(".wh.c"), add(".wh.d"), add("d/new"), add(".wh..wh.plnk/x"), add(".wh..wh.aufs")
	add("dir", tarfile.DIRTYPE), add("dir/x"), add("dir"), add("x/y"), add("x", tarfile.SYMTYPE, "b"), add("x/through")
	add("l", tarfile.SYMTYPE, "/b/../a"), add("l/in"), add("h", tarfile.LNKTYPE, "l/in"), add("h", tarfile.LNKTYPE, "a/in")
	add("null", tarfile.CHRTYPE), add("./a//twice/."), add("g"), add("g/.wh.z")
	t.close()
	P
	image import odd.tar odd >/dev/null
	run image check -q
	assert_output ""
	assert_success
}

@test "check: everything that can be wrong in a layer is told, with its place; repair puts it right" {
	three_layers
	one=$(layer 1) id=sha256:$(layers_of app:2 | head -n 1)
	tree_list "$one" >want
	cp -a "$one" spare
	printf Y | dd of="$one/bin/busybox" bs=1 seek=5000 conv=notrunc status=none # also its time
	touch -r spare/bin/busybox "$one/bin/busybox"
	echo more >"$one/extra"
	mkdir "$one/deep/extra"
	rm "$one/zero"
	chmod 755 "$one/private"
	chown 5 "$one/sticky"
	touch -h -d 2011-01-01 "$one/dangling"
	setfattr -n user.new -v 1 "$one/empty"
	setfattr -n user.dir -v no "$one/deep"
	setfattr -x security.capability "$one/hard"
	rm "$one/fifo" && echo x >"$one/fifo"
	rm "$one/bin/hard" && cp -p "$one/hard" "$one/bin/hard"
	rm "$one/bin/sh" && ln -s nowhere "$one/bin/sh"
	rm "$one/dev/loop7" && mknod "$one/dev/loop7" b 7 8
	printf z | dd of="$one/sparse" bs=1 seek=2900000 conv=notrunc status=none
	touch -r spare/sparse "$one/sparse"
	cp -a wide/dev/null "$one/dev/full"
	two=$(layer 2) id2=sha256:$(layers_of app:2 | sed -n 2p)
	rm "$two/deep/er"
	mkdir "$two/deep/er"
	run image check -q
	assert_failure 1
	for line in "bin/busybox: data: differs" "extra: not in the layer" "deep/extra: not in the layer" "zero: missing" \
		"private: mode 0755, not 0000" "sticky: owner 5:0, not 0:0" "empty: xattr user.new: not in the layer" \
		"deep: xattr user.dir: differs" "fifo: a file, not a FIFO" \
		"bin/hard: not the file that it is a hard link to" 'bin/sh: leads to "nowhere", not "busybox"' \
		"dev/loop7: device 7:8, not 7:7" "sparse: data: differs" "dev/full: not in the layer"; do
		assert_line "layer $id: $line"
	done
	assert_line --regexp "^layer $id: (hard|deep/er/est/file): xattr security.capability: missing"
	assert_line --regexp "^layer $id: dangling: time .*, not 1262304000.0"
	assert_line "layer $id2: deep/er: a directory, not a whiteout"
	# the quick look does not see it
	run image check --quick
	assert_success
	run image check --repair
	assert_success
	assert_line "layer $id: unpacked again"
	assert_line "layer $id2: unpacked again"
	run diff want <(tree_list "$one")
	assert_success
	run image check -q
	assert_success
	assert_output ""
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	rm -r "$one" "$KIST_STORE/layers/sha256/${id2:7}/bytes"
	touch "$KIST_STORE/layers/sha256/${id:7}/what"
	echo x >"$KIST_STORE/layers/sha256/${id:7}/files"
	run image check --quick -q
	for line in "layer $id: fs: missing" "layer $id: what: not part of a layer" "layer $id2: bytes: missing" \
		"layer $id: files: no list of files"; do
		assert_line "$line"
	done
	assert_equal "${#lines[@]}" 5
	image check --repair -q
	run diff want <(tree_list "$one")
	assert_success
	image check -q
}

@test "check: broken blobs are found by their digests, removed by repair, and come back with a load" {
	three_layers
	blob=$(image inspect app:2 | jq -r '.[0].Layers[0].Digest')
	printf x | dd of="$KIST_STORE/blobs/sha256/${blob:7}" bs=1 seek=100 conv=notrunc status=none
	run image check -q
	assert_failure 1
	assert_line --regexp "^blob $blob: its bytes have the digest sha256:[0-9a-f]{64}\$"
	assert_equal "${#lines[@]}" 2 # and the error
	run image check -q --repair
	assert_failure 1
	assert_line "blob $blob: removed"
	assert_line "image app:1: lacks the layer blob $blob: it runs, but cannot be saved or pushed until it is loaded or pulled again"
	run image check -q app:2
	assert_line "image app:2: layer blob $blob: missing"
	image load --name app:1 lay:1
	image check -q
	# a config: the image cannot be used any more, and goes
	config=$(image inspect app:2 | jq -r '.[0].ConfigDigest')
	truncate -s -1 "$KIST_STORE/blobs/sha256/${config:7}"
	run image check -q --quick
	assert_failure 1
	assert_line --regexp "^blob $config: [0-9]+ bytes, not [0-9]+ as its descriptor says"
	run image check -q --repair
	assert_success
	assert_line "image app:2: removed, for want of $config; load or pull it again"
	assert_equal "$(image ls --format '{{.Name}}')" app:1
	image check -q
	image load --name app:2 lay:2
	# the whole index
	cp "$KIST_STORE/index.json" index.json
	echo '{"schemaVersion":2,"manifests":[{' >"$KIST_STORE/index.json"
	run image check -q
	assert_failure 1
	assert_line --partial "index.json"
	cp index.json "$KIST_STORE/index.json"
	image check -q
}

@test "check: left-overs, names of nothing, and what containers hold" {
	three_layers
	mkdir "$KIST_STORE/tmp/7.0" "$KIST_STORE/containers/c"
	touch "$KIST_STORE/blobs/sha256/nonsense"
	absent=sha256:$(printf 0%.0s {1..64})
	printf '%s\nnonsense\n' "$absent" >"$KIST_STORE/containers/c/layers"
	one=$(layers_of app:1 | head -n 1)
	touch "$KIST_STORE/layers/sha256/$one/from-${absent:7}"
	run image check -q
	assert_failure 1
	assert_line "tmp/7.0: left by a command that was killed"
	assert_line "blobs/sha256/nonsense: no blob's name"
	assert_line "containers/c/layers: \"nonsense\" is no digest"
	assert_line "container c: layer $absent: missing"
	assert_equal "${#lines[@]}" 5
	run image check -q --repair
	assert_file_not_exist "$KIST_STORE/layers/sha256/$one/from-${absent:7}"
	assert_not_exist "$KIST_STORE/tmp/7.0"
	rm -r "$KIST_STORE/containers/c" "$KIST_STORE/blobs/sha256/nonsense"
	image check -q
	run image check nosuch
	assert_failure 1
	assert_output --partial 'image "nosuch": not in the store'
}

@test "repair: not while a container runs on the layer; a stopped one gets the new tree" {
	base_image
	detached --name web base:1 sh -c 'while :; do sleep 0.1; done' >/dev/null
	fs=$KIST_STORE/layers/sha256/$(layers_of base:1)/fs
	touch "$fs/bad"
	run image check -q --repair
	assert_failure 1
	assert_line --partial "not repaired, since web runs on it: stop that first"
	assert_file_exist "$fs/bad"
	kist exec web ls /bad
	kist stop -t 0 web >/dev/null
	run image check -q --repair
	assert_success
	assert_file_not_exist "$fs/bad"
	kist start web >/dev/null </dev/null 3>&-
	kist exec web /bin/true
	kist rm -f web >/dev/null
}

# ---- what is shared ----

# blocks PATH...: what du counts, in bytes
blocks() {
	du -c -B1 "$@" | tail -n 1 | cut -f 1
}

@test "tree: layers, images, containers, and what sharing saves" {
	mkdir -p one/opt two/srv
	head -c 3000000 /dev/urandom >one/opt/one
	head -c 2000000 /dev/urandom >two/srv/two
	umoci init --layout lay
	umoci new --image lay:base
	umoci insert --image lay:base "$KIST_TEST_ROOTFS" / >/dev/null
	umoci config --image lay:base --config.cmd /bin/true
	for name in one two; do
		umoci tag --image lay:base $name
		umoci insert --image lay:$name $name / >/dev/null
	done
	for name in base one two; do image load -q --name $name:1 lay:$name >/dev/null; done
	kist run --name c two:1
	run image tree
	assert_success
	base=$(layers_of one:1 | head -n 1) one=$(layers_of one:1 | tail -n 1) two=$(layers_of two:1 | tail -n 1)
	assert_line --index 0 --regexp "^${base:0:12}  [0-9.]+MB  3 images, 1 container\$"
	assert_line --index 1 "├── base:1"
	assert_line "├── ${one:0:12}  3.0MB  1 image"
	assert_line "│   └── one:1"
	assert_line "└── ${two:0:12}  2.0MB  1 image, 1 container"
	assert_line "    ├── two:1"
	assert_line --regexp '^    └── container c  [0-9.]+kB$'
	assert_line --regexp '^3 layers: .* on the disk; .* if nothing was shared: .* saved by common layers, 0B by common files$'
	image tree --format json >tree.json
	# real sizes: of files, as du counts
	assert_equal "$(jq '.Layers[0].Layers | map(.Size) | add' tree.json)" \
		"$(blocks "$KIST_STORE/layers/sha256/$one/fs/opt/one" "$KIST_STORE/layers/sha256/$two/fs/srv/two")"
	assert_equal "$(jq '.SavedByLayers == 2 * .Layers[0].Size' tree.json)" true
	run image tree one:1
	refute_output --partial two:1
	# the same file in two layers of two images, linked by hand
	ln -f "$KIST_STORE/layers/sha256/$one/fs/opt/one" "$KIST_STORE/layers/sha256/$two/fs/srv/two"
	assert_equal "$(image tree --format json | jq '.SavedByFiles')" \
		"$(blocks "$KIST_STORE/layers/sha256/$one/fs/opt/one")"
	run image tree --format xml
	assert_failure 1
	kist rm c >/dev/null
}

@test "system df: docker's columns, real sizes, and what can go" {
	run kist system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.RawSize}} {{.Reclaimable}}'
	assert_output $'Images 0 0 0 0B (0%)\nContainers 0 0 0 0B (0%)\nLocal Volumes 0 0 0 0B (0%)'
	base_image
	mkdir -p one/opt
	head -c 3000000 /dev/urandom >one/opt/one
	image import -q one one:1 >/dev/null
	kist image tag base:1 other:1
	detached --name web -v data:/data base:1 sh -c 'head -c 500000 /dev/urandom >/data/x; head -c 700000 /dev/urandom >/y; sleep 100' >/dev/null
	kist run --name old base:1 true
	wait_until 5 test -s "$KIST_STORE/containers/web/upper/y"
	sync -f "$KIST_STORE"
	run kist system df
	assert_line --index 0 --regexp '^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE +SAVED$'
	assert_line --index 1 --regexp '^Images +2 +1 +[0-9.]+MB +6\.0MB \([0-9]+%\) +0B$'
	assert_line --index 2 --regexp '^Containers +2 +1 +[0-9.]+[kM]B +[0-9.]+kB \([0-9]+%\) +0B$'
	assert_line --index 3 --regexp '^Local Volumes +1 +1 +[0-9]+kB +0B \(0%\) +0B$'
	kist system df --format json >df.json
	assert_equal "$(jq '.[0].RawSize' df.json)" "$(blocks "$KIST_STORE"/blobs/sha256/* "$KIST_STORE"/layers/sha256/*)"
	assert_equal "$(jq '.[1].RawSize' df.json)" "$(blocks "$KIST_STORE"/containers/*)"
	assert_equal "$(jq '.[2].RawSize' df.json)" "$(blocks "$KIST_STORE/volumes/data")"
	run kist system df -v
	assert_line --regexp '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$'
	assert_line --regexp '^one +1 +[0-9a-f]{12} .* ago +6\.0MB +0B +6\.0MB +0$'
	assert_line --regexp '^base +1 +[0-9a-f]{12} .* 2$'
	assert_line --regexp '^web +base:1 +sh -c head .* running$'
	assert_line --regexp '^old +base:1 +true .* exited$'
	assert_line --regexp '^data +1 +[0-9]+kB$'
	# what it says can go, goes
	want=$(jq '.[0].RawReclaimable' df.json)
	before=$(blocks "$KIST_STORE"/blobs/sha256/* "$KIST_STORE"/layers/sha256/*)
	image prune -a >/dev/null
	assert_equal "$(blocks "$KIST_STORE"/blobs/sha256/* "$KIST_STORE"/layers/sha256/*)" "$((before - want))"
	kist rm -f web old >/dev/null
	run kist system df --format '{{.Type}} {{.Active}}'
	assert_output $'Images 0\nContainers 0\nLocal Volumes 0'
	run kist system df -v --format json
	assert_failure 1
}

# ---- names, lists, removal ----

# dated NAME DATE [UMOCI-CONFIG-OPTION...]: an image of one small layer that says when it was made
dated() {
	[ -e dated ] || umoci init --layout dated
	mkdir -p "t/$1" && echo "$1" >"t/$1/$1"
	umoci new --image "dated:$1"
	umoci insert --image "dated:$1" "t/$1" / >/dev/null
	umoci config --image "dated:$1" --created "$2" "${@:3}"
	image load -q --name "${TO:-$1}" "dated:$1" >/dev/null
}

@test "rm: the last name takes the image, an ID all names with -f, one wrong word does not keep the others" {
	dated a 2020-01-01T00:00:00Z
	dated b 2021-01-01T00:00:00Z
	image tag a:latest also:1
	id=$(image inspect -f '{{.Id}}' a)
	run image rm also:1
	assert_output "Untagged: also:1"
	image tag a:latest also:1
	run image rm "${id:7:8}"
	assert_failure 1
	assert_output --partial "image \"${id:7:8}\": has 2 names: say which, or use -f to remove all of them"
	run image rm nosuch b also:1
	assert_failure 1
	assert_line "Untagged: also:1"
	assert_line "Untagged: b:latest"
	assert_line --partial 'image "nosuch": not in the store'
	image tag a:latest also:1
	run image rm -f "${id:7:8}" nosuch
	assert_success
	assert_equal "$(LC_ALL=C sort <<<"$output")" "Deleted: $id
Untagged: a:latest
Untagged: also:1"
	run image rm --ignore nosuch
	assert_success
	assert_output ""
	dated a 2020-01-01T00:00:00Z
	dated c 2020-01-01T00:00:00Z
	run image rm
	assert_failure 2
	run image rm --all
	assert_success
	assert_equal "$(image ls -q)" ""
	assert_equal "$(find "$KIST_STORE"/{blobs,layers}/sha256 -mindepth 1)" ""
}

@test "prune: filters by time and label, says what it frees, asks at a terminal" {
	dated old 2020-01-01T00:00:00Z --config.label keep=no
	dated new "$(date -u +%FT%TZ)"
	dated kept 2020-06-01T00:00:00Z --config.label keep=yes
	TO=kept dated over 2020-07-01T00:00:00Z # takes the name away
	kept=$(image ls --filter dangling=true --no-trunc -q)
	run image prune --filter label=keep=no
	assert_output "Total reclaimed space: 0B"
	run image prune -a --filter until=1h --filter label!=keep=yes --filter until=2020-03-01
	assert_line "kept:latest"
	assert_line "old:latest"
	assert_equal "${#lines[@]}" 3
	assert_equal "$(image ls --format '{{.Name}}' | LC_ALL=C sort | xargs)" "new:latest"
	run image prune -a --filter until=nonsense
	assert_failure 1
	assert_output --partial "option --filter: until=nonsense: neither a time nor a duration such as 24h"
	run image prune --filter reference=x
	assert_failure 1
	assert_output --partial "option --filter: reference=x: no such filter"
	before=$(blocks "$KIST_STORE"/{blobs,layers}/sha256)
	run with_terminal "$KIST_IMAGE" --store "$KIST_STORE" prune <<<n
	assert_failure 1
	assert_output --partial "Are you sure you want to continue? [y/N]"
	assert_equal "$(image ls --filter dangling=true --no-trunc -q)" "$kept"
	run image prune -f
	assert_line --index 0 "$kept"
	freed=$((before - $(blocks "$KIST_STORE"/{blobs,layers}/sha256)))
	assert_line --index 1 "Total reclaimed space: $(awk -v n=$freed 'BEGIN { printf "%.0fkB", n / 1000 }')"
}

@test "ls: filters, a pattern, digests, IDs in full; inspect has what podman's has" {
	dated a 2020-01-01T00:00:00Z --config.label color=blue --config.label x=
	TO=registry.test/team/b:2 dated b 2021-01-01T00:00:00Z --config.label color=red
	dated c 2022-01-01T00:00:00Z
	names() { image ls --format '{{.Name}}' "$@" | LC_ALL=C sort | xargs; }
	assert_equal "$(names --filter label=color)" "a:latest registry.test/team/b:2"
	assert_equal "$(names --filter label=color=blue)" "a:latest"
	assert_equal "$(names --filter label=color --filter label=x)" "a:latest"
	assert_equal "$(names --filter since=a)" "c:latest registry.test/team/b:2"
	assert_equal "$(names --filter since=a --filter before=c)" "registry.test/team/b:2"
	assert_equal "$(names --filter until=2021-06-01T00:00:00+02:00)" "a:latest registry.test/team/b:2"
	assert_equal "$(names --filter reference='[ac]')" "a:latest c:latest"
	assert_equal "$(names 'b')" "registry.test/team/b:2"
	assert_equal "$(names 'registry.test/*/*:2')" "registry.test/team/b:2"
	assert_equal "$(names --filter dangling=true)" ""
	run image ls --filter before=nosuch
	assert_failure 1
	assert_output --partial 'option --filter: image "nosuch": not in the store'
	run image ls --filter nonsense
	assert_failure 1
	id=$(image inspect -f '{{.Id}}' a)
	assert_equal "$(image ls -q --no-trunc a)" "$id"
	run image ls --digests a
	assert_line --index 0 --regexp '^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$'
	assert_line --index 1 --regexp "^a +latest +$id +${id:7:12} +6 years ago"
	assert_equal "$(image ls --format json a | jq -c '.[0] | [.Labels.color, .Containers]')" '["blue",0]'
	image tag a:latest other:3
	image tag a:latest a:1
	image inspect a | jq '.[0]' >i.json
	assert_equal "$(jq -c '.RepoDigests' i.json)" "[\"a@$id\",\"other@$id\"]"
	assert_equal "$(jq -c '[.RepoTags | sort[]]' i.json)" '["a:1","a:latest","other:3"]'
	assert_equal "$(jq -c '[.Labels.color, .ManifestType, .GraphDriver.Name, (.History | length > 0), .Parent, .Created]' i.json)" \
		'["blue","application/vnd.oci.image.manifest.v1+json","overlay",true,"","2020-01-01T00:00:00Z"]'
	assert_file_exist "$(jq -r '.GraphDriver.Data.UpperDir' i.json)/a"
	run image inspect -f '{{.RootFS.Type}} {{.Os}} {{json .Config.Labels}}' a
	assert_output --partial 'layers linux {"color":"blue"'
}

# ---- mounts ----

@test "mount: an image's tree on the host, counted, until it is unmounted as often" {
	mkdir -p one/opt two/srv
	echo one >one/opt/one
	echo two >two/srv/two
	layout_image lay x one two
	image load --name app:1 lay >/dev/null
	image import -q one single:1 >/dev/null
	run kist image mount app:1
	assert_success
	where=$output
	assert_equal "$where" "$KIST_STORE/mounts/$(image inspect -f '{{.Id}}' app:1 | cut -c8-)/tree"
	assert_equal "$(cat "$where/opt/one" "$where/srv/two")" $'one\ntwo'
	run touch "$where/new"
	assert_failure
	assert_equal "$(kist image mount app:1)" "$where"
	mkdir here
	run kist image mount app:1 here
	assert_failure 1
	assert_output --partial "is mounted on $where already"
	assert_equal "$(kist image mount single:1 here)" "$PWD/here"
	assert_equal "$(cat here/opt/one)" one
	assert_regex "$(findmnt -no OPTIONS here)" '^ro,nosuid,nodev'
	run kist image mount
	assert_equal "$(LC_ALL=C sort <<<"$output")" "app:1 $where"$'\n'"single:1 $PWD/here"
	assert_equal "$(kist image mount --format json | jq -c 'map(select(.Repository == "app:1")) | .[0].Count')" 2
	run kist image tree
	assert_line --partial "mounted"
	# it is held
	run kist image rm app:1
	assert_failure 1
	assert_output --partial "it is mounted (the mount of ${where:${#KIST_STORE}+8:12})"
	image prune -a >/dev/null
	assert_equal "$(cat "$where/opt/one" here/opt/one)" $'one\none'
	run image check -q
	assert_output ""
	# forced out of the index, its layers stay as long as the mount
	kist image rm -f single:1 >/dev/null
	assert_equal "$(cat here/opt/one)" one
	kist image unmount app:1
	assert_equal "$(cat "$where/opt/one")" one
	kist image umount app:1
	assert_not_exist "$where"
	run kist image unmount app:1
	assert_failure 1
	assert_output --partial "is not mounted"
	run kist image unmount
	assert_failure 2
	kist image unmount --all
	assert_equal "$(kist image mount)" ""
	run findmnt -no TARGET here
	assert_failure
	assert_equal "$(ls -A "$KIST_STORE/mounts")" ""
	image prune -a >/dev/null
	assert_equal "$(ls -A "$KIST_STORE/layers/sha256")" ""
}

@test "mount: another mount in the same place is nobody's to unmount" {
	base_image
	mkdir dir
	kist image mount base:1 "$PWD/dir" >/dev/null
	umount dir
	# before Linux 6.8 it gets the very number that is free again
	mount -t tmpfs mine dir
	echo mine >dir/file
	assert_equal "$(kist image mount)" ""
	run kist image unmount base:1
	assert_failure 1
	assert_output --partial 'is not mounted'
	assert_equal "$(cat dir/file)" mine
	# and one that was there before, when kist is killed before it mounts upon it
	kist image mount base:1 "$PWD/dir" >/dev/null
	record=$(echo "$KIST_STORE"/mounts/*/record.json)
	cp "$record" kept
	umount dir
	sed -i 's/"count":1/"count":0/' "$record"
	assert_equal "$(kist image mount)" ""
	assert_equal "$(cat dir/file)" mine
	sed -E 's/"count":1/"count":0/; s/"mount":[0-9]+/"mount":0/' kept >zero
	mkdir -p "${record%/*}" && cp zero "$record"
	assert_equal "$(kist image mount)" ""
	assert_equal "$(cat dir/file)" mine
	umount dir
}

@test "mount: a lost mount, a reboot and a killed maker leave no record for long" {
	base_image
	where=$(kist image mount base:1)
	umount "$where"
	assert_equal "$(kist image mount)" ""
	assert_equal "$(ls -A "$KIST_STORE/mounts")" ""
	where=$(kist image mount base:1)
	umount "$where"
	sed -i 's/"boot":"[0-9a-f]*/"boot":"0000/' "${where%/tree}/record.json"
	assert_equal "$(kist image mount base:1)" "$where"
	assert_equal "$(kist image mount --format '{{.Count}}')" 1
	# killed between mounting and noting that it is done
	sed -i 's/"count":1/"count":0/' "${where%/tree}/record.json"
	assert_equal "$(kist image mount base:1)" "$where"
	assert_equal "$(findmnt -no TARGET "$where" | wc -l)" 1
	umount "$where"
	kist image rm base:1 >/dev/null
	assert_equal "$(ls -A "$KIST_STORE/mounts" "$KIST_STORE/layers/sha256" | grep -c .)" 2 # their names alone
	base_image
	where=$(kist image mount base:1)
	cd "$where"
	run kist image unmount base:1
	assert_failure 1
	assert_output --partial "-f does it though it is in use"
	run kist image unmount -f base:1
	assert_success
	cd /
	assert_equal "$(kist image mount)" ""
}

# ---- at once ----

@test "no global lock: loads, runs, removals, prunes and checks at once, and each does the right thing" {
	base_image
	layout_image lay one "$KIST_TEST_ROOTFS" >/dev/null
	umoci config --image lay:one --config.user 0:0 --config.cmd /bin/true
	mkdir -p two/srv
	echo two >two/srv/two
	umoci tag --image lay:one two
	umoci insert --image lay:two two / >/dev/null
	local pids=() end=$((SECONDS + 6))
	many() { # NAME COMMAND...: again and again; what fails is told
		local name=$1 n=0
		shift
		while [ $SECONDS -lt $end ]; do
			n=$((n + 1))
			"$@" >out."$name" 2>&1 || { echo "$name: round $n: status $?: $(cat out."$name")" >>errors; }
		done
		echo "$name $n" >>rounds
	}
	# each has a name of its own: what it does must be as if it was alone
	turn() {
		image load -q --name "$1" "$2" || return
		[ "$(kist run --rm "$1" sh -c "$3")" = "$4" ] || { echo "run: not $4"; return 1; }
		image rm "$1"
	}
	many one turn one:1 lay:one 'echo works' works &
	pids+=($!)
	many two turn two:1 lay:two 'cat /srv/two' two &
	pids+=($!)
	many prune image prune -f &
	pids+=($!)
	many check image check -q &
	pids+=($!)
	many run kist run --rm base:1 true &
	pids+=($!)
	many tree image tree &
	pids+=($!)
	wait "${pids[@]}"
	assert_equal "$(cat errors 2>/dev/null)" ""
	assert [ "$(awk '{ n += $2 } END { print n }' rounds)" -gt 30 ]
	assert_equal "$(image ls --format '{{.Name}}')" base:1
	run image check -q
	assert_output ""
	# all space is back: a fresh store with the same image takes as much
	image prune -f >/dev/null
	kist save -q --format oci-archive -o base.tar base:1
	"$KIST_IMAGE" --store fresh load -q base.tar >/dev/null
	assert_equal "$(blocks "$KIST_STORE"/{blobs,layers,tmp})" "$(blocks fresh/{blobs,layers,tmp})"
}
