# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# podman on kist, of root and of a user, beside podman on runc: the same scripts, the same output. What needs limits, a network or
# systemd is in vm/95-callers.bats.

load ../helpers/common
load ../helpers/callers
load ../helpers/podman
load ../helpers/user

setup() {
	kist_setup
	podman_setup
}

teardown() {
	podman_end
	kist_teardown
}

# printed WORDS...: kist.out is exactly these lines
printed() {
	assert_equal "$(<kist.out)" "$1"
}

starts() {
	step podman run --rm box:1 sh -c 'echo out; exit 3'
	step podman run --rm --init box:1 sh -c 'echo err >&2; kill -KILL $$'
	step podman run --rm box:1 nonsense
	step podman run --rm box:1 /etc/passwd
	step podman run --rm box:1 /no/such
	step podman run --rm -w /etc -e A=b -u app --hostname box box:1 sh -c 'pwd; echo $A $HOME; id; hostname'
	step podman run --rm -i box:1 cat <<<typed
	step podman run --rm -v /no/such/dir:/x box:1 true
}

@test "podman run: output, statuses 125, 126 and 127, user, directory, input" {
	both starts
	printed 'out
-> 3
err
-> 137
Error: RT: exec: "nonsense": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found
-> 127
Error: RT: exec: "/etc/passwd": permission denied: OCI permission denied
-> 126
Error: RT: exec: "/no/such": no such file or directory: OCI runtime attempted to invoke a command that was not found
-> 127
/etc
b /home/app
uid=1000(app) gid=1000(app) groups=50(staff),1000(app)
box
-> 0
typed
-> 0
Error: statfs /no/such/dir: no such file or directory
-> 125'
}

isolation() {
	step podman run --rm --read-only --tmpfs /t:size=1m --cap-drop all --cap-add kill --security-opt no-new-privileges box:1 \
		sh -c 'exec 2>&1; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status; touch /x; grep " /t " /proc/mounts; ls -l /proc/kcore | cut -c-10'
	step podman run --rm --ulimit nofile=99:100 --ulimit nproc=90:90 --shm-size 1m --device /dev/fuse box:1 \
		sh -c 'ulimit -n; ulimit -Hn; df -k /dev/shm | tail -n 1; ls /dev | grep -v core | sort | xargs'
	step podman run --rm --privileged box:1 sh -c 'grep CapEff /proc/self/status; grep Seccomp: /proc/self/status'
	step podman run --rm --security-opt seccomp=unconfined --umask 0077 box:1 sh -c 'grep Seccomp: /proc/self/status; umask'
	step podman run --rm --pid host --ipc host --uts host box:1 sh -c 'test $$ -ne 1 && echo neighbour'
	step podman run --rm --sysctl kernel.msgmax=9000 --ipc private box:1 cat /proc/sys/kernel/msgmax
	step podman run --rm --oom-score-adj 123 box:1 cat /proc/self/oom_score_adj
	step podman run --rm --cgroupns private box:1 sh -c 'cat /proc/self/cgroup; grep -c " /sys/fs/cgroup " /proc/mounts'
	step podman run --rm --annotation a=b --security-opt unmask=ALL box:1 sh -c 'grep -c "/proc/" /proc/mounts'
}

@test "podman run: capabilities, seccomp, masks, limits, devices, namespaces" {
	both isolation
	run cat kist.out
	assert_line --index 0 --regexp '^CapInh:.0000000000000000$'
	assert_line --regexp '^CapBnd:.0000000000000020$'
	assert_line --regexp '^NoNewPrivs:.1$'
	assert_line --regexp '^Seccomp:.2$'
	assert_line --partial 'touch: /x: Read-only file system'
	assert_line 9000
	assert_line neighbour
	assert_line '0::/'
}

