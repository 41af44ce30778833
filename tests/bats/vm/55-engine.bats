#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits of run's options as the kernel has them, and what is recorded when memory runs out.

load ../../helpers/common
load ../../helpers/engine

@test "run: memory, swap, cpu, cpuset, pids and weight end up in the cgroup" {
	base_image
	run kist run --rm -m 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 \
		--pids-limit 50 base:1 sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max memory.low cpu.max cpuset.cpus pids.max'
	assert_success
	assert_output $'67108864\n33554432\n33554432\n50000 100000\n0\n50'
}

@test "run: no limit that was not asked for" {
	base_image
	run kist run --rm base:1 sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
	assert_output $'max\nmax 100000\nmax'
}

@test "run -d: out of memory is recorded" {
	base_image
	detached --name fat -m 16m --memory-swap 16m base:1 sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=60; exec tail /dev/zero'
	run kist wait fat
	assert_output 137
	run kist inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' fat
	assert_output 'true 137'
	kist rm fat
}

@test "run: the pids limit holds" {
	base_image
	run kist run --rm --pids-limit 5 base:1 sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	assert_output --partial "can't fork"
}

@test "the example's limits are real" {
	app_image demo:latest --config.cmd sh
	echo Welcome >motd
	run kist run --rm -v "$PWD/motd:/etc/motd:ro" --config "$BATS_TEST_DIRNAME/../../../config.example.json" true
	assert_success
	run kist run --rm --config "$BATS_TEST_DIRNAME/../../../config.example.json" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; id -u'
	assert_output $'67108864\n32\n1000'
}
