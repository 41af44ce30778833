#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images going out and being made: names, history, save in every format with other tools as readers, commit, diff,
# export, import; digests compared byte for byte.

load ../helpers/common
load ../helpers/image
load ../helpers/engine

# names: all names in the store, sorted
names() {
	image ls --format '{{.Repository}}:{{.Tag}}' | LC_ALL=C sort | xargs
}

two_images() {
	small_trees
	layout_image lay one base one
	layout_image lay two base two
	image load -q lay >/dev/null
}

# ---- names ----

@test "tag: more names for one image, and a name that moves" {
	two_images
	one=$(image inspect -f '{{.Digest}}' lay:one)
	run kist tag lay:one app registry.test:5000/team/app:2
	assert_success
	assert_output ""
	assert_equal "$(names)" "app:latest lay:one lay:two registry.test:5000/team/app:2"
	assert_equal "$(image inspect -f '{{.Digest}}' app:latest registry.test:5000/team/app:2 | sort -u)" "$one"
	# lay:two loses a name of its own to lay:one, and stays
	kist image tag lay:two other:1
	kist tag "$one" other:1
	assert_equal "$(image inspect -f '{{.Digest}}' other:1)" "$one"
	assert_equal "$(names)" "app:latest lay:one lay:two other:1 registry.test:5000/team/app:2"
	# its last name: it stays without one
	kist tag lay:one lay:two
	assert_equal "$(names)" "<none>:<none> app:latest lay:one lay:two other:1 registry.test:5000/team/app:2"
}

@test "tag: what is no name, has a digest, or is not there" {
	two_images
	before=$(cat "$KIST_STORE/index.json")
	run kist tag lay:one good:1 Bad
	assert_failure 1
	assert_output --partial '"Bad"'
	run kist tag lay:one "app@sha256:$(printf '%064d' 0)"
	assert_failure 1
	assert_output --partial 'a name that is given has no digest'
	run kist tag lay:three app:1
	assert_failure 1
	assert_output --partial 'image "lay:three": not in the store'
	run kist tag lay:one
	assert_failure 2
	assert_equal "$(cat "$KIST_STORE/index.json")" "$before"
}

@test "untag: one name, all names; the image stays" {
	two_images
	one=$(image inspect -f '{{.Digest}}' lay:one)
	kist tag lay:one app:1 app:2
	run kist untag lay:one lay:two
	assert_failure 1
	assert_output --partial '"lay:two": not a name of that image'
	kist untag lay:one app:1
	assert_equal "$(names)" "app:2 lay:one lay:two"
	run kist image untag app:2
	assert_success
	assert_equal "$(names)" "<none>:<none> lay:two"
	assert_equal "$(image inspect -f '{{.Digest}}' "$one")" "$one"
	kist tag "${one:7:12}" back:1
	assert_equal "$(names)" "back:1 lay:two"
}

# ---- history ----

@test "history: steps with sizes, empty layers, in full, as JSON, by a template" {
	small_trees
	umoci init --layout lay
	umoci new --image lay:x
	umoci insert --image lay:x --history.created_by "ADD base in / with a long line of words that goes on" base /
	umoci config --image lay:x --history.created 2001-02-03T04:05:06Z --history.created_by "CMD sh" \
		--history.comment nothing --config.cmd sh
	umoci insert --image lay:x --history.created_by "ADD one" one /
	image load -q lay >/dev/null
	run kist history lay:x
	assert_success
	assert_line --index 0 --regexp '^ID +CREATED +CREATED BY +SIZE +COMMENT *$'
	assert_line --index 1 --regexp "^$(image inspect -f '{{.Digest}}' lay:x | cut -c 8-19) .* ADD one +4B *$"
	assert_line --index 2 --regexp '^<missing> +[0-9]+ years ago +CMD sh +0B +nothing$'
	assert_line --index 3 --regexp '^<missing> .* ADD base in / with a long line of words th\.\.\. '
	run kist history --no-trunc --human=false lay:x
	assert_line --index 1 --regexp "^$(image inspect -f '{{.Digest}}' lay:x) .* 4 *$"
	assert_line --index 2 --regexp ' 2001-02-03T04:05:06Z '
	assert_line --index 3 --regexp "that goes on +$(($(stat -c %s base/bin/busybox) + $(stat -c %s base/etc/passwd))) *$"
	run kist history --format '{{.Size}}|{{.CreatedBy}}' lay:x
	assert_line --index 0 '4B|ADD one'
	assert_equal "$(kist history --format json lay:x | jq -c 'map([.SizeBytes, .EmptyLayer, .Comment])' | cut -c 1-33)" \
		'[[4,false,""],[0,true,"nothing"],'
	assert_equal "$(kist history -q lay:x | wc -l)" 3
}

