# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Devices: the default ones and links, those of the config, what may be used of them. Source: runtime-spec
# config-linux.md "Devices", "Default Devices"; config-linux.md "Device allowlist".

load ../helpers/common
load ../helpers/runtime

# add_device PATH TYPE MAJOR MINOR [MEMBER:VALUE...]
add_device() {
	local extra='{}' item
	for item in "${@:5}"; do extra=$(jq -c ".${item%%:*} = ${item#*:}" <<<"$extra"); done
	edit_config '.linux.devices += [{ path: $p, type: $t, major: $a, minor: $b } + $x]' \
		--arg p "$1" --arg t "$2" --argjson a "$3" --argjson b "$4" --argjson x "$extra"
}

# allow_device TYPE MAJOR MINOR ACCESS: puts a rule behind those that are there
allow_device() {
	edit_config '.linux.resources.devices += [{ allow: true, type: $t, major: $a, minor: $b, access: $x }]' \
		--arg t "$1" --argjson a "$2" --argjson b "$3" --arg x "$4"
}

@test "default devices: kind, mode and owner" {
	box stat -c '%n %F %t:%T %a %u:%g' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	umask 077
	run run_box
	assert_output - <<-'E'
		/dev/null character special file 1:3 666 0:0
		/dev/zero character special file 1:5 666 0:0
		/dev/full character special file 1:7 666 0:0
		/dev/random character special file 1:8 666 0:0
		/dev/urandom character special file 1:9 666 0:0
		/dev/tty character special file 5:0 666 0:0
	E
}

@test "default devices: work" {
	box sh -c 'echo x >/dev/null && head -c 4 /dev/zero | od -An -tx1 && head -c 8 /dev/urandom | wc -c; echo x >/dev/full'
	run run_box
	assert_line --partial '00 00 00 00'
	assert_line 8
	assert_line --partial 'No space left'
}

@test "default links" {
	box sh -c 'for l in fd stdin stdout stderr core ptmx; do echo "$l $(readlink /dev/$l)"; done; ls /dev'
	run run_box
	assert_line 'fd /proc/self/fd'
	assert_line 'stdin /proc/self/fd/0'
	assert_line 'stdout /proc/self/fd/1'
	assert_line 'stderr /proc/self/fd/2'
	assert_line 'core /proc/kcore'
	assert_line 'ptmx pts/ptmx'
	refute_line console
}

@test "default links: their target may be missing, and what has their name already stays" {
	box sh -c 'readlink /dev/fd; cat /dev/stdin; ls /proc'
	edit_config 'del(.mounts[] | select(.type == "proc" or (.destination | startswith("/dev")))) | .linux |= del(.maskedPaths, .readonlyPaths)'
	writable_root
	echo theirs >b/rootfs/dev/stdin
	run run_box
	assert_output $'/proc/self/fd\ntheirs'
}

@test "without a mount on /dev they are made in the root file system, and found there the next time" {
	box stat -c '%n %t:%T' /dev/null /dev/tty
	writable_root
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev")))'
	run run_box
	assert_output $'/dev/null 1:3\n/dev/tty 5:0'
	run run_box
	assert_success
}

@test "a bind on /dev is left as it is" {
	box ls /dev
	mkdir theirs
	touch theirs/only
	edit_config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	add_mount /dev none "$PWD/theirs" bind
	run run_box
	assert_output only
	assert_equal "$(ls theirs)" only
}

@test "config: character, block, FIFO; mode, owner, path anywhere" {
	box stat -c '%n %F %t:%T %a %u:%g' /dev/fuse /dev/blk /dev/deep/down/null /srv/pipe /dev/u
	writable_root
	add_device /dev/fuse c 10 229 fileMode:438 uid:1000 gid:50
	add_device /dev/blk b 7 250 fileMode:416
	add_device /dev/deep/down/null c 1 3
	edit_config '.linux.devices += [{ path: "/srv/pipe", type: "p", fileMode: 384 }]'
	add_device /dev/u u 1 3 fileMode:33188 # with the bits of a regular file: only permissions count
	run run_box
	assert_success
	assert_output - <<-'E'
		/dev/fuse character special file a:e5 666 1000:50
		/dev/blk block special file 7:fa 640 0:0
		/dev/deep/down/null character special file 1:3 666 0:0
		/srv/pipe fifo 0:0 600 0:0
		/dev/u character special file 1:3 644 0:0
	E
}

@test "config: a default device that is listed is made as the list says" {
	box stat -c '%t:%T %a' /dev/null
	add_device /dev/null c 1 3 fileMode:384
	run run_box
	assert_output '1:3 600'
}

@test "an existing device that matches is kept, one that does not is refused" {
	box stat -c '%t:%T %a' /srv/dev
	writable_root
	mkdir b/rootfs/srv
	mknod -m 600 b/rootfs/srv/dev c 1 3
	add_device /srv/dev c 1 3
	run run_box
	assert_output '1:3 600'
	edit_config '.linux.devices[0].minor = 5'
	run -1 create_box
	run output_of
	assert_output --partial 'linux.devices[0] /srv/dev: a file that is not this device is already there'
	edit_config '.linux.devices[0] |= (.minor = 3 | .type = "b")'
	run -1 create_box
	rm b/rootfs/srv/dev
	touch b/rootfs/srv/dev
	edit_config '.linux.devices[0].type = "c"'
	run -1 create_box
	assert_equal "$(stat -c %s b/rootfs/srv/dev)" 0
	rm b/rootfs/srv/dev
	ln -s /dev/null b/rootfs/srv/dev
	run -1 create_box
}

