# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# checkpoint and restore with Debian's criu: what a restored container still has, and what a failure leaves.
# Source: criu(8); runtime-spec runtime.md "State", "Lifecycle".

load ../../helpers/common
load ../../helpers/runtime
load ../../helpers/engine

# The program of most tests: counts, some ten numbers a second.
COUNT='i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done'

# criu writes down what the kernel can do, once: that is no leak of a test
setup_file() {
	criu check >/dev/null 2>&1 || { criu check; return 1; } >&2
}

# counter [ID]: creates and starts a container that counts into ID.out
counter() {
	box sh -c "$COUNT"
	start_box "${1:-c}"
	wait_until 10 grep -qx 3 "${1:-c}.out"
}

# start_piped: creates and starts container c; what it prints goes through a pipe to c.out
start_piped() {
	kist create --bundle "$BUNDLE" c > >(cat >c.out 3>&-) 2>&1 </dev/null 3>&-
	kist start c
}

# save [OPTION...]: checkpoint of container c into the folder img
save() {
	kist checkpoint --image-path img "$@" c
}

# back [OPTION...]: restore of container c in the background; what it prints goes to back.out
back() {
	kist restore -d --bundle "$BUNDLE" --image-path img --pid-file pid "$@" "${ID:-c}" >back.out 2>back.err </dev/null 3>&- || {
		local status=$?
		cat back.err img/restore.log 2>/dev/null | grep -aE 'kist:|Error|Warn' >&2
		return $status
	}
}

# back_piped: as back, with a pipe to back.out
back_piped() {
	kist restore -d --bundle "$BUNDLE" --image-path img --pid-file pid c > >(cat >back.out 3>&-) 2>&1 </dev/null 3>&-
}

# last FILE: the last whole number in it
last() {
	tr -d '\0' <"$1" | grep -xE '[0-9]+' | tail -n 1
}

# goes_on FILE FROM: it counts on from FROM
goes_on() {
	wait_until 20 eval "[ \"\$(last '$1')\" -gt $(($2 + 3)) ]"
}

@test "a counter goes on counting; the restored container is a full one" {
	counter
	save
	[ "$(state_of c status)" = stopped ]
	local n
	n=$(last c.out)
	sleep 0.5
	[ "$(last c.out)" = "$n" ]
	back
	[ "$(state_of c status)" = running ]
	[ "$(state_of c pid)" = "$(cat pid)" ]
	[ "$(state_of c bundle)" = "$BUNDLE" ]
	[ "$(cat "/proc/$(cat pid)/comm")" = sh ]
	# it went on from where it was, and did not begin again
	goes_on back.out "$n"
	run ! grep -aqx 1 <(tr -d '\0' <back.out)
	run -0 kist exec c sh -c 'cat /proc/1/comm; hostname'
	assert_output $'sh\nkist'
	kist pause c
	[ "$(state_of c status)" = paused ]
	kist resume c
	run -0 kist ps --format json c
	kist kill c KILL
	wait_status c stopped
	kist delete c
	run ! kist state c
}

@test "pipes as standard streams: the restored program writes into the new one" {
	box sh -c "$COUNT"
	mkfifo p1 p2
	cat p1 >first 3>&- &
	local reader=$! # a bare wait would be for bats's own time limit too
	kist create --bundle "$BUNDLE" c >p1 2>&1 </dev/null 3>&-
	kist start c
	wait_until 10 grep -qx 3 first
	save
	wait $reader
	local n
	n=$(last first)
	cat p2 >second 3>&- &
	reader=$!
	kist restore -d --bundle "$BUNDLE" --image-path img c >p2 2>&1 </dev/null 3>&-
	goes_on second "$n"
	[ "$(head -n 1 second)" -gt 1 ]
	[ "$(last first)" = "$n" ]
	kist delete --force c
	wait $reader
}

@test "restore in the foreground waits, and ends with the program's status" {
	box sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; echo done; exit 7'
	start_piped
	save
	(sleep 2; touch "$BUNDLE/rootfs/tmp/go") 3>&- &
	run -7 kist restore --bundle "$BUNDLE" --image-path img c
	assert_output --partial done
	run ! kist state c
	assert_dir_not_exist /sys/fs/cgroup/kist-c
}

