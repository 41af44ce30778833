# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# Docker on kist, beside Docker on runc: the same scripts, the same output. Limits are in vm/95-callers.bats.

load ../helpers/common
load ../helpers/callers
load ../helpers/docker

setup() {
	kist_setup
}

teardown() {
	docker_stop
	kist_teardown
}

@test "docker run: output, statuses 125, 126 and 127, user, volumes, isolation" {
	docker_start
	both docker_starts
	run cat kist.out
	assert_line --index 0 out
	assert_line --index 1 -- '-> 3'
	assert_equal "$(grep -cE -- '-> 12[67]' kist.out)" 3
	assert_line kept
	assert_line --regexp '^CapBnd:.0000000000000020$'
	# runc refuses where the host itself lacks a capability; kist leaves that one out
	run -0 docker run --rm --privileged box:1 grep -E '^Seccomp:' /proc/self/status
	assert_line --regexp '^Seccomp:.0$'
	run docker info -f '{{.DefaultRuntime}} {{json .Runtimes}}'
	assert_output --regexp '^kist .*"kist":'
}

@test "docker run -d: exec, pause, stop, logs, start, kill, restart, commit; restart policy" {
	docker_start
	both docker_life
	run cat kist.out
	assert_line in
	assert_line stopping
	assert_line 'exited 7 false '
	assert_line 137
	both docker_restarts
	run cat kist.out
	assert_line '2 9'
	assert_equal "$(grep -c once kist.out)" 3
}

@test "docker run -it, exec -it: terminals" {
	docker_start
	both docker_terminals
	assert_equal "$(<kist.out)" $'24 80\n-> 5\n24 80\n/dev/pts/0\n-> 6\nbox1'
}

@test "docker build: RUN, USER, WORKDIR, COPY" {
	docker_start
	mkdir ctx
	echo data >ctx/file
	cat >ctx/Dockerfile <<-'D'
		FROM box:1
		COPY file /data
		RUN id -u >/who && cat /data >>/who
		USER app
		WORKDIR /home/app
		RUN pwd >where && id -u >>where
		CMD cat /who where
	D
	DOCKER_BUILDKIT=0 docker build -q --network none -t built ctx
	run -0 docker run --rm built
	assert_output $'0\ndata\n/home/app\n1000'
	printf 'FROM box:1\nRUN exit 9\n' >ctx/Dockerfile
	run -9 env DOCKER_BUILDKIT=0 /usr/bin/docker -H "unix://$DOCKER_RUN/sock" build -q --network none ctx
	assert_output --partial 'returned a non-zero code: 9'
}

@test "docker run -p: a published port, names and addresses in a bridge" {
	DOCKERD_OPTIONS='--bip=172.29.0.1/24' docker_start
	docker run -d --name web -p 127.0.0.1:8080:80 box:1 sh -c 'echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp' >/dev/null
	wait_until 10 nsenter -n -t "$DOCKERD" busybox wget -q -O page http://127.0.0.1:8080/index.html
	assert_equal "$(<page)" served
	run -0 docker run --rm --link web box:1 wget -q -O - http://web/index.html
	assert_output served
	run -0 docker run --rm --network container:web box:1 wget -q -O - http://127.0.0.1/index.html
	assert_output served
}
