# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the suites share that run kist under other programs: podman, buildah, containerd, Docker. Loaded after common.bash.
# Each script runs twice, with kist and with Debian's runc, and must print the same: both.

# both FUNCTION: calls it with RT, the program, and RT_NAME, kist or runc, and compares all that it prints once what is
# each runtime's own way of speaking has been taken out of it, kist's warnings about capabilities, and a complaint of docker's that comes or not. What kist's run has printed is in the file kist.out.
both() {
	local name status
	for name in runc kist; do
		RT_NAME=$name
		case $name in
		kist) RT=$(callers_kist) ;;
		runc) RT=$(command -v runc) ;;
		esac
		(set +e && "$1") >"$name.raw" 2>&1 </dev/null 3>&-
		status=$?
		[ $status -eq 0 ] || echo "[ended with $status]" >>"$name.raw"
		grep -vE 'kist: warning: process.capabilities|error waiting for container: context canceled' "$name.raw" | callers_plain >"$name.out"
	done
	diff -u --label runc runc.out --label kist kist.out || fail "$1: kist and runc differ"
}

# callers_kist: the path of kist under its OCI name
callers_kist() {
	[ -e "$BATS_TEST_TMPDIR/bin/kist-oci" ] || { mkdir -p "$BATS_TEST_TMPDIR/bin" && ln -s "$KIST" "$BATS_TEST_TMPDIR/bin/kist-oci"; }
	echo "$BATS_TEST_TMPDIR/bin/kist-oci"
}

# callers_plain: ids, times and the words that only one of the runtimes puts before an error
callers_plain() {
	sed -E -e "s|$KIST\\b|RT|g; s|[^ ]*/kist-oci\\b|RT|g; s|/usr/s?bin/runc|RT|g; s|: kist: |: |g" \
		-e 's/(runc create failed: |exec failed: )?unable to start container process: (error during container init: )?//g; s/runc: /RT: /g' \
		-e 's/[0-9a-f]{64}/ID/g; s/\b[0-9a-f]{12}\b/ID/g' -e 's/[0-9]+ (seconds?|minutes?) ago/a moment ago/g' \
		-e 's/(exec: "[^"]*": )stat [^:]*: /\1/; s/\r+$//'
}

# step COMMAND...: its output, then its status on a line of its own
step() {
	"$@"
	echo "-> $?"
}

# box_tree DIR: a root file system for images, with busybox under its usual names
box_tree() {
	mkdir -p "$1"
	cp -a "$KIST_TEST_ROOTFS/." "$1/"
}

# callers_sweep: what the programs leave by design below /run and /sys/fs/cgroup, once their containers are gone
callers_sweep() {
	KIST_ROOT=/run/kist leaks_unpin
	rm -rf /run/kist /run/crun /run/runc /run/containers /run/libpod /run/criu.kdat "$@"
	rmdir /run/user /run/lock 2>/dev/null || :
	local group
	for group in /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/podman_probe /sys/fs/cgroup/machine.slice /sys/fs/cgroup/buildah* /sys/fs/cgroup/default; do
		[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || :
	done
}