@test "restore in the foreground passes signals on" {
	box sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done'
	start_piped
	wait_until 10 grep -q up c.out
	save
	"$KIST" --root "$KIST_ROOT" restore --bundle "$BUNDLE" --image-path img c > >(cat >back.out 3>&-) 2>&1 </dev/null 3>&- &
	local pid=$! status=0
	wait_status c running
	kill -TERM $pid
	wait $pid || status=$?
	[ $status = 9 ]
}

@test "a terminal comes back with another master" {
	box sh -c 'while read -r x; do echo "got $x from $(tty)"; done'
	edit_config '.process.terminal = true'
	python3 "$RUNTIME_HELPERS/console.py" s1 one >first 3>&- &
	local receiver=$!
	wait_until 30 test -S s1
	kist create --bundle "$BUNDLE" --console-socket s1 c 3>&-
	kist start c
	wait_until 10 grep -q 'got one from /dev/pts/0' first
	save
	wait $receiver
	python3 "$RUNTIME_HELPERS/console.py" s2 two >second 3>&- &
	receiver=$!
	wait_until 30 test -S s2
	kist restore -d --bundle "$BUNDLE" --image-path img --console-socket s2 c 3>&-
	wait_until 10 grep -q 'got two from /dev/pts/0' second
	run -0 kist exec c sh -c 'echo hello >/dev/console'
	wait_until 10 grep -q hello second
	kist delete --force c
	wait $receiver
}

@test "bind mounts: directories, files, recursive ones, behind a symlink, read-only" {
	box sh -c "$COUNT"
	writable_root
	mkdir -p src/sub ro
	echo one >src/a
	echo f >file
	mount -t tmpfs t src/sub
	echo deep >src/sub/b
	ln -s ../run "$BUNDLE/rootfs/var/run"
	add_mount /data bind "$PWD/src" rbind
	add_mount /file bind "$PWD/file" bind ro
	add_mount /var/run/ro bind "$PWD/ro" bind ro
	start_box
	save
	back
	run -0 kist exec c sh -c 'cat /data/a /data/sub/b /file; echo new >/data/made; ! echo x >/file; ! touch /run/ro/x'
	assert_output --partial $'one\ndeep\nf'
	[ "$(cat src/made)" = new ]
	delete_box
	# the images need it
	edit_config '.mounts |= map(select(.destination != "/file"))'
	run ! back
	assert_output --partial 'the images need a bind mount on /file, and config.json has none there'
	umount src/sub
}

@test "limits, devices and the group of another id" {
	counter
	delete_box
	edit_config '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 33 },
		devices: [{ allow: false, access: "rwm" }] }'
	mknod -m 666 "$BUNDLE/rootfs/kmsg" c 1 11
	start_box
	save
	kist delete c
	ID=d back
	local g=/sys/fs/cgroup/kist-d
	[ "$(cat $g/memory.max)" = 67108864 ]
	[ "$(cat $g/pids.max)" = 33 ]
	grep -qx "$(cat pid)" $g/cgroup.procs
	[ "$(cgroup_of "$(cat pid)")" = $g ]
	# in the container it is the root of its cgroup namespace
	run -0 kist exec d sh -c 'cat /proc/1/cgroup; cat /sys/fs/cgroup/pids.max; ! cat /kmsg'
	assert_line '0::/'
	assert_line 33
	assert_line --partial 'Operation not permitted'
	goes_on back.out 1
	delete_box d
	assert_dir_not_exist $g
	assert_dir_not_exist /sys/fs/cgroup/kist-c
}

@test "manage-cgroups-mode ignore: the processes are in the container's group" {
	counter
	save --manage-cgroups-mode ignore
	back --manage-cgroups-mode ignore
	[ "$(cgroup_of "$(cat pid)")" = /sys/fs/cgroup/kist-c ]
	run -0 kist exec c cat /proc/1/cgroup
	assert_output '0::/'
	delete_box
}

