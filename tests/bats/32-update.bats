# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# kist update: what it takes and refuses, and what it keeps. Numbers that need controllers are in vm/32-update.bats.
# Source: runtime-spec config-linux.md "Control groups".

load ../helpers/common
load ../helpers/runtime
load ../helpers/engine

# kept FILTER: a key of the configuration that the state directory keeps
kept() {
	jq -c "$1" "$KIST_ROOT/c/config.json"
}

# update_file JSON: kist update with it on standard input
update_file() {
	kist update --resources - c <<<"$1"
}

@test "a file of resources, from standard input or by name, reaches the group and stays" {
	box sleep 1000
	start_box
	update_file '{"unified":{"cgroup.max.depth":"5"}}'
	assert_equal "$(cat /sys/fs/cgroup/kist-c/cgroup.max.depth)" 5
	echo '{"unified":{"cgroup.max.descendants":"9"}}' >r.json
	kist update -r r.json c
	assert_equal "$(cat /sys/fs/cgroup/kist-c/cgroup.max.descendants)" 9
	assert_equal "$(kept .linux.resources.unified)" '{"cgroup.max.depth":"5","cgroup.max.descendants":"9"}'
	update_file '{"unified":{"cgroup.max.depth":"6"}}'
	assert_equal "$(kept .linux.resources.unified)" '{"cgroup.max.depth":"6","cgroup.max.descendants":"9"}'
	delete_box
}

@test "all or nothing: a write that fails puts the earlier ones back, and nothing is kept" {
	box sleep 1000
	edit_config '.linux.resources.unified = { "cgroup.max.depth": "3" }'
	start_box
	cp "$KIST_ROOT/c/config.json" before.json
	run -1 update_file '{"unified":{"cgroup.max.depth":"7","cgroup.max.descendants":"banana"}}'
	assert_output --partial 'update c: unified.cgroup.max.descendants: cgroup.max.descendants banana: Invalid argument'
	assert_equal "$(cat /sys/fs/cgroup/kist-c/cgroup.max.depth)" 3
	cmp before.json "$KIST_ROOT/c/config.json"
	delete_box
}

@test "all or nothing: what cannot be kept is put back" {
	box sleep 1000
	edit_config '.linux.resources.unified = { "cgroup.max.depth": "3" }'
	start_box
	cp "$KIST_ROOT/c/config.json" before.json
	local change='{"unified":{"cgroup.max.depth":"7"}}'
	run -1 strace -qq -o /dev/null -e trace=renameat -e inject=renameat:error=EIO \
		"$KIST" --root "$KIST_ROOT" update -r - c <<<"$change"
	assert_output --partial 'update c: state directory: config.json: Input/output error'
	assert_equal "$(cat /sys/fs/cgroup/kist-c/cgroup.max.depth)" 3
	cmp before.json "$KIST_ROOT/c/config.json"
	delete_box
}

@test "the rest of the configuration is kept as it was" {
	box sleep 1000
	edit_config '.annotations = { a: "b" } | .linux.resources.unified = { "cgroup.max.depth": "3" }'
	start_box
	update_file '{"unified":{"cgroup.max.depth":"4"}}'
	jq -S 'del(.linux.resources)' "$BUNDLE/config.json" >want
	jq -S 'del(.linux.resources)' "$KIST_ROOT/c/config.json" >got
	diff want got
	delete_box
}

# open_it: opens a device that no driver has: what the kernel says of it tells whether the rules let it pass
open_it() {
	run kist exec c sh -c ': </dev/none'
	assert_failure
}

@test "devices: a list in the file replaces the container's, in the kernel too" {
	box sh -c 'while :; do sleep 1; done'
	edit_config '.linux.resources.devices = [{ allow: false, access: "rwm" }]
		| .linux.devices = [{ path: "/dev/none", type: "c", major: 60, minor: 7 }]'
	start_box
	open_it
	assert_output --partial 'Operation not permitted'
	update_file '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":60,"minor":7,"access":"rwm"}]}'
	open_it
	assert_output --partial 'No such device'
	assert_equal "$(kept '.linux.resources.devices | length')" 2
	# another change leaves them alone
	update_file '{"devices":[],"unified":{"cgroup.max.depth":"4"}}'
	open_it
	assert_output --partial 'No such device'
	assert_equal "$(kept '.linux.resources.devices | length')" 2
	update_file '{"devices":[{"allow":false,"access":"rwm"}]}'
	open_it
	assert_output --partial 'Operation not permitted'
	# what every container may use stays so
	kist exec c sh -c ': </dev/null'
	delete_box
}