# ---- save ----

# digest_of NAME: of the manifest
digest_of() {
	image inspect -f '{{.Digest}}' "$1"
}

# wide_image: hard:1, an image of three layers with all that a layer can hold: kinds of files, owners, xattrs, a long and
# a non-UTF-8 name, a sparse file; whiteouts, an opaque directory
wide_image() {
	wide_tree wide
	touch "wide/not-utf8-"$'\xff\xfe'
	truncate -s 300M wide/sparse
	echo end >>wide/sparse
	mkdir -p two/bin two/deep/er three
	: >two/bin/.wh.hard
	: >two/.wh.fifo
	: >two/deep/er/.wh..wh..opq
	echo new >two/deep/er/new
	echo three >three/three
	chmod 4711 three/three
	tar -C wide --xattrs --xattrs-include='*' --format=pax -cf wide.tar .
	mkdir l
	umoci init --layout l/hard
	umoci new --image l/hard:1
	for layer in wide two three; do
		[ -e $layer.tar ] || tar -C $layer --format=pax -cf $layer.tar .
		umoci raw add-layer --image l/hard:1 $layer.tar
	done
	umoci config --image l/hard:1 --config.cmd /bin/sh --config.env A=b
	image load -q l/hard >/dev/null
}

# tree_of IMAGE: its whole tree as tree_list has it. A name that is the only one left of a file has no "=".
tree_of() {
	merged "$1" m
	tree_list m notimes | awk '{ sub(" = " $1 "( |$)", " "); sub(" $", ""); print }'
	unmerge m
}

@test "save: an OCI archive, byte for byte for skopeo and kist, the same twice" {
	two_images
	kist tag lay:one registry.test:5000/team/app:2
	run kist save -q --format oci-archive -o a.tar lay:one lay:two team/app:2
	assert_success
	assert_output ""
	cat a.tar >first.tar
	kist save -q --format oci-archive lay:one lay:two team/app:2 | cmp - first.tar
	assert_equal "$(tar -tvf a.tar | awk '{ print $2, $4, $5 }' | sort -u)" "0/0 1970-01-01 00:00"
	assert_equal "$(tar -tf a.tar | sort | uniq -d)" ""
	for name in lay:one lay:two registry.test:5000/team/app:2; do
		assert_equal "$(skopeo inspect --raw "oci-archive:a.tar:$name" | sha256sum | cut -c -64)" \
			"$(digest_of "$name" | cut -c 8-)"
		skopeo copy -q "oci-archive:a.tar:$name" "dir:copy"
		assert_equal "$(skopeo manifest-digest copy/manifest.json)" "$(digest_of "$name")"
		rm -r copy
	done
	one=$(digest_of lay:one) two=$(digest_of lay:two)
	rm -r "$KIST_STORE"
	run kist load -q -i a.tar
	assert_success
	assert_equal "$(digest_of lay:one) $(digest_of team/app:2) $(digest_of lay:two)" "$one $one $two"
	kist save -q --format oci-archive lay:one lay:two registry.test:5000/team/app:2 | cmp - first.tar
}

@test "save: what was saved by an image's digest has no name" {
	two_images
	one=$(digest_of lay:one)
	kist save -q --format oci-archive -o a.tar "$one"
	assert_equal "$(tar -xOf a.tar index.json | jq -c '[.manifests[] | .digest, .annotations]')" "[\"$one\",null]"
	kist save -q -o d.tar "${one:7:12}"
	assert_equal "$(tar -xOf d.tar manifest.json | jq -c '.[0].RepoTags')" "[]"
	rm -r "$KIST_STORE"
	run kist load -q --name back:1 a.tar
	assert_output back:1
	assert_equal "$(digest_of back:1)" "$one"
}

