# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# linux.intelRdt from create to delete. Few machines have a processor for it: a tmpfs stands for resctrl, which strace
# passes off as one (it changes the number in the answer to fstatfs), and the test makes the files that the kernel would.
# The rules themselves are in unit/test_resctrl. Source: runtime-spec config-linux.md "IntelRdt".

load ../helpers/common
load ../helpers/runtime

setup() {
	kist_setup
	HELD=
}

teardown() {
	[ -z "$HELD" ] || release_ns
	kist_teardown
}

# fake_resctrl: a class "web", as the kernel shows one; on /sys/fs/resctrl in a mount namespace of the test's own
fake_resctrl() {
	local dir
	FAKE=$BATS_TEST_TMPDIR/fs
	mkdir "$FAKE"
	for dir in /sys/fs/*; do
		mkdir "$FAKE/${dir##*/}"
	done
	mkdir -p "$FAKE/resctrl/mon_groups"
	touch "$FAKE/resctrl/tasks"
	class web '    L3:0=0000f;1=fffff'
	hold_ns --mount --propagation private
	nsenter --mount --target "$HELD" sh -ec 'mount --bind "$0" "$0"
		for dir in /sys/fs/*; do mount --rbind "$dir" "$0/${dir##*/}"; done
		mount --rbind "$0" /sys/fs' "$FAKE"
}

# there COMMAND...: where the fake is
there() {
	nsenter --mount="/proc/$HELD/ns/mnt" --wd="$PWD" "$@"
}

# class NAME SCHEMATA: the files of a class
class() {
	mkdir -p "$FAKE/resctrl/$1/mon_groups"
	touch "$FAKE/resctrl/$1/tasks"
	printf '%s\n' "$2" >"$FAKE/resctrl/$1/schemata"
}

# fooled ARG...: kist, to which the tmpfs is a resctrl. mkdir takes its time, in which the test makes files.
fooled() {
	there strace -qq -o /dev/null -P /sys/fs/resctrl -e trace=fstatfs,mkdirat,openat \
		-e inject=fstatfs:poke_exit=@arg2=2158650700000000 -e inject=mkdirat:delay_exit=500000 \
		"$KIST" --root "$KIST_ROOT" "$@"
}

# when_there DIR FILE...: makes the files as soon as the directory is there
when_there() {
	wait_until 20 [ -d "$FAKE/resctrl/$1" ]
	local name
	for name in "${@:2}"; do touch "$FAKE/resctrl/$1/$name"; done
}

@test "without a mounted resctrl it is refused, and nothing is made" {
	grep -q resctrl /proc/mounts && skip 'this machine has one'
	box true
	edit_config '.linux.intelRdt = { closID: "web" }'
	run -125 run_box
	assert_output --partial 'linux.intelRdt: no resctrl file system is mounted on /sys/fs/resctrl'
	assert_not_exist "$KIST_ROOT/c"
}

@test "what is mounted there and is no resctrl does not count" {
	fake_resctrl
	box true
	edit_config '.linux.intelRdt = { closID: "web" }'
	run -125 there "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output --partial 'linux.intelRdt: no resctrl file system is mounted on /sys/fs/resctrl'
}

@test "a class that is there: the process joins it, exec too, and it stays" {
	fake_resctrl
	box sleep 1000
	edit_config '.linux.intelRdt = { closID: "web", l3CacheSchema: "L3:0=f" }'
	fooled create --bundle b c >out 2>&1 </dev/null 3>&-
	assert_equal "$(<"$FAKE/resctrl/web/tasks")" "$(state_of c pid)"
	assert_equal "$(jq -r .rdt "$KIST_ROOT/c/state.json")" web
	kist start c
	: >"$FAKE/resctrl/web/tasks"
	fooled exec -d --pid-file e.pid c sleep 1000
	assert_equal "$(<"$FAKE/resctrl/web/tasks")" "$(<e.pid)"
	fooled delete --force c
	assert_exist "$FAKE/resctrl/web/tasks"
}

@test "without intelRdt nothing of it is touched, not even what has the container's id" {
	fake_resctrl
	class c '    L3:0=0000f'
	box true
	find "$FAKE/resctrl" -printf '%p %T@ %C@\n' | sort >before
	run there strace -qq -f -o trace -P /sys/fs/resctrl "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_success
	assert_equal "$(find "$FAKE/resctrl" -printf '%p %T@ %C@\n' | sort)" "$(<before)"
	run cat trace
	assert_output ''
}

