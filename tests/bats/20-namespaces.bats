# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Namespaces: each kind new, joined by path and left as it is; user namespaces with their maps; what a new namespace
# starts with. Source: runtime-spec config-linux.md "Namespaces", "Offset for Time Namespace".

load ../helpers/common
load ../helpers/runtime

kinds=(cgroup ipc mnt net pid user uts time)

# words of config.json for the files below /proc/PID/ns
word_of() {
	case $1 in
	mnt) echo mount ;;
	net) echo network ;;
	*) echo "$1" ;;
	esac
}

# set_namespaces KIND[=PATH]...: exactly these
set_namespaces() {
	local item list='[]'
	for item; do
		list=$(jq -c --arg t "$(word_of "${item%%=*}")" --arg p "$(sed -n 's/^[a-z]*=//p' <<<"$item")" \
			'. + [{ type: $t } + (if $p == "" then {} else { path: $p } end)]' <<<"$list")
	done
	edit_config ".linux.namespaces = $list"
}

map_ids() { # map_ids CONTAINER HOST SIZE: for users and groups
	edit_config '.linux |= (.uidMappings += [$m] | .gidMappings += [$m])' \
		--argjson m "{\"containerID\":$1,\"hostID\":$2,\"size\":$3}"
}

@test "new: all eight kinds, each different from ours" {
	box sleep 1000
	set_namespaces "${kinds[@]}"
	map_ids 0 100000 65536
	chown -R 100000:100000 b/rootfs
	start_box
	local pid kind
	pid=$(state_of c pid)
	for kind in "${kinds[@]}"; do
		assert [ "$(ns_of "$pid" "$kind")" != "$(ns_of self "$kind")" ]
	done
	delete_box
}

@test "not listed: each kind but mount is ours" {
	box sleep 1000
	set_namespaces mnt
	edit_config 'del(.hostname, .linux.sysctl)'
	edit_config 'del(.mounts[] | select(.type == "mqueue" or .type == "sysfs" or .type == "cgroup"))'
	start_box
	local pid kind
	pid=$(state_of c pid)
	for kind in cgroup ipc net pid user uts time; do
		assert_equal "$kind $(ns_of "$pid" "$kind")" "$kind $(ns_of self "$kind")"
	done
	assert [ "$(ns_of "$pid" mnt)" != "$(ns_of self mnt)" ]
	delete_box
}

@test "without a mount namespace: only a root directory" {
	box sh -c 'ls /; cat /marker'
	echo chrooted >b/rootfs/marker
	set_namespaces pid
	edit_config 'del(.mounts, .hostname, .linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false'
	run run_box
	assert_success
	assert_line chrooted
}

@test "without a mount namespace: a read-only root" {
	box touch /x
	edit_config 'del(.linux.namespaces[] | select(.type == "mount"))'
	run run_box
	assert_output --partial 'Read-only file system'
	edit_config '.mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run run_box
	assert_output --partial 'Read-only file system'
	touch b/rootfs/y # the host's tree is as it was
	writable_root
	run run_box
	assert_success
}

@test "without a mount namespace: a terminal on a devpts that is there" {
	box sh -c 'tty; echo shown'
	set_namespaces pid
	edit_config 'del(.mounts, .hostname, .linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false
		| .process.terminal = true'
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/dev/pts/ptmx: a terminal needs a devpts mount: No such file or directory'
	mkdir -p b/rootfs/dev/pts
	mount -t devpts -o newinstance,ptmxmode=666 devpts b/rootfs/dev/pts
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	umount b/rootfs/dev/pts
	assert_success
	assert_line --partial /dev/pts/0
	assert_line --partial shown
}

@test "a config with only what must be there" {
	box sh -c 'echo fine; id -u'
	jq '{ ociVersion, process: (.process | { cwd, args, user, env }), root: { path: .root.path } }' b/config.json >new.json
	mv new.json b/config.json
	run run_box
	assert_output $'fine\n0'
	run kist list -q
	assert_output ''
}