@test "a default device whose place is taken by something else is refused" {
	box true
	writable_root
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev")))'
	echo text >b/rootfs/dev/null
	run -1 create_box
	run output_of
	assert_output --partial '/dev/null: a file that is not this device is already there'
	assert_equal "$(<b/rootfs/dev/null)" text
}

# bare_dev: no mount on /dev, so that the devices are made in the root file system
bare_dev() {
	writable_root
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev")))'
}

# in_userns: a user namespace that maps 0 to the host's 0, so that the root file system may be written to
in_userns() {
	edit_config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
}

@test "every default device: a text, a link or another device in its place is refused, and left as it is" {
	local name kind
	box true
	bare_dev
	echo text >b/rootfs/text
	for kind in plain userns; do
		[ $kind = plain ] || in_userns
		for name in null zero full random urandom tty; do
			rm -f b/rootfs/dev/*
			echo text >"b/rootfs/dev/$name"
			run -1 create_box
			assert_equal "$(<"b/rootfs/dev/$name")" text
			ln -sf /text "b/rootfs/dev/$name"
			run -1 create_box
			run output_of
			assert_output --partial "/dev/$name: a file that is not this device is already there"
			assert_equal "$(readlink "b/rootfs/dev/$name")" /text
			rm "b/rootfs/dev/$name"
			mknod "b/rootfs/dev/$name" c 1 11
			run -1 create_box
		done
	done
	assert_equal "$(<b/rootfs/text)" text
}

@test "user namespace: what an earlier container has left in the place of devices is taken again" {
	box sh -c 'stat -c "%n %t:%T" /dev/null /dev/tty /srv/dev; echo x >/dev/null'
	bare_dev
	in_userns
	add_device /srv/dev c 1 5
	run run_box
	assert_output $'/dev/null 1:3\n/dev/tty 5:0\n/srv/dev 1:5'
	assert_equal "$(stat -c '%F %s' b/rootfs/dev/null)" 'regular empty file 0'
	run run_box
	assert_output $'/dev/null 1:3\n/dev/tty 5:0\n/srv/dev 1:5'
	rm b/rootfs/dev/null
	mknod b/rootfs/dev/null c 1 3
	run run_box
	assert_output $'/dev/null 1:3\n/dev/tty 5:0\n/srv/dev 1:5'
	echo text >b/rootfs/srv/dev
	run -1 create_box
	run output_of
	assert_output --partial 'linux.devices[0] /srv/dev: a file that is not this device is already there'
	assert_equal "$(<b/rootfs/srv/dev)" text
	edit_config '.linux.devices[0] |= (.path = "/dev/none" | .major = 4000 | .minor = 9)'
	run -1 create_box
	run output_of
	assert_output --partial "linux.devices[0] /dev/none: in a user namespace the host's node of device 4000:9 is bound"
}

@test "rules: what is not allowed cannot be opened, what is can" {
	box sh -c 'head -c 1 /dev/mem >/dev/null; echo "mem $?"; head -c 1 /dev/zero >/dev/null; echo "zero $?"'
	add_caps CAP_SYS_RAWIO CAP_DAC_OVERRIDE
	add_device /dev/mem c 1 1
	run run_box
	assert_line --partial 'Operation not permitted'
	assert_line 'mem 1'
	assert_line 'zero 0'
	allow_device c 1 1 r
	run run_box
	refute_line --partial 'Operation not permitted'
}

@test "rules: mknod is allowed for all, use is not" {
	box sh -c 'mknod /tmp/k c 1 11 && echo made; head -c 1 /tmp/k'
	add_caps CAP_MKNOD
	add_mount /tmp tmpfs tmpfs dev
	run run_box
	assert_line made
	assert_line --partial 'Operation not permitted'
}

@test "rules: the last one that matches counts" {
	box sh -c 'head -c 1 /dev/loopx; echo "status $?"'
	add_device /dev/loopx b 7 250
	add_caps CAP_SYS_ADMIN
	edit_config '.linux.resources.devices = [{ allow: true, type: "b", major: 7, access: "rwm" },
		{ allow: false, type: "b", major: 7, minor: 250, access: "rwm" }]'
	run run_box
	assert_line --partial 'Operation not permitted'
	edit_config '.linux.resources.devices |= reverse'
	run run_box
	refute_line --partial 'Operation not permitted' # ENXIO: no such loop device
}

@test "rules: also for exec" {
	box sleep 1000
	add_device /dev/mem c 1 1
	add_caps CAP_SYS_RAWIO
	start_box
	run kist exec c head -c 1 /dev/mem
	assert_output --partial 'Operation not permitted'
	delete_box
}

@test "rules: of a privileged container allow all" {
	box sh -c 'head -c 1 /dev/loopx >/dev/null; echo "status $?"'
	add_device /dev/loopx b 7 250
	run run_box
	assert_line --partial 'Operation not permitted'
	edit_config '.linux.resources.devices = [{ allow: true, access: "rwm" }]'
	run run_box
	refute_line --partial 'Operation not permitted'
}
