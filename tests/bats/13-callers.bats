# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # sh -c gets its words as they are
# What callers of runtimes count on, beside the verbs themselves: logs of daemons, statuses of the OCI face, another
# config file, regular expressions, groups of exec, sockets and readiness of a service manager.

load ../helpers/common
load ../helpers/runtime
load ../helpers/user

# with_python: the host's programs in the container of the last bundle, at their own places
with_python() {
	rmdir "$BUNDLE/rootfs/usr/bin" "$BUNDLE/rootfs/usr" 2>/dev/null || :
	mkdir -p "$BUNDLE/rootfs/usr"
	ln -s usr/lib "$BUNDLE/rootfs/lib"
	ln -s usr/lib64 "$BUNDLE/rootfs/lib64"
	add_mount /usr bind /usr bind ro
	add_mount /notify.py bind "$RUNTIME_HELPERS/notify.py" bind ro
	writable_root
}

# manager COUNT [SOCKET]: a service manager that hears COUNT messages and writes them to manager.out
manager() {
	NOTIFY=${2:-$PWD/notify}
	python3 "$RUNTIME_HELPERS/notify.py" listen "$NOTIFY" "$1" >manager.out 2>&1 </dev/null 3>&- &
	MANAGER=$!
	wait_until 10 grep -q listening manager.out
}

# told: what the service manager has heard; waits until it has heard all
told() {
	wait_until 10 eval '! kill -0 $MANAGER'
	sed 1d manager.out
}

# ---- every option that a caller may give ----

@test "OCI face: every option of runc's and crun's that callers give is known" {
	local command option help
	while read -r command options; do
		help=$(kist oci "$command" --help)
		for option in $options; do
			grep -qE -- "(^|[ ,])$option([ ,=]|\$)" <<<"$help" || fail "kist oci $command: no $option"
		done
	done <<-'E'
		create --bundle -b --config -f --console-socket --pidfd-socket --pid-file --no-pivot --no-new-keyring --preserve-fds --no-subreaper
		run --bundle -b --config -f --detach -d --keep --console-socket --pidfd-socket --pid-file --no-pivot --no-new-keyring --preserve-fds --no-subreaper
		exec --console-socket --pidfd-socket --cwd --env -e --tty -t --user -u --additional-gids -g --process -p --detach -d --pid-file --process-label --apparmor --no-new-privs --cap -c --preserve-fds --cgroup --ignore-paused
		kill --all -a --regex
		delete --force -f --regex
		list --format -f --quiet -q
		ps --format -f
		spec --bundle -b --rootless
		update --resources -r --blkio-weight --cpu-period --cpu-quota --cpu-burst --cpu-share --cpu-rt-period --cpu-rt-runtime --cpu-idle --cpuset-cpus --cpuset-mems --memory --memory-reservation --memory-swap --kernel-memory --pids-limit --l3-cache-schema --mem-bw-schema
		events --stats --interval
	E
	help=$(kist oci --help)
	for option in --root --log --log-format --log-level --debug --systemd-cgroup --cgroup-manager --rootless --version; do
		grep -qE -- "$option([ ,]|\$)" <<<"$help" || fail "kist oci: no $option"
	done
	for command in start state pause resume features; do
		run -0 kist oci "$command" --help
	done
}

# ---- logs ----

@test "log: file: names a file too" {
	run -1 kist --log file:l state nobody
	run -0 cat l
	assert_output --partial 'error: container nobody does not exist'
}

@test "log: journald and syslog get one datagram per line, with a tag" {
	mkdir -p /run/systemd/journal
	cat >daemon.py <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		print("listening", flush=True)
		print(s.recv(9000), flush=True)
	P
	python3 daemon.py /run/systemd/journal/socket >j.out 2>&1 </dev/null 3>&- &
	wait_until 10 grep -q listening j.out
	run -1 kist --log journald:box state nobody
	assert_output 'kist: container nobody does not exist'
	wait_until 10 grep -q MESSAGE j.out
	run sed 1d j.out
	assert_output "b'MESSAGE=container nobody does not exist\\nPRIORITY=3\\nSYSLOG_IDENTIFIER=box\\n'"
	python3 daemon.py "$PWD/syslog.sock" >s.out 2>&1 </dev/null 3>&- &
	wait_until 10 grep -q listening s.out
	run unshare -m sh -c 'mount -t tmpfs t /dev && ln -s "$1/syslog.sock" /dev/log && "$2" --root "$3" --log syslog: state nobody' \
		sh "$PWD" "$KIST" "$KIST_ROOT"
	wait_until 10 grep -q nobody s.out
	run sed 1d s.out
	assert_output --regexp "^b'<11>kist\[[0-9]+\]: container nobody does not exist'\$"
	rm -r /run/systemd
}