# mounts_below DIR: how many mounts there are on it and below
mounts_below() {
	awk -v dir="$1" 'index($5, dir) == 1' /proc/self/mountinfo | wc -l
}

@test "without a mount namespace: the tree lies on root.path until the container is deleted" {
	box sh -c 'ls /; id -u; touch /x; cat /proc/kcore | head -c 1; readlink /proc/self/ns/mnt; sleep 1000'
	set_namespaces pid
	edit_config 'del(.hostname) | .linux.maskedPaths = ["/proc/kcore"] | .root.readonly = true'
	start_box
	wait_until 5 grep -q 'mnt:' c.out
	assert_equal "$(grep mnt: c.out)" "$(readlink /proc/self/ns/mnt)"
	grep -q 'Read-only file system' c.out
	grep -qx proc c.out
	assert [ "$(mounts_below "$PWD/b/rootfs")" -gt 5 ]
	assert [ -c b/rootfs/dev/null ]
	run kist exec c sh -c 'ls /; cat /proc/1/comm'
	assert_line bin
	assert_line sleep
	kist kill c KILL
	wait_status c stopped
	kist delete c
	assert_equal "$(mounts_below "$PWD/b")" 0
	assert [ ! -e b/rootfs/dev/null ]
	# a failure at the last moment, and in the middle, leaves as little
	set_args /no/such/program
	run -127 run_box
	assert_equal "$(mounts_below "$PWD/b")" 0
	set_args true
	add_mount /m tmpfs tmpfs size=wrong
	run run_box
	assert_failure
	assert_equal "$(mounts_below "$PWD/b")" 0
}

@test "without a mount namespace: a mount that others have put over root.path meanwhile is left" {
	box sleep 1000
	set_namespaces pid
	edit_config 'del(.hostname)'
	start_box
	mount -t tmpfs other b/rootfs
	run kist delete --force c
	assert_failure
	assert_output --partial "root $PWD/b/rootfs: another mount lies over the container's: unmount it first"
	umount b/rootfs
	kist delete --force c
	assert_equal "$(mounts_below "$PWD/b")" 0
	# what is there when the container's own has gone is somebody else's
	start_box
	umount -l b/rootfs
	mount -t tmpfs other b/rootfs
	kist delete --force c
	assert_equal "$(mounts_below "$PWD/b")" 1
	umount b/rootfs
}

@test "without a mount namespace: a create that is killed is cleaned up by delete --force" {
	box true
	set_namespaces pid
	edit_config 'del(.hostname)'
	# at the first rename, which is that of the record: the child has built the tree
	strace -f -o trace -e inject=rename,renameat,renameat2:signal=KILL "$KIST" --root "$KIST_ROOT" create --bundle b c \
		>/dev/null 2>&1 </dev/null || :
	assert [ "$(mounts_below "$PWD/b/rootfs")" -gt 5 ]
	kist delete --force c
	assert_equal "$(mounts_below "$PWD/b")" 0
}

@test "without a mount namespace: not beside a new user namespace" {
	box true
	set_namespaces pid user
	edit_config 'del(.hostname) | .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 100 }]
		| .linux.gidMappings = .linux.uidMappings'
	run run_box
	assert_failure
	assert_output --partial "need a mount namespace of the container's own beside its user namespace"
	assert_equal "$(mounts_below "$PWD/b")" 0
}

@test "joined: a mount namespace, where the tree lies until the container is deleted" {
	hold_ns --mount --propagation private
	box sh -c 'ls /; readlink /proc/self/ns/mnt; cat /proc/sys/kernel/msgmax; sleep 1000'
	set_namespaces "mount=/proc/$HELD/ns/mnt" pid ipc
	edit_config 'del(.hostname) | .linux.sysctl = { "kernel.msgmax": "8195" }'
	start_box
	wait_until 5 grep -qx 8195 c.out
	assert_equal "$(grep mnt: c.out)" "$(readlink "/proc/$HELD/ns/mnt")"
	assert [ "$(awk '{ print $5 }' "/proc/$HELD/mountinfo" | grep -c "^$PWD/b/rootfs")" -gt 5 ]
	assert_equal "$(mounts_below "$PWD/b")" 0
	kist delete --force c
	run grep -c "$PWD/b/rootfs" "/proc/$HELD/mountinfo"
	assert_output 0
	start_box
	release_ns
	kist delete --force c
}

