# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Docker daemon of the test's own, in a network namespace of its own, and scripts for docker. Loaded after callers.bash.

DOCKER_RUN=/run/kist-docker # sockets have short names
DOCKERD_OPTIONS=${DOCKERD_OPTIONS:---bridge=none}

# docker_start [RUNTIME]: the daemon, whose default runtime is RUNTIME (kist), and the image box:1; DOCKERD is its pid
docker_start() {
	local dir=$BATS_TEST_TMPDIR/docker
	mkdir -p "$DOCKER_RUN" "$dir"
	sed "s|@BINDIR@/kist-oci|$(callers_kist)|" "${BASH_SOURCE[0]%/*}/../../share/docker.json" >"$dir/kist.json"
	jq --arg run "$DOCKER_RUN" --arg dir "$dir" --arg default "${1:-kist}" '{
		runtimes, "default-runtime": $default, hosts: ["unix://\($run)/sock"],
		"data-root": "\($dir)/data", "exec-root": "\($run)/exec", pidfile: "\($run)/pid", "log-level": "warn",
		iptables: false, "ip-masq": false, "storage-driver": env.DOCKER_DRIVER
	} | with_entries(select(.value != null))' "$dir/kist.json" >"$dir/daemon.json"
	# shellcheck disable=SC2086
	unshare -n sh -c 'ip link set lo up && exec dockerd "$@"' sh --config-file "$dir/daemon.json" $DOCKERD_OPTIONS \
		>"$dir/log" 2>&1 </dev/null 3>&- &
	DOCKERD=$!
	wait_until 100 docker version
	tar -C "$KIST_TEST_ROOTFS" -c . | docker import -c 'CMD ["sh"]' - box:1 >/dev/null
}

docker_stop() {
	local point
	[ -n "${DOCKERD:-}" ] || return 0
	# shellcheck disable=SC2046
	docker rm -f $(docker ps -aq) >/dev/null
	kill "$DOCKERD" && wait "$DOCKERD"
	awk -v a="$DOCKER_RUN/" -v b="$BATS_TEST_TMPDIR/docker/" 'index($5, a) == 1 || index($5, b) == 1 { print $5 }' \
		/proc/self/mountinfo | tac | while read -r point; do umount -l "$point"; done
	[ ! -d /sys/fs/cgroup/docker ] || rmdir /sys/fs/cgroup/docker
	callers_sweep "$DOCKER_RUN" /run/docker /run/containerd
} 2>/dev/null

# docker ARG...: the client, for this daemon
docker() {
	/usr/bin/docker -H "unix://$DOCKER_RUN/sock" "$@"
}

# docker_run OPTION...: docker run with the runtime of this turn
docker_run() {
	docker run --runtime "$RT_NAME" "$@"
}

# ---- scripts: with any runtime the same output ----

docker_starts() {
	step docker_run --rm box:1 sh -c 'echo out; exit 3'
	step docker_run --rm box:1 nonsense
	step docker_run --rm box:1 /etc/passwd
	step docker_run --rm box:1 /no/such
	step docker_run --rm -w /etc -e A=b -u app --hostname box box:1 sh -c 'pwd; echo $A; id; hostname; cat /etc/hostname'
	step docker_run --rm -i box:1 cat < <(echo typed)
	mkdir -p host && echo data >host/file
	step docker_run --rm -v "$PWD/host:/v:ro" -v vol:/w box:1 sh -c 'cat /v/file; touch /v/x 2>&1; echo kept >/w/f'
	step docker_run --rm -v vol:/w box:1 cat /w/f
	step docker volume rm vol
	step docker_run --rm --read-only --tmpfs /t --cap-drop all --cap-add kill --security-opt no-new-privileges --init box:1 \
		sh -c 'exec 2>&1; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; touch /x; cat /proc/1/comm; grep -c " /t " /proc/mounts'
	step docker_run --rm --ulimit nofile=99:100 --shm-size 1m --sysctl kernel.msgmax=9000 --oom-score-adj 123 box:1 \
		sh -c 'ulimit -n; df -k /dev/shm | tail -n 1; cat /proc/sys/kernel/msgmax /proc/self/oom_score_adj'
}

docker_life() {
	step docker_run -d --name box1 --stop-timeout 20 box:1 sh -c 'trap "echo stopping; exit 7" TERM; echo started; while :; do sleep 0.1; done'
	step docker exec box1 sh -c 'echo in; exit 4'
	step docker exec box1 nonsense
	step docker exec box1 /etc/passwd
	step docker exec -u app -w /tmp -e A=b box1 sh -c 'id -u; pwd; echo $A; grep CapEff /proc/self/status'
	step docker exec -i box1 cat < <(echo typed)
	step docker pause box1
	step docker ps --format '{{.Names}} {{.Status}}' | sed 's/Up .*(/(/'
	step docker exec box1 true
	step docker unpause box1
	docker top box1 -o comm | sed 1d | sort -u
	step docker stop box1
	step docker logs box1
	step docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}' box1
	step docker start box1
	step docker kill -s KILL box1
	step docker wait box1
	step docker restart -t 0 box1
	step docker commit -q box1 box:2 >/dev/null
	step docker rm -f box1
	step docker rmi box:2 >/dev/null
}

# a program that fails is started again, as often as it was asked
docker_restarts() {
	docker_run -d --name again --restart on-failure:2 box:1 sh -c 'echo once; exit 9' >/dev/null
	wait_until 60 eval '[ "$(docker inspect -f "{{.RestartCount}} {{.State.Status}}" again)" = "2 exited" ]'
	step docker logs again
	step docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' again
	step docker rm again
}

docker_terminals() {
	local sized='until stty size 2>/dev/null | grep -v "^0"; do sleep 0.1; done'
	with_terminal /usr/bin/docker -H "unix://$DOCKER_RUN/sock" run --runtime "$RT_NAME" --rm -it box:1 sh -c "$sized; exit 5"
	echo "-> $?"
	docker_run -d --name box1 box:1 sleep 1000 >/dev/null
	with_terminal /usr/bin/docker -H "unix://$DOCKER_RUN/sock" exec -it box1 sh -c "$sized; tty; exit 6"
	echo "-> $?"
	docker rm -f box1
}
