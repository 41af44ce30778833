#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images that lie or attack: each is refused, with words that name what was wrong, or made harmless. Nothing of it is
# left in the store, what was there before is whole, and nothing outside of the store is touched.
# The images are made by tests/helpers/hostile/make.py.

load ../helpers/common
load ../helpers/image

setup_file() {
	# the bombs take a while to make, the same for each run
	export HOSTILE="$BATS_TEST_DIRNAME/../helpers/hostile/make.py"
}

setup() {
	kist_setup
	mkdir outside good
	echo canary >outside/canary
	chmod 640 outside/canary
	echo fine >good/fine
	image import good good:1 >/dev/null
	store_files >before
	find "$KIST_STORE" -type f -exec sha256sum {} + | sort >before.sums
}

assert_outside_untouched() {
	assert_equal "$(cat outside/canary) $(stat -c '%a %u %h' outside/canary) $(ls -A outside)" "canary 640 0 1 canary"
	assert_equal "$(getfattr -d -m - outside outside/canary 2>/dev/null)" ""
	assert_file_not_exist "$BATS_TEST_TMPDIR/pwned"
}

hostile() { # hostile CASE: makes it as "img" and loads it
	python3 "$HOSTILE" "$1" "$PWD/img" "$PWD/outside"
	run timeout 60 "$KIST_IMAGE" --store "$KIST_STORE" load --name t:t img
}

refused() { # refused CASE WORDS
	hostile "$1"
	assert_failure 1
	assert_output --partial "$2"
	assert_equal "${#lines[@]}" 1
	assert_outside_untouched
	store_files >after
	run diff before after
	assert_success
	run sha256sum --quiet -c before.sums
	assert_success
}

defused() { # defused CASE: loads it; LAYER is where its lowest layer lies
	hostile "$1"
	assert_success
	assert_outside_untouched
	LAYER=$KIST_STORE/layers/sha256/$(layers_of t:t | head -n 1)/fs
	assert_dir_exist "$LAYER"
	run sha256sum --quiet -c <(grep -v index.json before.sums)
	assert_success
}

in_layer() { # in_layer: the names in LAYER, on one line
	(cd "$LAYER" && find . -mindepth 1 | LC_ALL=C sort | tr '\n' ' ')
}

# ---- paths ----

@test "refused: dotdot" {
	refused dotdot 'leads upwards'
}

@test "refused: dotdot-inside" {
	refused dotdot-inside 'leads upwards'
}

@test "refused: symlink-absolute" {
	refused symlink-absolute 'a symlink that leads to no directory'
}

@test "refused: symlink-upwards" {
	refused symlink-upwards 'a symlink that leads to no directory'
}

@test "refused: symlink-loop" {
	refused symlink-loop 'Too many levels of symbolic links'
}

@test "refused: hardlink-absolute" {
	refused hardlink-absolute 'which is not in this layer'
}

@test "refused: hardlink-upwards" {
	refused hardlink-upwards 'leads upwards'
}

@test "refused: hardlink-through-symlink" {
	refused hardlink-through-symlink 'which is not in this layer'
}

@test "refused: hardlink-to-dir" {
	refused hardlink-to-dir 'is a directory or deleted'
}

@test "refused: hardlink-to-parent" {
	refused hardlink-to-parent 'hard link to "d/f"'
}

@test "refused: root-symlink" {
	refused root-symlink 'the root can only be a directory'
}

@test "refused: root-symlink-slash" {
	refused root-symlink-slash 'the root can only be a directory'
}

@test "refused: root-file" {
	refused root-file 'the root can only be a directory'
}

@test "refused: root-hardlink" {
	refused root-hardlink 'the root can only be a directory'
}

@test "refused: root-device" {
	refused root-device 'the root can only be a directory'
}

@test "refused: parent-is-file" {
	refused parent-is-file 'parent "f": Not a directory'
}

@test "refused: parent-is-device" {
	refused parent-is-device 'parent "f": Not a directory'
}