@test "joined: each kind by path" {
	hold_ns --ipc --net --uts --cgroup --mount --propagation private
	local kind
	for kind in ipc net uts cgroup; do
		box_join "$kind" "/proc/$HELD/ns/$kind"
	done
	release_ns
}

box_join() { # box_join KIND PATH: a fresh bundle joins it, and its program is in it
	rm -rf b
	box sleep 1000
	edit_config '.linux.namespaces |= map(select(.type != $t)) | .linux.namespaces += [{ type: $t, path: $p }]' \
		--arg t "$(word_of "$1")" --arg p "$2"
	start_box
	assert_equal "$1 $(ns_of "$(state_of c pid)" "$1")" "$1 $(stat -L -c %i "$2")"
	delete_box
}

@test "joined: a pid namespace" {
	box sleep 1000
	start_box
	local pid
	pid=$(state_of c pid)
	new_bundle second sh -c 'ps -o pid,args'
	edit_config '(.linux.namespaces[] | select(.type == "pid")).path = $p' --arg p "/proc/$pid/ns/pid"
	run kist run --bundle second d
	assert_success
	assert_line --regexp '^ *1 sleep 1000'
	delete_box
}

@test "joined: a user namespace with its own maps" {
	box sh -c 'cat /proc/self/uid_map; id -u; sleep 1000'
	set_namespaces "${kinds[@]}"
	map_ids 0 100000 65536
	start_box
	local pid
	pid=$(state_of c pid)
	new_bundle second sh -c 'cat /proc/self/uid_map; id -u; sleep 1000'
	set_namespaces "user=/proc/$pid/ns/user" mnt pid uts ipc net cgroup
	kist create --bundle second d >d.out 2>&1 </dev/null 3>&-
	kist start d
	wait_until 5 grep -q '^0$' d.out
	assert_equal "$(ns_of "$(state_of d pid)" user)" "$(ns_of "$pid" user)"
	run cat d.out
	assert_line --regexp '^ *0 +100000 +65536$'
	delete_box
	delete_box d
}

@test "joined: a user namespace, with the same mappings a warning, with others an error" {
	box sleep 1000
	set_namespaces "${kinds[@]}"
	map_ids 0 100000 1000
	map_ids 1000 101000 64536
	start_box
	local pid
	pid=$(state_of c pid)
	new_bundle second cat /proc/self/uid_map
	set_namespaces "user=/proc/$pid/ns/user" mnt pid uts ipc net cgroup
	# as containerd and CRI-O do; two ranges that are one, in any order
	map_ids 1000 101000 64536
	map_ids 0 100000 1000
	run --separate-stderr kist run --bundle second d
	assert_success
	assert_line --regexp '^ *0 +100000 +1000$'
	assert_equal "$stderr" "kist: warning: linux.uidMappings, linux.gidMappings: /proc/$pid/ns/user has these maps already"
	edit_config '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	run --separate-stderr kist run --bundle second d
	assert_success
	edit_config '.linux.gidMappings[0].size = 1000'
	run -125 kist run --bundle second d
	assert_output "kist: create d: linux.namespaces: user: /proc/$pid/ns/user: linux.gidMappings: the user namespace that is joined maps other ids"
	edit_config '.linux.uidMappings[0].hostID = 200000'
	run -125 kist run --bundle second d
	assert_output --partial 'linux.uidMappings: the user namespace that is joined maps other ids'
	delete_box
}

