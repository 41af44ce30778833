# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Limits that bite: the numbers of a config in the files of the group, and what happens to a program that exceeds them.
# Source: runtime-spec config-linux.md "Control groups"; cgroup-v2.rst.

load ../../helpers/common
load ../../helpers/runtime

# in_group FILE: a file of the group, as the container itself sees it
in_group() {
	set_args cat "/sys/fs/cgroup/$1"
	run_box
}

# resources JSON: linux.resources, in place of what was there
resources() {
	edit_config '.linux.resources = $r' --argjson r "$1"
}

@test "each number reaches its file, converted" {
	box true
	local json file want
	while read -r json file want; do
		resources "$json"
		assert_equal "$json: $(in_group "$file")" "$json: $want"
	done <<-'E'
		{"memory":{"limit":67108864}} memory.max 67108864
		{"memory":{"limit":-1}} memory.max max
		{"memory":{"limit":67108864,"swap":100663296}} memory.swap.max 33554432
		{"memory":{"limit":67108864,"swap":67108864}} memory.swap.max 0
		{"memory":{"limit":67108864,"swap":-1}} memory.swap.max max
		{"memory":{"reservation":33554432}} memory.low 33554432
		{"cpu":{"shares":1024}} cpu.weight 100
		{"cpu":{"shares":2}} cpu.weight 1
		{"cpu":{"shares":262144}} cpu.weight 10000
		{"cpu":{"shares":512}} cpu.weight 59
		{"cpu":{"quota":50000,"period":200000}} cpu.max 50000 200000
		{"cpu":{"quota":50000}} cpu.max 50000 100000
		{"cpu":{"quota":-1}} cpu.max max 100000
		{"cpu":{"quota":50000,"period":100000,"burst":20000}} cpu.max.burst 20000
		{"cpu":{"idle":1}} cpu.idle 1
		{"cpu":{"cpus":"0"}} cpuset.cpus 0
		{"cpu":{"mems":"0"}} cpuset.mems 0
		{"pids":{"limit":17}} pids.max 17
		{"pids":{"limit":-1}} pids.max max
		{"unified":{"memory.high":"50331648"}} memory.high 50331648
		{"unified":{"memory.min":"1048576"}} memory.min 1048576
	E
}

@test "memory: a program that takes more is killed, and the group says so" {
	box sh -c 'head -c 60000000 /dev/zero | sort >/dev/null; echo "status $?"; grep oom_kill /sys/fs/cgroup/memory.events'
	resources '{"memory":{"limit":20971520,"swap":20971520}}'
	run run_box
	refute_line 'oom_kill 0'
	assert_line --regexp '^oom_kill [1-9]'
}

@test "memory: the same program within its limit" {
	box sh -c 'head -c 6000000 /dev/zero | sort >/dev/null; echo "status $?"'
	resources '{"memory":{"limit":268435456}}'
	run run_box
	assert_output 'status 0'
}

@test "memory: a limit below what the process needs to start is said" {
	box true
	resources '{"memory":{"limit":4096}}'
	run timeout 60 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_failure
	assert [ "$status" -ne 124 ]
	assert_not_exist "$KIST_ROOT/c"
}

@test "pids: no more than the limit, for exec too" {
	box sh -c '(for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done); exec sleep 1000'
	resources '{"pids":{"limit":5}}'
	start_box
	wait_until 20 grep -q "can't fork" c.out
	run cat "$(cgroup_of "$(state_of c pid)")/pids.current"
	assert [ "$output" -le 5 ]
	delete_box
}

@test "pids: 0 is a limit: the program runs, and makes no other process" {
	box sh -c 'echo alone; (true); echo not reached'
	resources '{"pids":{"limit":0}}'
	run run_box
	assert_failure
	assert_line alone
	assert_line --partial "can't fork"
	edit_config '.linux.namespaces += [{ type: "time" }]' # one process more on the way
	start_box
	wait_until 20 grep -q "can't fork" c.out
	kist delete --force c
	edit_config '.process.args = ["sleep", "1000"] | .hooks.createContainer = [{ path: "/bin/true" }]' # and another
	start_box
	assert_equal "$(<"$(cgroup_of "$(state_of c pid)")/pids.max")" 0
	run kist exec c true
	assert_failure
	assert_output --partial 'a limit on processes is reached'
	delete_box
}

