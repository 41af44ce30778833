# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The test harness itself: each kind of thing that a test can leave behind makes its teardown fail.

load ../helpers/common

# expect_leak PATTERN: assert_nothing_left fails and its list has a line that matches; afterwards all is clean
expect_leak() {
	LEAKS_TRIES=2 run -1 assert_nothing_left
	assert_line --regexp "$1"
	[ -z "$(leaks_found)" ]
}

@test "a clean test leaves nothing" {
	assert_nothing_left
}

@test "what ends by itself a moment later is no leak" {
	setsid -f sleep 0.3
	assert_nothing_left
}

@test "a process" {
	setsid -f sleep 1000
	expect_leak '^process [0-9]+ [0-9]+ sleep: sleep 1000'
}

@test "a process named after kist, even below the test's shell" {
	printf '#!/bin/sh\nread -r _\n' >kist-stand-in
	chmod 755 kist-stand-in
	mkfifo pipe
	./kist-stand-in <>pipe 3>&- &
	wait_until 5 grep -q kist "/proc/$!/comm"
	expect_leak '^process [0-9]+ [0-9]+ kist-stand-in:'
}

@test "a mount" {
	mkdir m
	mount -t tmpfs leak m
	expect_leak "^mount $BATS_TEST_TMPDIR/m tmpfs"
}

@test "a cgroup, with a process in it" {
	mkdir -p /sys/fs/cgroup/leak/below
	setsid -f sh -c 'echo $$ >/sys/fs/cgroup/leak/below/cgroup.procs; exec sleep 1000'
	wait_until 5 grep -q . /sys/fs/cgroup/leak/below/cgroup.procs
	expect_leak '^cgroup /sys/fs/cgroup/leak/below'
}

@test "a frozen cgroup" {
	mkdir /sys/fs/cgroup/leak
	setsid -f sh -c 'echo $$ >/sys/fs/cgroup/leak/cgroup.procs; echo 1 >/sys/fs/cgroup/leak/cgroup.freeze; sleep 1'
	wait_until 5 grep -q 'frozen 1' /sys/fs/cgroup/leak/cgroup.events
	expect_leak '^cgroup /sys/fs/cgroup/leak'
}

@test "a test that hangs on a process which holds its output is ended all the same" {
	# not a heredoc: bats takes any line that begins with its word for a test of this file
	printf '%s\n' "load $BATS_TEST_DIRNAME/../helpers/common" '@test "hangs" {' 'run setsid -f sleep 1000' '}' >hang.bats
	BATS_TEST_TIMEOUT=3 run bats --tap hang.bats
	assert_failure
	assert_line --partial 'not ok 1 hangs'
}

@test "a network device" {
	ip tuntap add dev kist-leak0 mode tap
	expect_leak '^netdev kist-leak0'
}

@test "a loop device upon a file of the test, and no other" {
	truncate -s 1M mine
	losetup -f "$PWD/mine"
	expect_leak "^loop /sys/block/loop[0-9]+/loop/backing_file $PWD/mine"
	local other
	other=$(mktemp)
	truncate -s 1M "$other"
	local device
	device=$(losetup --show -f "$other")
	run assert_nothing_left
	losetup -d "$device"
	rm "$other"
	assert_success
}

@test "a container's state" {
	mkdir -p "$KIST_ROOT/c1" "$KIST_STORE/containers/c2"
	expect_leak "^state $KIST_ROOT/c1"
}

@test "what lies in /run" {
	mkdir -p /run/kist/c3
	expect_leak '^run /run/kist'
}

@test "the pinned mount namespace of templates is no leak, and is let go of" {
	mkdir -p "$KIST_ROOT/.template"
	mount -t tmpfs pinned "$KIST_ROOT/.template"
	assert_nothing_left
	run findmnt "$KIST_ROOT/.template"
	assert_failure
}

@test "a terminal for tests" {
	run with_terminal sh -c 'stty size; tty; exit 7'
	assert_failure 7
	assert_line --index 0 --partial '24 80'
	assert_line --index 1 --partial /dev/pts/
}

@test "the root file system of bundles" {
	run chroot "$KIST_TEST_ROOTFS" /bin/sh -c 'id -un app; ls /'
	assert_success
	assert_line app
	assert_line proc
}
