#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of a user other than root, and of root in a user namespace that others made: maps, the whole life, exec,
# images, what is refused with which remedy. Limits in a delegated group are in vm/65-rootless.bats.
# Sources: user_namespaces(7), subuid(5), newuidmap(1).

load ../helpers/common
load ../helpers/runtime
load ../helpers/image
load ../helpers/user

setup() {
	kist_setup
	user_setup
}

# user_bundle COMMAND [ARG...]: a bundle in the user's home, from the default config; its root belongs to the user
user_bundle() {
	new_bundle user/home/b "$@"
	own_bundle
}

own_bundle() {
	find "$USER_DIR/home" -type d -exec chown "$USER_ID:$USER_ID" {} +
	chmod 644 "$BUNDLE/config.json"
}

# run_user [OPTION...]: runs it in the foreground as container c
run_user() {
	user_kist "$@" run --bundle b c
}

# ---- maps ----

@test "the own id only: no tool is needed, and groups cannot be set" {
	user_bundle
	rm "$BUNDLE/config.json"
	as_user "$KIST" spec --rootless --bundle b
	edit_config '.process.terminal = false | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map /proc/self/setgroups"]'
	own_bundle
	hide_tool newuidmap
	: >user/etc/subuid
	run run_user
	assert_success
	assert_line --index 0 0
	assert_line --index 1 --regexp '^ *0 +0 +1$'
	assert_line --index 2 deny
	edit_config '.process.user.additionalGids = [0]'
	own_bundle
	run run_user
	assert_failure 125
	assert_output --partial 'process.user.additionalGids: groups cannot be set'
}

@test "without a user namespace in the config all ids are mapped, and the user's own is root" {
	user_bundle sh -c 'id -u; cat /proc/self/uid_map; echo hello >/tmp/file; chown 1000:50 /tmp/file'
	writable_root
	add_caps CAP_CHOWN
	own_bundle
	run run_user
	assert_success
	assert_line --index 0 0
	assert_line --index 1 --regexp '^ *0 +0 +1$'
	assert_line --index 2 --regexp '^ *1 +1 +65536$'
	# 1 is the first subordinate id
	assert_equal "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/file")" "$((USER_SUB + 999)):$((USER_SUB + 49))"
}

@test "the container's user and groups are any of the mapped ids; others are refused by their key" {
	user_bundle id
	edit_config '.process.user = { uid: 1000, gid: 50, additionalGids: [7, 65536] }'
	own_bundle
	run run_user
	assert_output "uid=1000(app) gid=50(staff) groups=7,65536"
	edit_config '.process.user.uid = 65537'
	own_bundle
	run run_user
	assert_failure 125
	assert_output --partial 'process.user.uid 65537: not in the ids that kist has for you: /etc/subuid'
	edit_config '.process.user = { uid: 0, gid: 0, additionalGids: [70000] }'
	own_bundle
	run run_user
	assert_output --partial 'process.user.additionalGids[0] 70000: not in the ids that kist has for you: /etc/subgid'
}

@test "uidMappings name ids of the host, over the borders of several ranges" {
	printf 'kist-test:%s:10\nother:1:5\nnonsense\nkist-test:%s:90\n' 500000 600000 >user/etc/subuid
	user_bundle cat /proc/self/uid_map
	edit_config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 500000, size: 10 }, { containerID: 10, hostID: 600000, size: 5 },
			{ containerID: 777, hostID: 4000, size: 1 }] |
		.linux.gidMappings = [{ containerID: 0, hostID: 400000, size: 100 }]'
	own_bundle
	run run_user
	assert_success
	assert_output "$(printf '%10d %10d %10d\n' 0 1 10 10 11 5 777 0 1)"
	edit_config '.linux.uidMappings[1].size = 91'
	own_bundle
	run run_user
	assert_failure 125
	assert_output --partial 'linux.uidMappings[1]: host id 600090 is not among those that you may use: 4000, 500000 to 500009, 600000 to 600089 (/etc/subuid)'
}

@test "kist does not live in the container's user namespace" {
	user_bundle sleep 1000
	as_user "$KIST" run -d --bundle b c
	local keeper
	keeper=$(pgrep -x kist-keeper)
	[ "$(ns_of "$(user_kist state c | jq .pid)" user)" != "$(ns_of "$keeper" user)" ]
	user_kist rm -f c
}

