#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Overlays of many layers, plain and id-mapped, on a kernel whose overlayfs takes neither one layer at a time nor layers that
# are mounted nowhere (Debian 12's 6.1). Elsewhere: 50-image, 58-idmap.

load ../../helpers/common
load ../../helpers/image

setup() {
	kist_setup
	small_trees
	mkdir -p base/{proc,sys,dev}
	for i in $(seq 30); do
		mkdir -p "l$i/opt"
		echo "$i" >"l$i/opt/f$i"
		chown 33:34 "l$i/opt/f$i"
	done
	layout_image lay many base l{1..30}
	umoci config --image lay:many --config.user 0:0
	image load --name many lay:many >/dev/null
}

script='busybox cat /opt/f1 /opt/f30; busybox stat -c %u:%g /opt/f7 /bin/sh; echo x >/opt/f7; busybox stat -c %u:%g /opt/f7'

@test "many layers" {
	run kist run --rm many sh -c "$script"
	assert_success
	assert_output $'1\n30\n33:34\n0:0\n33:34'
	assert_equal "$(cat "$KIST_STORE"/layers/sha256/*/fs/opt/f7)" 7
}

@test "many layers, id-mapped, and a volume" {
	kist run --name c --uidmap 0:100000:1000 -v work:/opt many sh -c "$script" >out
	assert_equal "$(cat out)" $'1\n30\n33:34\n0:0\n33:34'
	assert_equal "$(stat -c %u:%g "$KIST_STORE/volumes/work/f7")" 33:34
	kist rm c
	run kist run --rm --userns auto -v work:/opt many busybox stat -c %u:%g /opt/f7
	assert_output 33:34
}
