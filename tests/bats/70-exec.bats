# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One more program in a running container: where it is, what it gets, how it ends.

load ../helpers/common
load ../helpers/runtime

# process FILTER: writes p.json, the container's process object changed by a jq filter
process() {
	jq ".process | $1" b/config.json >p.json
}

@test "output, input and status are the program's" {
	box sleep 1000
	start_box
	run --separate-stderr -3 kist exec c sh -c 'echo out; echo err >&2; exit 3'
	assert_output out
	assert_equal "$stderr" err
	run kist exec -i c cat < <(echo typed)
	assert_output typed
	run -137 kist exec c sh -c 'kill -KILL $$'
	delete_box
}

@test "every namespace, the root and the cgroup are the container's" {
	box sleep 1000
	edit_config '.linux.namespaces += [{ type: "time" }]'
	start_box
	kist exec -d --pid-file e.pid c sleep 1001
	local pid kind
	pid=$(<e.pid)
	for kind in cgroup ipc mnt net pid user uts time; do
		assert_equal "$kind $(ns_of "$pid" $kind)" "$kind $(ns_of "$(state_of c pid)" $kind)"
	done
	assert_equal "$(cgroup_of "$pid")" "$(cgroup_of "$(state_of c pid)")"
	assert_equal "$(stat -L -c %d:%i "/proc/$pid/root")" "$(stat -L -c %d:%i "/proc/$(state_of c pid)/root")"
	run kist ps c
	assert_line --partial 'sleep 1001'
	delete_box
	assert_not_exist "/proc/$pid"
}

@test "detached: returns while the program runs, whose parent is not kist" {
	box sleep 1000
	start_box
	run kist exec -d --pid-file e.pid c sleep 1001
	assert_success
	assert_output ''
	assert_equal "$(tr '\0' ' ' <"/proc/$(<e.pid)/cmdline")" 'sleep 1001 '
	delete_box
}

@test "environment: the container's, with changes" {
	box sleep 1000
	edit_config '.process.env = ["PATH=/bin", "A=1", "B=2"]'
	start_box
	run kist exec -e A=9 -e NEW=x c env
	assert_output $'PATH=/bin\nB=2\nA=9\nNEW=x\nHOME=/root'
	delete_box
}

@test "user: numbers and names, with groups of the container" {
	box sleep 1000
	start_box
	run kist exec -u 1000 c id
	assert_output 'uid=1000(app) gid=1000(app) groups=50(staff)'
	run kist exec -u app c sh -c 'id; echo $HOME'
	assert_output $'uid=1000(app) gid=1000(app) groups=50(staff)\n/home/app'
	run kist exec -u 1000:7 c id -g
	assert_output 7
	run kist exec -u app:staff c id -g
	assert_output 50
	run kist exec -u 4242 c id
	assert_output 'uid=4242 gid=0(root)'
	run kist exec -u 1000:1000 -g 77 c id -G
	assert_output --partial 77
	run -125 kist exec -u nobody c id
	assert_output --partial "user nobody: not in /etc/passwd of the container"
	run -125 kist exec -u 0:nogroup c id
	assert_output --partial "group nogroup: not in /etc/group of the container"
	delete_box
}

@test "user: what is no id is refused, never wrapped round to root" {
	box sleep 1000
	start_box
	local word
	for word in -1 4294967295 4294967296 18446744073709551616 +0 ' 0' 0x0 1e3 '' : :0 0: 0:-1 0:4294967295 0:4294967296 '0 '; do
		run kist exec "--user=$word" c id -u
		assert_failure
		refute_line 0
	done
	delete_box
}

@test "cwd: the container's, or another" {
	box sleep 1000
	edit_config '.process.cwd = "/etc"'
	start_box
	run kist exec c pwd
	assert_output /etc
	run kist exec --cwd /tmp c pwd
	assert_output /tmp
	run kist exec --cwd /nowhere c pwd
	assert_failure
	assert_output --partial '/nowhere'
	run kist exec --cwd tmp c pwd
	assert_failure
	delete_box
}

@test "capabilities: the container's and more" {
	box sleep 1000
	start_box
	run kist exec c grep -E '^Cap' /proc/self/status
	assert_line $'CapEff:\t0000000020000420'
	assert_line $'CapBnd:\t0000000020000420'
	assert_line $'CapInh:\t0000000000000000'
	assert_line $'CapAmb:\t0000000000000000'
	run kist exec --cap CAP_CHOWN c grep -E '^Cap' /proc/self/status
	assert_line $'CapEff:\t0000000020000421'
	assert_line $'CapAmb:\t0000000000000000'
	delete_box
	edit_config '.process.capabilities |= (.bounding += ["CAP_SYSLOG"] | .inheritable = ["CAP_SYSLOG", "CAP_KILL"])'
	start_box
	run kist exec --cap CAP_SYSLOG c grep -E '^Cap' /proc/self/status
	assert_line $'CapPrm:\t0000000420000420'
	assert_line $'CapAmb:\t0000000400000000'
	delete_box
}

