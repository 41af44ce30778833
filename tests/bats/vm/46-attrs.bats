# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -c 2 -a security=apparmor
# The parts of tests/bats/46-attrs.bats that need a kernel of their own: AppArmor profiles, and processors of a cpuset.
# Source: runtime-spec config.md "Linux Process"; apparmor.d(5).

load ../../helpers/common
load ../../helpers/runtime

setup() {
	kist_setup
	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	cat >profile <<-'P'
		profile kist-test flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			network,
			signal,
			ptrace,
			umount,
			deny /etc/secret r,
		}
		profile kist-narrow {
			/bin/busybox mrix,
			/proc/*/attr/** r,
			/dev/null rw,
		}
	P
	apparmor_parser --replace --skip-cache profile
}

teardown() {
	apparmor_parser --remove --skip-cache "$BATS_TEST_TMPDIR/profile"
	kist_teardown
}

profiled() {
	box cat /proc/self/attr/current
	edit_config '.process.apparmorProfile = $p' --arg p "${1:-kist-test}"
}

# process FILTER: writes p.json, the container's process object changed by a jq filter
process() {
	jq ".process | $1" b/config.json >p.json
}

@test "AppArmor: the program runs in the profile, and is held to it" {
	profiled
	run run_box
	assert_output 'kist-test (enforce)'
	echo word >b/rootfs/etc/secret
	set_args cat /etc/secret
	run run_box
	assert_failure 1
	assert_output --partial 'Permission denied'
}

@test "AppArmor: a profile that knows the program and nothing else" {
	profiled kist-narrow
	edit_config '.process.args[0] = "/bin/cat"'
	run run_box
	assert_output 'kist-narrow (enforce)'
}

@test "AppArmor: as another user, without privileges, in a user namespace, created and started" {
	profiled
	edit_config '.process.user = { uid: 1000, gid: 1000 } | del(.process.capabilities)'
	run run_box
	assert_output 'kist-test (enforce)'
	edit_config '.process.noNewPrivileges = false | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{ names: ["mount"], action: "SCMP_ACT_ERRNO" }] }'
	run run_box
	assert_output 'kist-test (enforce)'
	edit_config '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	run run_box
	assert_output 'kist-test (enforce)'
	start_box
	wait_status c stopped
	assert_equal "$(output_of)" 'kist-test (enforce)'
	delete_box
}

@test "AppArmor: exec is in the container's profile, or in its own" {
	box sleep 1000
	edit_config '.process.apparmorProfile = "kist-test"'
	start_box
	run kist exec c cat /proc/self/attr/current
	assert_output 'kist-test (enforce)'
	process '.apparmorProfile = "kist-narrow" | .args = ["/bin/cat", "/proc/self/attr/current"]'
	run kist exec --process p.json c
	assert_output 'kist-narrow (enforce)'
	run kist exec --process p.json --apparmor kist-test c
	assert_output 'kist-test (enforce)'
	run kist exec --apparmor kist-narrow c /bin/cat /proc/self/attr/current
	assert_output 'kist-narrow (enforce)'
	process 'del(.apparmorProfile) | .args = ["cat", "/proc/self/attr/current"]'
	run kist exec --process p.json c
	assert_output 'unconfined'
	delete_box
	edit_config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	start_box
	run kist exec c cat /proc/self/attr/current
	assert_output 'kist-test (enforce)'
	delete_box
}

@test "AppArmor: exec into a container with a user namespace" {
	box sleep 1000
	edit_config '.process.apparmorProfile = "kist-test" | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	start_box
	run kist exec c cat /proc/self/attr/current
	assert_output 'kist-test (enforce)'
	delete_box
}

@test "AppArmor: a fake procfs of the image is not written to" {
	profiled
	edit_config '.mounts |= map(select(.destination != "/proc"))'
	mkdir -p b/rootfs/proc/self/attr/apparmor
	touch b/rootfs/proc/self/attr/exec b/rootfs/proc/self/attr/apparmor/exec
	set_args sleep 1000
	start_box
	assert_equal "$(cat "/proc/$(state_of c pid)/attr/current")" 'kist-test (enforce)'
	kist exec -d --pid-file e.pid c sleep 1000
	assert_equal "$(cat "/proc/$(<e.pid)/attr/current")" 'kist-test (enforce)'
	assert_not_exist b/rootfs/proc/self/attr/current
	[ ! -s b/rootfs/proc/self/attr/exec ] && [ ! -s b/rootfs/proc/self/attr/apparmor/exec ]
	delete_box
}

@test "AppArmor: a profile that is not loaded is an error, and nothing is left" {
	profiled no-such
	run -125 run_box
	assert_output --partial 'process.apparmorProfile no-such: no such profile is loaded'
	edit_config '.process.apparmorProfile = "unconfined"'
	run run_box
	assert_output unconfined
}

@test "SELinux: what asks for it is refused before anything is made" {
	box true
	edit_config '.process.selinuxLabel = "u:r:t"'
	run -125 run_box
	assert_output --partial 'process.selinuxLabel u:r:t: SELinux is off on this host'
}

@test "processors: a program with a cpuset has all of it, whatever its caller is bound to" {
	box grep ^Cpus_allowed_list /proc/self/status
	edit_config '.linux.resources.cpu = { cpus: "0-1" }'
	run taskset 1 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output $'Cpus_allowed_list:\t0-1'
	edit_config '.linux.resources.cpu = { cpus: "1" }'
	run taskset 1 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output $'Cpus_allowed_list:\t1'
	set_args sleep 1000
	edit_config '.linux.resources.cpu = { cpus: "1" } | .process.execCPUAffinity = { initial: "0", final: "0-1" }'
	start_box
	run kist exec c grep ^Cpus_allowed_list /proc/self/status
	assert_output $'Cpus_allowed_list:\t1'
	delete_box
}

@test "memory policy: only nodes of the cpuset" {
	box true
	edit_config '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" } | .linux.resources.cpu = { mems: "0" }'
	run run_box
	assert_success
}
