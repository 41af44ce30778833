# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a test leaves behind, as leaks-list lists it. Loaded by common.bash: leaks_note before the test,
# assert_nothing_left after it.

# leaks_list [BEFORE]: the list, or what it has more than the list in the file BEFORE
leaks_list() {
	KIST_ROOT=$KIST_ROOT KIST_STORE=$KIST_STORE "${BASH_SOURCE[0]%/*}/leaks-list" "$@"
}

leaks_note() {
	leaks_list >"$BATS_TEST_TMPDIR/.leaks.before"
}

# leaks_watch: should the test reach its time limit, ends what it has left soon after. bats ends only its own children,
# and would then wait without end for the output of a container that holds the test's standard output. Nobody's child,
# or bats would end it as well.
leaks_watch() {
	local test=$BASHPID
	LEAKS_WATCH=$BATS_TEST_TMPDIR/.leaks.watch
	[ -n "${BATS_TEST_TIMEOUT:-}" ] || return 0
	(
		(
			exec </dev/null >/dev/null 2>&1 3>&- 4>&- 9<> <(:)
			echo "$BASHPID" >"$LEAKS_WATCH"
			read -r -t $((BATS_TEST_TIMEOUT + 2)) -u 9 || : # a sleep without a process
			export LEAKS_SUITE_PID=$test
			! kill -0 "$test" || leaks_sweep
		) &
	)
	until [ -s "$LEAKS_WATCH" ]; do sleep 0.01; done
}

leaks_unwatch() {
	[ ! -s "$LEAKS_WATCH" ] || kill "$(<"$LEAKS_WATCH")"
} 2>/dev/null

# leaks_found: what is there now and was not before
leaks_found() {
	leaks_list "$BATS_TEST_TMPDIR/.leaks.before"
}

# assert_nothing_left: fails with a list of what is left. The kernel takes a moment to end processes and to let go
# of what they held, hence the time allowed.
assert_nothing_left() {
	local left tries=${LEAKS_TRIES:-40}
	while :; do
		left=$(leaks_found)
		[ -n "$left" ] || break
		[ "$tries" -gt 0 ] || break
		tries=$((tries - 1))
		sleep 0.05
	done
	leaks_unpin
	[ -n "$left" ] || return 0
	leaks_sweep
	printf 'left behind:\n%s\n' "$left" >&2
	return 1
}

# leaks_unpin: unmounts the caches that kist keeps below its state root by design
leaks_unpin() {
	awk -v root="$KIST_ROOT/.template" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | tac |
		while read -r point; do umount -l "$point"; done
}

# leaks_sweep: removes what is left, so that the next test starts from clean ground.
leaks_sweep() {
	local left kind what tries=20
	leaks_unpin
	while left=$(leaks_found) && [ -n "$left" ] && [ $tries -gt 0 ]; do
		tac <<<"$left" | while read -r kind what _; do # the deepest first
			case $kind in
			process) kill -KILL "$what" ;;
			cgroup)
				echo 1 >"$what/cgroup.kill"
				echo 0 >"$what/cgroup.freeze"
				rmdir "$what"
				;;
			mount) umount -l "$what" ;;
			netdev) ip link delete "$what" ;;
			loop)
				what=${what#/sys/block/}
				losetup -d "/dev/${what%%/*}"
				;;
			state | run) rm -rf --one-file-system "$what" ;;
			esac
		done >/dev/null 2>&1
		tries=$((tries - 1))
		sleep 0.05
	done
	return 0
}
