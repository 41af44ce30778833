#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images as files on a kernel that mounts no regular file as EROFS (Debian 12's 6.1): the same files serve, unpacked on
# first use, and its own EROFS reads them from a loop device. Elsewhere: 58-erofs.

load ../../helpers/common
load ../../helpers/image
load ../../helpers/engine

# from_6_12: whether this kernel can mount the files itself
from_6_12() {
	[ "$(printf '6.12\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.12 ]
}

@test "convert: this kernel's EROFS reads the file, run takes the layers" {
	app_image app:1 --config.cmd cat --config.cmd /data/file
	run kist image convert app:1 app:erofs
	assert_success
	file=$KIST_STORE/erofs/sha256/${output#sha256:}
	merged app:1 m
	mkdir e
	mount -t erofs -o ro,loop "$file" e
	tree_list m >want
	tree_list e >have
	umount e
	unmerge m
	assert_equal "$(cat have)" "$(cat want)"
	run kist run --rm app:erofs
	assert_output first
	run env KIST_EROFS=always "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm app:erofs
	if from_6_12; then
		assert_output first
	else
		assert_failure 125
		assert_output --partial 'this kernel mounts no regular file (Linux 6.12 and later do)'
	fi
	from_6_12 || {
		run kist image convert --drop-layers app:1
		assert_failure 1
		assert_output --partial 'the layers are needed'
	}
}

@test "pack: unpacked into the store on first use, and a stored image from then on" {
	app_image app:1 --config.cmd cat --config.cmd /data/file
	kist pack -q app:1 -o app.kist
	kist pack -q --compress zstd app:1 -o small.kist
	for file in app small; do
		KIST_STORE=$PWD/$file
		run kist run --rm "./$file.kist"
		assert_success
		assert_line first
		KIST_LIBEXEC=/nowhere run kist run --rm "./$file.kist"
		assert_output first
		kist run --name c "./$file.kist" sh -c 'echo new >/new'
		kist start -a c
		kist commit -q c next:1 >/dev/null || { from_6_12 && kist image load -q "$file.kist" && kist commit -q c next:1; } >/dev/null
		run kist run --rm next:1 cat /new
		assert_output new
		kist rm c
	done
}

@test "pack: id-mapped, and with a volume" {
	app_image app:1 --config.cmd cat --config.cmd /data/file
	kist pack -q app:1 -o app.kist
	run kist run --rm --uidmap 0:100000:2000 ./app.kist sh -c 'stat -c %u:%g /data/file; echo x >/data/new; stat -c %u /data/new'
	assert_success
	assert_line 1000:1000
	assert_line 0
}
