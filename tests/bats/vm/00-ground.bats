# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The ground under the suites of this folder: a cgroup v2 tree with every controller, where limits are enforced.

load ../../helpers/common

@test "every controller is there and handed on by the root" {
	local name
	has_controller cpuset cpu io memory pids
	for name in cpu memory pids; do
		grep -qw "$name" /sys/fs/cgroup/cgroup.subtree_control
	done
}

@test "a memory limit is enforced" {
	local group=/sys/fs/cgroup/ground
	mkdir $group
	echo 20M >$group/memory.max
	echo 0 >$group/memory.swap.max
	run bash -c "echo \$\$ >$group/cgroup.procs; exec busybox head -c 40000000 /dev/zero | busybox sort >/dev/null"
	run grep -w oom_kill $group/memory.events
	rmdir $group
	refute_output 'oom_kill 0'
}

@test "a limit of processes is enforced" {
	local group=/sys/fs/cgroup/ground
	mkdir $group
	echo 1 >$group/pids.max
	run bash -c "echo \$\$ >$group/cgroup.procs; /bin/true; echo after"
	rmdir $group
	assert_output --partial 'Resource temporarily unavailable'
}

@test "the tests' folders can hold the upper layer of an overlay" {
	mkdir lower upper work merged
	mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
	touch merged/file
	umount merged
	assert_file_exist upper/file
}