@test "leave-running: it runs on, and its images make a second one" {
	counter
	save --leave-running
	[ "$(state_of c status)" = running ]
	local n
	n=$(last c.out)
	goes_on c.out "$n"
	ID=twin back
	[ "$(state_of twin status)" = running ]
	goes_on back.out "$n"
	delete_box
	delete_box twin
}

@test "pre-dump and parent-path: memory first, the rest later" {
	box sh -c "x=\$(head -c 4000000 /dev/zero | tr '\\0' a); $COUNT"
	start_box
	wait_until 20 grep -qx 3 c.out
	kist checkpoint --pre-dump --image-path pre c
	[ "$(state_of c status)" = running ]
	kist checkpoint --parent-path ../pre --image-path img c
	[ "$(readlink img/parent)" = ../pre ]
	# only what changed since
	[ "$(cat img/pages-*.img | wc -c)" -lt 2000000 ]
	[ "$(cat pre/pages-*.img | wc -c)" -gt 3000000 ]
	local n
	n=$(last c.out)
	back
	goes_on back.out "$n"
	delete_box
}

@test "twice: what was restored is saved and restored again" {
	counter
	save
	back
	kist checkpoint --image-path img2 --work-path work c
	assert_file_exist work/dump.log
	assert_file_not_exist img2/dump.log
	local n
	n=$(last back.out)
	kist restore -d --bundle "$BUNDLE" --image-path img2 --work-path work c >again.out 2>&1 </dev/null 3>&-
	assert_file_exist work/restore.log
	goes_on again.out "$n"
	delete_box
}

@test "file locks need --file-locks; what fails leaves the container running" {
	box flock /tmp/lock sh -c "$COUNT"
	local file
	for file in $(ldd /usr/bin/flock | grep -o '/[^ ]*'); do
		mkdir -p "$BUNDLE/rootfs${file%/*}"
		cp -L "$file" "$BUNDLE/rootfs$file"
	done
	cp /usr/bin/flock "$BUNDLE/rootfs/usr/bin"
	writable_root
	start_box
	wait_until 10 grep -qx 3 c.out
	run ! save
	assert_output --partial 'kist: checkpoint c: criu cannot dump: '
	assert_output --partial 'file-locks'
	assert_output --partial "(log: img/dump.log)"
	[ "$(state_of c status)" = running ]
	goes_on c.out "$(last c.out)"
	save --file-locks
	back --file-locks
	run ! kist exec c flock -n /tmp/lock true
	delete_box
}

@test "open files: an offset, a file without a name, a pipe between two processes" {
	box sh -c 'exec 3<>/tmp/f 4<>/tmp/g; echo first >&3; rm /tmp/g
		while [ ! -e /tmp/go ]; do sleep 0.1; done
		echo second >&3; echo third >&4; cat /tmp/f; cat /proc/self/fd/4 | cat; cat </tmp/none 2>&1 | cat; sleep 1000'
	writable_root
	start_box
	wait_until 10 grep -q first "$BUNDLE/rootfs/tmp/f"
	sleep 1
	save
	back
	touch "$BUNDLE/rootfs/tmp/go"
	wait_until 10 grep -aq third back.out
	run cat "$BUNDLE/rootfs/tmp/f"
	assert_output $'first\nsecond'
	delete_box
}

@test "identity: user, capabilities, no_new_privs, seccomp, limits, read-only root, masks" {
	counter
	delete_box
	edit_config '.process.user = { uid: 1000, gid: 1000, additionalGids: [50] } | .process.noNewPrivileges = true |
		.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }] | .process.oomScoreAdj = 77 |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }] }'
	start_box
	wait_until 10 grep -qx 3 c.out
	local before after
	before=$(grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' "/proc/$(state_of c pid)/status"
		grep files "/proc/$(state_of c pid)/limits"; cat "/proc/$(state_of c pid)/oom_score_adj")
	save
	back
	after=$(grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' "/proc/$(cat pid)/status"
		grep files "/proc/$(cat pid)/limits"; cat "/proc/$(cat pid)/oom_score_adj")
	assert_equal "$after" "$before"
	run -0 kist exec --user 0 c sh -c '! touch /x; wc -c </proc/keys; ls /proc/acpi /sys/firmware | wc -l; ! touch /proc/sys/x'
	assert_line 0
	delete_box
}