@test "refused: path-deep" {
	refused path-deep 'more than 512 deep'
}

@test "refused: path-long" {
	refused path-long 'more than 4095 bytes'
}

@test "refused: name-long" {
	refused name-long 'File name too long'
}

@test "refused: symlink-empty" {
	refused symlink-empty 'symlink to nothing'
}

# ---- whiteouts ----

@test "refused: whiteout-dotdot" {
	refused whiteout-dotdot 'a whiteout that names nothing'
}

@test "refused: whiteout-dot" {
	refused whiteout-dot 'a whiteout that names nothing'
}

@test "refused: whiteout-empty" {
	refused whiteout-empty 'a whiteout that names nothing'
}

@test "refused: whiteout-directory" {
	refused whiteout-directory 'not a plain file'
}

@test "refused: whiteout-symlink" {
	refused whiteout-symlink 'not a plain file'
}

@test "refused: whiteout-parent" {
	refused whiteout-parent 'used as a directory'
}

# ---- metadata ----

@test "refused: device-range" {
	refused device-range 'device 262143:1 is out of range'
}

@test "refused: xattr-huge" {
	refused xattr-huge 'xattr user.x: 70000 bytes'
}

@test "refused: uid-range" {
	refused uid-range 'uid 4294967295 is out of range'
}

@test "refused: uid-negative" {
	refused uid-negative 'pax record uid: bad value'
}

# ---- tar itself ----

@test "refused: size-negative" {
	refused size-negative 'bad size'
}

@test "refused: size-huge" {
	refused size-huge 'ends in the middle'
}

@test "refused: cut-in-data" {
	refused cut-in-data 'ends in the middle'
}

@test "refused: cut-in-header" {
	refused cut-in-header 'checksum'
}

@test "refused: checksum" {
	refused checksum 'bad header checksum at byte 0'
}

@test "refused: type-unknown" {
	refused type-unknown 'entry type 0x5a is not known'
}

@test "refused: lone-zero-block" {
	refused lone-zero-block 'a lone zero block'
}

@test "refused: pax-record" {
	refused pax-record 'bad record at byte 0'
}

@test "refused: pax-nul" {
	refused pax-nul 'pax record path: bad value'
}

@test "refused: pax-at-end" {
	refused pax-at-end 'an extended header at the end'
}

@test "refused: pax-huge" {
	refused pax-huge 'an extended header of 2097'
}

@test "refused: gnu-long-name" {
	refused gnu-long-name 'an extended header of 5000 bytes'
}

@test "refused: sparse-overlap" {
	refused sparse-overlap 'sparse map: parts overlap'
}

@test "refused: sparse-beyond" {
	refused sparse-beyond 'sparse map: goes beyond'
}

@test "refused: sparse-sum" {
	refused sparse-sum 'sparse map: has 20 bytes, the archive 30'
}

@test "refused: sparse-count" {
	refused sparse-count 'sparse map: cut off'
}

@test "refused: sparse-overflow" {
	refused sparse-overflow 'GNU.sparse.map: bad value'
}

# ---- compression ----

@test "refused: bomb-gzip" {
	refused bomb-gzip 'times its size'
}

@test "refused: bomb-zstd" {
	refused bomb-zstd 'times its size'
}

@test "refused: zstd-window" {
	refused zstd-window 'zstd: a window of 1024 MiB; at most 512 are taken'
}

@test "refused: gzip-garbage" {
	refused gzip-garbage 'gzip: garbage behind the end'
}

@test "refused: gzip-cut" {
	refused gzip-cut 'gzip: cut off'
}

@test "refused: gzip-checksum" {
	refused gzip-checksum 'gzip: checksum mismatch'
}

@test "refused: gzip-corrupt" {
	refused gzip-corrupt 'gzip: '
}

@test "refused: zstd-cut" {
	refused zstd-cut 'zstd: cut off'
}

@test "refused: zstd-garbage" {
	refused zstd-garbage 'zstd: '
}

