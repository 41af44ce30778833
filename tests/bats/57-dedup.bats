#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Deduplication below the layer: equal files of different layers are one inode, whatever images they belong to; what
# is equal and what is not; hard links of images stay theirs; containers, removal, kills and forged lists harm nobody.
# Two Debian images of separate debootstrap runs share most of their disk; to fetch them takes its time:
# seconds for each test: 600

load ../helpers/common
load ../helpers/runtime
load ../helpers/image
load ../helpers/user

setup_file() {
	export DEBIAN=$BATS_FILE_TMPDIR/debian
}

# import_tree DIR NAME: an image of one layer, by GNU tar, with all metadata; the archive is DIR.tar
import_tree() {
	tar -C "$1" --format=pax --xattrs --xattrs-include='*' --numeric-owner --sort=name -cf "$1.tar" .
	image import "$1.tar" "$2" >/dev/null
}

# fs_of IMAGE: the tree of its topmost layer
fs_of() {
	echo "$KIST_STORE/layers/sha256/$(layers_of "$1" | tail -n 1)/fs"
}

# list_of IMAGE: the list of files of its topmost layer
list_of() {
	echo "$(dirname "$(fs_of "$1")")/files"
}

# inode FILE
inode() {
	stat -c %i "$1"
}

# same IMAGE FILE IMAGE FILE: both are one inode
same() {
	assert_equal "$(inode "$(fs_of "$1")/$2")" "$(inode "$(fs_of "$3")/$4")"
}

differ() {
	refute [ "$(inode "$(fs_of "$1")/$2")" = "$(inode "$(fs_of "$3")/$4")" ]
}

# exact IMAGE DIR: the image's topmost layer is the tree that it was made from, to the last detail
exact() {
	run diff <(tree_list "$2") <(tree_list "$(fs_of "$1")")
	assert_success
}

# file PATH BYTES: random content, with a time of its own
file() {
	mkdir -p "${1%/*}"
	head -c "$2" /dev/urandom >"$1"
	touch -d '2020-01-02 03:04:05.678901234' "$1"
}

# ---- what is equal ----

@test "equal files of two images are one inode, small and large, by the same path and by another" {
	for size in 1 1000 65535 65536 65537 300000 3000000; do
		file "a/dir/f$size" $size
		mkdir -p b/dir b/elsewhere
		cp -p "a/dir/f$size" b/dir/
		file "a/moved/f$size" $size
		cp -p "a/moved/f$size" "b/elsewhere/g$size"
	done
	import_tree a a:1
	import_tree b b:1
	for size in 1 1000 65535 65536 65537 300000 3000000; do
		same a:1 "dir/f$size" b:1 "dir/f$size"
		same a:1 "moved/f$size" b:1 "elsewhere/g$size"
	done
	exact a:1 a
	exact b:1 b
}

@test "another content, mode, owner, time, xattr or size is another file" {
	for what in same content late mode uid gid time nsec xattr value removed grown; do file a/$what 200000; done
	setfattr -n user.color -v blue a/value
	setfattr -n user.color -v blue a/removed
	setfattr -n user.color -v blue a/same
	cp -a a b
	printf X | dd of=b/content bs=1 conv=notrunc status=none
	printf X | dd of=b/late bs=1 seek=190000 conv=notrunc status=none
	touch -r a/content b/content b/late
	chmod 4755 b/mode
	chown 1 b/uid
	chown :1 b/gid
	touch -d '2020-01-02 03:04:06.678901234' b/time
	touch -d '2020-01-02 03:04:05.678901235' b/nsec
	setfattr -n user.new -v x b/xattr
	setfattr -n user.color -v red b/value
	setfattr -x user.color b/removed
	echo more >>b/grown
	touch -r a/grown b/grown
	import_tree a a:1
	import_tree b b:1
	for what in content late mode uid gid time nsec xattr value removed grown; do differ a:1 $what b:1 $what; done
	same a:1 same b:1 same
	exact a:1 a
	exact b:1 b
}

