#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Merged directories: what an image of many layers has besides them, so that its containers start on one.

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/user

# flat_of IMAGE: the path of its merged directory in the store
flat_of() {
	echo "$KIST_STORE/flat/sha256/$(image inspect -f '{{.Digest}}' "$1" | cut -d: -f2)"
}

# assert_empty_store: nothing but the frame of a store is there
assert_empty_store() {
	run store_files
	refute_output --regexp 'sha256|tmp/'
}

# tall COUNT: the layout lay/l:x with an image of COUNT layers: all kinds of files, names that are covered, whiteouts,
# an opaque directory, a file upon a directory and a directory upon a file, and small layers above them
tall() {
	local i
	mkdir -p trees/1/bin lay
	[ -n "${PLAIN-}" ] || wide_tree trees/1
	for i in cat mkdir rm sh sleep stat test touch true; do ln -sf busybox "trees/1/bin/$i"; done
	cp "$(command -v busybox)" trees/1/bin/busybox
	mkdir -p trees/1/{gone,hidden/below,was-dir/in} trees/2/{deep/new,hidden,was-file,srv} trees/3/{deep,empty,tmp}
	echo gone >trees/1/gone/file
	echo below >trees/1/hidden/below/file
	echo file >trees/1/was-file
	echo in >trees/1/was-dir/in/file
	echo new >trees/2/deep/new/file
	ln trees/2/deep/new/file trees/2/srv/again
	echo above >trees/2/hidden/above
	echo now >trees/2/was-file/in
	chmod 2711 trees/2/hidden
	: >trees/2/hidden/.wh..wh..opq
	: >trees/2/.wh.gone
	: >trees/3/.wh.zero
	: >trees/3/.wh.was-dir
	setfattr -n user.colour -v blue trees/3/deep
	chmod 1777 trees/3/tmp
	chown 1000:2000 trees/3/deep
	mkdir trees/4
	echo file >trees/4/was-dir
	for ((i = 5; i <= $1; i++)); do
		mkdir -p "trees/$i/srv/$i"
		echo "$i" >"trees/$i/srv/$i/file"
		echo "$i" >"trees/$i/srv/last"
	done
	umoci init --layout lay/l
	umoci new --image lay/l:x
	for ((i = 1; i <= $1; i++)); do
		tar -C "trees/$i" --numeric-owner --xattrs --xattrs-include='*' --sort=name -cf tree.tar .
		umoci raw add-layer --image lay/l:x tree.tar
	done
	umoci config --image lay/l:x --config.cmd /bin/sh --config.env PATH=/bin --config.workingdir /srv
}

load_tall() {	# load_tall COUNT
	tall "$1"
	kist image load -q --name app:1 lay/l:x >/dev/null
}

@test "flat: it shows just what the layers show, each file by the layers' inode, and containers stand on it" {
	load_tall 20
	flat=$(flat_of app:1)
	merged app:1 m
	tree_list m >want
	tree_list "$flat/fs" >have
	stat -c '%a %u %g %Y' m >want-root
	stat -c '%a %u %g %Y' "$flat/fs" >have-root
	unmerge m
	assert_equal "$(cat have)" "$(cat want)"
	[ "$(wc -l <want)" -gt 30 ]
	assert_equal "$(cut -d' ' -f1-3 have-root)" "$(stat -c '%a %u %g' trees/20)"
	find "$flat/fs" ! -type d -links 1 >alone
	assert_equal "$(cat alone)" ""
	assert_equal "$(cat "$flat/layers")" "$(layers_of app:1 | sed s/^/sha256:/)"
	run image check
	assert_success
	run kist run --rm app:1 sh -c 'cat /srv/last /was-dir /was-file/in; test ! -e /gone -a ! -e /hidden/below && stat -c %a /hidden'
	assert_success
	assert_output $'20\nfile\nnow\n2711'
	# Only who stands on it sees what does not belong there.
	touch "$flat/fs/mark"
	kist run --rm app:1 test -e /mark
	kist run --name c app:1 test -e /mark
	rm "$flat/fs/mark"
	run kist start -a c
	assert_failure 1
	kist rm c >/dev/null
}