@test "a user namespace" {
	box sh -c "$COUNT"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	edit_config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	start_piped
	wait_until 10 grep -qx 3 c.out
	save
	back_piped
	goes_on back.out 3
	run -0 kist exec c sh -c 'id -u; cat /proc/self/uid_map; echo x >/dev/null; head -c 3 /dev/zero | wc -c'
	assert_line 0
	assert_line --regexp '0 +100000 +65536'
	delete_box
}

@test "a user namespace on a host with shared mounts, with a bind mount behind a private directory" {
	mount --make-rshared /
	box sh -c "$COUNT"
	mkdir -p -m 700 private/src
	echo one >private/src/a
	add_mount /data bind "$PWD/private/src" bind rprivate
	chown -R 100000:100000 "$BUNDLE/rootfs" private/src
	edit_config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	start_piped
	wait_until 10 grep -qx 3 c.out
	save
	back_piped
	run -0 kist exec c cat /data/a
	assert_output one
	delete_box
	mount --make-rprivate /
}

@test "a joined network namespace is left out, and joined again" {
	ip netns add ckpt
	box sh -c "$COUNT"
	edit_config '.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/ckpt" else . end)'
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	run jq -r '.namespaces[]' img/kist.json
	assert_output network
	back
	[ "$(ns_of "$(cat pid)" net)" = "$(stat -L -c %i /run/netns/ckpt)" ]
	goes_on back.out 3
	delete_box
	edit_config '.linux.namespaces |= map(del(.path))'
	run ! back
	assert_output --partial 'linux.namespaces must name one by path'
	ip netns del ckpt
	umount /run/netns
	rmdir /run/netns
}

@test "joined IPC and UTS namespaces are joined again" {
	hold_ns --ipc --uts
	box sh -c "$COUNT"
	edit_config '.linux.namespaces |= map(if .type == "ipc" or .type == "uts" then .path = "/proc/'"$HELD"'/ns/" + .type else . end) | del(.hostname)'
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	back
	[ "$(ns_of "$(cat pid)" ipc)" = "$(ns_of "$HELD" ipc)" ]
	[ "$(ns_of "$(cat pid)" uts)" = "$(ns_of "$HELD" uts)" ]
	delete_box
	release_ns
}

@test "the host's namespaces: no network, pid or IPC namespace of its own" {
	box sh -c "$COUNT"
	edit_config '.linux.namespaces |= map(select(.type != "network" and .type != "ipc" and .type != "uts")) | del(.hostname)'
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	back
	[ "$(ns_of "$(cat pid)" net)" = "$(ns_of $$ net)" ]
	goes_on back.out 3
	delete_box
}

@test "TCP connections on loopback need --tcp-established" {
	box sh -c 'nc -l -p 7000 -e sh -c "while read -r x; do echo \"echo \$x\"; done" & sleep 1
		i=0; { while :; do i=$((i+1)); echo $i; sleep 0.2; done; } | nc 127.0.0.1 7000'
	start_box
	wait_until 20 grep -q 'echo 3' c.out
	run ! save
	assert_output --partial 'tcp-established'
	wait_until 20 grep -q 'echo 9' c.out
	save --tcp-established
	back --tcp-established
	wait_until 20 eval "tail -c 300 back.out | tr -d '\\0' | grep -q echo"
	delete_box
	back --tcp-close
	delete_box
}

@test "a shared host mount tree, and a root that receives mounts" {
	mount --make-rshared /
	box sh -c "$COUNT"
	mkdir src
	add_mount /data bind "$PWD/src" rbind rslave
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	back
	goes_on back.out 3
	delete_box
	mount --make-rprivate /
}