volumes() {
	mkdir -p host && echo data >host/file
	step podman run --rm -v "$PWD/host:/v:ro" box:1 sh -c 'cat /v/file; touch /v/x 2>&1; grep " /v " /proc/mounts | cut -d" " -f4 | cut -d, -f1'
	step podman volume create vol
	step podman run --rm -v vol:/v box:1 sh -c 'echo kept >/v/f'
	step podman run --rm --mount type=volume,src=vol,dst=/v,ro=true box:1 cat /v/f
	step podman volume rm vol
	printf secret >s && step podman secret create "sec-$RT_NAME" s >/dev/null
	step podman run --rm --secret "sec-$RT_NAME,target=word" box:1 cat /run/secrets/word
	step podman secret rm "sec-$RT_NAME" >/dev/null
	step podman run --rm -v vol2:/etc box:1 sh -c 'cut -d: -f1 /etc/passwd | xargs'
	step podman volume rm vol2
}

@test "podman run: binds, volumes, secrets" {
	both volumes
	run cat kist.out
	assert_line --index 0 data
	assert_line --partial 'touch: /v/x: Read-only file system'
	assert_line kept
	assert_line --partial secret
}

life() {
	step podman run -d --name c box:1 sh -c 'trap "echo stopping; exit 7" TERM; echo started; while :; do sleep 0.1; done'
	step podman exec c sh -c 'echo in; exit 4'
	step podman exec c nonsense
	step podman exec c /etc/passwd
	step podman exec -u app -w /tmp -e A=b --privileged c sh -c 'id -u; pwd; echo $A; grep CapEff /proc/self/status'
	step podman exec -i c cat <<<typed
	step podman exec -d c sh -c 'echo detached >/tmp/said; exec sleep 1000'
	wait_until 10 podman exec c test -s /tmp/said
	step podman exec c cat /tmp/said
	step podman pause c
	step podman ps -a --format '{{.Names}} {{.Status}}'
	step podman exec c true
	step podman unpause c
	step podman ps --format '{{.Names}} {{.State}}' | sed 's/Up .*/Up/'
	step podman top c comm | grep -vw sleep | sort -u
	step podman rm c
	step podman stop -t 10 c
	step podman logs c
	step podman inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' c
	step podman start c
	step podman kill -s KILL c
	step podman wait c
	step podman restart -t 0 c
	podman_gone c
	step podman ps -aq
}

@test "podman run -d: exec, logs, pause, stop, start, kill, restart, rm" {
	both life
	run cat kist.out
	assert_line in
	assert_line '-> 4'
	assert_line detached
	assert_line 'c Paused'
	assert_line stopping
	assert_line 'exited 7 false'
	assert_line 137
}

terminals() {
	# standard input of the terminal's own, ended by the program
	with_terminal podman --root "$PODMAN_DIR/graph" --runroot "/run/kist-podman/run" --tmpdir "/run/kist-podman/tmp" \
		--log-level error --runtime "$RT" run --rm -it box:1 sh -c 'test -t 0 && test -t 2 && stty size; exit 5'
	echo "-> $?"
	podman run -d --name c box:1 sleep 1000 >/dev/null
	with_terminal podman --root "$PODMAN_DIR/graph" --runroot "/run/kist-podman/run" --tmpdir "/run/kist-podman/tmp" \
		--log-level error --runtime "$RT" exec -it c sh -c 'tty; exit 6'
	echo "-> $?"
	podman run -dt --name t box:1 sh -c 'tty; sleep 1000' >/dev/null
	wait_until 10 eval '[ -n "$(podman logs t)" ]'
	podman logs t
	podman_gone c t
}

@test "podman run -it, exec -it, run -dt: terminals" {
	both terminals
	printed '24 80
-> 5
/dev/pts/0
-> 6
/dev/pts/0'
}