@test "no_new_privs and limits of the container hold for exec" {
	box sleep 1000
	edit_config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 100 }] | .process.oomScoreAdj = 321'
	start_box
	run kist exec c sh -c 'grep NoNewPrivs /proc/self/status; ulimit -n; ulimit -H -n; cat /proc/self/oom_score_adj; umask'
	assert_output $'NoNewPrivs:\t1\n99\n100\n321\n0022'
	delete_box
}

@test "process file: all of the object" {
	box sleep 1000
	start_box
	process '.args = ["sh", "-c", "id; pwd; echo $V; umask; grep NoNewPrivs /proc/self/status"] | .cwd = "/tmp" |
		.user = { uid: 7, gid: 8, additionalGids: [9], umask: 63 } | .env += ["V=value"] | .noNewPrivileges = false'
	run kist exec --process p.json c
	assert_output $'uid=7 gid=8 groups=9\n/tmp\nvalue\n0077\nNoNewPrivs:\t0'
	delete_box
}

@test "process file: from a pipe, and from standard input" {
	local object='{"cwd":"/","args":["echo","piped"],"user":{"uid":0,"gid":0},"env":["PATH=/bin"]}'
	box sleep 1000
	start_box
	run kist exec --process <(sleep 0.1; echo "$object") c
	assert_output piped
	run kist exec --process - c <<<"$object"
	assert_output piped
	run kist exec --process <(echo '{') c
	assert_failure 125
	delete_box
	# where kist executes itself again before it enters
	edit_config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	start_box
	mkfifo fifo
	echo "$object" >fifo &
	run kist exec --process fifo c
	assert_output piped
	run kist exec --process <(echo "$object") c
	assert_output piped
	run kist exec --process - c <<<"$object"
	assert_output piped
	delete_box
}

@test "process file: missing, no JSON, wrong, or not supported" {
	box sleep 1000
	start_box
	run -125 kist exec --process no.json c
	assert_output --partial 'no.json: No such file'
	run -125 kist exec --process /dev/null c
	assert_output 'kist: exec c: /dev/null: Invalid argument'
	run -125 kist exec --process . c
	assert_output 'kist: exec c: .: Is a directory'
	echo '{' >p.json
	run -125 kist exec --process p.json c
	assert_output --partial 'p.json'
	process 'del(.args)'
	run -125 kist exec --process p.json c
	assert_output --partial 'args'
	process '.cwd = "x"'
	run -125 kist exec --process p.json c
	assert_output --partial 'cwd'
	delete_box
}

@test "program: not found and not executable" {
	box sleep 1000
	start_box
	run -127 kist exec c nonsense
	assert_output 'kist: exec: "nonsense": executable file not found in $PATH'
	run -127 kist exec c /bin/nonsense
	assert_output 'kist: exec: "/bin/nonsense": no such file or directory'
	run -126 kist exec c /etc/passwd
	assert_output 'kist: exec: "/etc/passwd": permission denied'
	run -126 kist exec c /etc
	assert_output 'kist: exec: "/etc": is a directory'
	run kist exec c
	assert_failure
	delete_box
}

@test "pid file: there when the program runs, not there when it could not" {
	box sleep 1000
	start_box
	kist exec -d --pid-file e.pid c sleep 1001
	assert [ -d "/proc/$(<e.pid)" ]
	rm e.pid
	run -127 kist exec -d --pid-file e.pid c nonsense
	assert_not_exist e.pid
	printf '#!/no/such/interpreter\n' >b/rootfs/tmp/script
	chmod 755 b/rootfs/tmp/script
	run -127 kist exec -d --pid-file e.pid c /tmp/script
	assert_not_exist e.pid
	run kist exec -d --pid-file no/e.pid c sleep 1002
	assert_failure
	assert_output --partial 'pid file no/e.pid: No such file or directory'
	run kist ps c
	refute_line --partial 'sleep 1002'
	delete_box
}

@test "only a running container is entered" {
	box sleep 1000
	run -125 kist exec c true
	assert_output --partial 'container c does not exist'
	create_box
	run -125 kist exec c true
	assert_output --partial 'container not running: it is created'
	kist start c
	kist exec c true
	kist kill c KILL
	wait_status c stopped
	run -125 kist exec c true
	assert_output --partial 'container not running: it is stopped'
	kist delete c
}

@test "a paused container is refused, and entered with --ignore-paused" {
	box sleep 1000
	start_box
	kist pause c
	run -125 kist exec c true
	assert_output --partial 'paused'
	"$KIST" --root "$KIST_ROOT" exec --ignore-paused c echo thawed >e.out 2>&1 </dev/null 3>&- &
	local pid=$!
	sleep 0.3
	assert_equal "$(cat e.out)" ''
	kist resume c
	wait $pid
	assert_equal "$(cat e.out)" thawed
	delete_box
}