@test "what v2 has not is refused by its path; zeros that ask for nothing pass" {
	box sleep 1000
	start_box
	local key
	while read -r key; do
		run -1 update_file "$key"
		assert_output --partial "update c: $(jq -r 'paths(scalars) | map(tostring) | join(".")' <<<"$key"): "
	done <<-'E'
		{"memory":{"kernel":1000000}}
		{"memory":{"kernelTCP":1000000}}
		{"memory":{"swappiness":5}}
		{"memory":{"disableOOMKiller":true}}
		{"cpu":{"realtimeRuntime":1000}}
		{"blockIO":{"leafWeight":100}}
		{"network":{"classID":1}}
		{"memory":{"swap":1000}}
		{"cpu":{"period":7}}
		{"unified":{"cgroup.kill":"1"}}
	E
	update_file '{"memory":{"limit":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0,"cpus":""},"blockIO":{"weight":0}}'
	run -1 kist update --kernel-memory 64m c
	assert_output --partial 'memory.kernel: cgroup v2 has no limit for kernel memory'
	run -1 kist update --cpu-rt-runtime 1000 c
	assert_output --partial 'cpu.realtimeRuntime'
	kist update --kernel-memory 0 c
	delete_box
}

@test "wrong words and files" {
	box sleep 1000
	start_box
	run -2 kist update c
	assert_output --partial 'nothing to change'
	run -2 kist update -m 1m -r - c </dev/null
	assert_output --partial 'give it alone'
	run -2 kist update --cpus 1 --cpu-quota 5000 c
	assert_output --partial '--cpus says the same'
	run -2 kist update --memory banana c
	assert_output --partial 'option --memory: expected a size'
	run -1 kist update -r no/such c
	assert_output --partial 'no/such: No such file or directory'
	run -1 update_file '{"memory":{"limit":"x"}}'
	assert_output --partial 'memory.limit: expected integer, got string'
	run -1 update_file 'nonsense'
	assert_output --partial 'standard input:1:'
	run -1 kist update --l3-cache-schema 'L3:0=f' c
	assert_output --partial 'no linux.intelRdt'
	delete_box
}

@test "which containers: created, paused; not stopped, not unknown ones" {
	box sleep 1000
	create_box
	update_file '{"unified":{"cgroup.max.depth":"5"}}'
	kist start c
	kist pause c
	update_file '{"unified":{"cgroup.max.depth":"6"}}'
	assert_equal "$(cat /sys/fs/cgroup/kist-c/cgroup.max.depth)" 6
	kist resume c
	kist kill c KILL
	wait_status c stopped
	run -1 update_file '{"unified":{"cgroup.max.depth":"7"}}'
	assert_output --partial 'update c: container not running'
	kist delete c
	run -1 update_file '{"unified":{"cgroup.max.depth":"7"}}'
	assert_output --partial 'container c does not exist'
}

@test "a limit whose controller is not there is refused by name" {
	box sleep 1000
	start_box
	if has_controller pids; then
		kist update --pids-limit 50 c
		assert_equal "$(cat "$(cgroup_of "$(state_of c pid)")/pids.max")" 50
	else
		run -1 kist update --pids-limit 50 c
		assert_output --partial 'update c: pids.limit: controller "pids"'
	fi
	delete_box
}

@test "without a group there is nothing to change" {
	box sleep 1000
	kist --cgroup-manager disabled create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
	run -1 kist update --pids-limit 50 c
	assert_output --partial 'update c: update needs the container'"'"'s cgroup'
	kist delete --force c
}

@test "a container of the engine is started again with what update said" {
	box sleep 1000
	kist run -d --bundle b web
	kist update --resources - web <<<'{"unified":{"cgroup.max.depth":"5"}}'
	assert_equal "$(cat /sys/fs/cgroup/kist-web/cgroup.max.depth)" 5
	kist stop -t 0 web
	kist update --resources - web <<<'{"unified":{"cgroup.max.descendants":"8"}}'
	kist start web
	assert_equal "$(cat /sys/fs/cgroup/kist-web/cgroup.max.depth)" 5
	assert_equal "$(cat /sys/fs/cgroup/kist-web/cgroup.max.descendants)" 8
	run -1 kist update --resources - web <<<'{"unified":{"cgroup.max.descendants":"banana"}}'
	assert_output --partial 'Invalid argument'
	assert_equal "$(jq -c .linux.resources.unified "$KIST_STORE/containers/web/config.json")" \
		'{"cgroup.max.depth":"5","cgroup.max.descendants":"8"}'
	kist rm -f web
}
