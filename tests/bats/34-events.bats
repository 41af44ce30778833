# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# kist events and ps with ps(1)'s options. Counters that need controllers are in vm/34-events.bats.

load ../helpers/common
load ../helpers/runtime

@test "--stats: one line with runc's keys" {
	box sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; exec sleep 1000'
	start_box
	wait_until 10 grep -q ready c.out
	kist events --stats c >out
	assert_equal "$(wc -l <out)" 1
	assert_equal "$(jq -r '.type, .id' out)" $'stats\nc'
	assert_equal "$(jq -c '.data | keys_unsorted' out)" \
		'["cpu","cpuset","memory","pids","blkio","hugetlb","intel_rdt","network_interfaces"]'
	assert_equal "$(jq -c '.data.memory | [has("usage"), has("swap"), has("kernel"), has("kernelTCP")] | unique' out)" '[true]'
	assert_equal "$(jq -c '.data.memory.usage | has("limit") and has("failcnt")' out)" true
	assert_equal "$(jq '.data.network_interfaces' out)" null
	# cpu.stat is there without any controller
	assert [ "$(jq '.data.cpu.usage.total' out)" -gt 0 ]
	assert [ "$(jq '.data.cpu.usage | .kernel + .user' out)" -gt 0 ]
	delete_box
}

@test "--interval: a line each time, until the container ends" {
	box sh -c 'sleep 1.5'
	start_box
	SECONDS=0
	timeout 30 "$KIST" --root "$KIST_ROOT" events --interval 400ms c >out
	assert [ $SECONDS -lt 10 ]
	assert [ "$(wc -l <out)" -ge 2 ]
	assert_equal "$(jq -r .type out | sort -u)" stats
	wait_status c stopped
	run -1 kist events c
	assert_output 'kist: events c: container not running'
	delete_box
}

@test "network: the interfaces of the container's own namespace" {
	box sleep 1000
	start_box
	local pid
	pid=$(state_of c pid)
	nsenter -t "$pid" -n ip link add d0 type veth peer name d1
	run kist events --stats c
	assert_equal "$(jq -c '.data.network_interfaces | map(.Name) | sort' <<<"$output")" '["d0","d1"]'
	assert_equal "$(jq -c '.data.network_interfaces[0] | keys' <<<"$output")" \
		'["Name","RxBytes","RxDropped","RxErrors","RxPackets","TxBytes","TxDropped","TxErrors","TxPackets"]'
	delete_box
}

@test "wrong words" {
	run -2 kist events
	run -2 kist events --interval 0 c
	assert_output --partial 'expected a duration above 0'
	run -1 kist events nosuch
	assert_output --partial 'container nosuch does not exist'
	box sleep 1000
	start_box
	run -1 bash -c '"$0" --root "$1" events --stats c >/dev/full' "$KIST" "$KIST_ROOT"
	assert_output --partial 'standard output: No space left on device'
	delete_box
}