@test "pidfd-socket: receives a pidfd of the new process" {
	box sleep 1000
	start_box
	python3 "$RUNTIME_HELPERS/pidfd.py" p.sock >pidfd.out 2>&1 </dev/null 3>&- &
	local receiver=$!
	wait_until 5 test -S p.sock
	kist exec -d --pidfd-socket p.sock --pid-file e.pid c sleep 1000
	wait_until 5 test -s pidfd.out
	assert_equal "$(cat pidfd.out)" "setns $(cat e.pid)"
	kill -KILL "$(cat e.pid)"
	wait $receiver
	assert_equal "$(tail -n 1 pidfd.out)" ended
	run -125 kist exec --pidfd-socket no.sock c true
	assert_output 'kist: exec c: pidfd socket no.sock: No such file or directory'
	delete_box
}

@test "terminal: by console socket, with its size" {
	box sleep 1000
	start_box
	process '.args = ["sh", "-c", "tty; stty size; read -r l; echo got $l"] | .terminal = true | .consoleSize = { height: 11, width: 22 }'
	python3 "$RUNTIME_HELPERS/console.py" s.sock word >console.out 2>&1 </dev/null 3>&- &
	local receiver=$!
	wait_until 5 test -S s.sock
	kist exec -d --process p.json --console-socket s.sock --pid-file e.pid c
	wait $receiver
	run cat console.out
	assert_output --partial /dev/pts/0
	assert_output --partial '11 22'
	assert_output --partial 'got word'
	run -125 kist exec --console-socket s.sock c true
	assert_output --partial 'no terminal'
	delete_box
}

@test "terminal: in the foreground" {
	box sleep 1000
	start_box
	run with_terminal "$KIST" --root "$KIST_ROOT" exec -it c sh -c 'tty; stty size; exit 5'
	assert_equal "$status" 5
	assert_line --partial /dev/pts/0
	assert_line --partial '24 80'
	delete_box
}

@test "preserve-fds" {
	box sleep 1000
	start_box
	echo three >3.txt
	run kist exec --preserve-fds 1 c sh -c 'cat <&3; ls /proc/self/fd | wc -l' 3<3.txt 4<3.txt
	assert_output $'three\n5'
	delete_box
}

@test "exec into a container that shares the host's namespaces" {
	box sleep 1000
	edit_config '.linux.namespaces = [{ type: "mount" }] | del(.hostname, .linux.sysctl)
		| .mounts |= map(select(.type != "mqueue" and .type != "sysfs" and .type != "cgroup"))'
	start_box
	run kist exec c cat /etc/passwd
	assert_line --partial app
	delete_box
}

@test "exec into a container without a mount namespace, or in another's, is in its root" {
	box sleep 1000
	echo mine >b/rootfs/marker
	edit_config '.linux.namespaces = [{ type: "pid" }] | del(.mounts, .hostname, .linux.maskedPaths, .linux.readonlyPaths)
		| .root.readonly = false'
	start_box
	run kist exec c sh -c 'cat /marker; ls -d /../../../boot /boot; pwd'
	assert_line --index 0 mine
	refute_line /boot
	assert_line /
	run kist exec --cwd /etc c sh -c 'cat passwd | head -n 1; pwd'
	assert_line --index 0 'root:x:0:0:root:/root:/bin/sh'
	delete_box
	hold_ns --mount --propagation private
	edit_config '.linux.namespaces += [{ type: "mount", path: $p }]' --arg p "/proc/$HELD/ns/mnt"
	start_box
	run kist exec c sh -c 'cat /marker; ls -d /boot'
	assert_line --index 0 mine
	refute_line /boot
	delete_box
	release_ns
}

@test "exec into a container without a cgroup of its own" {
	box sleep 1000
	kist --cgroup-manager disabled create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
	kist start c
	run kist exec c echo in
	assert_output in
	delete_box
}

@test "with CAP_SYS_PTRACE in the container: the same way, with all it has" {
	box sleep 1000
	add_caps CAP_SYS_PTRACE
	start_box
	local i
	for i in 1 2 3 4 5; do
		run -4 kist exec c sh -c 'echo in; exit 4'
		assert_output in
	done
	kist exec -d --pid-file e.pid c sleep 1001
	assert_equal "$(cgroup_of "$(<e.pid)")" "$(cgroup_of "$(state_of c pid)")"
	run -127 kist exec c nonsense
	assert_output --partial 'not found'
	delete_box
}

@test "many at once" {
	box sleep 1000
	start_box
	local i
	local -a pids=()
	for i in {1..16}; do
		"$KIST" --root "$KIST_ROOT" exec c sh -c "exit $i" </dev/null >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for i in {1..16}; do
		local got=0
		wait "${pids[i - 1]}" || got=$?
		assert_equal $got "$i"
	done
	delete_box
}

@test "a container that ends meanwhile ends the program, and kist says its status" {
	box sh -c 'sleep 0.5'
	start_box
	run kist exec c sleep 1000
	assert_equal "$status" 137
	wait_status c stopped
	kist delete c
}
