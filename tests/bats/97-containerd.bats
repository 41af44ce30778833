# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# containerd with its runc shim on kist. runc itself needs controllers that this machine may not have in the v2 tree: the
# comparison of the same scripts, and limits, are in vm/95-callers.bats.

load ../helpers/common
load ../helpers/callers
load ../helpers/containerd

setup() {
	kist_setup
	containerd_start
	RT=$(callers_kist) RT_NAME=kist
}

teardown() {
	containerd_stop
	kist_teardown
}

# prints FUNCTION: its output, plain, in the file out
prints() {
	(set +e && "$1") >raw 2>&1 </dev/null 3>&-
	callers_plain <raw >out
}

@test "ctr run: output, statuses, user, mounts, seccomp, capabilities" {
	prints ctr_starts
	run cat out
	assert_line --index 0 out
	assert_line --index 1 -- '-> 3'
	assert_line 'ctr: failed to create shim task: OCI runtime create failed: exec: "nonsense": executable file not found in $PATH: unknown'
	assert_line 'ctr: failed to create shim task: OCI runtime create failed: exec: "/etc/passwd": permission denied: unknown'
	assert_line /etc
	assert_line 'b /h'
	assert_line --regexp '^Seccomp:.2$'
	assert_line --regexp '^NoNewPrivs:.1$'
	assert_line ro
	assert_line 'touch: /x: Read-only file system'
	assert_equal "$(grep -c -- '-> 0' out)" 4
}

@test "ctr run -d: exec, pause, resume, ps, metrics, kill, delete" {
	prints ctr_life
	run cat out
	assert_line in
	assert_line -- '-> 4'
	assert_line 'ctr: OCI runtime exec failed: exec: "nonsense": executable file not found in $PATH: unknown'
	assert_line --regexp '^c +PID +PAUSED'
	assert_line '"task c exit with non-zero exit code 7"'
	assert_line '"task d exit with non-zero exit code 137"'
	assert_line 'ctr: task must be stopped before deletion: running: failed precondition'
	assert_equal "$(ls -A "$CONTAINERD_RUN/kist/box" | grep -v template)" ""
}

@test "ctr run -t, task exec -t: terminals" {
	prints ctr_terminals
	assert_equal "$(<out)" $'24 80\n-> 5\n24 80\n/dev/pts/0\n-> 6'
}

@test "a shim that is killed: containerd deletes the container by kist delete --force" {
	ctr_run -d box:1 c sleep 1000
	local pid shim
	pid=$(ctr task ls | awk '$1 == "c" { print $2 }')
	shim=$(awk '{ print $4 }' "/proc/$pid/stat")
	assert_equal "$(<"/proc/$shim/comm")" containerd-shim
	kill -KILL "$shim"
	wait_until 20 eval '! kill -0 $pid'
	wait_until 20 eval '[ ! -e "$CONTAINERD_RUN/kist/box/c" ]'
	ctr container rm c
}
