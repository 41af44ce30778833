# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# kist update with every controller there: what is written, what is kept, in which order, and what is put back.

load ../../helpers/common
load ../../helpers/runtime

# group FILE: a file of c's group
group() {
	cat "/sys/fs/cgroup/kist-c/$1"
}

# begin [RESOURCES]: c runs with these limits
begin() {
	box sleep 10000
	edit_config '.linux.resources = $r' --argjson r "${1:-{\}}"
	start_box
}

@test "each flag reaches its file" {
	begin
	local flags file want
	while IFS='|' read -r flags file want; do
		# shellcheck disable=SC2086
		kist update $flags c
		assert_equal "$flags: $(group "$file")" "$flags: $want"
	done <<-'E'
		--memory 64m|memory.max|67108864
		-m 1g --memory-swap 2g|memory.swap.max|1073741824
		--memory-swap 1536m|memory.swap.max|536870912
		--memory-swap -1|memory.swap.max|max
		--memory -1|memory.max|max
		--memory-reservation 32M|memory.low|33554432
		--cpu-quota 50000|cpu.max|50000 100000
		--cpu-period 200000|cpu.max|50000 200000
		--cpu-quota 60000|cpu.max|60000 200000
		--cpu-burst 10000|cpu.max.burst|10000
		--cpus 1.5|cpu.max|150000 100000
		--cpu-quota -1|cpu.max|max 100000
		--cpu-share 512|cpu.weight|59
		--cpu-shares 1024|cpu.weight|100
		--cpu-idle 1|cpu.idle|1
		--cpuset-cpus 0|cpuset.cpus|0
		--cpuset-mems 0|cpuset.mems|0
		--pids-limit 20|pids.max|20
		--pids-limit -1|pids.max|max
		--pids-limit 0|pids.max|0
	E
	delete_box
}

@test "what is not named is kept" {
	begin '{"memory":{"limit":67108864,"swap":134217728},"cpu":{"quota":50000,"period":100000,"burst":20000,"shares":512},
		"pids":{"limit":30}}'
	kist update --cpu-quota 80000 c
	assert_equal "$(group cpu.max) $(group cpu.max.burst) $(group cpu.weight)" '80000 100000 20000 59'
	kist update --memory 96m c
	assert_equal "$(group memory.max) $(group memory.swap.max) $(group pids.max)" '100663296 33554432 30'
	run -1 kist update --memory 256m c
	assert_output --partial 'memory.swap: 134217728 is less than memory.limit, 268435456'
	kist update --memory 256m --memory-swap 256m c
	assert_equal "$(group memory.max) $(group memory.swap.max)" '268435456 0'
	run -1 kist update --cpu-quota 10000 c
	assert_output --partial 'cpu.burst: more than cpu.quota'
	kist update --cpu-quota 10000 --cpu-burst 5000 c
	assert_equal "$(group cpu.max) $(group cpu.max.burst)" '10000 100000 5000'
	kist update --cpu-quota 90000 --cpu-burst 80000 c
	assert_equal "$(group cpu.max) $(group cpu.max.burst)" '90000 100000 80000'
	kist update --cpu-quota -1 c
	assert_equal "$(group cpu.max) $(group cpu.max.burst)" 'max 100000 0'
	delete_box
}

@test "idle and weight: one is kept while the other holds" {
	begin '{"cpu":{"shares":512}}'
	kist update --cpu-idle 1 c
	assert_equal "$(group cpu.idle)" 1
	kist update --cpu-shares 2048 c
	assert_equal "$(group cpu.idle)" 1
	kist update --cpu-idle 0 c
	assert_equal "$(group cpu.idle) $(group cpu.weight)" '0 174'
	delete_box
}