@test "a writable /tmp and /dev/shm come back with their files" {
	box sh -c "echo kept >/dev/shm/a; mkdir /tmp/d; echo too >/tmp/d/b; $COUNT"
	add_mount /tmp tmpfs tmpfs mode=1777
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	back
	run -0 kist exec c cat /dev/shm/a /tmp/d/b
	assert_output $'kept\ntoo'
	delete_box
}

@test "criu is not there, and other things that are refused before anything is done" {
	counter
	mkdir bin
	ln -s "$(command -v true)" bin/true
	PATH_WAS=$PATH
	PATH=$PWD/bin run ! save
	PATH=$PATH_WAS
	assert_output 'kist: checkpoint c: criu is not in PATH: checkpoint and restore need it (package criu)'
	run ! kist checkpoint --image-path img --parent-path /abs c
	assert_output --partial 'parent path /abs: must be relative to the image path'
	run ! kist checkpoint --image-path img --parent-path ../none c
	assert_output --partial 'parent path ../none: No such file or directory'
	run ! kist checkpoint --image-path img --page-server nonsense c
	assert_output --partial 'page server nonsense: expected ADDRESS:PORT'
	kist pause c
	run ! save
	assert_output 'kist: checkpoint c: container is paused: resume it first'
	kist resume c
	[ "$(state_of c status)" = running ]
	run ! kist restore -d --bundle "$BUNDLE" --image-path none d
	assert_output --partial 'kist: restore d: image path none: No such file or directory'
	mkdir empty
	run ! kist restore -d --bundle "$BUNDLE" --image-path empty d
	assert_output --partial 'image path empty: no kist.json in it: not the images of a kist checkpoint'
	run ! kist restore -d --no-pivot --bundle "$BUNDLE" --image-path empty d
	assert_output --partial -- '--no-pivot cannot be honoured'
	save --leave-running
	run ! kist restore -d --bundle "$BUNDLE" --image-path img c
	assert_output --partial 'kist: restore c: container id c is already taken'
	run ! kist restore -d --manage-cgroups-mode strict --bundle "$BUNDLE" --image-path img d
	assert_output --partial 'manage-cgroups-mode strict: refused'
	delete_box
	run ! save
	assert_output --partial 'container c does not exist'
	create_box
	run ! save
	assert_output --partial 'cannot checkpoint a container that is created: start it first'
	delete_box
}

@test "a restore that fails leaves nothing, and the images can be used again" {
	counter
	save
	mv img/core-1.img saved
	run ! back
	assert_output --partial 'kist: restore c: criu cannot restore: '
	run ! kist state c
	assert_dir_not_exist /sys/fs/cgroup/kist-c
	assert_file_not_exist pid
	mv saved img/core-1.img
	back
	delete_box
}

@test "the annotation org.criu.config names settings of criu" {
	counter
	delete_box
	box2=$PWD/criu.conf
	echo 'log-file other.log' >"$box2"
	edit_config '.annotations = { "org.criu.config": $f }' --arg f "$box2"
	start_box
	save
	assert_file_exist img/other.log
	delete_box
}

@test "a container of kist run: saved, ended with its keeper, and restored by name" {
	base_image
	detached --name web -m 64m base:1 sh -c "echo kept >/etc/made; $COUNT"
	wait_until 10 eval "kist logs web | grep -qx 3"
	kist checkpoint --image-path img web
	run kist wait web
	assert_output 137
	local n
	n=$(kist logs web | last /dev/stdin)
	kist restore --image-path img web </dev/null 3>&-
	wait_until 20 eval "[ \"\$(kist logs web | last /dev/stdin)\" -gt $((n + 3)) ]"
	run -0 kist exec web cat /etc/made
	assert_output kept
	run kist inspect -f '{{.State.Running}}' web
	assert_output true
	kist stop -t 1 web
	kist rm web
}

@test "a container of kist run with --rm is not saved away" {
	base_image
	detached --rm --name gone base:1 sh -c "$COUNT"
	wait_until 10 eval "kist logs gone | grep -qx 3"
	run ! kist checkpoint --image-path img gone
	assert_output --partial 'checkpoint gone: it was run with --rm'
	kist checkpoint --leave-running --image-path img gone
	kist stop -t 1 gone
}