@test "refused: type-gzip-is-zstd" {
	refused type-gzip-is-zstd 'but the data is zstd'
}

@test "refused: type-tar-is-gzip" {
	refused type-tar-is-gzip 'but the data is gzip'
}

# ---- digests, sizes and documents ----

@test "refused: blob-altered" {
	refused blob-altered 'digest mismatch: expected sha256:'
}

@test "refused: config-altered" {
	refused config-altered 'digest mismatch: expected sha256:'
}

@test "refused: manifest-altered" {
	refused manifest-altered 'digest mismatch: expected sha256:'
}

@test "refused: layer-size" {
	refused layer-size 'size mismatch: expected 1537, got 1536'
}

@test "refused: layer-size-negative" {
	refused layer-size-negative 'layers[0].size: negative'
}

@test "refused: config-size" {
	refused config-size 'size mismatch: expected 1, got'
}

@test "refused: manifest-size" {
	refused manifest-size 'size mismatch: expected 7, got'
}

@test "refused: diff-id" {
	refused diff-id 'diffID mismatch: expected sha256:0000'
}

@test "refused: diff-id-second" {
	refused diff-id-second 'diffID mismatch: expected sha256:1111'
}

@test "refused: diff-ids-count" {
	refused diff-ids-count 'rootfs.diff_ids has 2 entries, but the manifest has 1 layers'
}

@test "refused: manifest-is-index" {
	refused manifest-is-index 'is both a manifest and an index'
}

@test "refused: digest-path" {
	refused digest-path 'layers[0].digest: not sha256: and 64 hex digits'
}

@test "refused: digest-upper" {
	refused digest-upper 'layers[0].digest: not sha256: and 64 hex digits'
}

@test "refused: digest-of-diff-id" {
	refused digest-of-diff-id 'rootfs.diff_ids[0]: not sha256: and 64 hex digits'
}

@test "refused: digest-of-index" {
	refused digest-of-index 'manifests[0].digest: not sha256: and 64 hex digits'
}

@test "refused: media-type" {
	refused media-type 'mediaType is application/vnd.oci.image.manifest.v1+json, but its descriptor says'
}

@test "refused: layer-type" {
	refused layer-type 'is not that of a layer'
}

@test "refused: schema-version" {
	refused schema-version 'schemaVersion is 1, not 2'
}

@test "refused: manifest-huge" {
	refused manifest-huge 'at most 4194304'
}

@test "refused: config-huge" {
	refused config-huge 'at most 8388608'
}

@test "refused: layers-many" {
	refused layers-many '128 layers, at most 127'
}

@test "refused: layer-missing" {
	refused layer-missing 'No such file or directory'
}

@test "refused: blob-fifo" {
	refused blob-fifo 'not a regular file'
}

@test "refused: blob-symlink" {
	refused blob-symlink 'No such file or directory'
}

@test "refused: json-twice" {
	refused json-twice 'duplicate object key'
}

@test "refused: json-deep" {
	refused json-deep 'depth'
}

@test "refused: json-cut" {
	refused json-cut 'premature end of input'
}

@test "refused: json-type" {
	refused json-type 'expected near'
}

@test "refused: platform" {
	refused platform 'has no image for linux/'
}

@test "refused: layout-version" {
	refused layout-version 'imageLayoutVersion is "9.9"'
}

# ---- archives ----

@test "refused: docker-layer-path" {
	refused docker-layer-path 'not in the archive'
}

@test "refused: docker-layer-link" {
	refused docker-layer-link 'not in the archive'
}

@test "refused: docker-layer-link-upwards" {
	refused docker-layer-link-upwards 'outside of the archive'
}

@test "refused: docker-config-lies" {
	refused docker-config-lies 'digest mismatch: expected sha256:0000'
}

@test "refused: docker-diff-id" {
	refused docker-diff-id 'digest mismatch: expected sha256:2222'
}

@test "refused: docker-layers-count" {
	refused docker-layers-count 'rootfs.diff_ids has 0 entries'
}

