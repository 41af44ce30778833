# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# While a process is still kist's and already in the container, what is in there must not reach kist's own file, nor the
# host by its descriptors. 80-security.bats has the plain cases of run and exec; these are the roundabout ones.

load ../helpers/common
load ../helpers/runtime
load ../helpers/engine

# own_kist: a copy of kist that the test may lose, as all that run under the name $KIST from now on
own_kist() {
	mkdir -p kist-copy
	cp "$KIST" kist-copy/kist
	KIST=$PWD/kist-copy/kist
	SUM=$(sha256sum <"$KIST")
}

# spy: makes /spy, a shell script of the container that looks into all processes it sees, and tells what it found: descriptors
# from which a way leads up to the marker of the host, and programs that it could write to later
spy() {
	cat >b/rootfs/spy <<-'P'
		#!/bin/sh
		for p in /proc/[0-9]*; do
			for f in $p/fd/* $p/cwd $p/root; do
				for up in .. ../.. ../../.. ../../../.. ../../../../.. ../../../../../..; do
					[ -e "$f/$up/outside-marker" ] && echo "out by $f"
				done
			done
			case $(readlink $p/exe) in */kist) echo "kist by $p/exe" ;; esac
		done 2>/dev/null
		[ "$1" = fail ] && exit 1
		exit 0
	P
	chmod 755 b/rootfs/spy
}

@test "exposure: a startContainer hook finds neither kist's file nor the host in the process that waits for it" {
	box /bin/true
	own_kist
	spy
	edit_config '.hooks.startContainer = [{ path: "/spy", args: ["spy", "fail"], env: ["PATH=/bin"] }]'
	touch outside-marker
	run run_box
	assert_failure
	assert_output --partial 'hooks.startContainer[0] /spy: exit status 1'
	refute_output --partial 'out by'
	refute_output --partial 'kist by'
}

@test "exposure: nor with CAP_SYS_PTRACE, nor what a first hook has left behind, nor at the gate" {
	box /bin/true
	own_kist
	spy
	touch outside-marker
	add_caps CAP_SYS_PTRACE
	edit_config '.hooks.startContainer = [
		{ path: "/bin/sh", args: ["sh", "-c", "(while :; do /spy; done) >&2 &"] },
		{ path: "/bin/sleep", args: ["sleep", "0.3"] },
		{ path: "/spy", args: ["spy", "fail"], env: ["PATH=/bin"] }]'
	create_box
	run kist start c
	assert_failure
	assert_output --partial 'hooks.startContainer[2] /spy: exit status 1'
	refute_output --partial 'out by'
	refute_output --partial 'kist by'
}

@test "exposure: a startContainer hook cannot take over the process that waits, which may still load the filter" {
	# to load one without no_new_privs it keeps CAP_SYS_ADMIN until then: a hook that traces it would have that
	box /bin/true
	edit_config '.process.noNewPrivileges = false | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" } |
		.hooks.startContainer = [{ path: "/bin/sh", env: ["PATH=/bin"],
			args: ["sh", "-c", "grep -E \"CapPrm|NoNewPrivs\" /proc/self/status; readlink /proc/1/exe || echo hidden; exit 1"] }]'
	add_caps CAP_SYS_PTRACE CAP_CHOWN
	run run_box
	assert_output --partial 'CapPrm:'
	# CAP_SYS_PTRACE is bit 19
	[[ $output =~ CapPrm:.([0-9a-f]{16}) ]]
	assert_equal "$((0x${BASH_REMATCH[1]} >> 19 & 1)) $((0x${BASH_REMATCH[1]} & 1))" "0 1"
	assert_output --partial 'NoNewPrivs: 1'
	assert_output --partial hidden
}

@test "exposure: a user namespace in which kist's owner is somebody hides nothing" {
	box /bin/true
	own_kist
	spy
	touch outside-marker
	edit_config '.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{ type: "user" }]
		| .hooks.startContainer = [{ path: "/spy", args: ["spy", "fail"], env: ["PATH=/bin"] }]'
	run run_box
	assert_output --partial 'hooks.startContainer[0] /spy: exit status 1'
	refute_output --partial 'out by'
	refute_output --partial 'kist by'
}

@test "exposure: exec beside a process that another exec has given CAP_SYS_PTRACE" {
	box sleep 1000
	own_kist
	spy
	touch outside-marker
	start_box
	kist exec -d --cap CAP_SYS_PTRACE c sh -c 'while :; do /spy; done >/proc/1/fd/1 2>&1'
	local i
	for i in {1..40}; do kist exec c true; done
	run cat c.out
	refute_output --partial 'out by'
	refute_output --partial 'kist by'
	assert_equal "$(sha256sum <"$KIST")" "$SUM"
	delete_box
}

@test "exposure: descriptors that are to be passed on must be the caller's" {
	box sleep 1000
	run -125 run_box --preserve-fds 40
	assert_output --regexp 'descriptor [0-9]+: is to be passed on to the program, but is not open'
	start_box
	run -125 kist exec --preserve-fds 40 c true
	assert_output --regexp 'descriptor [0-9]+: is to be passed on to the program, but is not open'
	delete_box
	run -125 bash -c 'LISTEN_FDS=40 LISTEN_PID=$$ exec "$@"' bash "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output --partial 'is to be passed on to the program, but is not open'
}

# is_sealed PID: 1 when the file that a process runs from lies on a read-only mount, else 0
is_sealed() {
	python3 -c 'import os, sys; print(os.statvfs(sys.argv[1]).f_flag & os.ST_RDONLY)' "/proc/$1/exe"
}

