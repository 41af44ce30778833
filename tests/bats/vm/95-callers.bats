# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# vm: -m 3072
# What podman, containerd and Docker ask of a runtime where every controller is there: limits, updates, counters, ports.
# The same scripts run with kist and with runc.

load ../../helpers/common
load ../../helpers/callers
load ../../helpers/podman
load ../../helpers/containerd
load ../../helpers/docker

setup() {
	kist_setup
}

teardown() {
	[ -z "${PODMAN_DIR:-}" ] || podman_end
	containerd_stop
	docker_stop
	kist_teardown
}

podman_limits() {
	step podman run --rm --memory 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpuset-cpus 0 \
		--pids-limit 50 --cgroupns private box:1 sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max memory.low cpu.max cpuset.cpus pids.max'
	step podman run -d --name c --memory 64m --pids-limit 60 box:1 sleep 1000 >/dev/null
	step podman update --memory 32m --cpus 0.25 c >/dev/null
	step podman exec c sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
	podman stats --no-stream --format '{{.Name}} {{.PIDs}}' c
	podman_gone c
	step podman run --rm --memory 16m --memory-swap 16m box:1 sh -c 'exec tail /dev/zero'
}

@test "podman: limits, update, stats, out of memory" {
	podman_setup
	both podman_limits
	run cat kist.out
	assert_line --index 0 67108864
	assert_line --index 1 33554432
	assert_line '50000 100000'
	assert_line 33554432
	assert_line '25000 100000'
	assert_line 'c 1'
	assert_line -- '-> 137'
}

podman_ports() {
	podman run -d --name web -p 127.0.0.1:8080:80 box:1 sh -c 'echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp' >/dev/null
	wait_until 60 busybox wget -q -O page http://127.0.0.1:8080/index.html
	cat page
	rm page
	step podman run --rm --network container:web box:1 wget -q -O - http://127.0.0.1/index.html
	step podman run --rm --network none box:1 ls /sys/class/net
	podman_gone web
}

@test "podman: -p, and another container's network" {
	podman_setup bridge
	both podman_ports
	run cat kist.out
	assert_output $'served\nserved\n-> 0\nlo\n-> 0'
}

@test "containerd: output, statuses, mounts, seccomp" {
	containerd_start
	both ctr_starts
}

ctr_limits() {
	step ctr_run -d --memory-limit 33554432 --cpu-quota 50000 --cpu-period 100000 box:1 c sleep 1000
	cat /sys/fs/cgroup/box/c/memory.max /sys/fs/cgroup/box/c/cpu.max
	ctr task metrics c | awk '$1 == "memory.usage_limit" || $1 == "pids.current" && $2 > 0 { print $1, $1 ~ /limit/ ? $2 : "some" }'
	ctr task kill -s KILL c
	wait_until 60 eval 'ctr task ls | grep -q STOPPED'
	ctr task delete c >/dev/null 2>&1
	ctr container rm c
}

@test "containerd: limits, metrics, exec, pause, delete, terminals" {
	containerd_start
	both ctr_limits
	run cat kist.out
	assert_line 33554432
	assert_line '50000 100000'
	assert_line 'memory.usage_limit 33554432'
	assert_line 'pids.current some'
	both ctr_life
	both ctr_terminals
}

docker_limits() {
	docker_run -d --name box1 --memory 64m --memory-swap 96m --cpus 0.5 --pids-limit 50 --cpuset-cpus 0 box:1 sleep 1000 >/dev/null
	step docker exec box1 sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max cpuset.cpus'
	step docker update --memory 32m --memory-swap 64m --cpus 0.25 --pids-limit 60 box1
	step docker exec box1 sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max pids.max'
	docker stats --no-stream --format '{{.Name}} {{.PIDs}}' box1
	docker rm -f box1
	docker_run --name oom --memory 16m --memory-swap 16m box:1 sh -c 'exec tail /dev/zero'
	docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom
	docker rm oom
}

@test "docker: limits, update, stats, out of memory" {
	docker_start
	both docker_limits
	run cat kist.out
	assert_line 67108864
	assert_line '50000 100000'
	assert_line '25000 100000'
	assert_line 'box1 1'
	assert_line 'true 137'
}

@test "podman: checkpoint and restore" {
	podman_setup none
	RT=$(callers_kist) RT_NAME=kist
	podman run -d --name c box:1 sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.2; done' >/dev/null
	wait_until 60 podman exec c test -s /count
	podman container checkpoint c
	assert_equal "$(podman inspect -f '{{.State.Status}} {{.State.Checkpointed}}' c)" 'exited true'
	local before
	before=$(podman cp c:/count - | tar -xOf -)
	podman container restore c
	wait_until 60 eval '[ "$(podman exec c cat /count)" -gt "$before" ]'
	podman container checkpoint --leave-running --export dump.tar c
	assert_equal "$(podman inspect -f '{{.State.Status}}' c)" running
	podman_gone c
	podman container restore --import dump.tar --name d
	wait_until 60 eval '[ "$(podman exec d cat /count)" -gt "$before" ]'
	podman_gone d
}
