# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A podman of the test's own: storage, locks and configuration below its folder; its state below /run, since podman takes
# no name over 50 characters for that. Loaded after callers.bash.

# podman_setup [NETNS]: the configuration, and the image box:1
podman_setup() {
	PODMAN_DIR=${PODMAN_DIR:-$BATS_TEST_TMPDIR/podman}
	mkdir -p "$PODMAN_DIR/tree"
	# without a limit of processes, which a host may have to refuse; locks in files, since /dev/shm is everybody's
	cat >"$PODMAN_DIR/containers.conf" <<-C
		[containers]
		pids_limit = 0
		log_driver = "k8s-file"
		netns = "${1:-host}"
		[engine]
		cgroup_manager = "${PODMAN_CGROUPS:-cgroupfs}"
		events_logger = "none"
		lock_type = "file"
		[network]
		network_backend = "netavark"
		network_config_dir = "$PODMAN_DIR/networks"
	C
	cat >"$PODMAN_DIR/storage.conf" <<-C
		[storage]
		driver = "${PODMAN_DRIVER:-overlay}"
		runroot = "/run/kist-podman/run"
		graphroot = "$PODMAN_DIR/graph"
	C
	export CONTAINERS_CONF=$PODMAN_DIR/containers.conf CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf
	export DISABLE_HC_SYSTEMD=true
	box_tree "$PODMAN_DIR/tree"
	tar -C "$PODMAN_DIR/tree" -c . | RT=runc podman import -q - box:1 >/dev/null
	rm -rf "$PODMAN_DIR/tree"
}

# podman ARG...: with the runtime RT
podman() {
	command podman --root "$PODMAN_DIR/graph" --runroot "/run/kist-podman/run" --tmpdir "/run/kist-podman/tmp" \
		--log-level error --runtime "$RT" "$@"
}

# podman_gone NAME...: removes them, whatever podman says of it: it is in a race with itself, since the monitor of a
# container that ends calls `podman container cleanup`
podman_gone() {
	podman rm -f -t 0 "$@" >/dev/null 2>&1
	wait_until 20 eval '! pgrep -x conmon'
}

# podman_end: no container and no mount is left; for teardown
podman_end() {
	local point
	for RT in "$KIST" runc; do
		podman rm -f -t 0 -a >/dev/null 2>&1 || :
	done
	wait_until 20 eval '! pgrep -x "conmon|podman"' || :
	awk -v dir="$PODMAN_DIR/" 'index($5, dir) == 1 || index($5, "/run/kist-podman/") == 1 { print $5 }' /proc/self/mountinfo | tac |
		while read -r point; do umount -l "$point"; done
	! mountpoint -q /run/netns || umount -l /run/netns
	callers_sweep /run/kist-podman /run/netns
}
