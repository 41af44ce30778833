#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of images in user namespaces: layers and volumes are seen through the container's id map, so that containers
# with different maps share them without a copy, and the container's own layer holds the image's ids. --userns, --uidmap,
# --gidmap, maps in a --config file, ranges that no two containers have in common, and what is refused.

load ../helpers/common
load ../helpers/runtime
load ../helpers/image
load ../helpers/user

setup() {
	kist_setup
	small_trees
	mkdir -p base/{proc,sys,dev,tmp,home/app} one/data
	printf 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n' >base/etc/passwd
	echo text >base/home/app/file
	echo seed >one/data/seed
	chown -R 1000:1000 base/home/app
	chown 33:34 one/data/seed one/data
	layout_image lay x base one
	umoci config --image lay:x --config.user 0:0
	image load --name app:1 lay:x >/dev/null
}

# inside OPTION... -- COMMAND: what a shell in a container of app:1 prints
inside() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	kist run --rm "${options[@]}" app:1 busybox sh -c "$2"
}

# upper NAME FILE: owner of a file in a container's own layer, on the host
upper() {
	stat -c %u:%g "$KIST_STORE/containers/$1/upper/$2"
}

owners='busybox stat -c "%u:%g %n" /bin/busybox /home/app/file /data/seed /etc/hosts'

@test "two containers with different maps share the layers: one inode, root's inside of both" {
	for map in 100000 300000; do
		kist run -d --name "m$map" --uidmap "0:$map:65536" app:1 busybox sleep 1000
	done
	for map in 100000 300000; do
		run kist exec "m$map" sh -c "$owners"
		assert_output $'0:0 /bin/busybox\n1000:1000 /home/app/file\n33:34 /data/seed\n0:0 /etc/hosts'
		pid=$(state_of "m$map" pid)
		assert_equal "$(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map" "/proc/$pid/gid_map" | xargs)" \
			"0 $map 65536 0 $map 65536"
		assert_equal "$(stat -c %u "/proc/$pid/root/bin/busybox")" "$map"
		assert_equal "$(stat -c %u "/proc/$pid/root/home/app/file")" $((map + 1000))
	done
	run stat -c %i "/proc/$(state_of m100000 pid)/root/bin/busybox" "/proc/$(state_of m300000 pid)/root/bin/busybox" \
		"$KIST_STORE"/layers/sha256/*/fs/bin/busybox
	assert_equal "$(sort -u <<<"$output" | wc -l)" 1
	assert_equal "$(stat -c %u "$KIST_STORE"/layers/sha256/*/fs/home/app/file)" 1000
	kist rm -f m100000 m300000
}

@test "what a container writes belongs to the image's ids on the disk, and is its own alone" {
	kist run --name c --uidmap 0:100000:65536 app:1 busybox sh -c 'set -e
		echo new >/new; busybox chown 1000:50 /new
		echo more >>/home/app/file; busybox mkdir /dir; busybox chmod 700 /bin/busybox
		busybox rm /data/seed; busybox ln -s /new /link; busybox mknod /fifo p
		busybox stat -c "%u:%g" /new /home/app/file /dir /link /fifo' >out
	assert_equal "$(xargs <out)" "1000:50 1000:1000 0:0 0:0 0:0"
	assert_equal "$(upper c new) $(upper c home/app/file) $(upper c dir) $(upper c bin/busybox)" \
		"1000:50 1000:1000 0:0 0:0"
	assert_equal "$(stat -c %t:%T "$KIST_STORE/containers/c/upper/data/seed")" 0:0
	# a second start sees the same, and another container sees nothing of it
	run inside --uidmap 0:200000:65536 -- 'busybox stat -c "%u:%g %s" /home/app/file /data/seed; busybox ls /new'
	assert_output --partial '1000:1000 5'
	assert_output --partial '33:34 5'
	assert_output --partial '/new: No such file'
	kist rm c
}

@test "stopped and started again with its map" {
	kist run -d --name c --userns auto app:1 busybox sh -c 'busybox id -u; echo x >>/count; busybox stat -c "%u %s" /count; exec busybox sleep 1000'
	wait_until 10 eval 'kist logs c | grep -q "^0 2"'
	kist stop -t 0 c
	ids=$(cat "$KIST_STORE/containers/c/ids")
	kist start c
	wait_until 10 eval 'kist logs c | grep -q "^0 4"'
	assert_equal "$(awk '{ print $2, $3 }' "/proc/$(state_of c pid)/uid_map")" "$ids"
	run kist exec --user app c busybox id -u
	assert_output 1000
	kist rm -f c
}

