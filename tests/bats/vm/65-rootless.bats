#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -s
# Limits of a user other than root: in the part of the cgroup tree that systemd's user manager gives away.
# Sources: systemd.resource-control(5) "Delegate=", cgroup-v2.rst "Delegation".

load ../../helpers/common
load ../../helpers/runtime
load ../../helpers/image
load ../../helpers/user

setup_file() {
	user_session
	# what the manager starts when it is first needed, and keeps
	mkdir -p "$BATS_FILE_TMPDIR/home" && cd "$BATS_FILE_TMPDIR" || return
	as_user busctl --user list >/dev/null
	as_user systemd-run --quiet --user --slice user.slice --scope true
}

teardown_file() {
	systemctl stop "user@$USER_ID.service"
}

setup() {
	kist_setup
	reach_kist
	KIST_ROOT=/run/user/$USER_ID/kist
	KIST_STORE=$PWD/home/store
	mkdir home
	new_bundle home/b "$@"
	chown -R "$USER_ID:$USER_ID" home
}

# as_user COMMAND [ARG...]: as a login of the user would run it, outside of its manager's groups
as_user() {
	(cd home && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups --inh-caps=-all env -i \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C USER=kist-test HOME="$PWD" XDG_RUNTIME_DIR="/run/user/$USER_ID" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$USER_ID/bus" KIST_STORE="$KIST_STORE" "$@")
}

# delegated COMMAND [ARG...]: by the command that kist's message names
delegated() {
	as_user systemd-run --quiet --user --scope -p Delegate=yes -- "$@"
}

@test "a limit is refused outside of a delegated group, and the named command makes it hold" {
	set_args sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max; head -c 60000000 /dev/zero | sort >/dev/null; echo "status $?"'
	edit_config '.linux.resources = { memory: { limit: 20971520, swap: 20971520 }, pids: { limit: 20 },
		cpu: { quota: 50000, period: 100000 } }'
	run as_user "$KIST" run --bundle b c
	assert_failure 125
	assert_output --partial 'it is not delegated to this user'
	assert_output --partial 'by systemd-run --user --scope -p Delegate=yes -- kist'
	run delegated "$KIST" run --bundle b c
	assert_line --index 0 20971520
	assert_line --index 1 20
	assert_line --index 2 '50000 100000'
	assert_line --partial 'status 137'
}

@test "a container in the background: its group, pause, update, exec, stop" {
	small_trees
	layout_image lay x base
	umoci config --image lay:x --config.user 0:0
	tar -C lay -cf home/image.tar .
	as_user "$KIST" load --name app:1 image.tar
	delegated "$KIST" run -d --name web -m 32m --pids-limit 30 app:1 busybox sleep 1000
	local group
	group=$(cgroup_of "$(as_user "$KIST" state web | jq .pid)")
	[[ $group == /sys/fs/cgroup/user.slice/user-$USER_ID.slice/user@$USER_ID.service/*/kist-web ]]
	assert_equal "$(cat "$group/memory.max") $(cat "$group/pids.max")" "33554432 30"
	as_user "$KIST" pause web
	assert_equal "$(as_user "$KIST" state web | jq -r .status)" paused
	as_user "$KIST" resume web
	as_user "$KIST" update --pids-limit 40 web
	assert_equal "$(cat "$group/pids.max")" 40
	# exec from the same manager's groups goes into the container's group
	run delegated "$KIST" exec web busybox cat /proc/self/cgroup
	assert_output "0::/"
	run as_user "$KIST" exec web true
	assert_failure 125
	assert_output --partial 'by systemd-run --user --scope -- kist exec'
	as_user "$KIST" stop -t 0 web
	as_user "$KIST" rm web
	assert_not_exist "$group"
}

@test "a scope of the user's own manager: limits, pause, and nothing left" {
	set_args sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max; exec sleep 1000'
	edit_config '.linux.resources = { memory: { limit: 20971520 }, pids: { limit: 20 } } | .linux.cgroupsPath = ":kist:c"'
	as_user "$KIST" --systemd-cgroup run -d --bundle b c
	local group
	group=$(cgroup_of "$(as_user "$KIST" state c | jq .pid)")
	[[ $group == /sys/fs/cgroup/user.slice/user-$USER_ID.slice/user@$USER_ID.service/*/kist-c.scope ]]
	assert_equal "$(cat "$group/memory.max") $(cat "$group/pids.max")" "20971520 20"
	assert_equal "$(as_user systemctl --user show -P MemoryMax kist-c.scope)" 20971520
	as_user "$KIST" pause c
	assert_equal "$(as_user "$KIST" state c | jq -r .status)" paused
	as_user "$KIST" resume c
	as_user "$KIST" rm -f c
	wait_until 10 test ! -e "$group"
}

@test "user namespaces that only root may make: the sysctl is named" {
	[ -e /proc/sys/kernel/unprivileged_userns_clone ] || skip "Debian's kernel.unprivileged_userns_clone is not in this kernel"
	echo 0 >/proc/sys/kernel/unprivileged_userns_clone
	run as_user "$KIST" run --bundle b c
	echo 1 >/proc/sys/kernel/unprivileged_userns_clone
	assert_failure 125
	assert_output --partial 'as root, sysctl -w kernel.unprivileged_userns_clone=1'
}