@test "flat: an image of 16 layers has none, and nothing is looked for" {
	load_tall 16
	assert_not_exists "$KIST_STORE/flat"
	strace -f -o trace -e trace=openat "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm app:1 true
	run grep -c flat/ trace
	assert_output 0
}

@test "flat: rm and prune leave it to containers, which may end and start again, and then all goes" {
	load_tall 18
	flat=$(flat_of app:1)
	kist run -d --name c app:1 sh -c 'while [ ! -e /stop ]; do sleep 0.1; done; cat /srv/last' >/dev/null
	kist image rm -f app:1 >/dev/null
	kist image prune -a >/dev/null
	assert_exists "$flat/fs/srv/18"
	kist exec c touch /stop
	assert_equal "$(kist wait c)" 0
	kist image prune -a >/dev/null
	run kist start -a c
	assert_success
	assert_output --partial 18
	kist export c | tar -tf - >names
	grep -qx 'srv/18/file' names
	kist rm c >/dev/null
	kist image prune -a >/dev/null
	assert_empty_store
}

@test "flat: images with common layers have their own; commit upon one makes the next" {
	load_tall 18
	kist run --name c app:1 sh -c 'echo mine >/srv/last; rm -r /srv/17; mkdir /srv/16/more'
	kist commit c app:2 >/dev/null
	run kist diff c
	assert_success
	assert_line 'D /srv/17'
	refute_line --partial /bin
	kist rm c >/dev/null
	assert_exists "$(flat_of app:2)/fs/srv/16/more"
	assert_not_exists "$(flat_of app:2)/fs/srv/17"
	kist image rm app:1 >/dev/null
	assert_equal "$(find "$KIST_STORE/flat/sha256" -mindepth 1 -maxdepth 1)" "$(flat_of app:2)"
	run kist run --rm app:2 cat /srv/last /srv/15/file
	assert_output $'mine\n15'
	image check
}

@test "flat: mount and a container in a user namespace see the image" {
	load_tall 18
	dir=$(kist image mount app:1)
	assert_equal "$(cat "$dir/srv/last")" 18
	kist image umount app:1 >/dev/null
	run kist run --rm --userns auto app:1 sh -c 'cat /srv/last; echo new >/srv/last; cat /srv/last; stat -c %u:%g /deep'
	assert_success
	assert_output $'18\nnew\n1000:2000'
}

@test "flat: check finds what does not belong there, and --repair makes it anew, but not under a container" {
	load_tall 18
	flat=$(flat_of app:1)
	touch "$flat/fs/srv/extra"
	run image check
	assert_failure 1
	assert_output --partial "merged directory of $(image inspect -f '{{.Digest}}' app:1): srv: extra: not in the layers"
	kist run -d --name c app:1 sleep 1000 >/dev/null
	run image check --repair
	assert_failure 1
	assert_output --partial 'not repaired, since c runs on it'
	assert_exists "$flat/fs/srv/extra"
	kist rm -f c >/dev/null
	run image check --repair
	assert_success
	assert_not_exists "$flat/fs/srv/extra"
	assert_exists "$flat/fs/srv/last"
	chmod 700 "$flat/fs/srv"
	run image check
	assert_output --partial 'srv: mode or owner differs'
	image check --repair
	# One file in the place of another that is equal to it.
	cp -a "$flat/fs/srv/last" last
	cp -a --remove-destination last "$flat/fs/srv/last"
	run image check
	assert_output --partial 'srv: last: not the file of its layer'
	rm -r "$flat/fs"
	image check --repair
	image check -q
}

@test "flat: with a layer that is repaired, it is made anew for every image" {
	load_tall 18
	kist run --name c app:1 touch /srv/more
	kist commit c app:2 >/dev/null
	kist rm c >/dev/null
	file=$KIST_STORE/layers/sha256/$(layers_of app:1 | sed -n 7p)/fs/srv/7/file
	inode=$(stat -c %i "$file")
	echo bad >"$file"
	assert_equal "$(cat "$(flat_of app:2)/fs/srv/7/file")" bad
	image check --repair
	assert_not_equal "$(stat -c %i "$file")" "$inode"
	assert_equal "$(stat -c %i "$(flat_of app:1)/fs/srv/7/file")" "$(stat -c %i "$file")"
	assert_equal "$(stat -c %i "$(flat_of app:2)/fs/srv/7/file")" "$(stat -c %i "$file")"
	image check -q
}