@test "many layers, and a layer that hides what lies below" {
	for i in $(seq 25); do
		mkdir -p "l$i/opt"
		echo "$i" >"l$i/opt/f$i"
	done
	layout_image lay many base l{1..25}
	umoci config --image lay:many --config.user 0:0
	image load --name many lay:many >/dev/null
	run kist run --rm --userns auto many busybox sh -c 'busybox cat /opt/f1 /opt/f25; busybox stat -c %u /opt/f13; echo x >/opt/f13'
	assert_success
	assert_output $'1\n25\n0'
}

# ---- volumes ----

@test "volumes have the image's ids too, whatever map they are seen through" {
	run inside --userns auto -v work:/data -v /anonymous -- \
		'busybox stat -c "%u:%g" /data/seed /data /anonymous; echo a >/data/a; echo b >/anonymous/b'
	assert_success
	assert_output $'33:34\n33:34\n0:0'
	run inside --uidmap 0:500000:2000 -v work:/data -- 'busybox stat -c "%u:%g" /data/seed /data/a; echo b >/data/b'
	assert_output $'33:34\n0:0'
	run inside -v work:/data -- 'busybox stat -c "%u:%g" /data/seed /data/a /data/b'
	assert_output $'33:34\n0:0\n0:0'
	assert_equal "$(stat -c %u:%g "$KIST_STORE"/volumes/work/{seed,a,b} | xargs)" "33:34 0:0 0:0"
}

@test "a directory of the host is as it is, or seen through the map with idmap" {
	mkdir host
	echo x >host/file
	run inside --uidmap 0:100000:1000 -v "$PWD/host:/h" -- 'busybox stat -c %u /h/file; echo y >/h/new'
	assert_failure
	assert_output --partial 65534
	run inside --uidmap 0:100000:1000 -v "$PWD/host:/h:idmap" -- 'busybox stat -c %u /h/file; echo y >/h/new'
	assert_success
	assert_output 0
	assert_equal "$(stat -c %u host/new)" 0
}

# ---- where maps come from ----

@test "a --config file with maps, and --userns host against it" {
	jq -n '{ ociVersion: "1.0.0", root: { path: "x" }, annotations: { "io.kist.image": "app:1" }, linux: {
		uidMappings: [{ containerID: 0, hostID: 100000, size: 1001 }, { containerID: 2000, hostID: 5000, size: 1 }],
		gidMappings: [{ containerID: 0, hostID: 200000, size: 1001 }],
		namespaces: (["pid", "mount", "uts", "ipc", "network", "cgroup", "user"] | map({ type: . })) } }' >c.json
	run kist run --rm --config c.json busybox sh -c "busybox cat /proc/self/uid_map; $owners"
	assert_success
	assert_line --index 0 --regexp '^ +0 +100000 +1001$'
	assert_line --index 1 --regexp '^ +2000 +5000 +1$'
	assert_line '1000:1000 /home/app/file'
	run kist run --rm --userns host --config c.json busybox sh -c "busybox cat /proc/self/uid_map; $owners"
	assert_line --index 0 --regexp '^ +0 +0 +4294967295$'
	assert_line '1000:1000 /home/app/file'
}

@test "one of --uidmap and --gidmap stands for both; ids that are not mapped are nobody's" {
	run inside --gidmap 0:7:1 -- "busybox cat /proc/self/uid_map; $owners"
	assert_success
	assert_line --index 0 --regexp '^ +0 +7 +1$'
	assert_line '65534:65534 /home/app/file'
	assert_line '0:0 /bin/busybox'
	run inside --uidmap 0:100000:1000 --gidmap 0:200000:2000 -- "$owners"
	assert_line '65534:1000 /home/app/file'
	run inside --uidmap 0:100000:1000 -u app -- true
	assert_failure 125
	assert_output --partial 'process.user.uid 1000: not in linux.uidMappings'
}

