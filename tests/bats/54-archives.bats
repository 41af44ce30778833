#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images going out and being made: names, history, save in every format with other tools as readers, commit, diff,
# export, import; digests compared byte for byte.

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/user

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
	kist tag "lay:one@$one" by-both:1
	assert_equal "$(image inspect -f '{{.Digest}}' by-both:1)" "$one"
	run kist tag "lay:two@$one" wrong:1
	assert_failure 1
	image rm by-both:1 >/dev/null
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

# unlinked: drops from a tree_list that a file is the first of its names, since the others may be deleted
unlinked() {
	awk '{
		mark = " = " $1
		at = index($0, mark)
		if (at && substr($0, at + length(mark), 1) ~ /^ ?$/)
			$0 = substr($0, 1, at - 1) substr($0, at + length(mark))
		print
	}'
}

# tree_of IMAGE: its whole tree as tree_list has it
tree_of() {
	merged "$1" m
	tree_list m notimes | unlinked
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
	tree_list u/rootfs notimes | unlinked >want
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

# ---- diff, commit, export ----

# plain_base: base:1, the suite's root file system with files to change
plain_base() {
	cp -a "$KIST_TEST_ROOTFS" tree
	mkdir -p tree/d/old tree/gone/deep tree/replaced tree/filled
	echo 1 >tree/d/old/1
	echo 2 >tree/gone/deep/2
	echo 3 >tree/replaced/3
	echo 4 >tree/file
	echo 5 >tree/filled/5
	kist import -q tree base:1 >/dev/null
}

# changer: what a container does to all kinds of files
changer() {
	cat <<-'S'
		set -e
		echo new >/new
		ln /new /d/link
		ln -s new /symlink
		rm -r /gone /d/old
		mkdir -p /d/old
		echo x >/d/old/2
		rm -r /replaced
		echo file >/replaced
		rm /file
		mkdir /file
		echo in >/file/in
		chmod 4711 /filled/5
		chown 1000:2000 /filled
		mkfifo /fifo
		mknod /null c 1 3
		touch -d "2001-02-03 04:05:06" /new
		truncate -s 64M /sparse
		echo end >>/sparse
		printf '' >"/$(printf 'bad\377name')"
		mkdir -p /long/$(printf '%0120d' 1)/$(printf '%0120d' 2)
		: >/long/$(printf '%0120d' 1)/$(printf '%0120d' 2)/file
		setfattr -n user.color -v blue /d 2>/dev/null || true
	S
}

blob_of() { # blob_of NAME: the path of its last layer's blob
	echo "$KIST_STORE/blobs/sha256/$(image inspect "$1" | jq -r '.[0].Layers[-1].Digest[7:]')"
}

@test "diff: nothing, and every kind of change" {
	plain_base
	kist run --name none base:1 true
	run kist diff none
	assert_success
	assert_output ""
	kist run --cap-add MKNOD --name c base:1 sh -c "$(changer)"
	run kist diff c
	assert_success
	diff - <(printf '%s\n' "$output" | grep -av '^A /bad\|/0000') <<-'END'
		C /d
		A /d/link
		C /d/old
		A /d/old/2
		D /d/old/1
		A /fifo
		C /file
		A /file/in
		C /filled
		C /filled/5
		D /gone
		A /long
		A /new
		A /null
		C /replaced
		A /sparse
		A /symlink
	END
	run kist diff --format json c
	assert_equal "$(jq -c '[.deleted, .changed, (.added | length)]' <<<"$output")" \
		'[["/d/old/1","/gone"],["/d","/d/old","/file","/filled","/filled/5","/replaced"],13]'
	run kist diff --format '{{.Path}}' c
	assert_failure 2
	run kist diff nobody
	assert_failure 1
	assert_output --partial 'no such container: nobody'
	kist rm none c >/dev/null
}

@test "commit: the new image is the container's tree; its layer has whiteouts and no marks of overlayfs" {
	plain_base
	kist run --cap-add MKNOD --name c base:1 sh -c "$(changer)"
	run kist commit -q -a 'A <a@b>' -m 'a comment' -c 'CMD ["cat", "/d/old/2"]' -c 'ENV X=y z' --iidfile iid c new
	assert_success
	assert_output "$(digest_of new:latest)"
	assert_equal "$(cat iid)" "$output"
	run kist run --rm new
	assert_output x
	kist export c >c.tar
	mkdir c.tree
	tar -C c.tree --xattrs --xattrs-include='*' -xpf c.tar
	# the host's files, which are mounted into a container, and mount points
	tree_of new >got
	tree_list c.tree notimes | unlinked | grep -av '^etc/\(host\|resolv\)' >want
	diff want got
	image inspect new | jq -c '.[0] | [.Author, .Config.Cmd, .Config.Env]' >got
	assert_equal "$(cat got)" '["A <a@b>",["cat","/d/old/2"],["X=y z"]]'
	assert_equal "$(kist history --format '{{.Comment}} {{.EmptyLayer}}' new | head -n 1)" "a comment false"
	assert_equal "$(image inspect new | jq -r '.[0].RootFS.Layers[0]')" "$(image inspect base:1 | jq -r '.[0].RootFS.Layers[0]')"
	run tar -tzf "$(blob_of new)"
	assert_line .wh.gone
	assert_line d/old/.wh..wh..opq
	refute_line --partial .wh.1
	refute_line --partial hostname
	refute_line filled/.wh..wh..opq
	run bash -c 'gzip -dc "$1" | grep -ac "overlay\."' - "$(blob_of new)"
	assert_output 0
	# equal changes, equal bytes
	kist commit -q c twin >/dev/null
	assert_equal "$(blob_of twin)" "$(blob_of new)"
	kist rm c >/dev/null
	# by other tools' rules
	skopeo copy -q "oci:$KIST_STORE:new:latest" oci:o:x
	umoci unpack --image o:x u 2>/dev/null
	tree_list u/rootfs notimes | unlinked >want
	tree_of new >got
	diff want got
}

@test "commit: nothing changed, no name, mode of the root, a layer upon a layer" {
	plain_base
	kist run --name none base:1 true
	run kist commit -q none
	assert_success
	none=$output
	assert_equal "$(image inspect "$none" | jq -c '.[0].RootFS.Layers')" "$(image inspect base:1 | jq -c '.[0].RootFS.Layers')"
	assert_equal "$(kist history --format '{{.CreatedBy}} {{.EmptyLayer}}' "$none" | head -n 1)" "true true"
	kist run --name c base:1 chmod 711 /
	kist commit -q c two:1 >/dev/null
	kist run --name d two:1 sh -c 'stat -c %a / >/mode; rm /bin/ls'
	kist commit -q d three:1 >/dev/null
	assert_equal "$(layers_of three:1 | wc -l)" 3
	run kist run --rm three:1 sh -c 'cat /mode; stat -c %a /; test -e /bin/ls || echo gone'
	assert_output $'711\n711\ngone'
	kist rm none c d >/dev/null
}

@test "commit: what cannot be, leaves nothing" {
	plain_base
	kist run --name c base:1 sh -c 'echo x >/x'
	before=$(store_files)
	for words in "c Bad" "-c NONSENSE c new:1" "c app@sha256:$(printf '%064d' 0)" "nobody new:1"; do
		# shellcheck disable=SC2086
		run kist commit $words
		assert_failure 1
	done
	touch "$KIST_STORE/containers/c/upper/.wh.name"
	run kist commit c new:1
	assert_failure 1
	assert_output --partial '.wh.name: names that begin with .wh. mean deletions'
	rm "$KIST_STORE/containers/c/upper/.wh.name"
	setfattr -n trusted.overlay.metacopy "$KIST_STORE/containers/c/upper/x"
	run kist commit c new:1
	assert_failure 1
	assert_output --partial 'x: has its data elsewhere'
	setfattr -x trusted.overlay.metacopy "$KIST_STORE/containers/c/upper/x"
	assert_equal "$(store_files)" "$before"
	image rm -f base:1
	run kist commit c new:1
	assert_failure 1
	assert_output --partial 'was removed from the store'
	kist rm c >/dev/null
	new_bundle b
	kist run --bundle b --name plain plain >/dev/null 2>&1 || kist run --bundle b plain
	run kist commit plain new:1
	assert_failure 1
	kist rm -f plain >/dev/null
}

@test "save: bars on a terminal, nothing with -q or elsewhere" {
	two_images
	run kist save -o a.tar lay:one
	assert_output ""
	TERM=xterm run with_terminal "$KIST" --store "$KIST_STORE" save -o b.tar lay:one lay:two
	assert_success
	assert_output --partial saved
	assert_output --partial "already in"
	TERM=xterm run with_terminal "$KIST" --store "$KIST_STORE" save -q -o c.tar lay:one lay:two
	assert_output ""
	cmp b.tar c.tar
}

# ---- import ----

@test "import: a message, from standard input, without a name, no URL" {
	small_trees
	run kist import -q -m 'from a pipe' -c 'CMD ["sh"]' - app:1 < <(tar -C base -cz .)
	assert_success
	assert_output "$(digest_of app:1)"
	assert_equal "$(kist history --format '{{.Comment}}|{{.CreatedBy}}' app:1)" "from a pipe|kist image import"
	run kist import -q one
	assert_success
	assert_equal "$(image inspect "$output" | jq -c '.[0].RepoTags')" "[]"
	before=$(store_files)
	for words in "http://registry.test/x.tar x:1" "https://registry.test/x.tar" "one app@sha256:$(printf '%064d' 0)" \
		"-c NONSENSE one x:1"; do
		# shellcheck disable=SC2086
		run kist import -q $words
		assert_failure 1
	done
	assert_equal "$(store_files)" "$before"
}

# ---- containers that run; users ----

# writer: a program that counts in a file without end
writer() {
	echo 'i=0; while :; do i=$((i + 1)); echo $i >/count; done'
}

frozen_of() { # frozen_of NAME: 1 or 0
	grep -o '^frozen [01]' "$(cgroup_of "$(kist inspect -f '{{.State.Pid}}' "$1")")/cgroup.events" | cut -d' ' -f2
}

@test "commit of a running container: it stands still meanwhile, and goes on" {
	plain_base
	detached --name c base:1 sh -c "dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null; : >/made; $(writer)" >/dev/null
	wait_until 20 test -e "$KIST_STORE/containers/c/upper/made"
	kist commit -q c new:1 >out &
	wait_until 10 eval '[ "$(frozen_of c)" = 1 ]'
	wait $!
	assert_equal "$(cat out)" "$(digest_of new:1)"
	assert_equal "$(frozen_of c)" 0
	assert_equal "$(kist inspect -f '{{.State.Status}}' c)" running
	assert_equal "$(kist run --rm new:1 sha256sum /big | cut -c -64)" "$(kist exec c sha256sum /big | cut -c -64)"
	# one that is paused stays so
	kist pause c
	kist commit -q c new:2 >/dev/null
	assert_equal "$(kist inspect -f '{{.State.Status}}' c)" paused
	kist resume c
	kist commit -q --pause=false c new:3 >/dev/null
	kist rm -f c >/dev/null
}

@test "commit that is killed: the container goes on, nothing is half there" {
	plain_base
	detached --name c base:1 sh -c "dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null; : >/made; $(writer)" >/dev/null
	wait_until 20 test -e "$KIST_STORE/containers/c/upper/made"
	store_files >before
	for signal in KILL TERM; do
		kist commit -q c new:1 >/dev/null 2>&1 &
		wait_until 10 eval '[ "$(frozen_of c)" = 1 ]'
		kill -"$signal" "$(pgrep -o -f -- "--store $KIST_STORE commit")"
		wait_until 10 eval '[ "$(frozen_of c)" = 0 ]'
		wait $! || true
	done
	kist image prune >/dev/null
	store_files | diff before -
	kist rm -f c >/dev/null
}

@test "a container with ids of its own: its layer and its archive have those of the image" {
	plain_base
	kist run --name c --uidmap 0:300000:65536 --gidmap 0:300000:65536 base:1 sh -c 'rm -r /gone /d/old; mkdir /d/old; echo x >/own; chown 7:8 /own'
	run kist diff c
	assert_line "D /gone"
	assert_line "A /own"
	kist commit -q c new:1 >/dev/null
	run tar -tvzf "$(blob_of new:1)"
	assert_line --regexp ' 7/8 .* own$'
	assert_line --regexp ' 0/0 .* d/old/$'
	assert_line --partial .wh.gone
	kist export c | tar -tvf - | grep -q ' 7/8 .* own$'
	kist rm c >/dev/null
	run kist run --rm new:1 stat -c '%u %g' /own
	assert_output '7 8'
}

@test "commit that is killed at any time: the next command works, and prune gets the room back" {
	plain_base
	kist run --name c base:1 sh -c 'for i in 1 2 3 4 5; do mkdir /$i; cp /bin/busybox /$i; done'
	store_files >before
	for delay in 0 0.003 0.006 0.01 0.015 0.02 0.03 0.04 0.05 0.07 0.1 0.15; do
		"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" commit -q c new:1 >/dev/null 2>&1 &
		sleep $delay
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		# it is there whole, or not at all
		if image inspect new:1 >/dev/null 2>&1; then
			image check >/dev/null
			kist run --rm new:1 test -e /5/busybox
			image rm new:1 >/dev/null
		fi
		# a process that dies loses its words before its locks, by which prune knows it
		wait_until 10 eval '! pgrep -f "store $KIST_STORE file-commit"'
		wait_until 5 eval 'image prune >/dev/null && store_files | diff -q before - >/dev/null'
	done
	kist commit -q c new:1 >/dev/null
	kist rm c >/dev/null
}

@test "export: created, running and stopped containers, without what is mounted in them" {
	plain_base
	mkdir v
	echo host >v/host
	detached --name c -v "$PWD/v:/v" --tmpfs /t base:1 sh -c 'echo x >/x; echo t >/t/t; : >/made; exec sleep 1000' >/dev/null
	wait_until 10 test -e "$KIST_STORE/containers/c/upper/made"
	kist export -o run.tar c
	kist stop -t 0 c >/dev/null 2>&1
	kist export c >end.tar
	for tar in run end; do
		mkdir $tar
		tar -C $tar -xpf $tar.tar
		assert_equal "$(cat $tar/x)" x
		assert_equal "$(ls -A $tar/v $tar/t $tar/proc | xargs)" "$tar/proc: $tar/t: $tar/v:"
	done
	diff <(tree_list run) <(tree_list end)
	kist rm c >/dev/null
	run kist export -o no/such/file nobody
	assert_failure 1
	assert_output --partial 'no such container'
	run with_terminal "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" export nobody
	assert_failure
}

@test "export and import again: the same tree" {
	wide_image
	kist run --name c hard:1 /bin/sh -c 'mkdir /own; echo 1 >/own/1; ln /own/1 /own/2'
	kist export c | kist import -q - flat:1 >/dev/null
	kist rm c >/dev/null
	tree_of flat:1 | grep -av '^\(own\|etc\|dev\|proc\|sys\)' >got
	tree_of hard:1 | grep -av '^dev' >want
	diff want got
	merged flat:1 m
	assert_equal "$(stat -c %h m/own/1 m/own/2 | xargs)" "2 2"
	assert_equal "$(stat -c %F m/dev/loop7)" "block special file"
	unmerge m
}

# user_store: kist and kist-image are those of the user from here on
user_store() {
	user_setup
	kist() { user_kist "$@"; }
	image() { user_kist image "$@"; }
}

@test "a user other than root: commit, diff, export, save, load, tag" {
	user_store
	cp -a "$KIST_TEST_ROOTFS" user/home/tree
	mkdir -p user/home/tree/gone user/home/tree/d/old
	echo 1 >user/home/tree/d/old/1
	chown -R $USER_ID:$USER_ID user/home/tree
	kist import -q tree base:1 >/dev/null
	kist run --name c base:1 sh -c 'rm -r /gone /d/old; mkdir -p /d/old; echo 2 >/d/old/2; echo x >/own; chown 7:8 /own; ln /own /link'
	run kist diff c
	assert_success
	diff - <(printf '%s\n' "$output") <<-'END'
		C /d
		C /d/old
		A /d/old/2
		D /d/old/1
		D /gone
		A /link
		A /own
	END
	kist commit -q c new:1 >/dev/null
	run kist run --rm new:1 sh -c 'stat -c "%u %g %h" /own; ls /d/old; ls -d /gone 2>/dev/null || echo none'
	assert_output $'7 8 2\n2\nnone'
	run bash -c 'gzip -dc "$1" | grep -ac "overlay\."' - "$(blob_of new:1)"
	assert_output 0
	run tar -tvzf "$(blob_of new:1)"
	assert_line --regexp ' 7/8 .* link$'
	assert_line --regexp ' d/old/.wh..wh..opq$'
	kist export -o c.tar c
	assert_equal "$(stat -c '%u %a' user/home/c.tar)" "$USER_ID 644"
	tar -tvf user/home/c.tar | grep -q ' 7/8 .* link$'
	run tar -tf user/home/c.tar
	refute_line --partial gone
	kist tag new:1 new:2
	kist save -q --format oci-archive -o n.tar new:2
	want=$(image inspect -f '{{.Digest}}' new:1)
	kist rm c >/dev/null
	kist rmi new:1 new:2 >/dev/null
	run kist load -q n.tar
	assert_output new:2
	assert_equal "$(image inspect -f '{{.Digest}}' new:2)" "$want"
}

@test "a user's container without a cgroup is read as it runs, and that is said; --pause is refused" {
	user_store
	cp -a "$KIST_TEST_ROOTFS" user/home/tree
	chown -R $USER_ID:$USER_ID user/home/tree
	kist import -q tree base:1 >/dev/null
	kist run -d --name c base:1 sh -c 'echo x >/x; exec sleep 1000' </dev/null 3>&- >/dev/null
	wait_until 10 test -e "$KIST_STORE/containers/c/upper/x"
	run kist commit --pause c new:1
	assert_failure 1
	assert_output --partial 'pause c'
	run kist commit -q c new:1
	assert_success
	assert_line --partial 'commit c: it is read while it runs'
	run kist run --rm new:1 cat /x
	assert_output x
	kist rm -f c >/dev/null
}