@test "log: a daemon that is not there, and JSON for a daemon, are refused" {
	rm -f /run/systemd/journal/socket
	run -1 kist --log journald:x list
	assert_output 'kist: log journald:x: No such file or directory'
	run -1 kist --log journald:x --log-format json list
	assert_output 'kist: option --log-format: json goes with a file, not with journald:x'
}

@test "log: several errors of one command are one JSON object, the first; standard error has all" {
	run -1 kist --log l --log-format json rm a b c
	assert_equal "${#lines[@]}" 3
	run -0 jq -s -r 'length, .[0].msg' l
	assert_line -n 0 1
	assert_line -n 1 --partial ' a'
}

@test "log: a text log takes warnings off standard error, which create gives to the program" {
	box true
	edit_config '.process.capabilities.ambient = ["CAP_SYS_ADMIN", "CAP_NONSENSE"]'
	run -0 kist --log l run --bundle b c
	assert_output ''
	run -0 cat l
	assert_line --partial ' warning: process.capabilities.ambient'
}

@test "log: on success there is nothing in it, warnings or not" {
	box true
	edit_config '.process.capabilities.ambient = ["CAP_SYS_ADMIN", "CAP_NONSENSE"]'
	run -0 kist --log l --log-format json run --bundle b c
	assert_output --partial warning
	assert_equal "$(cat l)" ""
}

@test "log: what is wrong with a global option is in it too" {
	run -2 kist --log l --log-format json --cgroup-manager nonsense list
	run -0 jq -r .msg l
	assert_output --partial 'option --cgroup-manager'
}

# ---- statuses ----

@test "OCI face: kist's own failure is 1, of exec 255; the program's words and statuses stay" {
	box sleep 1000
	run -1 kist oci run --bundle "$BUNDLE/nowhere" c
	run -1 kist oci run --nope c
	run -255 kist oci exec nobody true
	run -255 kist oci exec --nope nobody true
	run -125 kist exec nobody true
	start_box
	run -127 kist oci exec c nonsense
	assert_output --partial 'executable file not found in $PATH'
	run -126 kist oci exec c /etc/passwd
	assert_output --partial 'permission denied'
	run -3 kist oci exec c sh -c 'exit 3'
	delete_box
}

# ---- other ways to say what ----

@test "an environment without a home, as podman leaves to the runtime of a user, does for every verb of the runtime" {
	user_setup
	local verb
	for verb in state start kill delete pause resume 'update --pids-limit 5'; do
		# shellcheck disable=SC2086
		run -1 as_user env -i XDG_RUNTIME_DIR="$USER_DIR/run" "$KIST" $verb nobody
		assert_output --partial 'container nobody does not exist'
	done
}

@test "create and run: --config is taken instead of the bundle's config.json" {
	box sleep 1000
	jq '.process.args = ["echo", "other"]' b/config.json >other.json
	rm b/config.json
	create_box c -f other.json
	kist start c
	wait_status c stopped
	assert_equal "$(output_of)" other
	delete_box
	(cd b && run -0 kist oci run --config "$BATS_TEST_TMPDIR/other.json" c && assert_output other)
	run -1 kist create --config nowhere.json --bundle b c
	assert_output 'kist: nowhere.json: No such file or directory'
	echo '{"ociVersion": 1}' >wrong.json
	run -1 kist create --config wrong.json --bundle b c
	assert_output --partial ociVersion
}

@test "kill and delete: --regex takes every container that matches, and no other" {
	box sleep 1000
	local id
	for id in web1 web2 db1; do start_box $id; done
	run -0 kist kill --regex '^web[0-9]$' KILL
	wait_status web1 stopped
	wait_status web2 stopped
	assert_equal "$(state_of db1 status)" running
	run -1 kist delete --regex 'db'
	assert_output --partial 'delete db1: cannot delete a container that is running'
	run -0 kist delete --regex '^web'
	run -0 kist list -q
	assert_output db1
	run -0 kist delete --force --regex .
	run -0 kist list -q
	assert_output ''
	run -0 kist delete --regex 'nothing'
	run -1 kist delete --regex '('
	assert_output --partial 'option --regex: (: '
}