@test "checkBeforeUpdate refuses a limit below use, and only then" {
	box sh -c 'head -c 40000000 /dev/zero >/dev/shm/x; echo ready; exec sleep 10000'
	edit_config '.linux.resources = { memory: { limit: 134217728 } }'
	start_box
	wait_until 30 grep -q ready c.out
	run -1 kist update -r - c <<<'{"memory":{"limit":20971520,"checkBeforeUpdate":true}}'
	assert_output --partial 'memory.limit: 20971520 is not above'
	assert_equal "$(group memory.max)" 134217728
	kist update -r - c <<<'{"memory":{"limit":104857600,"checkBeforeUpdate":true}}'
	assert_equal "$(group memory.max)" 104857600
	# it stays
	run -1 kist update -m 20m c
	assert_output --partial 'memory.limit: 20971520 is not above'
	delete_box
}

@test "a failed write puts back what was written before it" {
	begin '{"memory":{"limit":67108864},"cpu":{"quota":50000,"period":100000},"pids":{"limit":30}}'
	run -1 kist update -r - c <<<'{"memory":{"limit":33554432},"cpu":{"quota":70000,"cpus":"0"},"pids":{"limit":10},
		"unified":{"memory.high":"banana"}}'
	assert_output --partial 'unified.memory.high: memory.high banana: Invalid argument'
	assert_equal "$(group memory.max) $(group cpu.max) $(group pids.max)" '67108864 50000 100000 30'
	# Linux 6.1 takes no empty list any more: what it came to stands there
	assert_equal "$(group cpuset.cpus.effective)" "$(cat /sys/fs/cgroup/cpuset.cpus.effective)"
	delete_box
}

@test "io: a device's throttle is changed, added, kept and put back" {
	local device
	device=$(lsblk -dnro MAJ:MIN 2>/dev/null | head -n 1)
	[ -n "$device" ]
	local major=${device%:*} minor=${device#*:}
	begin "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":$major,\"minor\":$minor,\"rate\":1048576}]}}"
	kist update -r - c <<<"{\"blockIO\":{\"throttleWriteBpsDevice\":[{\"major\":$major,\"minor\":$minor,\"rate\":2097152}]}}"
	assert_equal "$(group io.max)" "$device rbps=1048576 wbps=2097152 riops=max wiops=max"
	kist update -r - c <<<"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":$major,\"minor\":$minor,\"rate\":0}]}}"
	assert_equal "$(group io.max)" "$device rbps=max wbps=2097152 riops=max wiops=max"
	run -1 kist update -r - c <<<"{\"blockIO\":{\"throttleReadIOPSDevice\":[{\"major\":$major,\"minor\":$minor,\"rate\":77}]},
		\"unified\":{\"memory.high\":\"banana\"}}"
	assert_equal "$(group io.max)" "$device rbps=max wbps=2097152 riops=max wiops=max"
	assert_equal "$(jq -c '.linux.resources.blockIO.throttleReadBpsDevice | length' "$KIST_ROOT/c/config.json")" 1
	delete_box
}

@test "hugetlb and unified: a second entry beside the first" {
	has_controller hugetlb && [ -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || { echo "no 2 MB pages in this kernel" && return 1; }
	begin '{"unified":{"memory.high":"50331648"}}'
	kist update -r - c <<<'{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}],"unified":{"memory.min":"1048576"}}'
	assert_equal "$(group hugetlb.2MB.rsvd.max) $(group memory.high) $(group memory.min)" '4194304 50331648 1048576'
	assert_equal "$(jq -c .linux.resources.unified "$KIST_ROOT/c/config.json")" \
		'{"memory.high":"50331648","memory.min":"1048576"}'
	delete_box
}

@test "a container without limits gets its first, with the controllers enabled above it" {
	box sleep 10000
	edit_config '.linux.cgroupsPath = "/kist-up/one/two" | .linux.resources = {}'
	start_box
	assert_not_exist /sys/fs/cgroup/kist-up/one/two/pids.max
	kist update --pids-limit 9 c
	assert_equal "$(cat /sys/fs/cgroup/kist-up/one/two/pids.max)" 9
	delete_box
}