@test "a class that is there with another schema is refused" {
	fake_resctrl
	box true
	edit_config '.linux.intelRdt = { closID: "web", schemata: ["L3:0=1f;1=fffff"] }'
	run -125 fooled run --bundle b c
	assert_output --partial 'linux.intelRdt: class web is there already with L3:0=0000f, not 1f'
	assert_not_exist "$KIST_ROOT/c"
	assert_equal "$(<"$FAKE/resctrl/web/tasks")" ''
}

@test "a class of the container's own is made, written, monitored and removed" {
	fake_resctrl
	box sleep 1000
	edit_config '.linux.intelRdt = { l3CacheSchema: "L3:0=3", memBwSchema: "MB:0=50", enableMonitoring: true }'
	(when_there c schemata tasks && mkdir "$FAKE/resctrl/c/mon_groups" && when_there c/mon_groups/c tasks) 3>&- &
	fooled create --bundle b c >out 2>&1 </dev/null 3>&-
	wait $!
	assert_equal "$(<"$FAKE/resctrl/c/schemata")" $'L3:0=3\nMB:0=50'
	assert_equal "$(<"$FAKE/resctrl/c/tasks")" "$(state_of c pid)"
	assert_equal "$(<"$FAKE/resctrl/c/mon_groups/c/tasks")" "$(state_of c pid)"
	# what the kernel removes with the directories
	rm "$FAKE/resctrl/c/mon_groups/c/tasks"
	run fooled delete c
	assert_failure
	assert_output --partial 'linux.intelRdt: remove c'
	assert_not_exist "$FAKE/resctrl/c/mon_groups/c"
	rmdir "$FAKE/resctrl/c/mon_groups"
	rm "$FAKE/resctrl/c/"*
	fooled delete c
	assert_not_exist "$FAKE/resctrl/c"
}

@test "update changes the class of a running container, and what is kept of it" {
	fake_resctrl
	box sleep 1000
	edit_config '.linux.intelRdt = { closID: "web" }'
	fooled create --bundle b c >out 2>&1 </dev/null 3>&-
	run -1 fooled update --mem-bw-schema 'L3:0=3' c
	assert_output --partial 'linux.intelRdt.memBwSchema: expected one line that begins with MB:'
	assert_equal "$(<"$FAKE/resctrl/web/schemata")" '    L3:0=0000f;1=fffff'
	fooled update --l3-cache-schema 'L3:0=00003;1=0ffff' --mem-bw-schema 'MB:0=50' c
	assert_equal "$(<"$FAKE/resctrl/web/schemata")" $'L3:0=00003;1=0ffff\nMB:0=50'
	run jq -c '.linux.intelRdt' "$KIST_ROOT/c/config.json"
	assert_output '{"closID":"web","l3CacheSchema":"L3:0=00003;1=0ffff","memBwSchema":"MB:0=50"}'
	run -1 kist update --l3-cache-schema 'L3:0=1' c
	assert_output --partial 'no resctrl file system is mounted'
	fooled delete --force c
}

@test "a create that fails leaves no group" {
	fake_resctrl
	box true
	edit_config '.linux.intelRdt = { closID: "gold", memBwSchema: "MB:0=50" }'
	run -125 fooled run --bundle b c
	assert_output --partial 'linux.intelRdt: gold/schemata: No such file or directory'
	assert_not_exist "$FAKE/resctrl/gold"
	edit_config '.linux.intelRdt = { enableMonitoring: true }'
	run -125 fooled run --bundle b c
	assert_not_exist "$FAKE/resctrl/c"
	edit_config '.linux.intelRdt = {} | .process.args = ["/no/such"]'
	run -125 fooled run --bundle b c
	assert_output --partial 'linux.intelRdt: c/tasks: No such file or directory'
	assert_not_exist "$FAKE/resctrl/c"
	edit_config '.linux.intelRdt = { closID: "web", enableMonitoring: true }'
	run -125 fooled run --bundle b c
	assert_not_exist "$FAKE/resctrl/web/mon_groups/c"
	assert_not_exist "$KIST_ROOT/c"
}

@test "a create that was killed is cleaned up by delete" {
	fake_resctrl
	box true
	edit_config '.linux.intelRdt = {}'
	run there strace -qq -o /dev/null -P /sys/fs/resctrl -e trace=fstatfs,mkdirat,openat \
		-e inject=fstatfs:poke_exit=@arg2=2158650700000000 -e inject=openat:signal=KILL:when=2 \
		"$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_exist "$FAKE/resctrl/c"
	assert_exist "$KIST_ROOT/c/state.json"
	fooled delete --force c
	assert_not_exist "$FAKE/resctrl/c"
	assert_not_exist "$KIST_ROOT/c"
}