@test "joined: a user namespace that others made, and that does not map 0" {
	hold_ns --user
	echo '1000 100000 10' >"/proc/$HELD/uid_map"
	echo '1000 100000 10' >"/proc/$HELD/gid_map"
	box sh -c 'id -u; sleep 1000'
	set_namespaces "user=/proc/$HELD/ns/user" mnt pid uts ipc net cgroup
	edit_config '.process.user = { uid: 1001, gid: 1002 }
		| (.mounts[] | select(.type == "devpts").options) |= map(select(. != "gid=5"))'
	start_box
	wait_until 5 grep -q '^1001$' c.out
	run kist exec c sh -c 'id -u; id -g'
	assert_output $'1001\n1002'
	run kist exec -u 1003:1003 c id -u
	assert_output 1003
	delete_box
	release_ns
}

@test "joined: a time namespace" {
	box sleep 1000
	set_namespaces mnt pid time uts ipc net cgroup
	edit_config '.linux.timeOffsets = { boottime: { secs: 500000 } }'
	start_box
	local pid
	pid=$(state_of c pid)
	new_bundle second cat /proc/uptime
	set_namespaces mnt pid "time=/proc/$pid/ns/time" uts ipc net cgroup
	run kist run --bundle second d
	assert_success
	assert [ "${output%%.*}" -ge 500000 ]
	delete_box
}

@test "joined: a mount namespace, alone and with all the others" {
	box sleep 1000
	start_box
	local pid kind
	pid=$(state_of c pid)
	for kind in alone all; do
		rm -rf second
		new_bundle second sleep 1000
		edit_config 'del(.mounts, .hostname, .linux.maskedPaths, .linux.readonlyPaths, .linux.timeOffsets)
			| .root.readonly = false'
		if [ $kind = alone ]; then
			set_namespaces "mnt=/proc/$pid/ns/mnt"
		else
			set_namespaces "mnt=/proc/$pid/ns/mnt" "pid=/proc/$pid/ns/pid" "net=/proc/$pid/ns/net" \
				"ipc=/proc/$pid/ns/ipc" "uts=/proc/$pid/ns/uts" "cgroup=/proc/$pid/ns/cgroup"
		fi
		kist create --bundle second d >d.out 2>&1 </dev/null 3>&- || { cat d.out && return 1; }
		assert_equal "$kind $(ns_of "$(state_of d pid)" mnt)" "$kind $(ns_of "$pid" mnt)"
		delete_box d
	done
	delete_box
}

@test "joined: a namespace of another kind is refused with both names" {
	box true
	local kind other
	for kind in ipc net pid user uts time cgroup mnt; do
		other=uts
		[ $kind != uts ] || other=ipc
		set_namespaces mnt
		edit_config 'del(.hostname, .mounts, .linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false'
		edit_config '.linux.namespaces |= map(select(.type != $t)) | .linux.namespaces += [{ type: $t, path: $p }]' \
			--arg t "$(word_of $kind)" --arg p "/proc/self/ns/$other"
		run kist create --bundle b c
		assert_failure
		assert_output --partial "/proc/self/ns/$other: expected a $(word_of $kind) namespace, got $other"
	done
}

@test "joined: what is no namespace, or is not there" {
	box true
	mkfifo fifo
	local path
	for path in /etc/passwd "$BATS_TEST_TMPDIR/fifo" /; do
		set_namespaces mnt pid "net=$path"
		edit_config 'del(.hostname)'
		run -1 kist create --bundle b c
		assert_output --partial "$path: not a namespace"
	done
	set_namespaces mnt pid net=/no/such
	run -1 kist create --bundle b c
	assert_output --partial '/no/such: No such file or directory'
	set_namespaces mnt pid net=relative
	run -1 kist create --bundle b c
	assert_output --partial 'linux.namespaces[2].path'
}

# ---- user namespaces ----

@test "user namespace: several ranges, with holes" {
	box cat /proc/self/uid_map /proc/self/gid_map
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 1000
	map_ids 5000 300000 10
	map_ids 70000 200000 1
	run run_box
	assert_success
	assert_equal "$(sed 's/  */ /g; s/^ //' <<<"$output")" \
		$'0 100000 1000\n5000 300000 10\n70000 200000 1\n0 100000 1000\n5000 300000 10\n70000 200000 1'
}

