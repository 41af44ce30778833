# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs once before the suite: checks the ground that every test stands on (and fails when it is not there: a broken
# environment is no reason to skip), and builds the root file system that bundles start from.

need() { # need WHAT COMMAND...
	local what=$1
	shift
	"$@" >/dev/null 2>&1 || {
		echo "environment: $what" >&2
		return 1
	}
}

check_environment() {
	local name
	need "not root" test "$(id -u)" -eq 0 || return 1
	need "$KIST is not there: run make" test -x "$KIST" || return 1
	for name in busybox jq setpriv unshare findmnt python3; do
		need "$name is not installed: run scripts/deps test" command -v "$name" || return 1
	done
	need "/sys/fs/cgroup is not cgroup2: run this by tests/run" \
		test "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs || return 1
}

# A small root file system: a static busybox under all its names, root and a user `app`, and the usual folders.
build_rootfs() {
	local root=$1 applet
	mkdir -p "$root"/{bin,dev,etc,proc,sys,run,root,home/app,usr/bin,var}
	mkdir -m 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	need "busybox is not a static program" "$root/bin/busybox" --list || return 1
	for applet in $("$root/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	cat >"$root/etc/passwd" <<-'E'
		root:x:0:0:root:/root:/bin/sh
		app:x:1000:1000:app:/home/app:/bin/sh
	E
	cat >"$root/etc/group" <<-'E'
		root:x:0:
		staff:x:50:app
		app:x:1000:
	E
	chown 1000:1000 "$root/home/app"
}

setup_suite() {
	local top
	top=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")
	export KIST=${KIST:-$top/build/kist}
	export KIST_IMAGE=${KIST_IMAGE:-${KIST%/*}/kist-image}
	export KIST_TEST_ROOTFS=$BATS_SUITE_TMPDIR/rootfs
	export LC_ALL=C
	chmod 755 "$BATS_RUN_TMPDIR" # containers with another root go through it
	check_environment && build_rootfs "$KIST_TEST_ROOTFS"
}