@test "save: an OCI layout for umoci, skopeo and kist; a directory of skopeo's" {
	wide_image
	kist save -q --format oci-dir -o out hard:1
	assert_equal "$(stat -c %a out out/blobs/sha256 out/index.json | xargs)" "755 755 644"
	umoci unpack --image out:hard:1 u 2>/dev/null
	tree_list u/rootfs notimes >want
	tree_of hard:1 >got
	diff want got
	run kist save -q --format oci-dir -o out hard:1
	assert_failure 1
	assert_output --partial "out: is there already"
	run kist save -q --format docker-dir -o plain/ hard:1
	assert_success
	assert_equal "$(skopeo manifest-digest plain/manifest.json)" "$(digest_of hard:1)"
	skopeo copy -q dir:plain oci:again:hard:1
	assert_equal "$(jq -r '.manifests[0].digest' again/index.json)" "$(digest_of hard:1)"
}

@test "save: an archive of docker save, for skopeo, podman's and kist's own readers" {
	two_images
	config=$(image inspect -f '{{.ConfigDigest}}' lay:one)
	run kist save -q -o d.tar lay:one lay:two
	assert_success
	assert_equal "$(skopeo inspect --config --raw docker-archive:d.tar:docker.io/library/lay:one | sha256sum | cut -c -64)" \
		"${config:7}"
	assert_equal "$(skopeo inspect docker-archive:d.tar:docker.io/library/lay:two | jq -c .Layers)" \
		"$(image inspect lay:two | jq -c '.[0].RootFS.Layers')"
	assert_equal "$(tar -tf d.tar | sort | uniq -d)" ""
	assert_equal "$(tar -xOf d.tar repositories | jq -c .)" \
		"{\"lay\":{\"one\":\"$(layers_of lay:one | tail -n 1)\",\"two\":\"$(layers_of lay:two | tail -n 1)\"}}"
	for layer in $(layers_of lay:two); do
		assert_equal "$(tar -xOf d.tar "$layer.tar" | sha256sum | cut -c -64)" "$layer"
	done
	kist save -q lay:one lay:two | cmp - d.tar
	rm -r "$KIST_STORE"
	run kist load -q d.tar
	assert_output $'lay:one\nlay:two'
	assert_equal "$(image inspect -f '{{.ConfigDigest}}' lay:one)" "$config"
	kist save -q lay:one lay:two | cmp - d.tar
}

@test "save: errors leave nothing, and what was there stays" {
	two_images
	echo old >a.tar
	run kist save -o a.tar lay:one none:1
	assert_failure 1
	assert_output --partial 'image "none:1": not in the store'
	blob=$(jq -r '.layers[0].digest[7:]' "$KIST_STORE/blobs/sha256/$(digest_of lay:one | cut -c 8-)")
	printf x | dd of="$KIST_STORE/blobs/sha256/$blob" bs=1 seek=100 conv=notrunc status=none
	for format in oci-archive docker-archive; do
		run kist save --format $format -o a.tar lay:one
		assert_failure 1
		assert_output --partial "$blob"
	done
	run kist save --format oci-dir -o dir lay:one
	assert_failure 1
	run kist save --format oci-dir lay:one
	assert_failure 1
	assert_output --partial 'needs -o DIR'
	run kist save --format docker-dir -o dir lay:one lay:two
	assert_failure 1
	assert_output --partial 'holds one image'
	run kist save -o no/such/dir lay:one
	assert_failure 1
	assert_output --partial 'no/such/'
	assert_equal "$(cat a.tar)" old
	assert_equal "$(find . -path ./store -prune -o -newer a.tar -type f -print -o -name '*.tmp' -print)" ""
	run with_terminal "$KIST" --store "$KIST_STORE" save lay:two
	assert_output --partial 'no archive is written to a terminal'
}

@test "save: to a pipe, a link, with the user's umask" {
	two_images
	mkfifo pipe
	cat pipe >got.tar &
	kist save -q -o pipe lay:one
	wait $!
	assert_equal "$(stat -c %F pipe)" fifo
	kist save -q lay:one | cmp - got.tar
	kist save -q -o /dev/stdout lay:one >by-name.tar
	cmp by-name.tar got.tar
	(umask 077 && kist save -q -o private.tar lay:one)
	assert_equal "$(stat -c %a private.tar)" 600
	kist save -q -o public.tar lay:one
	assert_equal "$(stat -c %a public.tar)" 644
}