@test "refused: docker-no-config" {
	refused docker-no-config 'none.json: not in the archive'
}

@test "refused: archive-cut" {
	refused archive-cut 'ends in the middle'
}

@test "refused: archive-garbage" {
	refused archive-garbage 'bad header checksum'
}

@test "refused: archive-empty" {
	refused archive-empty 'neither an OCI layout'
}

@test "refused: archive-bomb" {
	refused archive-bomb 'times its size'
}

@test "refused: an archive's own name that is none" {
	python3 "$HOSTILE" docker-bad-name "$PWD/img" "$PWD/outside"
	run image load img
	assert_failure 1
	assert_output --partial 'image name "../../etc:x"'
	store_files >after
	run diff before after
	assert_success
}

@test "refused: a layer larger than --max-size" {
	python3 "$HOSTILE" gzip-members "$PWD/img" "$PWD/outside"
	run image load --max-size 10k --name t:t img
	assert_failure 1
	assert_output --partial 'unpacks to more than 10240 bytes'
	store_files >after
	run diff before after
	assert_success
}

@test "refused: a layer of more entries than --max-entries" {
	mkdir tree
	touch tree/{1..9}
	tar -C tree -cf tree.tar .
	run image import --max-entries 9 tree.tar t:t
	assert_failure 1
	assert_output --partial 'more than 9 entries'
	store_files >after
	run diff before after
	assert_success
	run image import --max-entries 10 tree.tar t:t
	assert_success
}

@test "defused: trusted xattrs, which are for programs of the host" {
	python3 - <<-'P'
	import tarfile
	with tarfile.open("x.tar", "w", format=tarfile.PAX_FORMAT) as out:
	    info = tarfile.TarInfo("f")
	    info.pax_headers = {"SCHILY.xattr.trusted.x": "1", "SCHILY.xattr.user.kept": "2"}
	    out.addfile(info)
	P
	image import x.tar t:t
	LAYER=$KIST_STORE/layers/sha256/$(layers_of t:t)/fs
	assert_equal "$(getfattr --absolute-names -m - "$LAYER/f" | grep -v '^#' | xargs)" user.kept
}

# ---- made harmless ----

@test "defused: an absolute path counts from the layer's root" {
	defused absolute
	assert_file_exist "$LAYER$PWD/outside/pwned"
}

@test "defused: a chain of symlinks upwards stays in the root" {
	defused symlink-chain
	assert_equal "$(in_layer)" "./a ./b ./pwned "
}

@test "defused: a file replaces the symlink of its name" {
	defused symlink-file
	assert_equal "$(stat -c %F "$LAYER/f")" "regular file"
}

@test "defused: a directory replaces the symlink of its name" {
	defused symlink-dir-replaced
	assert_equal "$(stat -c '%F %a' "$LAYER/d")" "directory 777"
	assert_file_exist "$LAYER/d/pwned"
}

@test "defused: a hard link to a symlink is a symlink, and is replaced like one" {
	defused hardlink-to-symlink
	assert_equal "$(stat -c %F "$LAYER/s" "$LAYER/h" | xargs)" "symbolic link regular file"
}

@test "defused: metadata of a hard link does not go through a symlink" {
	defused hardlink-chmod
}

@test "defused: a hard link to itself" {
	defused hardlink-to-itself
	assert_equal "$(cat "$LAYER/h")" x
}

@test "defused: a whiteout written as a device deletes nothing" {
	defused whiteout-device
	assert_equal "$(in_layer)" "./f "
}

@test "defused: aufs's own records are left out" {
	defused whiteout-aufs
	assert_equal "$(in_layer)" "./f "
}

@test "defused: xattrs that overlayfs would obey" {
	defused xattr-overlay
	assert_equal "$(getfattr -d -m - "$LAYER/d")" ""
}

@test "defused: labels of another host; others stay" {
	defused xattr-labels
	assert_equal "$(getfattr --absolute-names -m - "$LAYER/f" | grep -v '^#' | xargs)" user.kept
}