@test "cpu: a quota holds a busy program back" {
	box sh -c 'while :; do :; done'
	resources '{"cpu":{"quota":10000,"period":100000}}'
	start_box
	local group
	group=$(cgroup_of "$(state_of c pid)")
	sleep 3
	run awk '$1 == "nr_throttled" { print $2 }' "$group/cpu.stat"
	delete_box
	assert [ "$output" -gt 5 ]
}

@test "cpuset: only the processors that are given" {
	box grep Cpus_allowed_list /proc/self/status
	resources '{"cpu":{"cpus":"0"}}'
	run run_box
	assert_output --regexp $'Cpus_allowed_list:\t0$'
	resources '{"cpu":{"cpus":"4096"}}'
	run create_box
	assert_failure
	run output_of
	assert_output --partial 'linux.resources.cpu.cpus'
}

@test "io: throttles of a device" {
	box true
	local device
	device=$(lsblk -dnro MAJ:MIN 2>/dev/null | head -n 1)
	[ -n "$device" ] || device=$(cat /sys/block/vd*/dev /sys/block/sd*/dev 2>/dev/null | head -n 1)
	[ -n "$device" ]
	resources "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":${device%:*},\"minor\":${device#*:},\"rate\":1048576}],
		\"throttleWriteIOPSDevice\":[{\"major\":${device%:*},\"minor\":${device#*:},\"rate\":55}]}}"
	run in_group io.max
	assert_output "$device rbps=1048576 wbps=max riops=max wiops=55"
}

@test "hugetlb: a limit of pages" {
	box true
	local size
	size=$(ls /sys/kernel/mm/hugepages | sed -n 's/hugepages-2048kB/2MB/p')
	[ "$size" = 2MB ] && has_controller hugetlb || { echo "no 2 MB pages in this kernel" && return 1; }
	resources '{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}'
	assert_equal "$(in_group hugetlb.2MB.rsvd.max)" 4194304
}

@test "unified: several lines, applied last, over what the other keys said" {
	box true
	resources '{"pids":{"limit":30},"unified":{"pids.max":"31","cpu.weight":"77"}}'
	assert_equal "$(in_group pids.max)" 31
	assert_equal "$(in_group cpu.weight)" 77
	resources '{"unified":{"memory.nosuch":"1"}}'
	run create_box
	assert_failure
	run output_of
	assert_output --partial 'linux.resources.unified'
}

@test "wrong numbers are refused with path and file" {
	box true
	resources '{"memory":{"limit":67108864,"swap":1048576}}'
	run kist create --bundle b c
	assert_failure
	assert_output --partial 'linux.resources.memory.swap'
	resources '{"cpu":{"quota":10,"period":100000}}'
	run kist create --bundle b c
	assert_failure
	assert_output --partial 'linux.resources.cpu.quota: expected at least 1000 microseconds'
	resources '{"unified":{"memory.high":"banana"}}'
	run create_box
	assert_failure
	run output_of
	assert_output --regexp 'linux.resources.unified.*memory.high banana: Invalid argument'
}

@test "controllers are enabled in all groups above the container's" {
	box true
	edit_config '.linux.cgroupsPath = "/kist-up/one/two" | .linux.resources = { pids: { limit: 9 }, memory: { limit: 67108864 } }'
	assert_equal "$(in_group pids.max)" 9
	assert_not_exist /sys/fs/cgroup/kist-up
}

@test "exec is within the limits, and delete of a container at its limit works" {
	box sh -c 'while :; do sleep 0.1; done'
	resources '{"pids":{"limit":3}}'
	start_box
	run kist exec c sh -c 'for i in 1 2 3 4; do sleep 5 & done; wait'
	assert_output --partial "can't fork"
	delete_box
}

@test "freeze and resume with limits" {
	box sleep 1000
	resources '{"memory":{"limit":67108864}}'
	start_box
	kist pause c
	assert_equal "$(state_of c status)" paused
	kist resume c
	assert_equal "$(state_of c status)" running
	delete_box
}

@test "rdma: reaches the kernel, which knows no such device" {
	box true
	resources '{"rdma":{"mlx5_0":{"hcaHandles":3,"hcaObjects":100}}}'
	run -125 run_box
	assert_output --partial 'linux.resources.rdma.mlx5_0: rdma.max mlx5_0 hca_handle=3 hca_object=100: '
}