# ---- the life of a container ----

@test "create, state, start, exec, kill, delete" {
	user_bundle sleep 1000
	edit_config '.process.oomScoreAdj = 500'
	own_bundle
	as_user "$KIST" create --bundle b --pid-file pid c >out 2>&1 </dev/null 3>&-
	assert_equal "$(user_kist state c | jq -r .status)" created
	assert_equal "$(cat user/home/pid)" "$(user_kist state c | jq -r .pid)"
	user_kist start c
	assert_equal "$(user_kist state c | jq -r .status)" running
	assert_equal "$(cat "/proc/$(cat user/home/pid)/oom_score_adj")" 500
	run user_kist exec c sh -c 'id -u; cat /proc/self/oom_score_adj; cat /proc/1/comm'
	assert_output $'0\n500\nsleep'
	run user_kist kill c KILL
	assert_success
	wait_until 10 eval '[ "$(user_kist state c | jq -r .status)" = stopped ]'
	user_kist delete c
	assert_equal "$(files_left)" ""
}

@test "exec joins every namespace of the container, with its capabilities and no more" {
	user_bundle sleep 1000
	as_user "$KIST" create --bundle b --pid-file pid c >out 2>&1 </dev/null 3>&-
	user_kist start c
	local pid kind
	pid=$(cat user/home/pid)
	user_kist exec c sh -c 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done' >ns
	for kind in user mnt pid net ipc uts cgroup; do readlink "/proc/$pid/ns/$kind"; done >want
	diff want ns
	assert_equal "$(user_kist exec c grep Cap /proc/self/status)" "$(user_kist exec c grep Cap /proc/1/status)"
	run user_kist exec -u 33:44 c id
	assert_output 'uid=33 gid=44'
	run -127 user_kist exec c nothing
	# a terminal, and a user that is not in the maps
	run with_terminal bash -c "$(declare -f as_user user_kist); USER_DIR='$USER_DIR' USER_ID=$USER_ID USER_BEFORE=; user_kist exec -t c tty"
	assert_output --partial /dev/pts/0
	run user_kist exec -u 99999 c id
	assert_failure 125
	user_kist delete --force c
}

@test "a container with the host's pid namespace cannot look into kist" {
	user_bundle sh -c 'for d in /proc/[0-9]*; do [ "$(cat $d/comm)" = kist-keeper ] && ls $d/root/ $d/cwd/ $d/fd/; done; true'
	edit_config 'del(.linux.namespaces[] | select(.type == "pid")) | .linux.namespaces |= map(select(. != null))'
	edit_config '.mounts[0] = { destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] }'
	add_caps CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
	own_bundle
	user_kist run -d --bundle b c
	user_kist wait c
	run user_kist logs c
	assert_output --partial "Permission denied"
	refute_output --partial passwd
	user_kist rm c
}

@test "without a cgroup, what needs one says so" {
	user_bundle sleep 1000
	user_kist run -d --bundle b c
	run user_kist pause c
	assert_failure 1
	assert_output --partial "needs the container's cgroup, and it has none"
	# but the processes are known by the pid namespace, also while the first one waits
	as_user "$KIST" create --bundle b w >out 2>&1 </dev/null 3>&-
	assert_equal "$(user_kist ps --format json w | jq '.[0]')" "$(user_kist state w | jq .pid)"
	user_kist delete --force w
	user_kist exec -d c sh -c 'exec sleep 2000'
	local pid
	pid=$(user_kist state c | jq .pid)
	wait_until 10 eval '[ "$(user_kist ps --format json c | jq length)" = 2 ]'
	assert_equal "$(user_kist ps --format json c | jq '.[0]')" "$pid"
	assert_equal "$(cat "/proc/$(user_kist ps --format json c | jq '.[1]')/comm")" sleep
	user_kist rm -f c
}

@test "a limit without a delegated group is refused with the command that gives one" {
	user_bundle
	edit_config '.linux.resources.pids.limit = 10'
	own_bundle
	run run_user
	assert_failure 125
	assert_output --regexp 'linux.resources.pids.limit: cgroup /kist-c: Permission denied: it is not delegated .* systemd-run --user --scope -p Delegate=yes -- kist'
	assert_equal "$(find /sys/fs/cgroup -name 'kist-*')" ""
}