@test "user namespace: one that does not map 0" {
	box sh -c 'id -u; id -g; touch /tmp/mine && stat -c %u:%g /tmp/mine'
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 1000 101000 10
	add_mount /tmp tmpfs tmpfs mode=1777
	edit_config '.process.user = { uid: 1003, gid: 1004 }'
	edit_config '(.mounts[] | select(.type == "devpts").options) |= map(select(. != "gid=5"))'
	run run_box
	assert_success
	assert_output $'1003\n1004\n1003:1004'
}

@test "user namespace: a user that is not mapped is refused by its name" {
	box true
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 100
	edit_config '.process.user = { uid: 100, gid: 0 }'
	run -1 create_box
	assert_equal "$(output_of)" 'kist: create c: process.user.uid 100: not in linux.uidMappings'
	edit_config '.process.user = { uid: 0, gid: 5, additionalGids: [99, 500] }'
	run -1 create_box
	assert_equal "$(output_of)" 'kist: create c: process.user.additionalGids[1] 500: not in linux.gidMappings'
}

@test "user namespace: files of the root belong to the mapped ids" {
	box sh -c 'stat -c %u /mine /theirs'
	touch b/rootfs/mine b/rootfs/theirs
	chown 100007 b/rootfs/mine
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 65536
	run run_box
	assert_output $'7\n65534'
	assert_equal "$(stat -c %u b/rootfs/mine b/rootfs/theirs)" $'100007\n0' # nothing is given to other owners
}

@test "user namespace: an identity map, and exec as another user" {
	box sleep 1000
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 0 65536
	start_box
	run kist exec -u 1000:1000 c id
	assert_success
	assert_output --partial 'uid=1000(app) gid=1000(app)'
	delete_box
}

@test "user namespace: exec enters it as root and as another user" {
	box sleep 1000
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 65536
	start_box
	run kist exec c sh -c 'id -u; cat /proc/self/uid_map'
	assert_line --index 0 0
	assert_line --index 1 --regexp '^ *0 +100000 +65536$'
	run kist exec -u 1000 c id -u
	assert_output 1000
	delete_box
}

@test "user namespace: the cgroup is its root's with a writable tree, and devices are bound from the host" {
	box sh -c 'echo $$ >/sys/fs/cgroup/cgroup.procs && echo 3 2>&1 >/sys/fs/cgroup/cgroup.max.depth; stat -c "%t:%T" /dev/null; echo x >/dev/null && echo written'
	edit_config '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))'
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 65536
	run run_box
	assert_line --partial 'ermission denied'
	assert_line 1:3
	assert_line written
}

# ---- what a new namespace starts with ----

@test "time offsets: of both clocks, also negative" {
	box sh -c 'cat /proc/self/timens_offsets; cat /proc/uptime'
	set_namespaces mnt pid time uts ipc net cgroup
	edit_config '.linux.timeOffsets = { monotonic: { secs: 172800, nanosecs: 5 }, boottime: { secs: 604800 } }'
	run run_box
	assert_success
	assert_line --regexp '^monotonic +172800 +5$'
	assert_line --regexp '^boottime +604800 +0$'
	assert [ "$(tail -n 1 <<<"$output" | cut -d . -f 1)" -ge 604800 ]
	edit_config '.linux.timeOffsets = { boottime: { secs: -5 } }'
	run run_box
	assert_line --regexp '^boottime +-5 +0$'
}

@test "time offsets: those that would make a clock negative are refused" {
	box true
	set_namespaces mnt pid time uts ipc net cgroup
	edit_config '.linux.timeOffsets = { boottime: { secs: -99999999999 } }'
	run -1 create_box
	run output_of
	assert_output --partial 'linux.timeOffsets.boottime'
}

@test "time offsets: exec is in the same time namespace" {
	box sleep 1000
	set_namespaces mnt pid time uts ipc net cgroup
	edit_config '.linux.timeOffsets = { boottime: { secs: 604800 } }'
	start_box
	run kist exec c cat /proc/uptime
	assert [ "${output%%.*}" -ge 604800 ]
	delete_box
}

