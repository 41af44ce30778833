#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One layer in two images. What a layer does not say of a directory it takes over from the layers below it; so the image
# that comes first must not decide what the next one sees.

load ../helpers/common
load ../helpers/image

setup() {
	kist_setup
	local base
	for base in plain evil; do
		mkdir -p "$base/bin" "$base/srv" "$base/tmp"
		cp "$(command -v busybox)" "$base/bin/busybox"
		ln -s busybox "$base/bin/sh"
		chmod 1777 "$base/tmp"
	done
	mkdir -p top/srv/app top/tmp/in
	echo app >top/srv/app/file
	echo tmp >top/tmp/in/file
	# neither the directories nor the root has an entry
	tar -C top --numeric-owner --owner=0 --group=0 --mtime=@0 -cf top.tar srv/app/file tmp/in/file
}

# layered NAME TREE: an image of TREE and, upon it, top.tar
layered() {
	umoci init --layout "lay-$1"
	umoci new --image "lay-$1:x"
	tar -C "$2" --numeric-owner --xattrs --xattrs-include='*' --sort=name -cf "$1.tar" .
	umoci raw add-layer --image "lay-$1:x" "$1.tar"
	umoci raw add-layer --image "lay-$1:x" top.tar
	umoci config --image "lay-$1:x" --config.cmd /bin/sh
}

modes() {
	kist run --rm "$1" /bin/sh -c 'busybox stat -c "%n %a %u:%g" / /srv /srv/app /tmp /tmp/in'
}

@test "a layer whose directories are those of another image's layers is refused for this one" {
	chown 1000:1000 evil/srv
	chmod 777 evil/srv
	layered evil evil
	layered good plain
	kist load -q --name evil:1 lay-evil:x
	run kist load -q --name good:1 lay-good:x
	assert_failure 1
	assert_output --regexp 'layer sha256:[0-9a-f]+: its directory "srv", .* has mode 0777 and owner 1000:1000 .* 0755 and 0:0 here'
	run image ls -q
	assert_equal "${#lines[@]}" 1
	kist rmi evil:1
	kist load -q --name good:1 lay-good:x
	run modes good:1
	assert_output $'/ 755 0:0\n/srv 755 0:0\n/srv/app 755 0:0\n/tmp 1777 0:0\n/tmp/in 755 0:0'
	# the other way about, too, and by any other thing that could be taken over
	run kist load -q --name evil:1 lay-evil:x
	assert_failure 1
	kist rmi good:1
	setfattr -n user.mark -v evil plain/srv
	layered marked plain
	kist load -q --name marked:1 lay-marked:x
	run kist load -q --name good:1 lay-good:x
	assert_failure 1
	assert_output --partial 'xattrs'
}

@test "check finds a directory that is not what the layers below make it; repair puts it right" {
	local layer
	layered good plain
	kist load -q --name good:1 lay-good:x
	layer=$(layers_of good:1 | tail -n 1)
	run kist image check
	assert_success
	chmod 777 "$KIST_STORE/layers/sha256/$layer/fs/srv"
	chown 7:8 "$KIST_STORE/layers/sha256/$layer/fs"
	setfattr -n user.x -v y "$KIST_STORE/layers/sha256/$layer/fs/tmp/in"
	run kist image check
	assert_failure 1
	assert_line --partial "layer sha256:$layer: srv: mode 0777 and owner 0:0, not 0755 and 0:0 as by the layers below"
	assert_line --partial "layer sha256:$layer: .: mode 0755 and owner 7:8, not 0755 and 0:0 as by the layers below"
	assert_line --partial "layer sha256:$layer: tmp/in: xattrs: not those of the layers below"
	kist image check --repair
	run kist image check
	assert_success
	run modes good:1
	assert_output $'/ 755 0:0\n/srv 755 0:0\n/srv/app 755 0:0\n/tmp 1777 0:0\n/tmp/in 755 0:0'
}

@test "a layer upon other layers that give its directories the same is shared" {
	echo other >evil/srv/other
	touch -d @1 evil/srv
	layered one plain
	layered two evil
	kist load -q --name one:1 lay-one:x
	kist load -q --name two:1 lay-two:x
	kist load -q --name again:1 lay-two:x
	run modes two:1
	assert_output $'/ 755 0:0\n/srv 755 0:0\n/srv/app 755 0:0\n/tmp 1777 0:0\n/tmp/in 755 0:0'
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 3
	run kist image check
	assert_success
}