@test "in a group that was delegated, the container gets its own below it" {
	user_bundle sleep 1000
	mkdir /sys/fs/cgroup/given /sys/fs/cgroup/given/own
	chown -R "$USER_ID" /sys/fs/cgroup/given
	# the shell becomes the user's program
	USER_BEFORE='echo $$ >/sys/fs/cgroup/given/own/cgroup.procs;'
	user_kist run -d --bundle b c
	assert_equal "$(cgroup_of "$(user_kist state c | jq .pid)")" /sys/fs/cgroup/given/own/kist-c
	user_kist pause c
	assert_equal "$(user_kist state c | jq -r .status)" paused
	user_kist resume c
	run user_kist exec c cat /proc/self/cgroup
	assert_line '0::/'
	USER_BEFORE=
	run user_kist exec c true
	assert_failure 125
	assert_output --partial "the container's cgroup is not to be entered from this session's: run kist in a group of the same delegation, by systemd-run --user --scope -- kist exec"
	user_kist rm -f c
	assert_not_exist /sys/fs/cgroup/given/own/kist-c
	rmdir /sys/fs/cgroup/given/own /sys/fs/cgroup/given
}

# ---- what is missing ----

@test "no newuidmap, no entry in /etc/subuid: what needs more than the own id says what to do" {
	user_bundle id -u
	hide_tool newgidmap
	run run_user
	assert_failure 125
	assert_output --partial 'mounts[2] gid=5: newgidmap: not installed'
	edit_config '(.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]'
	own_bundle
	run run_user
	assert_output 0 # the own id is enough
	edit_config '.process.user.uid = 5'
	own_bundle
	run run_user
	assert_failure 125
	assert_output --partial 'process.user: newgidmap: not installed'
	assert_output --partial 'install the package uidmap'
	hide_tool newuidmap
	run run_user
	assert_output --partial 'newuidmap: not installed'
	USER_BEFORE=
	user_setup 0
	run run_user
	assert_failure 125
	assert_output --partial 'process.user: /etc/subuid has no ids for the user kist-test: as root, usermod --add-subuids'
	echo "$USER_ID:700000:10" >user/etc/subuid # a number is a user as well
	run run_user
	assert_output --partial '/etc/subgid has no ids for the user kist-test: as root, usermod --add-subgids'
	echo "kist-test:700000:10" >user/etc/subgid
	run run_user
	assert_output 5
}

@test "newuidmap that may not, or has lost its rights, is quoted" {
	user_bundle id -u
	as_user cp /usr/bin/newuidmap tool
	USER_BEFORE="mount --bind $USER_DIR/home/tool /usr/bin/newuidmap;"
	run run_user
	assert_failure 125
	assert_output --regexp 'user namespace: /usr/bin/newuidmap: .*\(it is not set-user-ID root'
	USER_BEFORE=
	run as_user setpriv --no-new-privs "$KIST" run --bundle b c
	assert_failure 125
	assert_output --partial '(kist was started with no_new_privs, so that it can gain no rights)'
	assert_equal "$(files_left)" ""
}

@test "user namespaces that are switched off" {
	user_bundle
	# the limit of a namespace above counts as well, and is not the whole machine's. user.* is its root's to set
	mkfifo go
	unshare --user bash -c "
		read <go
		$(declare -f as_user)
		USER_ID=$USER_ID USER_DIR='$USER_DIR' USER_BEFORE='echo 0 >/proc/sys/user/max_user_namespaces;' KIST='$KIST'
		as_user '$KIST' run --bundle b c" >out 2>&1 3>&- &
	wait_until 5 eval '[ "$(ns_of $! user)" != "$(ns_of $$ user)" ]'
	echo '0 0 10000' >/proc/$!/gid_map
	echo '0 0 10000' >/proc/$!/uid_map
	echo >go
	local status=0
	wait $! || status=$?
	assert_equal $status 125
	run cat out
	assert_output --partial 'as root, sysctl -w user.max_user_namespaces=15000'
}

@test "no XDG_RUNTIME_DIR, and a state root that others may write to" {
	user_bundle
	run as_user env -u XDG_RUNTIME_DIR "$KIST" list
	assert_failure 1
	assert_output --partial 'XDG_RUNTIME_DIR is not set: log in by a way that sets it'
	mkdir -m 777 user/open
	run user_kist --root "$USER_DIR/open" list
	assert_failure 1
	assert_output --partial "state root $USER_DIR/open: others may write to it (mode 777)"
}

