# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the suites of the engine: images to run. Loaded after common.bash.

# base_image [NAME]: the suite's root file system as an image of one layer, without a config
base_image() {
	kist image import -q "$KIST_TEST_ROOTFS" "${1:-base:1}" >/dev/null
}

# app_image NAME [UMOCI-CONFIG-OPTION...]: an image of two layers with a config: the suite's root file system, and
# /data with a file and an owner, /srv/app
app_image() {
	local name=$1
	shift
	mkdir -p two/data two/srv/app
	echo first >two/data/file
	chown -R 1000:1000 two/data
	chmod 750 two/data
	umoci init --layout app.layout
	umoci new --image app.layout:x
	umoci insert --image app.layout:x "$KIST_TEST_ROOTFS" / >/dev/null
	umoci insert --image app.layout:x two / >/dev/null
	umoci config --image app.layout:x "$@"
	kist image load -q --name "$name" app.layout:x >/dev/null
}

# detached ARG...: kist run -d without any of the test's own descriptors, which bats would wait for
detached() {
	kist run -d "$@" </dev/null 3>&-
}

# keeper_of NAME: the pid of a container's keeper
keeper_of() {
	local pid
	pid=$(kist inspect -f '{{.State.Pid}}' "$1")
	awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status"
}
