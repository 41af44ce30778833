# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -s
# Containers as services: the unit template of share/kist, readiness, sockets.

load ../../helpers/common
load ../../helpers/callers
load ../../helpers/containerd
load ../../helpers/podman

UNITS=/run/systemd/system

setup() {
	kist_setup
	mkdir -p rootfs conf
	cp -a "$KIST_TEST_ROOTFS/." rootfs/
	sed "s|@BINDIR@/kist|$KIST --root $PWD/root --store $PWD/store|g; s|/etc/kist/|$PWD/conf/|" \
		"${BATS_TEST_FILENAME%/*}/../../../share/kist@.service" >"$UNITS/kist@.service"
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || systemctl status --no-pager -l 'kist@*' >&2 || :
	systemctl stop 'kist@*.service' 'kist@*.socket' 2>/dev/null
	systemctl stop system-kist.slice 2>/dev/null
	systemctl reset-failed 2>/dev/null
	rm -rf "$UNITS"/kist@*
	systemctl daemon-reload
	[ -z "${PODMAN_DIR:-}" ] || podman_end
	containerd_stop
	kist_teardown
}

# service NAME COMMAND...: its configuration, on the busybox root
service() {
	local name=$1
	shift
	# shellcheck disable=SC2016
	jq -n --arg root "$PWD/rootfs" '{ ociVersion: "1.3.0", root: { path: $root },
		process: { args: $ARGS.positional, cwd: "/", user: { uid: 0, gid: 0 } } }' --args -- "$@" >"conf/$name.json"
	systemctl daemon-reload
}

# drop_in NAME LINE...: [Service] lines over the template's
drop_in() {
	local name=$1
	shift
	mkdir -p "$UNITS/kist@$name.service.d"
	printf '%s\n' '[Service]' "$@" >"$UNITS/kist@$name.service.d/test.conf"
}

show() {
	systemctl show -P "$2" "kist@$1.service"
}

@test "kist@NAME: runs, is in the unit's group, is stopped, and nothing is left" {
	# shellcheck disable=SC2016
	service demo sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'
	systemctl start kist@demo
	assert_equal "$(show demo ActiveState)" active
	wait_status demo running 60
	run cgroup_of "$(state_of demo pid)"
	assert_output --regexp '/kist@demo\.service/'
	systemctl stop kist@demo
	assert_equal "$(show demo Result)" success
	run -0 kist list -q
	assert_output ''
	# a program that takes no notice of TERM is killed
	service deaf sleep 1000
	drop_in deaf 'ExecStop=' "ExecStop=-$KIST --root $PWD/root --store $PWD/store stop -t 1 %i"
	systemctl daemon-reload
	systemctl start kist@deaf
	wait_status deaf running 60
	systemctl stop kist@deaf
	assert_equal "$(show deaf Result)" success
	run -0 kist ps -aq
	assert_output ''
}

@test "kist@NAME: a program that fails makes the unit fail, and it is started again" {
	service bad sh -c 'exit 9'
	drop_in bad 'Restart=no'
	systemctl daemon-reload
	systemctl start kist@bad || :
	wait_until 60 eval '[ "$(show bad ActiveState)" = failed ]'
	assert_equal "$(show bad ExecMainStatus)" 9
	drop_in bad 'Restart=on-failure' 'RestartSec=100ms'
	systemctl daemon-reload
	systemctl start kist@bad || :
	wait_until 60 eval '[ "$(show bad NRestarts)" -ge 1 ]'
}

@test "kist@NAME with Type=notify: up when the program says so" {
	mkdir -p rootfs/usr rootfs/notify
	rm -rf rootfs/usr && mkdir rootfs/usr
	ln -s usr/lib rootfs/lib && ln -s usr/lib64 rootfs/lib64
	cp "${BATS_TEST_FILENAME%/*}/../../helpers/notify.py" rootfs/
	service ready sh -c 'until [ -e /go ]; do sleep 0.1; done; /usr/bin/python3 /notify.py send "STATUS=at work" READY=1; trap "exit 0" TERM; while :; do sleep 0.2; done'
	jq '.mounts = [{ destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] }]' conf/ready.json >c && mv c conf/ready.json
	drop_in ready 'Type=notify' 'NotifyAccess=main'
	systemctl daemon-reload
	systemctl start --no-block kist@ready
	wait_status ready running 60
	assert_equal "$(show ready ActiveState)" activating
	touch rootfs/go
	wait_until 60 eval '[ "$(show ready ActiveState)" = active ]'
	assert_equal "$(show ready StatusText)" 'at work'
	systemctl stop kist@ready
}

@test "kist@NAME with a socket unit: the program gets its socket" {
	# shellcheck disable=SC2016
	service web sh -c 'echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $(readlink /proc/self/fd/3 | cut -c-7)" >/said; trap "exit 0" TERM; while :; do sleep 0.2; done'
	printf '%s\n' '[Socket]' "ListenStream=$PWD/web.sock" FileDescriptorName=front >"$UNITS/kist@web.socket"
	systemctl daemon-reload
	systemctl start kist@web.socket kist@web.service
	wait_until 60 test -s rootfs/said
	assert_equal "$(<rootfs/said)" '1 1 front socket:'
	systemctl stop kist@web.socket kist@web.service
}

scopes() {
	step podman run --rm --memory 64m --pids-limit 50 --cgroupns private box:1 sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max; ls /sys/fs/cgroup | wc -l >/dev/null'
	podman run -d --name c --memory 64m box:1 sleep 1000 >/dev/null
	local group
	group=$(cgroup_of "$(podman inspect -f '{{.State.Pid}}' c)")
	echo "${group#/sys/fs/cgroup}"
	systemctl show -P ActiveState "libpod-$(podman inspect -f '{{.Id}}' c).scope"
	step podman update --memory 32m c >/dev/null
	cat "$group/memory.max"
	step podman exec c true
	step podman pause c
	step podman unpause c
	step podman stop -t 0 c
	podman_gone c
	[ -d "$group" ] || echo "no group is left"
}

@test "podman with systemd's cgroups: a scope per container, limits, update, and no scope afterwards" {
	PODMAN_CGROUPS=systemd podman_setup
	both scopes
	run cat kist.out
	assert_line --index 0 67108864
	assert_line --index 1 50
	assert_line /machine.slice/libpod-ID.scope
	assert_line active
	assert_line 33554432
	assert_line 'no group is left'
	podman_end
	systemctl stop machine.slice
}

ctr_scopes() {
	step ctr_run -d --runc-systemd-cgroup --cgroup system.slice:ctr:c --memory-limit 33554432 box:1 c sleep 1000
	local group
	group=$(cgroup_of "$(ctr task ls | awk '$1 == "c" { print $2 }')")
	echo "${group#/sys/fs/cgroup} $(cat "$group/memory.max") $(systemctl show -P ActiveState ctr-c.scope)"
	step ctr task exec --exec-id e c true
	step ctr task kill -s KILL c
	wait_until 60 eval 'ctr task ls | grep -q STOPPED'
	ctr task delete c >/dev/null 2>&1
	ctr container rm c
	[ -d "$group" ] || echo "no group is left"
}

@test "containerd with systemd's cgroups: a scope in the slice that is named" {
	containerd_start
	both ctr_scopes
	run cat kist.out
	assert_line '/system.slice/ctr-c.scope 33554432 active'
	assert_line 'no group is left'
}
