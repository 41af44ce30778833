# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What `make install` puts into share/kist for other programs: each is taken by the program that it is for.

load ../helpers/common
load ../helpers/callers
load ../helpers/podman

setup() {
	kist_setup
	local top
	top=$(readlink -f "${BATS_TEST_FILENAME%/*}/../..")
	make -s -C "$top" O="${KIST%/*}" PREFIX="$PWD/inst" install
	SHARE=$PWD/inst/share/kist
}

teardown() {
	[ -z "${PODMAN_DIR:-}" ] || podman_end
	umount /etc/containers 2>/dev/null || :
	kist_teardown
}

@test "install: no placeholder is left, and what the snippets name is there; uninstall takes all away" {
	run ! grep -r '@BINDIR@' inst
	grep -rhoE "$PWD/inst/bin/[a-z-]+" "$SHARE" | sort -u >named
	assert_equal "$(<named)" "$PWD/inst/bin/kist"$'\n'"$PWD/inst/bin/kist-oci"
	while read -r file; do assert_file_executable "$file"; done <named
	run -0 "$PWD/inst/bin/kist-oci" --version
	assert_line --index 0 --regexp '^kist version '
	make -s -C "$(readlink -f "${BATS_TEST_FILENAME%/*}/../..")" O="${KIST%/*}" PREFIX="$PWD/inst" uninstall
	run find inst -type f -o -type l
	assert_output ''
}

@test "containers.conf: podman runs by it, reads kist's JSON, and may leave cgroups out" {
	podman_setup
	cp -a /etc/containers etc
	mkdir -p etc/containers.conf.d
	cp "$SHARE/containers.conf" etc/containers.conf.d/kist.conf
	grep -v '^runtime' "$CONTAINERS_CONF" >etc/containers.conf.d/test.conf
	mount --bind etc /etc/containers
	unset CONTAINERS_CONF
	podman() { # without --runtime
		command podman --root "$PODMAN_DIR/graph" --runroot /run/kist-podman/run --tmpdir /run/kist-podman/tmp \
			--log-level error "$@"
	}
	run -0 podman info -f '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	assert_output "kist $PWD/inst/bin/kist-oci"
	run -3 podman run --rm box:1 sh -c 'echo out; exit 3'
	assert_output out
	run -127 podman run --rm box:1 nonsense
	# shellcheck disable=SC2016
	assert_output 'Error: kist: exec: "nonsense": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found'
	podman run -d --name free --cgroups disabled box:1 sleep 1000 >/dev/null
	assert_equal "$(cgroup_of "$(podman inspect -f '{{.State.Pid}}' free)")" "$(cgroup_of $$)"
	podman rm -f -t 0 free >/dev/null
}

@test "containerd.toml: containerd knows the runtime, by import" {
	printf 'version = 2\nimports = ["%s"]\n' "$SHARE/containerd.toml" >config.toml
	run -0 containerd --config config.toml config dump
	assert_line --regexp "^ *BinaryName = \"$PWD/inst/bin/kist-oci\""
	assert_line --regexp '^ *\[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kist\]'
}

@test "crio.conf: is TOML with the table that CRI-O reads" {
	run -0 python3 - "$SHARE/crio.conf" <<-'P'
		import sys, tomllib
		t = tomllib.load(open(sys.argv[1], "rb"))["crio"]["runtime"]["runtimes"]["kist"]
		print(t["runtime_type"], t["runtime_path"].rsplit("/", 1)[1])
	P
	assert_output 'oci kist-oci'
}

@test "docker.json: is JSON with the runtime" {
	run -0 jq -r '.runtimes.kist.path' "$SHARE/docker.json"
	assert_output "$PWD/inst/bin/kist-oci"
}

@test "kist@.service: systemd finds nothing wrong with it" {
	cp "$SHARE/kist@.service" kist@demo.service
	run -0 systemd-analyze verify --man=no "$PWD/kist@demo.service"
	refute_output --partial 'kist@demo.service:'
	rm -r /run/systemd
}
