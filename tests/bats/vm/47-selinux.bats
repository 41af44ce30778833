# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -a security=selinux -a enforcing=0
# Labels of programs and of file systems on a kernel with SELinux, by a policy of three types. Source: runtime-spec
# config.md "Linux Process", config-linux.md "Mount Label"; the kernel's scripts/selinux/mdp.

load ../../helpers/common
load ../../helpers/runtime

# A policy that forbids nothing: what it does not name is allowed (checkpolicy -U allow).
policy() {
	local sid sids='kernel security unlabeled fs file file_labels init any_socket port netif netmsg node igmp_packet
		icmp_socket tcp_socket sysctl_modprobe sysctl sysctl_fs sysctl_kernel sysctl_net sysctl_net_unix sysctl_vm
		sysctl_dev kmod policy scmp_packet devnull'
	echo 'class process'
	for sid in $sids; do echo "sid $sid"; done
	echo 'class process { transition dyntransition }'
	echo 'policycap nnp_nosuid_transition;'
	echo 'type base_t; type prog_t; type files_t;'
	echo 'role base_r; role base_r types { base_t prog_t };'
	echo 'allow { base_t prog_t } { base_t prog_t }:process { transition dyntransition };'
	echo 'user base_u roles base_r;'
	for sid in $sids; do echo "sid $sid base_u:base_r:base_t"; done
	echo 'fs_use_trans tmpfs base_u:object_r:files_t;'
	echo 'fs_use_trans devpts base_u:object_r:files_t;'
	echo 'genfscon proc / base_u:object_r:files_t'
	echo 'genfscon sysfs / base_u:object_r:files_t'
}

setup() {
	mountpoint -q /sys/fs/selinux || mount -t selinuxfs none /sys/fs/selinux
	# once for the boot: without a policy all is of the kernel's own label
	if [ "$(tr -d '\0' </proc/self/attr/current)" = kernel ]; then
		policy >"$BATS_FILE_TMPDIR/policy.conf"
		checkpolicy -U allow -c 31 -o "$BATS_FILE_TMPDIR/policy" "$BATS_FILE_TMPDIR/policy.conf"
		cat "$BATS_FILE_TMPDIR/policy" >/sys/fs/selinux/load
	fi
	kist_setup
}

@test "the program has its label, run and exec, created and in a user namespace" {
	box cat /proc/self/attr/current
	edit_config '.process.selinuxLabel = "base_u:base_r:prog_t"'
	run run_box
	assert_output --partial 'base_u:base_r:prog_t'
	edit_config '.process.user = { uid: 1000, gid: 1000 } | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	run run_box
	assert_output --partial 'base_u:base_r:prog_t'
	set_args sleep 1000
	start_box
	run cat "/proc/$(state_of c pid)/attr/current"
	assert_output --partial 'base_u:base_r:prog_t'
	run kist exec c cat /proc/self/attr/current
	assert_output --partial 'base_u:base_r:prog_t'
	jq '.process | .selinuxLabel = "base_u:base_r:base_t" | .args = ["cat", "/proc/self/attr/current"]' b/config.json >p.json
	run kist exec --process p.json c
	assert_output --partial 'base_u:base_r:base_t'
	run kist exec --process-label base_u:base_r:base_t c cat /proc/self/attr/current
	assert_output --partial 'base_u:base_r:base_t'
	delete_box
}

@test "the session keyring has the label, and what the program makes later has not" {
	box cat /proc/self/attr/keycreate
	edit_config '.process.selinuxLabel = "base_u:base_r:prog_t"'
	run strace -f -o trace -e trace=write "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output ''
	run grep -c 'write(.*"base_u:base_r:prog_t"' trace
	assert_output 2
}

@test "a label that the policy does not know is an error" {
	box true
	edit_config '.process.selinuxLabel = "base_u:base_r:other_t"'
	run -125 run_box
	assert_output --partial 'process.selinuxLabel base_u:base_r:other_t'
	edit_config 'del(.process.selinuxLabel) | .linux.mountLabel = "base_u:object_r:other_t"'
	run -125 run_box
	assert_output --partial 'mounts['
}

@test "mount label: of file systems of the container's own, and not of those that it shares" {
	box cat /proc/self/mountinfo
	edit_config '.linux.mountLabel = "base_u:object_r:prog_t" | .linux.maskedPaths = ["/proc/acpi"]'
	run run_box
	assert_success
	local point
	for point in /dev /dev/shm /dev/pts /proc/acpi; do
		assert_line --regexp " $point .*context=\"?base_u:object_r:prog_t"
	done
	for point in /proc /sys /dev/mqueue /sys/fs/cgroup; do
		refute_line --regexp " $point .*context="
	done
}