@test "--rootless false: no user namespace, and so no container" {
	user_bundle
	run user_kist --rootless false run --bundle b c
	assert_failure 125
	assert_output --partial 'root.path'
	run user_kist --rootless maybe list
	assert_failure 2
}

@test "doctor: in the namespace that containers get, and what is missing for it" {
	run user_kist doctor --format json
	assert_success
	jq -e 'map(select(.check == "ids"))[0] | .state == "ok" and .found == "65537 of users, 65537 of groups"' <<<"$output"
	jq -e 'map(select(.check == "overlay"))[0].state == "ok"' <<<"$output"
	user_setup 0
	run user_kist doctor --format json
	jq -e 'map(select(.check == "ids"))[0] | .state == "missing" and .found == "only the own id"' <<<"$output"
	run user_kist --rootless false doctor --format json
	assert_failure 1
	jq -e 'map(select(.check == "ids"))[0].state == "failed"' <<<"$output"
}

@test "--rootless true: root too goes without a group, unless there is something to enforce" {
	box true
	# shellcheck disable=SC2016
	readonly_tree='mount -o remount,ro,bind /sys/fs/cgroup; exec "$@"'
	run unshare --mount bash -c "$readonly_tree" - "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_failure 125
	assert_output --partial 'is mounted read-only'
	run unshare --mount bash -c "$readonly_tree" - "$KIST" --root "$KIST_ROOT" --rootless true run --bundle b c
	assert_failure 125
	assert_output --partial 'linux.resources.devices: cgroup /kist-c: Read-only file system'
	edit_config 'del(.linux.resources)'
	run unshare --mount bash -c "$readonly_tree" - "$KIST" --root "$KIST_ROOT" --rootless true run --bundle b c
	assert_success
	edit_config '.linux.resources.pids.limit = 5'
	run unshare --mount bash -c "$readonly_tree" - "$KIST" --root "$KIST_ROOT" --rootless true run --bundle b c
	assert_failure 125
	assert_output --partial 'linux.resources.pids.limit: cgroup /kist-c: Read-only file system'
}

@test "podman of a user: run, the maps of --userns keep-id, exec, stop" {
	local tree=user/home/tree podman
	mkdir -p $tree/bin $tree/etc
	cp "$(command -v busybox)" $tree/bin/busybox
	ln -s busybox $tree/bin/sh
	echo root:x:0:0::/:/bin/sh >$tree/etc/passwd
	tar -C $tree -cf user/home/tree.tar .
	ln -s "$KIST" user/kist-oci
	podman=(podman --storage-driver overlay --cgroup-manager cgroupfs --events-backend file --runtime "$USER_DIR/kist-oci")
	as_user "${podman[@]}" import tree.tar box:1 2>/dev/null
	run --separate-stderr as_user "${podman[@]}" run --rm --network none box:1 sh -c 'busybox id -u; busybox cat /proc/self/uid_map'
	assert_line --index 0 0
	assert_line --index 1 --regexp "^ *0 +$USER_ID +1$"
	run --separate-stderr as_user "${podman[@]}" run --rm --network host --userns keep-id box:1 busybox id -u
	assert_output "$USER_ID"
	as_user "${podman[@]}" run -d --name s --network none box:1 busybox sleep 1000
	run --separate-stderr as_user "${podman[@]}" exec s busybox id -u
	assert_output 0
	as_user "${podman[@]}" stop -t 0 s
	as_user "${podman[@]}" rm s
	assert_equal "$(files_left)" ""
	# the process that holds podman's namespace
	kill "$(cat user/run/libpod/tmp/pause.pid)"
	as_user unshare --user --map-root-user --map-auto rm -rf .local user/run/libpod
}

# ---- images ----