@test "defused: a FIFO in a file's place hangs nothing" {
	defused fifo-passwd
	assert_equal "$(stat -c %F "$LAYER/etc/passwd")" fifo
}

@test "defused: set-user-ID programs lie where no user can go" {
	defused setuid
	assert_equal "$(stat -c %a "$LAYER/su" "$KIST_STORE" | xargs)" "4755 700"
	run setpriv --reuid 1234 --clear-groups "$LAYER/su"
	assert_failure
}

@test "defused: of two entries the last one counts" {
	defused twice
	assert_equal "$(cat "$LAYER/f") $(cat "$LAYER/d")" "second file now"
}

@test "defused: gzip in several members, padded with zeros, is whole" {
	defused gzip-members
	assert_equal "$(stat -c %s "$LAYER/f")" 40000
}

@test "defused: env that would take the caller's, labels that would steer kist" {
	defused steering
}


@test "defused: a whiteout does not go through a symlink" {
	defused whiteout-through-symlink
	assert_equal "$(in_layer)" "./l "
}

@test "defused: an opaque mark does not go through a symlink" {
	defused opaque-through-symlink
	assert_equal "$(in_layer)" "./l "
}

# ---- somebody works against it meanwhile ----

@test "attacked: directories become symlinks while a layer is unpacked" {
	python3 - "$PWD" <<-'P'
	import os, sys, tarfile
	top = sys.argv[1]
	dirs = ["d%d/e%d/f%d" % (i % 4, i % 7, i % 5) for i in range(140)]
	with tarfile.open(f"{top}/layer.tar", "w") as out:
	    def put(name, kind=tarfile.REGTYPE, link="", **attrs):
	        info = tarfile.TarInfo(name)
	        info.type, info.linkname, info.mode, info.mtime = kind, link, 0o777, 1
	        for key, value in attrs.items():
	            setattr(info, key, value)
	        out.addfile(info)
	    for i in range(12000):
	        d = dirs[i * 37 % 140]
	        kind = i % 8
	        if kind == 0: put(d, tarfile.DIRTYPE, uid=7)
	        elif kind == 1: put(f"{d}/canary", uid=7)
	        elif kind == 2: put(f"{d}/link", tarfile.SYMTYPE, "canary", uid=7)
	        elif kind == 3: put(f"{d}/fifo", tarfile.FIFOTYPE, uid=7)
	        elif kind == 4: put(f"{d}/hard-{i}", tarfile.LNKTYPE, f"{dirs[(i - 3) * 37 % 140]}/canary")
	        elif kind == 5: put(f"{d}/.wh.gone")
	        elif kind == 6: put(f"{d}/.wh..wh..opq")
	        else: put(f"{d}/file-{i}")
	for d in set(dirs):
	    os.makedirs(f"{top}/outside/{d}", exist_ok=True)
	    for name in ("canary", "link", "fifo", "gone"):
	        with open(f"{top}/outside/{d}/{name}", "w") as f:
	            f.write("canary")
	P
	find outside -printf '%p %m %U %n %s %T@ %y %l\n' | sort >outside.before
	local pid
	for pause in 0 0.001 0.004 0 0.01 0.02 0.002 0.01; do
		coproc SWAP { python3 "${HOSTILE%/*}/swap.py" "$KIST_STORE" outside $pause; }
		pid=$SWAP_PID
		run timeout 60 "$KIST_IMAGE" --store "$KIST_STORE" import layer.tar t:t
		[ "$status" -le 1 ]
		exec {SWAP[1]}>&-
		read -r -u "${SWAP[0]}" struck
		wait "$pid"
		echo "pause $pause: status $status, swapped $struck times: $output"
		total=$((${total:-0} + struck))
		find outside -printf '%p %m %U %n %s %T@ %y %l\n' | sort >outside.after
		diff outside.before outside.after
		image rm -f t:t
	done
	[ "$total" -gt 100 ]
	# what the attack kept from being removed goes with the next command
	image prune -a
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
}