@test "set-user-ID, capabilities, ACLs and owners are shared with what they are, and empty and sparse files are not" {
	file a/suid 5000
	file a/caps 5000
	file a/acl 5000
	file a/owned 5000
	chown 1000:2000 a/owned a/suid
	chmod 4711 a/suid
	setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 a/caps
	# version 2; rw- for the owner, r-- for user 1000, r-- for the group, the mask and others
	setfattr -n system.posix_acl_access -v \
		0x0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000400ffffffff a/acl
	touch -r a/owned a/suid a/caps a/acl
	: >a/empty
	truncate -s 1M a/sparse
	cp -a a b
	tar -C a --format=pax --xattrs --xattrs-include='*' --sparse -cf a.tar .
	tar -C b --format=pax --xattrs --xattrs-include='*' --sparse -cf b.tar .
	echo more >b/more
	tar -C b -rf b.tar --format=pax --xattrs ./more
	image import a.tar a:1
	image import b.tar b:1
	for what in suid caps acl owned; do same a:1 $what b:1 $what; done
	for what in empty sparse; do differ a:1 $what b:1 $what; done
	exact a:1 a
	exact b:1 b
}

# ---- hard links are the image's own ----

@test "an image shows no hard links that it does not have, and keeps those that it has" {
	file a/x 9000
	file a/y 9000
	file a/z 70000
	touch -d @1577934245 a/* # umoci keeps whole seconds
	import_tree a a:1
	# two files, equal to one: only one of them may be it
	mkdir b
	cp -p a/x b/one
	cp -p a/x b/two
	# two names of one file
	cp -p a/y b/name
	ln b/name b/other
	import_tree b b:1
	exact b:1 b
	assert_equal "$(stat -c %h "$(fs_of b:1)/name")" 3
	same a:1 y b:1 other
	# the layers of one image: by its own path only
	mkdir base top1 top2
	cp -p a/x base/x
	cp -p a/z base/z
	layout_image lay base base
	image load lay:base
	same a:1 x lay:base x
	cp -p a/x top1/elsewhere
	cp -p a/z top1/z
	cp -p a/y top1/y1
	cp -p a/y top2/y2
	layout_image lay all base top1 top2
	image load lay:all
	merged lay:all m
	assert_equal "$(for f in x elsewhere y1 y2; do inode m/$f; done | sort -u | wc -l)" 4
	tar -C m -cf m.tar .
	run tar -tvf m.tar
	refute_output --partial 'link to'
	unmerge m
	assert_equal "$(inode "$KIST_STORE/layers/sha256/$(layers_of lay:all | sed -n 1p)/fs/z")" \
		"$(inode "$KIST_STORE/layers/sha256/$(layers_of lay:all | sed -n 2p)/fs/z")"
}

@test "where a layer of the image has no list, or one that is cut, its other layers take the same paths alone" {
	mkdir base top
	file a/x 9000
	file a/y 9000
	file a/z 9000
	touch -d @1577934245 a/*
	cp -p a/x a/y base/
	cp -p a/x top/other
	cp -p a/y top/y
	cp -p a/z top/third
	layout_image lay base base
	layout_image lay all base top
	import_tree a a:1
	image load lay:base
	list=$(list_of lay:base)
	cp "$list" whole
	for how in cut none; do
		cp whole "$list"
		printf '' | dd of="$list" bs=1 seek=24 conv=notrunc status=none
		[ $how = cut ] || rm "$list"
		image load lay:all
		differ lay:all other a:1 x
		differ lay:all third a:1 z
		same lay:all y a:1 y
		image rm lay:all
	done
	cp whole "$list"
	image load lay:all
	differ lay:all other a:1 x
	same lay:all third a:1 z
}

@test "later entries of the same archive replace and hard link what is shared, and nothing else changes" {
	file a/f 7000
	file a/g 7000
	file a/h 70000
	import_tree a a:1
	tree_list "$(fs_of a:1)" >before
	python3 - <<-'P'
	import io, os, tarfile
	def add(t, name, data=None, **more):
	    i = tarfile.TarInfo(name)
	    for k, v in more.items():
	        setattr(i, k, v)
	    if data is not None:
	        i.size = len(data)
	    t.addfile(i, io.BytesIO(data) if data is not None else None)
	ns = os.stat("a/f").st_mtime_ns
	when = "%d.%09d" % divmod(ns, 10**9)
	same = dict(mode=0o644, pax_headers={"mtime": when})
	read = lambda name: open("a/" + name, "rb").read()
	with tarfile.open("b.tar", "w", format=tarfile.PAX_FORMAT) as t:
	    for name in "fgh":
	        add(t, name, read(name), **same)
	    add(t, "f", b"new", mode=0o600, mtime=5)                      # replaced by another
	    add(t, "g2", type=tarfile.LNKTYPE, linkname="g")              # one more name
	    add(t, "g2", b"newer", mode=0o777, mtime=6)                   # which is replaced
	    add(t, "h", read("h"), **same)                                # the same again
	    add(t, "h3", type=tarfile.LNKTYPE, linkname="h")
	    add(t, "h4", type=tarfile.LNKTYPE, linkname="h3", mode=0o777, mtime=7, uid=5)
	P
	image import b.tar b:1
	run diff before <(tree_list "$(fs_of a:1)")
	assert_success
	fs=$(fs_of b:1)
	assert_equal "$(cat "$fs/f") $(cat "$fs/g2")" "new newer"
	cmp a/g "$fs/g"
	cmp a/h "$fs/h"
	same a:1 g b:1 g
	assert_equal "$(inode "$fs/h")" "$(inode "$fs/h4")"
}

# ---- lists that lie ----

@test "a list that claims equal digests for another content is found out by the comparison" {
	file a/f 5000
	file b/f 5000
	file b/big 200000
	cp -p b/big a/big
	printf X | dd of=a/big bs=1 seek=150000 conv=notrunc status=none
	touch -r b/big a/big
	import_tree a a:1
	import_tree b b:1
	# the list of b says what a has: same path, same metadata, and the digest of what comes
	cp "$(list_of b:1)" forged
	refute cmp -s forged "$(list_of a:1)"
	image rm b:1 >/dev/null
	cp forged "$(list_of a:1)"
	strace -fqq -e trace=openat,pread64,linkat -o trace "$KIST_IMAGE" --store "$KIST_STORE" import b.tar b:1
	# it was followed, and compared: both files' first bytes, and all of the larger one up to the difference
	assert [ "$(grep -c 'pread64.*= 5000$' trace)" = 1 ]
	assert [ "$(grep -c 'pread64' trace)" -ge 4 ]
	run grep linkat trace
	assert_failure
	differ a:1 f b:1 f
	differ a:1 big b:1 big
	exact a:1 a
	exact b:1 b
	# the same list with the content that it speaks of: now it is linked
	image rm a:1 >/dev/null
	import_tree b c:1
	same b:1 f c:1 f
}

@test "a list that leads to a device, a fifo, a symlink or nowhere, or is broken, costs nothing but a miss" {
	for name in device fifo link gone dir; do file a/$name 5000; done
	cp -a a b
	import_tree a a:1
	fs=$(fs_of a:1)
	rm "$fs"/*
	mknod "$fs/device" c 1 5
	mkfifo "$fs/fifo"
	ln -s ../../../../../../b/link "$fs/link"
	mkdir "$fs/dir"
	touch -h -r a/link "$fs"/*
	echo >b/more
	import_tree b b:1
	exact b:1 b
	image rm b:1 >/dev/null
	head -c 100 "$(list_of a:1)" >cut
	for list in cut /bin/true /dev/null; do
		cat "$list" >"$(list_of a:1)"
		import_tree b b:1
		exact b:1 b
		image rm b:1 >/dev/null
	done
	rm "$(list_of a:1)"
	mkfifo "$(list_of a:1)"
	import_tree b b:1
	exact b:1 b
}

# ---- nobody changes it under the other's feet ----

@test "removing either image leaves the other whole" {
	for i in $(seq 20); do file a/f$i $((i * 9000)); done
	cp -a a b
	echo b >b/own
	import_tree a a:1
	import_tree b b:1
	image rm a:1 >/dev/null
	exact b:1 b
	import_tree a a:1
	same a:1 f7 b:1 f7
	image rm b:1 >/dev/null
	exact a:1 a
	assert_equal "$(stat -c %h "$(fs_of a:1)/f7")" 1
}

@test "a container that writes to a shared file changes it for itself alone" {
	small_trees
	file base/data 100000
	chmod 666 base/data
	mkdir -p base/proc base/sys base/dev
	cp -a base base2
	touch base2/own
	import_tree base a:1
	import_tree base2 b:1
	same a:1 data b:1 data
	same a:1 bin/busybox b:1 bin/busybox
	before=$(md5sum <base/data)
	kist run --name one a:1 /bin/sh -c \
		'echo mine >>/data; busybox chmod 600 /bin/sh; busybox chown 5:5 /etc/passwd; busybox rm /bin/busybox; echo done'
	assert_equal "$(md5sum <"$(fs_of b:1)/data")" "$before"
	exact a:1 base
	exact b:1 base2
	run kist run --rm b:1 /bin/busybox md5sum /data
	assert_output --partial "${before%% *}"
	# one inode, and no more than one name of it to be seen: no program takes it for a hard link of the image
	run kist run --rm b:1 /bin/busybox tar -c -f - /data /bin
	assert_success
	kist rm one
	exact b:1 base2
}

@test "a shared file that rots is found in both layers, and repaired in both" {
	for i in 1 2 3; do file a/f$i 9000; done
	cp -a a b
	echo b >b/own
	import_tree a a:1
	import_tree b b:1
	printf X | dd of="$(fs_of a:1)/f2" bs=1 seek=5000 conv=notrunc status=none
	run image check
	assert_failure
	assert_equal "$(grep -c 'f2: data: differs' <<<"$output")" 2
	run image check --repair
	assert_success
	exact a:1 a
	exact b:1 b
	same a:1 f2 b:1 f2
}

# ---- at once, killed, other file systems ----

@test "loads at once, and removals meanwhile: all images are whole" {
	for i in $(seq 100); do file a/f$i $((i * 700)); done
	import_tree a a:1
	for n in 1 2 3 4; do
		cp -a a "w$n"
		file "w$n/own" 3000
		tar -C "w$n" --format=pax --numeric-owner --sort=name -cf "w$n.tar" .
	done
	local pids=()
	for n in 1 2 3 4; do
		image import "w$n.tar" "w:$n" >/dev/null 2>>errors &
		pids+=($!)
	done
	image rm a:1 >/dev/null 2>>errors &
	pids+=($!)
	wait "${pids[@]}"
	assert_equal "$(cat errors)" ""
	for n in 1 2 3 4; do exact "w:$n" "w$n"; done
}

@test "killed while it links: the other image is whole, and nothing is left" {
	for i in $(seq 200); do file a/f$i 2000; done
	cp -a a b
	echo b >b/own
	import_tree a a:1
	import_tree b b:1
	image rm b:1 >/dev/null
	store_files >before
	for i in 1 40 120 199; do
		strace -fqq -o trace -e trace=linkat -e "inject=linkat:signal=KILL:when=$i" \
			"$KIST_IMAGE" --store "$KIST_STORE" import b.tar b:1 >/dev/null 2>&1 || :
		assert [ -n "$(ls -A "$KIST_STORE/tmp")" ]
		image rm -f nosuch
		run diff before <(store_files)
		assert_success
	done
	exact a:1 a
	assert_equal "$(find "$(fs_of a:1)" -type f -links +1)" ""
}

@test "what linkat refuses is written: EMLINK, EXDEV, EPERM, and the layer that goes away" {
	for i in $(seq 5); do file a/f$i 100000; done
	cp -a a b
	echo b >b/own
	import_tree a a:1
	import_tree b b:1
	for error in EMLINK EXDEV EPERM ENOENT; do
		image rm b:1 >/dev/null
		strace -fqq -o trace -e trace=linkat -e "inject=linkat:error=$error" \
			"$KIST_IMAGE" --store "$KIST_STORE" import b.tar b:1 >/dev/null
		differ a:1 f1 b:1 f1
		exact b:1 b
	done
}

@test "a user's store shares as root's does" {
	user_setup
	file a/f 5000
	file a/owned 90000
	chown 1000:1000 a/owned
	cp -a a b
	echo b >b/own
	for tree in a b; do tar -C $tree --format=pax --numeric-owner -cf user/home/$tree.tar .; done
	user_kist import a.tar a:1
	user_kist import b.tar b:1
	for name in f owned; do
		assert_equal "$(find "$KIST_STORE/layers/sha256" -path "*/fs/$name" -printf '%i\n' | sort -u | wc -l)" 1
	done
	assert_equal "$(stat -c %u "$KIST_STORE"/layers/sha256/*/fs/owned | sort -u)" $((USER_SUB + 999))
	user_kist image rm a:1
	cmp b/owned "$(find "$KIST_STORE/layers/sha256" -path '*/fs/owned')"
	user_kist image rm b:1
}