others() {
	step podman run --rm --init box:1 cat /proc/1/comm
	step podman run -d --name h --health-cmd 'test -e /ok' --health-interval disable box:1 sleep 1000 >/dev/null
	step podman healthcheck run h
	podman exec h touch /ok
	step podman healthcheck run h
	podman_gone h
	step podman pod create --name p --infra=false >/dev/null
	step podman run --pod p --name p1 box:1 echo in a pod
	step podman pod rm -f p >/dev/null
	step podman create --name k box:1 sh -c 'echo later' >/dev/null
	step podman start -a k
	step podman cp k:/etc/passwd - | tar -tf -
	step podman commit -q k box:2 >/dev/null
	step podman diff k
	step podman rm k
	step podman run --rm box:2
	step podman rmi box:2 >/dev/null
	step podman run --rm --rootfs "$PWD/tree" sh -c 'echo rootfs'
	step podman info -f '{{.Host.OCIRuntime.Version}}' >"info.$RT_NAME"
}

@test "podman: --init, health checks, pods, create and start -a, commit, --rootfs" {
	box_tree tree
	both others
	run cat kist.out
	assert_line --index 0 --regexp '^(podman-init|catatonit)$'
	assert_line 'in a pod'
	assert_line later
	assert_line rootfs
	run cat info.kist
	assert_line --index 0 --regexp '^kist version [0-9]'
}

user_namespaces() {
	step podman run --rm --net none --userns auto:size=1000 box:1 sh -c 'awk "{ print \$1, \$3 }" /proc/self/uid_map; id -u; stat -c %u /etc/passwd'
	step podman run --rm --uidmap 0:100000:2000 --gidmap 0:100000:2000 --net none -u app box:1 sh -c 'cat /proc/self/uid_map | xargs; id -u; touch /tmp/x; stat -c %u /tmp/x'
	step podman run -d --name u --net none --uidmap 0:100000:2000 box:1 sleep 1000 >/dev/null
	step podman exec u cat /proc/self/uid_map | xargs
	podman_gone u
}

@test "podman run: --userns auto, --uidmap" {
	printf 'containers:2000000:65536\n' >ids
	mount --bind ids /etc/subuid
	mount --bind ids /etc/subgid
	both user_namespaces
	# runc cannot: the host's sysfs is mounted anew only by who owns the network namespace
	RT=$KIST
	run -0 podman run --rm --net host --uidmap 0:100000:2000 box:1 sh -c 'ls -d /sys/class'
	assert_output /sys/class
	umount /etc/subuid /etc/subgid
	run cat kist.out
	assert_line --index 0 '0 1000'
	assert_line '0 100000 2000'
	assert_line 1000
}

readiness() {
	local manager helpers
	helpers=$(readlink -f "$BATS_TEST_DIRNAME/../helpers")
	python3 "$helpers/notify.py" listen "$PWD/notify.$RT_NAME" 2 >"heard.$RT_NAME" 2>&1 &
	manager=$!
	wait_until 10 grep -q listening "heard.$RT_NAME"
	NOTIFY_SOCKET=$PWD/notify.$RT_NAME podman run -d --name n --sdnotify container -v /usr:/usr:ro -v /usr/lib:/lib:ro \
		-v /usr/lib64:/lib64:ro -v "$helpers:/t:ro" box:1 \
		sh -c 'echo $NOTIFY_SOCKET; /usr/bin/python3 /t/notify.py send READY=1; sleep 1000' >/dev/null
	wait_until 20 grep -q READY "heard.$RT_NAME"
	wait $manager
	sed 's/=[0-9][0-9][0-9]*$/=N/' "heard.$RT_NAME" | sort
	podman logs n
	podman_gone n
}

@test "podman run --sdnotify container: the program's readiness reaches the service manager" {
	both readiness
	printed $'MAINPID=N\nREADY=1\nlistening\n/run/notify/notify.sock'
}

of_a_user() {
	as_user bash script.sh "$RT"
}