@test "host name and domain name" {
	box sh -c 'hostname; cat /proc/sys/kernel/domainname'
	edit_config '.hostname = "box-1" | .domainname = "example.org"'
	local before
	before=$(hostname)
	run run_box
	assert_output $'box-1\nexample.org'
	assert_equal "$(hostname)" "$before"
	edit_config '.linux.namespaces |= map(select(.type != "uts"))'
	run -1 create_box
	run output_of
	assert_output --partial 'hostname'
}

@test "host name: with a joined uts namespace it is set there" {
	hold_ns --uts
	box hostname
	edit_config '(.linux.namespaces[] | select(.type == "uts")).path = $p | .hostname = "box-2"' --arg p "/proc/$HELD/ns/uts"
	run run_box
	assert_output box-2
	run nsenter --uts="/proc/$HELD/ns/uts" hostname
	assert_output box-2
	release_ns
}

@test "a namespace that is listed twice is refused" {
	box true
	edit_config '.linux.namespaces += [{ type: "pid" }]'
	run -1 kist create --bundle b c
	assert_output --regexp '^kist: create c: linux.namespaces\[[0-9]\].type: pid is there twice$'
}

@test "network: the loopback interface is up" {
	box sh -c 'cat /sys/class/net/lo/operstate; ls /sys/class/net; ping -c 1 -w 1 127.0.0.1 >/dev/null && echo pinged'
	add_caps CAP_NET_RAW
	run run_box
	assert_line lo
	assert_line pinged
}

@test "sysctl: in both spellings, of the container's namespaces alone" {
	box sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max /proc/sys/net/ipv4/conf/lo/forwarding'
	edit_config '.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel/msgmax": "8193", "fs.mqueue.msg_max": "11",
		"net.ipv4.conf.lo.forwarding": "0" }'
	local before
	before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)
	run run_box
	assert_output $'1\n8193\n11\n0'
	assert_equal "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)" "$before"
}

@test "sysctl: of a user namespace, and the domain name" {
	box sh -c 'cat /proc/sys/user/max_mnt_namespaces /proc/sys/kernel/domainname'
	set_namespaces mnt pid user uts ipc net cgroup
	map_ids 0 100000 65536
	edit_config '.linux.sysctl = { "user.max_mnt_namespaces": "7", "kernel/domainname": "example.net" }'
	run run_box
	assert_success
	assert_output $'7\nexample.net'
}

@test "sysctl: of no namespace, of one that is not listed, unknown, and with a bad value" {
	box true
	edit_config '.linux.sysctl = { "kernel.panic": "1" }'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.sysctl["kernel.panic"]: belongs to no namespace'
	edit_config '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .linux.namespaces |= map(select(.type != "network"))'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.sysctl["net.ipv4.ip_forward"]: needs a namespace of type network'
	edit_config '.linux.namespaces += [{ type: "network" }] | .linux.sysctl = { "net.no.such": "1" }'
	run -1 create_box
	assert_equal "$(output_of)" 'kist: create c: sysctl: linux.sysctl net.no.such: No such file or directory'
	edit_config '.linux.sysctl = { "kernel.msgmax": "many" }'
	run -1 create_box
	assert_equal "$(output_of)" 'kist: create c: sysctl: linux.sysctl kernel.msgmax: Invalid argument'
}

@test "sysctl: those of a joined namespace that is the caller's own are refused" {
	box true
	edit_config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"
		| .linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	local before
	before=$(cat /proc/sys/net/ipv4/ip_forward)
	run -1 kist create --bundle b c
	assert_output --partial 'linux.sysctl'
	assert_equal "$(cat /proc/sys/net/ipv4/ip_forward)" "$before"
}

@test "cgroup namespace: the container's group is its root" {
	box grep ^0:: /proc/self/cgroup
	run run_box
	assert_output 0::/
	edit_config '.linux.namespaces |= map(select(.type != "cgroup"))'
	run run_box
	assert_output --regexp '^0::/.*c'
}
