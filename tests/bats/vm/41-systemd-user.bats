# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -s
# Containers of a user other than root in scopes of the user's own systemd manager: limits without a delegated shell.
# Sources: org.freedesktop.systemd1(5) "AttachProcessesToUnit"; user@.service(5).

load ../../helpers/common
load ../../helpers/runtime
load ../../helpers/user

setup_file() {
	user_session
	# the bus starts with its first caller, and a slice with its first scope: no leaks of a test
	setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups env XDG_RUNTIME_DIR="/run/user/$USER_ID" \
		systemctl --user start dbus.service user.slice
}

teardown_file() {
	systemctl stop "user@$USER_ID.service"
}

setup() {
	kist_setup
	reach_kist
	KIST_ROOT=/run/user/$USER_ID/kist
	mkdir home
	new_bundle home/b sleep 1000
	chown -R "$USER_ID:$USER_ID" home
}

# as_user COMMAND [ARG...]: as a login of the user would run it, outside of its manager's groups
as_user() {
	(cd home && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups --inh-caps=-all env -i \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C USER=kist-test HOME="$PWD" XDG_RUNTIME_DIR="/run/user/$USER_ID" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$USER_ID/bus" "$@")
}

prop() { # prop NAME: of the scope
	as_user systemctl --user show --value -p "$1" kist-c.scope
}

@test "run: limits hold in a scope of the user's manager, which is gone afterwards" {
	set_args sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max; cat /proc/self/cgroup'
	edit_config '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 20 } }'
	run as_user "$KIST" --systemd-cgroup run --bundle b c
	assert_success
	assert_output $'67108864\n20\n0::/'
	assert_equal "$(prop LoadState) $(prop ActiveState)" 'not-found inactive'
}

@test "create, start, update, pause, delete" {
	as_user "$KIST" --systemd-cgroup create --bundle b c >c.out 2>&1 </dev/null 3>&- || { cat c.out && false; }
	as_user "$KIST" start c
	local group
	group=$(cgroup_of "$(as_user "$KIST" state c | jq .pid)")
	assert_equal "$group" "/sys/fs/cgroup/user.slice/user-$USER_ID.slice/user@$USER_ID.service/user.slice/kist-c.scope"
	as_user "$KIST" update -m 48m --pids-limit 33 c
	assert_equal "$(cat "$group/memory.max") $(cat "$group/pids.max")" '50331648 33'
	assert_equal "$(prop MemoryMax) $(prop TasksMax)" '50331648 33'
	as_user systemctl --user daemon-reload
	assert_equal "$(cat "$group/memory.max")" 50331648
	as_user "$KIST" pause c
	assert_equal "$(as_user "$KIST" state c | jq -r .status)" paused
	as_user "$KIST" resume c
	as_user "$KIST" delete --force c
	assert_not_exist "$group"
	assert_equal "$(prop LoadState)" not-found
}

@test "without a session there is no bus, and the message says so" {
	run env -i setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups --inh-caps=-all env -i PATH="$PATH" HOME="$PWD/home" \
		XDG_RUNTIME_DIR="$PWD/home" "$KIST" --systemd-cgroup run --bundle home/b c
	assert_failure 125
	assert_output --partial "the user's bus"
	assert_output --partial 'is there a systemd user session'
	rm -rf home/kist
}
