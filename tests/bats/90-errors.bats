# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What goes wrong is said with its place, and leaves nothing: the teardown of each test looks for it. Wrong configs as
# such are in the unit test of the spec; here is what fails on the way, and what a killed kist leaves.

load ../helpers/common
load ../helpers/runtime

# fails TEXT: create and run fail with the text in their one line, with kist's own status, and no state is left
fails() {
	run create_box
	assert_equal "create $status" "create 1"
	assert_equal "$(output_of)" "kist: create c: $1"
	run run_box
	assert_equal "run $status" "run 125"
	assert_output "kist: create c: $1"
	assert_not_exist "$KIST_ROOT/c"
}

# fails_like REGEX: as fails
fails_like() {
	run create_box
	assert_equal "create $status" "create 1"
	run output_of
	assert_output --regexp "^kist: create c: $1\$"
	assert_equal "${#lines[@]}" 1
	run run_box
	assert_equal "run $status" "run 125"
	assert_output --regexp "^kist: create c: $1\$"
	assert_not_exist "$KIST_ROOT/c"
}

@test "a config that is missing, empty, no JSON, or no object" {
	mkdir b
	run -1 kist create --bundle b c
	assert_output "kist: $PWD/b/config.json: No such file or directory"
	: >b/config.json
	run -1 kist create --bundle b c
	assert_output --partial config.json
	echo '{ "ociVersion": }' >b/config.json
	run -1 kist create --bundle b c
	assert_output --regexp 'config.json:1:[0-9]+: '
	echo '[]' >b/config.json
	run -1 kist create --bundle b c
	assert_output --partial 'expected object'
	run -1 kist create --bundle missing c
	assert_output --partial 'missing/config.json: No such file or directory'
	run ! kist create c
}

@test "a rule that is broken is named by its path" {
	box true
	local filter text
	while IFS='|' read -r filter text; do
		cp b/config.json saved.json
		edit_config "$filter"
		run -1 kist create --bundle b c
		[[ $output == *"$text"* ]] || fail "$filter: $output"
		assert_equal "${#lines[@]}" 1
		mv saved.json b/config.json
	done <<-'E'
		.ociVersion = "banana"|ociVersion
		del(.ociVersion)|ociVersion
		.process.args = []|process.args
		.process.args[0] = 7|process.args[0]: expected string, got integer
		.process.cwd = 5|process.cwd
		.process.user.uid = "0"|process.user.uid
		.process.rlimits[0].type = "RLIMIT_FOO"|process.rlimits[0].type
		.process.rlimits += .process.rlimits|process.rlimits[1]
		.process.rlimits[0] += {soft:9,hard:8}|process.rlimits[0]
		.process.env = ["NOVALUE"]|process.env[0]
		.root = null|root
		del(.root.path)|root.path
		.mounts[0].destination = 3|mounts[0].destination
		.mounts[1].options = "ro"|mounts[1].options
		.linux.namespaces[0].type = "nope"|linux.namespaces[0].type
		.linux.namespaces += [.linux.namespaces[0]]|linux.namespaces[6]
		.linux.namespaces += [{type:"user"}]|linux.uidMappings
		.linux.uidMappings = [{containerID:0,hostID:0,size:1}]|linux.uidMappings
		.linux.timeOffsets = {monotonic:{secs:1}}|linux.timeOffsets
		.linux.rootfsPropagation = "sideways"|linux.rootfsPropagation
		.linux.maskedPaths = ["relative"]|linux.maskedPaths[0]
		.linux.readonlyPaths = ["relative"]|linux.readonlyPaths[0]
		.linux.devices = [{path:"/dev/x",type:"q",major:1,minor:3}]|linux.devices[0].type
		.linux.devices = [{path:"dev/x",type:"c",major:1,minor:3}]|linux.devices[0].path
		.linux.devices = [{path:"/dev/x",type:"c"}]|linux.devices[0]
		.linux.resources.memory.limit = "1G"|linux.resources.memory.limit: expected integer, got string
		.linux.cgroupsPath = "/../../x"|linux.cgroupsPath
		.linux.seccomp = {}|linux.seccomp.defaultAction
		.linux.seccomp = {defaultAction:"SCMP_ACT_MAYBE"}|linux.seccomp.defaultAction
		.hooks = {prestart:[{path:"relative"}]}|hooks.prestart[0].path
	E
}

@test "unknown keys are no errors" {
	box echo fine
	edit_config '.unknown = 1 | .process.unknown = [] | .linux.resources.unknown = {}'
	run run_box
	assert_output fine
}

# ---- what fails on the way ----