# load_image: two layers with owners, a set-user-ID program, a capability, a device, whiteouts and an opaque folder
load_image() {
	small_trees
	mkdir -p base/srv/gone base/srv/hidden base/dev base/etc
	echo old >base/srv/hidden/old
	echo x >base/srv/file
	printf 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' >base/etc/passwd
	cp base/bin/busybox base/bin/suid
	chown 0:42 base/bin/suid
	chmod 4755 base/bin/suid
	chown -R 1000:1000 base/srv
	mknod base/dev/sda b 8 0
	setcap cap_net_raw+ep base/bin/suid
	layout_image lay x base one
	# a layer with the OCI marks for removal
	mkdir -p marks/srv/hidden
	touch marks/srv/.wh.file marks/srv/.wh.gone marks/srv/hidden/.wh..wh..opq marks/srv/hidden/new
	tar -C marks -cf marks.tar srv
	umoci raw add-layer --image lay:x marks.tar >/dev/null
	umoci config --image lay:x --config.user 0:0
	tar -C lay -cf user/home/image.tar .
}

@test "an image: load, run, ls, inspect, unpack, rm, prune" {
	load_image
	run user_kist load --name app:1 image.tar
	assert_success
	assert_output --partial 'entry "dev/sda": device node 8:0 left out'
	assert_output --partial app:1
	run user_kist image ls
	assert_output --partial app
	assert_equal "$(user_kist image inspect app:1 | jq -r '.[0].RootFS.Layers | length')" 3
	run user_kist run --rm app:1 sh -c 'busybox ls -n /bin/suid; busybox ls -n /srv /srv/hidden; busybox id -u'
	assert_success
	assert_line --regexp '^-rwsr-xr-x +1 0 +42 .*/bin/suid'
	refute_line --partial file
	refute_line --partial gone
	refute_line --partial old
	assert_line --partial new
	assert_equal "$(stat -c %a "$KIST_STORE")" 700
	user_kist image unpack app:1
	assert_equal "$(stat -c %u:%g "$KIST_STORE"/layers/sha256/*/fs/bin/suid)" "$USER_ID:$((USER_SUB + 41))"
	# what belongs to subordinate ids is checked and counted as root's, and cannot be mounted to last
	run user_kist image check
	assert_success
	assert_output --regexp '[0-9]+ blobs and [0-9]+ layers checked, 0 wrong'
	run user_kist image tree
	assert_success
	run user_kist system df --format '{{.Type}} {{.Total}}'
	assert_line "Images 1"
	run user_kist image mount app:1
	assert_failure 1
	assert_output --partial 'image mount: for users other than root a mount would end with this command'
	# what belongs to subordinate ids goes again
	user_kist image rm app:1
	user_kist image prune
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1)" ""
}

@test "a container of an image: run -d, exec, logs, stop, start, rm, and its files are gone" {
	load_image
	user_kist load --name app:1 image.tar 2>/dev/null
	user_kist run -d --name web app:1 sh -c 'echo ready; busybox mkdir /data; busybox chown 1000:1000 /data; exec busybox sleep 1000'
	wait_until 10 eval 'user_kist logs web | grep -q ready'
	run user_kist exec -u app web busybox id -u
	assert_output 1000
	run user_kist ps --format '{{.Names}} {{.Image}}'
	assert_output "web app:1"
	user_kist exec web sh -c 'echo 1 >/kept'
	user_kist stop -t 0 web
	user_kist start web
	run user_kist exec web busybox cat /kept
	assert_output 1
	run user_kist run --name web app:1 true
	assert_failure 125
	user_kist rm -f web
	assert_equal "$(files_left)" ""
}

@test "an image with the host's network, and one in which only the own id is mapped" {
	small_trees
	layout_image lay x base
	umoci config --image lay:x --config.user 0:0
	tar -C lay -cf user/home/image.tar .
	user_kist load --name app:1 image.tar
	run user_kist run --rm --network host app:1 sh -c 'readlink /proc/self/ns/net; test -d /sys/class/net/lo && echo sys'
	assert_output "$(readlink /proc/self/ns/net)"$'\nsys'
	user_setup 0
	run user_kist run --rm app:1 busybox cat /proc/self/uid_map
	assert_success
	assert_output --regexp '^ *0 +0 +1$'
}

@test "an image with owners beyond the own id, where only that is mapped" {
	load_image
	user_setup 0
	run user_kist load --name app:1 image.tar
	assert_failure 1
	assert_output --partial 'owner 0:42: not among the ids that kist has for you: /etc/subuid and /etc/subgid'
	assert_equal "$(find "$KIST_STORE/tmp" "$KIST_STORE/layers/sha256" -mindepth 1)" ""
}

@test "the store of another user is refused" {
	mkdir -p store.root
	chmod 755 store.root
	run user_kist --store "$PWD/store.root" load x.tar
	assert_failure 1
	assert_output --partial "belongs to uid"
}