@test "hooks of a restore: the runtime's own at their points, with the new process" {
	box sh -c "$COUNT"
	cat >hook <<-'E'
		#!/bin/sh
		cat >"$2.json"
		echo "$1 $(jq -r .status "$2.json")" >>"$2"
	E
	chmod +x hook
	local kind
	for kind in prestart createRuntime poststart poststop; do
		edit_config '.hooks[$k] = [{ path: $p, args: ["hook", $k, $l] }]' --arg k $kind --arg p "$PWD/hook" --arg l "$PWD/log"
	done
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	kist delete c
	[ "$(tail -n 1 log)" = 'poststop stopped' ]
	rm log
	back
	run cat log
	assert_output $'prestart creating\ncreateRuntime creating\npoststart running'
	[ "$(jq .pid log.json)" = "$(cat pid)" ]
	goes_on back.out 3
	delete_box
	# one that fails ends the restore
	edit_config '.hooks = { createRuntime: [{ path: "/bin/false" }] }'
	run ! back
	assert_output --partial 'hooks.createRuntime[0]'
	run ! kist state c
}

@test "options that criu gets: empty-ns, auto-dedup, network-lock nftables, link-remap" {
	counter
	save --empty-ns network --auto-dedup --network-lock nftables --link-remap --ext-unix-sk --shell-job
	back --empty-ns network --auto-dedup --ext-unix-sk --shell-job
	goes_on back.out 3
	delete_box
}

@test "lazy pages: memory comes when it is asked for" {
	box sh -c "x=\$(head -c 4000000 /dev/zero | tr '\\0' a); $COUNT"
	start_box
	wait_until 20 grep -qx 3 c.out
	mkfifo status
	kist checkpoint --image-path img --lazy-pages --page-server 127.0.0.1:7777 --status-fd 9 c >dump.out 2>&1 9>status 3>&- &
	local dump=$!
	head -c 1 status >got
	[ "$(wc -c <got)" = 1 ]
	criu lazy-pages --page-server --address 127.0.0.1 --port 7777 -D img -W img -vv -o lazy.log 3>&- &
	local lazy=$!
	wait_until 10 test -S img/lazy-pages.socket
	ID=d back --lazy-pages
	goes_on back.out 3
	wait $dump
	wait $lazy
	[ "$(state_of c status)" = stopped ]
	delete_box d
	delete_box c
}

@test "images that bring back more than the configuration allows are not run" {
	counter
	delete_box
	edit_config '.process.noNewPrivileges = false'
	add_caps CAP_SYS_CHROOT
	start_box
	wait_until 10 grep -qx 3 c.out
	save
	edit_config '.process.capabilities |= map_values(. - ["CAP_SYS_CHROOT"])'
	run ! back
	assert_output --partial 'capabilities that config.json does not: CAP_SYS_CHROOT'
	run ! kist state c
	add_caps CAP_SYS_CHROOT
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" , syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }'
	run ! back
	assert_output --partial 'without linux.seccomp'
	edit_config 'del(.linux.seccomp)'
	back
	delete_box
	# made in the host's network namespace, and to be restored into one of its own
	edit_config '.linux.namespaces |= map(select(.type != "network"))'
	start_box
	save
	edit_config '.linux.namespaces += [{ type: "network" }]'
	run ! back
	assert_output --partial "into the host's network namespace"
}

@test "a container of kist run with a terminal of its keeper's" {
	base_image
	detached -t --name term base:1 sh -c "tty; $COUNT"
	wait_until 10 eval "kist logs term | tr -d '\\r' | grep -qx 3"
	kist checkpoint --image-path img term
	kist wait term
	local n
	n=$(kist logs term | tr -d '\r' | last /dev/stdin)
	kist restore --image-path img term </dev/null 3>&-
	wait_until 20 eval "[ \"\$(kist logs term | tr -d '\\r' | last /dev/stdin)\" -gt $((n + 3)) ]"
	kist stop -t 1 term
	kist rm term
}