# ---- Debian ----

# debian N [PACKAGE]: a tree by debootstrap, in $DEBIAN/N; packages are fetched once
debian() {
	mkdir -p "$DEBIAN/debs"
	debootstrap --variant=minbase ${2:+--include="$2"} --cache-dir="$DEBIAN/debs" bookworm "$DEBIAN/$1" \
		>"$DEBIAN/$1.log" 2>&1 || {
		tail -n 20 "$DEBIAN/$1.log" >&2
		return 1
	}
	rm -f "$DEBIAN/$1"/var/cache/apt/archives/*.deb
}

# disk IMAGE: blocks of 512 bytes of the files that only its topmost layer has, and of all
disk() {
	find "$(fs_of "$1")" -type f -printf '%i %n %b\n' | sort -u |
		awk '{ all += $3; if ($2 == 1) own += $3 } END { print own, all }'
}

@test "two Debian images of separate debootstrap runs: the second takes less than half of its disk" {
	debian 1
	debian 2 ca-certificates
	for n in 1 2; do import_tree "$DEBIAN/$n" "debian:$n"; done
	read -r own all <<<"$(disk debian:2)"
	echo "# the second image: $((all / 2048)) MiB, of these its own $((own / 2048)) MiB" >&3
	# 44 MiB of package lists differ by what debootstrap puts into them; of the rest, nearly all is shared
	assert [ $((own * 2)) -lt "$all" ]
	shared=$(find "$(fs_of debian:2)" -type f -size +0 -links +1 | wc -l)
	files=$(find "$(fs_of debian:2)" -type f -size +0 | wc -l)
	assert [ $((shared * 100)) -gt $((files * 85)) ]
	exact debian:1 "$DEBIAN/1"
	exact debian:2 "$DEBIAN/2"
	run kist run --rm debian:2 sh -c 'dpkg --verify && openssl version'
	assert_success
	assert_output --partial OpenSSL
	image rm debian:1 >/dev/null
	exact debian:2 "$DEBIAN/2"
	import_tree "$DEBIAN/1" debian:1
	image rm debian:2 >/dev/null
	exact debian:1 "$DEBIAN/1"
	rm -rf "$DEBIAN"
}
