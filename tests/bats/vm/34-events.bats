# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# kist events where all controllers are: limits and use in the counters, and an event for each kill for memory.

load ../../helpers/common
load ../../helpers/runtime

@test "--stats: limits and use" {
	box sh -c 'head -c 8000000 /dev/zero >/dev/shm/x; sleep 1001 & echo ready; exec sleep 1000'
	edit_config '.linux.resources = { memory: { limit: 134217728, swap: 268435456 }, pids: { limit: 33 }, cpu: { cpus: "0" } }'
	start_box
	wait_until 30 grep -q ready c.out
	kist events --stats c >out
	assert_equal "$(jq -c '.data | [.memory.usage.limit, .memory.swap.limit, .pids.limit, .pids.current, .cpuset.cpus]' out)" \
		'[134217728,268435456,33,2,[0]]'
	assert [ "$(jq .data.memory.usage.usage out)" -gt 8000000 ]
	assert [ "$(jq .data.memory.raw.shmem out)" -ge 8000000 ]
	delete_box
}

@test "--stats: without limits the greatest number stands for none" {
	box sleep 1000
	edit_config '.linux.resources = { memory: { reservation: 1048576 }, pids: { limit: -1 } }'
	start_box
	kist events --stats c >out
	grep -q '"usage":{"limit":18446744073709551615,' out
	assert_equal "$(jq -c '.data.pids | has("limit")' out)" false
	delete_box
}

@test "oom: a line for a process that was killed; the watcher ends with the container" {
	box sh -c 'read x; (head -c 80000000 /dev/zero | tail -c 79000000 >/dev/null); sleep 3; echo done'
	edit_config '.linux.resources = { memory: { limit: 20971520, swap: 20971520 } }'
	mkfifo in
	kist create --bundle b c <in >c.out 2>&1 3>&- &
	exec 7>in
	wait $!
	kist start c
	timeout 60 "$KIST" --root "$KIST_ROOT" events --interval 1h c >out 3>&- &
	local watcher=$!
	sleep 1
	echo go >&7
	exec 7>&-
	wait $watcher
	assert_equal "$(sort -u out)" '{"type":"oom","id":"c"}'
	delete_box
}