@test "podman of a user: run, exec, volumes, user namespaces, stop" {
	user_setup
	mkdir -m 755 /run/kist-user && chown "$USER_ID" /run/kist-user
	tar -C "$KIST_TEST_ROOTFS" -cf user/home/box.tar .
	cat >user/home/script.sh <<-'S'
		export CONTAINERS_CONF=$HOME/containers.conf CONTAINERS_STORAGE_CONF=$HOME/storage.conf
		printf '%s\n' '[containers]' 'pids_limit = 0' 'log_driver = "k8s-file"' 'netns = "host"' '[engine]' \
			'cgroup_manager = "cgroupfs"' 'events_logger = "none"' 'lock_type = "file"' >"$CONTAINERS_CONF"
		printf '%s\n' '[storage]' 'driver = "overlay"' >"$CONTAINERS_STORAGE_CONF"
		step() { "$@"; echo "-> $?"; }
		p() { podman --root "$HOME/graph" --runroot /run/kist-user/run --tmpdir /run/kist-user/tmp --log-level error --runtime "$rt" "$@"; }
		rt=$1
		[ -e graph ] || p import -q box.tar box:1 >log
		step p run --rm box:1 sh -c 'id -u; cat /proc/self/uid_map | xargs; exit 3'
		step p run --rm box:1 nonsense
		step p run --rm --net none -u app -v "$HOME:/v:ro" box:1 sh -c 'id -u; ls /v/box.tar; ls /sys/class/net; grep CapEff /proc/self/status'
		step p run --rm --userns keep-id box:1 sh -c 'id -u; id -un'
		step p run --rm --read-only --cap-drop all box:1 sh -c 'touch /x 2>&1; grep CapBnd /proc/self/status'
		step p run -d --name c box:1 sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
		step p exec c sh -c 'echo in; id -u; exit 4'
		step p exec -u app c id -u
		# its sleep comes and goes
		step p top c user comm | grep -vw sleep | sort -u
		step p stop c
		step p inspect -f '{{.State.ExitCode}}' c
		step p start c
		p rm -f -t 0 c >/dev/null 2>&1
		kill "$(cat /run/kist-user/tmp/pause.pid)" # the process that keeps podman's user namespace
	S
	both of_a_user
	run cat kist.out
	assert_line "0 $USER_ID 1 1 $USER_SUB 65536"
	assert_line -- '-> 127'
	assert_line 1000
	assert_line "$USER_ID"
	assert_line 7
	KIST_ROOT=$PWD/user/run/kist leaks_unpin
	rm -rf /run/kist-user
}

@test "podman: what kist cannot do on this host is said in kist's words" {
	has_controller memory && skip "this host has every controller: vm/95-callers.bats has the limits"
	RT=$KIST
	run -126 podman run --rm --memory 64m box:1 true
	assert_output --partial 'linux.resources.memory.limit: controller "memory"'
}

@test "podman: --runtime-flag gives kist's own options, a JSON log among them" {
	RT=$KIST
	run -127 podman --runtime-flag log-format=json --runtime-flag log="$PWD/log" run --rm box:1 nonsense
	assert_output --partial 'executable file not found in $PATH'
	run -0 jq -r .msg log
	assert_output --partial 'executable file not found in $PATH'
	run -0 podman --runtime-flag debug run --rm box:1 echo fine
	assert_output --partial fine
}

@test "podman run --hooks-dir: hooks of every stage see the container as they do on runc" {
	mkdir hooks
	cat >hook <<-'END'
		#!/bin/sh
		# runc 1.1 says "created" to poststart, where the specification wants "running"
		echo "$1 $(grep -oE 'creating|running|created|stopped' | head -n 1 | sed 's/created/running/')" >>"$2"
	END
	chmod +x hook
	local stage
	for stage in prestart createRuntime createContainer poststart poststop; do
		jq -n --arg s "$stage" --arg p "$PWD/hook" --arg o "$PWD/seen" '{ version: "1.0.0", when: { always: true },
			hook: { path: $p, args: ["hook", $s, $o] }, stages: [$s] }' >"hooks/$stage.json"
	done
	hooked() {
		rm -f seen
		step podman run --rm --hooks-dir "$PWD/hooks" box:1 sleep 0.5
		cat seen
	}
	both hooked
	printed '-> 0
prestart creating
createRuntime creating
createContainer creating
poststart running
poststop stopped'
}