# ---- root of a user namespace that others made ----

# in_userns COMMAND [ARG...]: as podman calls a runtime: root of a namespace with many ids, and of its mount namespace
in_userns() {
	as_user unshare --user --map-root-user --map-auto --mount "$@"
}

@test "called as root of a user namespace: the life of a container" {
	user_bundle sh -c 'id -u; cat /proc/self/uid_map; ls -l /dev/null /dev/tty; cat /proc/self/oom_score_adj'
	edit_config '.process.user.additionalGids = [10] | .process.oomScoreAdj = 0'
	own_bundle
	run in_userns "$KIST" --root "$USER_DIR/run/kist" run --bundle b c
	assert_success
	assert_line --index 0 0
	assert_line --partial '1,   3'
	edit_config '.process.oomScoreAdj = -500'
	own_bundle
	run in_userns "$KIST" --root "$USER_DIR/run/kist" run --bundle b c
	assert_failure 125
	assert_output --partial 'process.oomScoreAdj -500: lowering it needs CAP_SYS_RESOURCE'
	run in_userns bash -ec 'k="$KIST --root $XDG_RUNTIME_DIR/kist"; jq ".process.args = [\"sleep\", \"1000\"] | del(.process.oomScoreAdj)" b/config.json >b/c
		mv b/c b/config.json; $k create --bundle b c </dev/null >/dev/null 2>&1; $k start c; $k exec c id -u; $k kill c KILL
		while $k state c | grep -q running; do :; done; $k delete c'
	assert_success
	assert_output 0
}

@test "called as root of a user namespace without a mount namespace of its own" {
	user_bundle id -u
	edit_config '(.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]'
	own_bundle
	# its state is the user's as well
	run as_user unshare --user --map-root-user "$KIST" run --bundle b c
	assert_success
	assert_output 0
	assert_exist "$USER_DIR/run/kist"
}

@test "mounts add and remove: a bind and a tmpfs in the user's own container" {
	user_bundle sleep 1000
	writable_root
	own_bundle
	user_kist create --bundle b c >c.out 2>&1 </dev/null 3>&-
	user_kist start c
	mkdir user/home/data
	echo hello >user/home/data/file
	echo '[{ "destination": "/data", "source": "'"$USER_DIR/home/data"'", "options": ["rbind", "ro"] },
		{ "destination": "/t", "type": "tmpfs" }]' >user/home/m.json
	own_bundle
	run user_kist mounts add c m.json
	assert_success
	assert_output ''
	run user_kist exec c sh -c 'cat /data/file; touch /t/x && stat -c %u /t/x; touch /data/x'
	assert_line --index 0 hello
	assert_line --index 1 0
	assert_line --index 2 --partial 'Read-only file system'
	run user_kist mounts remove c m.json
	assert_success
	run user_kist exec c ls /data /t
	refute_output --partial file
	user_kist delete --force c
}

# ---- hooks ----

@test "a user's hooks: all six kinds, with the root at its path, and a failing one leaves nothing" {
	user_bundle cat /etc/made
	writable_root
	edit_config '.hooks = (["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] |
		map({ key: ., value: [{ path: "/bin/sh", args: ["sh", "-c", "echo \(.) >>/tmp/order"] }] }) | from_entries) |
		.hooks |= with_entries(.value[0].args[2] |= sub("/tmp/order"; $o)) |
		.mounts += [{ destination: $d, type: "bind", source: $d, options: ["rbind"] }] |
		.hooks.createContainer += [{ path: "/bin/sh", args: ["sh", "-c", "test -e proc/version && test $PWD = \($r) && echo yes >etc/made"] }]' \
		--arg o "$USER_DIR/home/order" --arg d "$USER_DIR/home" --arg r "$BUNDLE/rootfs"
	own_bundle
	run -0 run_user
	assert_output yes
	run cat user/home/order
	assert_output "$(printf '%s\n' prestart createRuntime createContainer startContainer poststart poststop)"
	edit_config '.hooks.startContainer[0] = { path: "/bin/false" }'
	own_bundle
	run -125 run_user
	assert_output --partial 'hooks.startContainer[0] /bin/false: exit status 1'
	run tail -n 1 user/home/order
	assert_output poststop
	assert_equal "$(files_left | grep -v template)" ""
}