@test "in the child: mounts, devices, names, limits, the program" {
	box true
	add_mount /m tmpfs tmpfs nonsense
	fails_like "mounts: mounts\[7\] /m: nonsense: .*Invalid argument"
	edit_config 'del(.mounts[-1]) | .linux.devices = [{ path: "/etc/passwd/dev", type: "c", major: 1, minor: 3 }]'
	fails 'devices: linux.devices[0] /etc/passwd/dev: Not a directory'
	edit_config 'del(.linux.devices) | .hostname = ("x" * 65)'
	fails_like '.*hostname.*'
	edit_config '.hostname = "x" | .process.cwd = "/etc/passwd"'
	fails 'working directory: process.cwd /etc/passwd: Not a directory'
	edit_config '.process.cwd = "/" | .process.user.uid = 4294967294 | .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = .linux.uidMappings'
	fails 'process.user.uid 4294967294: not in linux.uidMappings'
}

@test "in the parent while the child works: oomScoreAdj, the pid file" {
	box sleep 1000
	edit_config '.process.oomScoreAdj = -1000'
	# without CAP_SYS_RESOURCE it cannot be lowered
	run setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$KIST" --root "$KIST_ROOT" create --bundle b c
	assert_failure
	assert_output --partial 'create c: process.oomScoreAdj -1000: lowering it needs CAP_SYS_RESOURCE'
	assert_not_exist "$KIST_ROOT/c"
	edit_config 'del(.process.oomScoreAdj)'
	run kist run --pid-file /no/such/dir/pid --bundle b c
	assert_equal "$status" 125
	assert_output 'kist: create c: pid file /no/such/dir/pid: No such file or directory'
}

@test "too few descriptors, whatever the number: an error, or it runs" {
	box true
	local n
	for n in {4..40..2}; do
		run timeout -k 1 20 bash -c "ulimit -n $n; exec \"\$@\"" - "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
		[ "$status" -ne 124 ] || fail "hangs with $n descriptors"
		[ "$status" -eq 0 ] || [ -n "$output" ] || fail "says nothing with $n descriptors"
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "a full state root: an error, or it runs" {
	box true
	mkdir small
	mount -t tmpfs -o size=16k,nr_inodes=9 tmpfs small
	KIST_ROOT=$PWD/small/root
	local i
	for i in {1..8}; do
		run timeout -k 1 20 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
		[ "$status" -eq 0 ] || assert_output --partial 'No space left on device'
		touch "small/fill$i" 2>/dev/null || head -c 4096 /dev/zero >>small/fill1 || true
	done
	assert_not_exist "$KIST_ROOT/c"
	umount -R small/root/.template 2>/dev/null || true
	umount -R small || umount -l small
}

@test "a read-only state root" {
	box true
	mkdir ro
	mount -t tmpfs -o ro tmpfs ro
	KIST_ROOT=$PWD/ro/root
	run kist create --bundle b c
	assert_failure
	assert_output --partial 'Read-only file system'
	umount ro
}

@test "kist create killed at any time: delete --force leaves nothing" {
	box sleep 1000
	local i
	for i in {1..40}; do
		"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c >/dev/null 2>&1 </dev/null 3>&- &
		local pid=$!
		sleep "0.00$((i / 8))$((i % 8))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		run timeout 20 "$KIST" --root "$KIST_ROOT" delete --force c
		assert_success
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "kist run killed: its container ends or is found, and delete --force leaves nothing" {
	box sleep 1000
	local i
	for i in {1..15}; do
		"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c >/dev/null 2>&1 </dev/null 3>&- &
		local pid=$!
		sleep "0.0$i"
		kill -KILL $pid
		wait $pid 2>/dev/null || true
		run timeout 20 "$KIST" --root "$KIST_ROOT" delete --force c
		assert_success
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "kist delete killed: the next one goes on" {
	box sleep 1000
	local i
	for i in {1..15}; do
		start_box
		"$KIST" --root "$KIST_ROOT" delete --force c >/dev/null 2>&1 3>&- &
		local pid=$!
		sleep "0.000$i"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		kist delete --force c
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "kist start killed: the container is deleted as ever" {
	box sleep 1000
	local i
	for i in {1..15}; do
		create_box
		"$KIST" --root "$KIST_ROOT" start c >/dev/null 2>&1 3>&- &
		local pid=$!
		sleep "0.000$i"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		kist state c
		kist delete --force c
	done
}

@test "create and delete of one id against each other" {
	box sleep 1000
	local i
	for i in {1..10}; do
		"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c >1.log 2>&1 </dev/null 3>&- &
		local create=$!
		"$KIST" --root "$KIST_ROOT" delete --force c >2.log 2>&1 3>&- &
		wait $! || { cat 2.log && return 1; }
		wait $create || true
		kist delete --force c
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "containers of many ids at once" {
	box true
	local i
	local -a pids=()
	for i in {1..24}; do
		"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" "c$i" >"$i.log" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in {1..24}; do
		wait "${pids[i - 1]}" || { cat "$i.log" && return 1; }
	done
	assert_equal "$(kist list -q)" ''
}
