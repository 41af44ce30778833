# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The library of all bats suites: `load ../helpers/common` (tests/bats/vm: `load ../../helpers/common`).
# It gives each test a state root and a store of its own, bundles to start from, and a teardown that fails the test
# when anything is left behind. Files with a setup or teardown of their own call kist_setup and kist_teardown in them.
# Suites are run by tests/run, which isolates them; setup_suite.bash sets KIST, KIST_IMAGE and KIST_TEST_ROOTFS.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file
# shellcheck source=tests/helpers/leaks.bash
. "${BASH_SOURCE[0]%/*}/leaks.bash"

setup() { kist_setup; }
teardown() { kist_teardown; }

# kist_setup: goes to the test's own folder, sets KIST_ROOT and KIST_STORE below it, notes what is there before.
kist_setup() {
	KIST_ROOT=$BATS_TEST_TMPDIR/root
	KIST_STORE=$BATS_TEST_TMPDIR/store
	BUNDLE=
	cd "$BATS_TEST_TMPDIR" || return 1
	leaks_watch
	leaks_note
}

# kist_teardown: a passed test must have left nothing. After a failed one, what is left is only swept away, so that
# the reason of the failure stays the one that is reported.
kist_teardown() {
	cd /
	leaks_unwatch
	if [ -n "${BATS_TEST_COMPLETED:-}" ] || [ -n "${BATS_TEST_SKIPPED:-}" ]; then
		assert_nothing_left
	else
		leaks_sweep
	fi
}

# kist ARG...: the program under test, with this test's state root and store
kist() {
	"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" "$@"
}

# new_bundle DIR [COMMAND [ARG...]]: a bundle with a busybox root and the default config, no terminal, running
# COMMAND (default: true). Sets BUNDLE to its absolute path, which edit_config works on.
new_bundle() {
	local dir=$1
	shift
	[ $# -gt 0 ] || set -- true
	mkdir -p "$dir"
	BUNDLE=$(readlink -f "$dir")
	# programs are hard links to the suite's; what a test may want to change is copied
	mkdir "$BUNDLE/rootfs"
	cp -a "$KIST_TEST_ROOTFS"/{dev,etc,home,proc,root,run,sys,tmp,usr,var} "$BUNDLE/rootfs/"
	cp -al "$KIST_TEST_ROOTFS/bin" "$BUNDLE/rootfs/" 2>/dev/null || cp -a "$KIST_TEST_ROOTFS/bin" "$BUNDLE/rootfs/"
	(cd "$BUNDLE" && rm -f config.json && "$KIST" spec) || return 1
	# shellcheck disable=SC2016
	edit_config '.process.terminal = false | .process.args = $ARGS.positional' --args -- "$@"
}

# edit_config FILTER [JQ-ARG...]: changes config.json of the last new_bundle
edit_config() {
	local filter=$1
	shift
	jq "$filter" "$BUNDLE/config.json" "$@" >"$BUNDLE/.config.new" && mv "$BUNDLE/.config.new" "$BUNDLE/config.json"
}

# create_container ID [OPTION...]: kist create for the last bundle. The container keeps the standard streams that it is
# given, so `run kist create` would wait for its end: they go to ID.out and ID.err in the test's folder.
create_container() {
	kist create --bundle "$BUNDLE" "${@:2}" "$1" >"$BATS_TEST_TMPDIR/$1.out" 2>"$BATS_TEST_TMPDIR/$1.err" </dev/null 3>&- ||
		{
			local status=$?
			cat "$BATS_TEST_TMPDIR/$1.err" >&2
			return $status
		}
}

# set_args COMMAND [ARG...]: changes what the last new_bundle runs
set_args() {
	# shellcheck disable=SC2016
	edit_config '.process.args = $ARGS.positional' --args -- "$@"
}

# state_of ID KEY: one key of a container's state, e.g. status or pid
state_of() {
	kist state "$1" | jq -r --arg key "$2" '.[$key]'
}

# wait_until SECONDS COMMAND [ARG...]: until COMMAND succeeds; fails with its words after SECONDS
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "not within the time: $*"
		sleep 0.05
	done
}

# wait_status ID STATUS [SECONDS]: until the container's status is STATUS
wait_status() {
	wait_until "${3:-10}" eval "[ \"\$(state_of '$1' status)\" = '$2' ]"
}

# cgroup_of PID: the folder of a process's cgroup
cgroup_of() {
	echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# has_controller NAME...: whether this cgroup v2 tree has them all
has_controller() {
	local name
	for name; do
		grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || return 1
	done
}

# with_terminal COMMAND [ARG...]: runs it on a new pseudo terminal of 80x24; its output and status come back
with_terminal() {
	python3 "${BASH_SOURCE[0]%/*}/terminal.py" "$@"
}