@test "flat: where files cannot be linked there is none, and the image works" {
	tall 18
	for error in EMLINK EPERM EXDEV ENOSPC; do
		strace -f -qq -o trace -e trace=linkat -e inject=linkat:error=$error:when=9 "$KIST_IMAGE" --store "$KIST_STORE" \
			load -q --name app:1 lay/l:x >/dev/null
		grep -q INJECTED trace
		assert_not_exists "$(flat_of app:1)"
		run kist run --rm app:1 cat /srv/last /was-dir
		assert_output $'18\nfile'
		image check -q
		kist image rm app:1 >/dev/null
	done
	kist image load -q --name app:1 lay/l:x >/dev/null
	assert_exists "$(flat_of app:1)/fs"
}

@test "flat: kill -9 while it is made leaves nothing of it, and the next load makes it" {
	tall 18
	strace -o trace -e trace=linkat,renameat "$KIST_IMAGE" --store "$KIST_STORE" load -q --name app:1 lay/l:x >/dev/null
	kist image rm app:1 >/dev/null
	# But for the few of the layers, which another thread may make.
	links=$(($(grep -c linkat trace) - 8))
	# The one that gives it its place.
	place=$(grep renameat trace | grep -n '"flat/sha256' | cut -d: -f1)
	[ "$links" -gt 20 ]
	for at in linkat:when=1 linkat:when=12 "linkat:when=$links" fchmod:when=3 "renameat:when=$place" \
		"renameat:when=$((place + 1))"; do
		run strace -qq -o trace -e "inject=${at%:*}:signal=KILL:${at#*:}" "$KIST_IMAGE" --store "$KIST_STORE" \
			load -q --name app:1 lay/l:x
		assert_equal "$at $status" "$at 137"
		kist image prune -a >/dev/null
		assert_empty_store
	done
	kist image load -q --name app:1 lay/l:x >/dev/null
	assert_exists "$(flat_of app:1)/fs"
	rm -r "$(flat_of app:1)"
	kist image load -q --name app:1 lay/l:x >/dev/null
	assert_exists "$(flat_of app:1)/fs"
	image check -q
}

@test "flat: an image that is converted needs none" {
	load_tall 18
	flat=$(flat_of app:1)
	kist image convert -q app:1 >/dev/null
	KIST_EROFS=never kist run --rm app:1 cat /srv/last
	kist image prune >/dev/null
	assert_not_exists "$flat"
	kist image load -q --name app:1 lay/l:x >/dev/null
	assert_not_exists "$flat"
	image check -q
}

@test "flat: a user's store has them, too" {
	user_setup
	PLAIN=1 tall 18
	rm -rf user/home/l && cp -r lay/l user/home/l && chmod -R go+rX user/home/l
	run as_user "$KIST" image load -q --name app:1 l:x
	assert_success
	hex=$(ls "$KIST_STORE/flat/sha256")
	assert_exists "$KIST_STORE/flat/sha256/$hex/fs/srv/18"
	run as_user "$KIST" run --rm app:1 sh -c 'cat /srv/last; echo x >/srv/last; stat -c %u:%g /deep'
	assert_success
	assert_output --partial $'18\n1000:2000'
	run as_user "$KIST" image check -q
	assert_success
	as_user "$KIST" image rm app:1
	assert_not_exists "$KIST_STORE/flat/sha256/$hex"
}

@test "flat: an image of another tool gets one when it is first run" {
	tall 18
	kist image load -q --name other:1 lay/l:x >/dev/null
	kist image rm other:1 >/dev/null
	skopeo copy -q oci:lay/l:x "oci:$KIST_STORE:app:1"
	run kist run --rm app:1 cat /srv/last
	assert_output 18
	assert_exists "$(flat_of app:1)/fs/srv/18"
}