@test "exec --cgroup: a group below the container's" {
	box sleep 1000
	start_box
	local group
	group=$(cgroup_of "$(state_of c pid)")
	mkdir "$group/sub"
	kist exec --cgroup sub -d --pid-file e.pid c sleep 1001
	assert_equal "$(cgroup_of "$(<e.pid)")" "$group/sub"
	kist exec --cgroup / -d --pid-file e.pid c sleep 1002
	assert_equal "$(cgroup_of "$(<e.pid)")" "$group"
	run -125 kist exec --cgroup nowhere c true
	assert_output --partial '--cgroup nowhere'
	run -125 kist exec --cgroup sub/../.. c true
	assert_output --partial "leads out of the container's group"
	run -125 kist exec --cgroup cpu:/sub c true
	assert_output --partial 'one tree for all controllers'
	delete_box
}

@test "urfave spellings: one dash, values with and without =" {
	box sleep 1000
	kist oci create -no-subreaper -no-pivot=false -bundle "$BUNDLE" -pid-file=p c >c.out 2>&1 </dev/null 3>&-
	assert_equal "$(<p)" "$(state_of c pid)"
	run -0 kist oci kill -all c 9
	wait_status c stopped
	run -0 kist oci delete -force c
	run -0 kist oci delete -force c
}

# ---- sockets of a service manager ----

# listening COUNT COMMAND...: runs it as a service manager does, with sockets from descriptor 3 on
listening() {
	python3 - "$@" <<-'P'
		import os, socket, sys
		n = int(sys.argv[1])
		keep = [socket.socket() for _ in range(n)]
		for i, s in enumerate(keep):
		    os.dup2(s.fileno(), 3 + i)
		    os.set_inheritable(3 + i, True)
		for fd in range(3 + n, 40):
		    try: os.close(fd)
		    except OSError: pass
		os.environ.update(LISTEN_FDS=str(n), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=":".join("ab"[:n]))
		os.execv(sys.argv[2], sys.argv[2:])
	P
}

@test "LISTEN_FDS: the sockets and their names reach the program, whose number is 1" {
	box sh -c 'env | grep ^LISTEN_ | sort; for f in 3 4 5; do readlink /proc/self/fd/$f | cut -c-7; done'
	run -0 listening 2 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output $'LISTEN_FDNAMES=a:b\nLISTEN_FDS=2\nLISTEN_PID=1\nsocket:\nsocket:'
	listening 1 "$KIST" --root "$KIST_ROOT" create --bundle b c >c.out 2>&1 </dev/null
	kist start c
	wait_status c stopped
	run output_of
	assert_output $'LISTEN_FDNAMES=a\nLISTEN_FDS=1\nLISTEN_PID=1\nsocket:'
	delete_box
}

@test "LISTEN_FDS: LISTEN_PID is the program's number, also in the host's pid namespace" {
	box sh -c 'echo $LISTEN_PID $$'
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	run -0 listening 1 "$KIST" --root "$KIST_ROOT" run --bundle b c
	read -r said is <<<"$output"
	assert_equal "$said" "$is"
}

@test "LISTEN_FDS: what was meant for another process is not passed on; nonsense is refused" {
	box sh -c 'env | grep ^LISTEN_; readlink /proc/self/fd/3'
	run -1 env LISTEN_FDS=1 LISTEN_PID=1 "$KIST" --root "$KIST_ROOT" run --bundle b c 3</dev/null
	assert_output ''
	run -125 env LISTEN_FDS=1x LISTEN_PID=1 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output 'kist: LISTEN_FDS 1x: expected a number up to 4096'
}

# ---- readiness ----

@test "NOTIFY_SOCKET: run in the foreground passes on what the program says, but no process and no descriptor" {
	box python3 /notify.py send $'MAINPID=4\nSTATUS=almost\nFDSTORE=1' READY=1 BARRIER 'NONSENSE=1' STOPPING=1
	with_python
	manager 4
	run -0 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output barrier
	run told
	assert_output $'STATUS=almost\nREADY=1\nBARRIER=1 +fd\nSTOPPING=1'
}