@test "auto: no two containers have an id in common, and ids are free again with the container" {
	local pids=()
	for i in 1 2 3 4 5 6; do
		kist run -d --name "a$i" --userns "auto:size=$((i * 1000))" app:1 busybox sleep 1000 >/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	sort -n "$KIST_STORE"/containers/*/ids >ranges
	assert_equal "$(wc -l <ranges)" 6
	run awk 'NR > 1 && $1 < end { print "clash", $0 } { end = $1 + $2 }' ranges
	assert_output ''
	taken=$(cat "$KIST_STORE/containers/a3/ids")
	kist rm -f a3
	kist run -d --name b --userns auto:size=3000 app:1 busybox sleep 1000
	assert_equal "$(cat "$KIST_STORE/containers/b/ids")" "$taken"
	# a plan shows the next ones, and takes none
	first=$(kist plan --userns auto:size=500 app:1 | jq -r '.uidMap[]')
	assert_equal "$(kist plan --userns auto:size=500 app:1 | jq -r '.gidMap[]')" "$first"
	read -r inside outside count <<<"$first"
	assert_equal "$inside $count" "0 500"
	run awk -v from="$outside" '$1 < from + 500 && from < $1 + $2' "$KIST_STORE"/containers/*/ids
	assert_output ''
	assert_equal "$(ls "$KIST_STORE/containers" | wc -l)" 6
	kist rm -f a1 a2 a4 a5 a6 b
}

@test "auto takes the ids that /etc/subuid and /etc/subgid give to \"containers\", and says when there are none" {
	grep -v '^containers:' /etc/subuid >subuid || :
	grep -v '^containers:' /etc/subgid >subgid || :
	echo containers:1000000:3000 >>subuid
	echo containers:1000500:3000 >>subgid
	mount --bind subuid /etc/subuid
	mount --bind subgid /etc/subgid
	run inside --userns auto:size=2500 -- 'busybox cat /proc/self/uid_map /proc/self/gid_map'
	assert_success
	assert_line --index 0 --regexp '^ +0 +1000500 +2500$'
	assert_line --index 1 --regexp '^ +0 +1000500 +2500$'
	kist run -d --name c --userns auto:size=2500 app:1 busybox sleep 1000
	run inside --userns auto:size=1 -- true
	assert_failure 125
	assert_output --partial 'option --userns auto: no 1 ids are free'
	run inside --userns auto -- true
	assert_failure 125
	assert_output --partial 'no 65536 ids are free'
	kist rm -f c
	umount /etc/subuid /etc/subgid
	assert_equal "$(ls "$KIST_STORE/containers")" ""
}

# ---- what is refused ----

@test "refused with the option's name" {
	while IFS='|' read -r options words; do
		# shellcheck disable=SC2086
		run kist run --rm $options app:1 busybox true
		assert_failure 125
		assert_output --partial "$words"
	done <<-'T'
	--userns keep-id|option --userns keep-id: expected host, auto
	--userns private|option --userns private: expected host, auto
	--userns auto:size=0|option --userns auto:size=0: expected auto
	--userns auto:size=1x|option --userns auto:size=1x: expected auto
	--userns auto:mode=1|option --userns auto:mode=1: expected auto
	--userns host --uidmap 0:1:1|option --userns: --uidmap and --gidmap
	--uidmap 0|option --uidmap 0: expected CONTAINER:HOST[:COUNT]
	--uidmap 0:x|option --uidmap 0:x: expected CONTAINER:HOST[:COUNT]
	--uidmap 0:1:0|option --uidmap 0:1:0: expected
	--gidmap 0:1:2:3|option --gidmap 0:1:2:3: expected
	--uidmap 0:4294967295:2|option --uidmap 0:4294967295:2: expected
	--uidmap 0:1:5 --uidmap 4:100|option --uidmap 4:100: has ids that 0:1:5 has
	--uidmap 0:1:5 --uidmap 9:5|option --uidmap 9:5: has ids that 0:1:5 has
	T
	assert_equal "$(ls "$KIST_STORE/containers")" ""
	new_bundle b
	run kist run --bundle b --userns auto c
	assert_failure 125
	assert_output --partial '--userns does not go with a bundle'
}

@test "a kernel or a file system without id-mapped layers is named" {
	run strace -fqq -o trace -e trace=mount_setattr -e inject=mount_setattr:error=EINVAL:when=1 \
		"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm --userns auto app:1 busybox true
	assert_failure 125
	assert_output --partial 'id-mapped layers: the file system of the store has none on this kernel'
	assert_equal "$(ls "$KIST_STORE/containers")" ""
}

@test "a user cannot map layers, and is told so; host is what he has" {
	user_setup
	tar -C lay -cf user/home/image.tar .
	user_kist load --name app:1 image.tar >/dev/null
	for options in "--userns auto" "--uidmap 0:1:100" "--gidmap 0:1:100"; do
		# shellcheck disable=SC2086
		run user_kist run --rm $options app:1 busybox true
		assert_failure 125
		assert_output --partial "option ${options%% *}: only root of the host can map the ids of layers"
	done
	run user_kist run --rm --userns host app:1 busybox stat -c %u:%g /home/app/file
	assert_output 1000:1000
	user_kist image rm app:1 >/dev/null
}
