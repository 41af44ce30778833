# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# buildah run and build on kist, beside runc: the same scripts, the same output, but for one line: this buildah asks for
# ambient capabilities that are not inheritable, which the kernel never gives; kist says so, as the specification demands
# (config.md, "capabilities"), and this runc does not.

load ../helpers/common
load ../helpers/callers
load ../helpers/podman

setup() {
	kist_setup
	podman_setup
}

teardown() {
	RT=$KIST buildah rm -a >/dev/null
	podman_end
	kist_teardown
}

# buildah VERB ARG...: on the test's storage, with the runtime RT; only run and build take one
buildah() {
	local verb=$1
	shift
	case $verb in
	run) set -- --isolation oci --runtime "$RT" "$@" ;;
	build) set -- --isolation oci --runtime "$RT" --network host --pull-never "$@" ;;
	esac
	command buildah --root "$PODMAN_DIR/graph" --runroot /run/kist-podman/run --storage-driver overlay --log-level error \
		"$verb" "$@"
}

runs() {
	local c
	c=$(buildah from --pull-never box:1)
	step buildah run "$c" sh -c 'echo out; exit 3' 2>&1 | grep -v '^Error'
	step buildah run "$c" nonsense 2>&1 | grep -oE 'executable file not found in .PATH'
	step buildah run --user app --env A=b --workingdir /etc "$c" sh -c 'pwd; echo $A; id -u'
	step buildah run -v "$PWD:/v:ro" "$c" sh -c 'ls /v | grep -c podman; touch /v/x 2>&1'
	step buildah run --cap-drop all "$c" sh -c 'grep -E "^Cap(Eff|Bnd)|^Seccomp:" /proc/self/status'
	buildah run -t "$c" sh -c 'test -t 1 && echo a terminal; exit 5' </dev/null 2>&1 | grep -v Error
	step buildah run "$c" sh -c 'echo kept >/kept'
	step buildah run "$c" cat /kept
	buildah rm "$c" >/dev/null
}

@test "buildah run --isolation oci: output, statuses, user, mounts, capabilities" {
	both runs
	run grep -c 'process.capabilities.ambient: not both permitted and inheritable' kist.raw
	assert [ "$output" -ge 4 ]
	run cat kist.out
	assert_line --index 0 out
	assert_line --index 1 -- '-> 3'
	assert_line --partial 'executable file not found in $PATH'
	assert_line b
	assert_line 1000
	assert_line --regexp '^CapBnd:.0000000000000000$'
	assert_line kept
}

builds() {
	step buildah build -q -t built ctx | grep -v '^ID$'
	local c
	c=$(buildah from --pull-never localhost/built)
	step buildah run "$c" sh -c 'cat /who /home/app/where; echo $COLOR'
	buildah rm "$c" >/dev/null
	buildah rmi localhost/built >/dev/null
	step buildah build -q -f ctx/Failing ctx 2>&1 | grep -oE 'exit status [0-9]+|^->.*'
}

@test "buildah build --isolation oci: RUN, USER, WORKDIR, ENV, COPY, a command that fails" {
	mkdir ctx
	echo data >ctx/file
	cat >ctx/Dockerfile <<-'D'
		FROM box:1
		COPY file /data
		RUN id -u >/who && cat /data >>/who
		ENV COLOR=blue
		USER app
		WORKDIR /home/app
		RUN --mount=type=tmpfs,dst=/t pwd >where && id -u >>where && touch /t/x
	D
	printf 'FROM box:1\nRUN exit 9\n' >ctx/Failing
	both builds
	run cat kist.out
	assert_line data
	assert_line /home/app
	assert_line blue
	assert_line 'exit status 9'
}