@test "NOTIFY_SOCKET: no descriptor that the program sends stays with kist" {
	box sh -c 'python3 /notify.py flood 200; python3 /notify.py send STOPPING=1; sleep 1000'
	with_python
	manager 1
	NOTIFY_SOCKET=$NOTIFY kist run --bundle b c >c.out 2>&1 </dev/null 3>&- &
	local run=$!
	run told
	assert_output STOPPING=1
	# its parent is kist run
	local kist
	kist=$(awk '{ print $4 }' "/proc/$(state_of c pid)/stat")
	run ls "/proc/$kist/fd"
	assert [ "${#lines[@]}" -lt 20 ]
	delete_box
	wait $run || :
}

@test "NOTIFY_SOCKET: its directory takes nothing from the program" {
	box sh -c 'touch "${NOTIFY_SOCKET%/*}/full" 2>&1; rm "$NOTIFY_SOCKET" 2>&1; python3 /notify.py send READY=1'
	with_python
	manager 1
	run -0 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_line --regexp 'touch: .*: Read-only file system'
	assert_line --regexp 'rm: .*: Read-only file system'
	run told
	assert_line READY=1
}

@test "NOTIFY_SOCKET: start waits until the program is ready, and names its process" {
	box sh -c 'sleep 0.5; python3 /notify.py send READY=1; touch /tmp/../told; sleep 1000'
	with_python
	manager 2 @kist-test-$$
	NOTIFY_SOCKET=$NOTIFY create_box
	assert_equal "$(state_of c status)" created
	run -0 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" start c
	local pid
	pid=$(state_of c pid)
	run told
	assert_output "READY=1|MAINPID=$pid"$'\nBARRIER=1 +fd'
	delete_box
}

@test "NOTIFY_SOCKET: run --detach under the OCI face waits too" {
	box sh -c 'python3 /notify.py send READY=1; sleep 1000'
	with_python
	manager 2
	NOTIFY_SOCKET=$NOTIFY kist oci run --detach --bundle b c >c.out 2>&1 </dev/null 3>&-
	local pid
	pid=$(state_of c pid)
	run told
	assert_output "READY=1|MAINPID=$pid"$'\nBARRIER=1 +fd'
	delete_box
}

@test "NOTIFY_SOCKET: a program that ends without a word does not hold start up" {
	box true
	manager 1
	NOTIFY_SOCKET=$NOTIFY create_box
	run -0 timeout 20 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" start c
	kill "$MANAGER"
	delete_box
}

@test "NOTIFY_SOCKET: delete --force is not held up by a start that waits" {
	box sleep 1000
	manager 1
	NOTIFY_SOCKET=$NOTIFY create_box
	NOTIFY_SOCKET=$NOTIFY kist start c >s.out 2>&1 </dev/null 3>&- &
	local start=$!
	wait_status c running
	run -0 timeout 20 "$KIST" --root "$KIST_ROOT" delete --force c
	wait $start
	kill "$MANAGER"
}

@test "NOTIFY_SOCKET: the socket is the container's own and any user's; without one there is neither variable nor mount" {
	box sh -c 'echo "[$NOTIFY_SOCKET]"; ls -l /run/notify 2>/dev/null | sed -n "s/ .*notify.sock//p"; grep -c /run/notify /proc/mounts'
	manager 1
	run -0 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output $'[/run/notify/notify.sock]\nsrw-rw-rw-\n1'
	run -1 kist run --bundle b c
	assert_output $'[]\n0'
	kill "$MANAGER"
	run -125 env NOTIFY_SOCKET=relative "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output 'kist: NOTIFY_SOCKET relative: expected an absolute path or @NAME'
}

@test "NOTIFY_SOCKET: with a user namespace and another user" {
	box python3 /notify.py send READY=1
	with_python
	edit_config '.linux.namespaces += [{ type: "user" }] | .process.user = { uid: 1000, gid: 1000 }
		| .linux.uidMappings = [{ containerID: 0, hostID: 200000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chmod 755 "$BATS_TEST_TMPDIR" b
	mkdir -p b/rootfs/run/notify
	chown -R 200000:200000 b/rootfs/run b/rootfs/usr
	touch b/rootfs/notify.py
	manager 1
	run -0 env NOTIFY_SOCKET="$NOTIFY" "$KIST" --root "$KIST_ROOT" run --bundle b c
	run told
	assert_output READY=1
}