@test "exposure: a keeper is sealed where kist executes the program itself, for images, configs and bundles" {
	base_image
	cat >direct.json <<-'J'
		{ "ociVersion": "1.3.0", "root": { "path": "rootfs" }, "annotations": { "io.kist.image": "base:1" }, "linux": { "seccomp": { "defaultAction": "SCMP_ACT_ALLOW",
		  "syscalls": [{ "names": ["execveat"], "action": "SCMP_ACT_ERRNO" }] } } }
	J
	run detached --name plain base:1 sleep 1000
	assert_success
	run is_sealed "$(keeper_of plain)"
	assert_output 0
	kist rm -f plain
	run detached --name direct --config direct.json -v vol:/data sleep 1000
	assert_success
	assert_output direct
	run is_sealed "$(keeper_of direct)"
	assert_output 1
	# the same when it is started again
	kist stop -t 0 direct
	run -0 kist start direct 3>&-
	run is_sealed "$(keeper_of direct)"
	assert_output 1
	kist rm -f direct
	jq '.linux = {} | .hooks.startContainer = [{ path: "/bin/true" }]' direct.json >hook.json
	run detached --name hooked --config hook.json sleep 1000
	assert_success
	run is_sealed "$(keeper_of hooked)"
	assert_output 1
	kist rm -f hooked
	box sleep 1000
	jq -s '.[0] * (.[1] | del(.root))' b/config.json direct.json >c.json && mv c.json b/config.json
	kist run -d --bundle "$BUNDLE" kept 3>&- >/dev/null
	run is_sealed "$(keeper_of kept)"
	assert_output 1
	kist rm -f kept
	# in the foreground, with the name that the first attempt has had
	run kist run --rm --name again --config direct.json echo ran
	assert_output ran
	run kist ps -aq
	assert_output ''
}

# ---- what a container has made of /proc ----

@test "exposure: a fake /proc in a mount namespace that is joined takes no write, and holds nobody up (CVE-2019-16884)" {
	box sh -c 'mount -t tmpfs none /proc; mkdir -p /proc/self/attr /proc/sys/kernel; mkfifo /proc/self/uid_map /proc/self/gid_map
		echo fake >/proc/sys/kernel/msgmax; mkdir -p "$0"; echo ready; sleep 1000' "$PWD/second/rootfs"
	add_mount /tmp tmpfs tmpfs
	edit_config '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{ type: "user" }]'
	add_caps CAP_SYS_ADMIN
	start_box
	wait_until 5 grep -q ready c.out
	local pid
	pid=$(state_of c pid)
	new_bundle second true
	edit_config 'del(.hostname, .linux.maskedPaths, .linux.readonlyPaths)
		| .mounts = [{ destination: "/dev", source: "/dev", type: "none", options: ["bind"] }]
		| .linux.sysctl = { "kernel.msgmax": "8195" }
		| .linux.namespaces = [{ type: "mount", path: "/proc/\($p)/ns/mnt" }, { type: "user", path: "/proc/\($p)/ns/user" },
			{ type: "ipc", path: "/proc/\($p)/ns/ipc" }, { type: "pid", path: "/proc/\($p)/ns/pid" }]' --arg p "$pid"
	run timeout 10 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" d
	assert_success
	assert_output ''
	assert_equal "$(nsenter -t "$pid" -i cat /proc/sys/kernel/msgmax)" 8195
	run grep -c second /proc/self/mountinfo "/proc/$pid/mountinfo"
	assert_output "$(printf '%s\n' /proc/self/mountinfo:0 "/proc/$pid/mountinfo:0")"
	run kist exec c cat /proc/sys/kernel/msgmax
	assert_output fake
	delete_box
}

# ---- neighbours in one pid namespace ----

# neighbours HOW: container c spies while others come and go beside it, in its pid namespace ("joined") or in the host's
neighbours() {
	local i path=null agent=$PWD/agent.sock
	box sh -c 'while :; do /spy; done'
	own_kist
	spy
	touch outside-marker
	[ "$1" = joined ] || edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	start_box
	[ "$1" = joined ] && path="\"/proc/$(state_of c pid)/ns/pid\""
	new_bundle second sleep 0
	edit_config ".linux.namespaces |= map(select(.type != \"pid\")) | if $path then .linux.namespaces +=
		[{ type: \"pid\", path: $path }] else . end"
	# the moment before a program is executed made long enough for a look
	strace -f -qq -o /dev/null -e trace=execveat -e inject=execveat:delay_enter=400000 \
		"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" d
	strace -f -qq -o /dev/null -e trace=execveat -e inject=execveat:delay_enter=400000 \
		"$KIST" --root "$KIST_ROOT" exec c true
	# calls that are handed to an agent: for a moment kist has a second thread
	mkdir -p agent
	python3 "$RUNTIME_HELPERS/seccomp_agent.py" "$agent" "$PWD/agent" >agent.out 2>&1 </dev/null 3>&- &
	i=$!
	wait_until 10 test -S "$agent"
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $a, syscalls: [
		{ names: ["mknod", "mknodat"], action: "SCMP_ACT_NOTIFY" }] }' --arg a "$agent"
	for _ in {1..10}; do kist run --bundle "$BUNDLE" d; done
	kill $i && wait $i || true
	# at the gate, where the process waits for long
	create_box d
	sleep 0.3
	delete_box d
	run cat c.out
	refute_output --partial 'out by'
	refute_output --partial 'kist by'
	assert_equal "$(sha256sum <"$KIST")" "$SUM"
	delete_box
}

@test "exposure: a neighbour in the container's pid namespace finds nothing in what starts there" {
	neighbours joined
}

@test "exposure: a neighbour in the host's pid namespace finds nothing in what starts there" {
	neighbours host
}
