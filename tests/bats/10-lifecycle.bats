# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# create, start, run, kill, stop, delete: what each does in each state, and what callers read from it.

load ../helpers/common
load ../helpers/runtime

# ---- run ----

@test "run: output and status are the program's" {
	box sh -c 'echo out; echo err >&2; exit 42'
	run --separate-stderr -42 run_box
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
	run ! kist state c
}

@test "run: a program that a signal ends gives 128 and the signal" {
	box sh -c 'kill -KILL $$'
	# the init of a pid namespace cannot kill itself
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	run -137 run_box
	set_args sh -c 'kill -TERM $$; sleep 5'
	run -143 run_box
}

@test "run: standard input reaches the program" {
	box cat
	run run_box < <(echo typed)
	assert_success
	assert_output typed
}

@test "run: signals of the caller reach the program" {
	box sh -c 'trap "echo got; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
	"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c >out 2>&1 </dev/null 3>&- &
	local pid=$! ended=0
	wait_until 10 grep -q ready out
	kill -TERM "$pid"
	wait "$pid" || ended=$?
	assert_equal $ended 7
	run cat out
	assert_line got
}

@test "run: an id that is taken is refused, and the container stays" {
	box sleep 1000
	start_box
	run -125 run_box
	assert_output --partial 'container id c is already taken'
	assert_equal "$(state_of c status)" running
	delete_box
}

@test "run: the pid file holds the program's pid while it runs" {
	box sleep 1000
	"$KIST" --root "$KIST_ROOT" run --pid-file p.pid --bundle "$BUNDLE" c </dev/null >/dev/null 2>&1 3>&- &
	local pid=$! ended=0
	wait_until 10 test -s p.pid
	wait_status c running
	assert_equal "$(<p.pid)" "$(state_of c pid)"
	kist kill c KILL
	wait "$pid" || ended=$?
	assert_equal $ended 137
}

# ---- create and start ----

@test "create: the program waits until start" {
	box sh -c 'echo began; sleep 1000'
	create_box
	assert_equal "$(state_of c status)" created
	sleep 0.2
	assert_equal "$(output_of)" ""
	kist start c
	wait_until 5 grep -q began c.out
	assert_equal "$(state_of c status)" running
	delete_box
}

@test "create: nothing of kist stays behind but the waiting process" {
	box sleep 1000
	create_box
	local pid
	pid=$(state_of c pid)
	# its parent is whoever reaps orphans, not kist
	run cat "/proc/$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")/comm"
	refute_output --partial kist
	delete_box
}

@test "create: the process that waits is that of the program later" {
	box sh -c 'exec sleep 1000'
	create_box c --pid-file p.pid
	local pid
	pid=$(<p.pid)
	assert_equal "$(state_of c pid)" "$pid"
	kist start c
	wait_until 5 grep -q sleep "/proc/$pid/comm"
	assert_equal "$(state_of c pid)" "$pid"
	delete_box
}

@test "create: a pid file is replaced whole, also in another directory" {
	box sleep 1000
	mkdir d
	echo 12345678901234567890 >d/p.pid
	create_box c --pid-file d/p.pid
	assert_equal "$(<d/p.pid)" "$(state_of c pid)"
	assert_equal "$(ls -A d)" p.pid
	delete_box
}

@test "create: a pid file that cannot be written fails and leaves nothing" {
	box sleep 1000
	run -1 create_box c --pid-file no/p.pid
	run output_of
	assert_output --partial 'create c: pid file no/p.pid: No such file or directory'
	run ! kist state c
}

@test "run: a pid file is taken away again when the program cannot be executed" {
	box /script
	printf '#!/no/such/interpreter\n' >b/rootfs/script
	chmod 755 b/rootfs/script
	run -127 run_box --pid-file p.pid
	assert_output --partial 'no such file or directory'
	assert_not_exist p.pid
	set_args /no/such
	run -127 create_box c --pid-file p.pid
	assert_not_exist p.pid
}

@test "create: an id that is taken is refused" {
	box sleep 1000
	create_box
	local pid
	pid=$(state_of c pid)
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --partial 'create c: container id c is already taken'
	assert_equal "$(state_of c pid)" "$pid"
	delete_box
}

@test "create: six of one id at once: one wins, the others say that it is taken" {
	box sleep 1000
	local round i won taken
	for round in 1 2 3 4 5; do
		won=0 taken=0
		local -a pids=()
		for i in 1 2 3 4 5 6; do
			"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" race >"$i.log" 2>&1 </dev/null 3>&- &
			pids+=($!)
		done
		for i in 1 2 3 4 5 6; do
			if wait "${pids[i - 1]}"; then
				won=$((won + 1))
			else
				assert_equal "$(grep -c 'already taken' "$i.log")" 1
				taken=$((taken + 1))
			fi
		done
		assert_equal "$round: $won won, $taken taken" "$round: 1 won, 5 taken"
		assert_equal "$(state_of race status)" created
		delete_box race
	done
}

@test "create: edits of config.json and program afterwards do not matter" {
	box sh -c 'echo first; sleep 1000'
	create_box
	set_args sh -c 'echo second'
	kist start c
	wait_until 5 grep -q . c.out
	assert_equal "$(output_of)" first
	edit_config '.process.env = ["PATH=/nowhere"] | .process.cwd = "/etc"'
	run kist exec c pwd
	assert_output /
	delete_box
}

@test "create: works with a bundle path that is relative, has a trailing slash, or is a symlink" {
	box true
	ln -s b link
	local path
	for path in b b/ ./b link; do
		kist create --bundle "$path" c >/dev/null 2>&1 </dev/null 3>&-
		assert_equal "$(state_of c bundle)" "$BATS_TEST_TMPDIR/$(basename "$path")"
		kist delete c
	done
}

@test "create: the current directory is the bundle under the OCI face" {
	box true
	(cd b && kist oci create c </dev/null >/dev/null 2>&1 3>&-)
	assert_equal "$(state_of c bundle)" "$BUNDLE"
	kist delete c
}

@test "create: a container without process is created, and start refuses it" {
	box
	edit_config 'del(.process)'
	create_box
	assert_equal "$(state_of c status)" created
	run -1 kist start c
	assert_output --partial 'process'
	delete_box
}

@test "start: of a running, a stopped and an unknown container" {
	box sleep 1000
	start_box
	run -1 kist start c
	assert_output --partial 'start c: cannot start a container that is already running'
	kist kill c KILL
	wait_status c stopped
	run -1 kist start c
	assert_output --partial 'start c: cannot start a container that has stopped'
	delete_box
	run -1 kist start c
	assert_output --partial 'container c does not exist'
}

@test "start: of a created container that was killed says so" {
	box sleep 1000
	create_box
	kill -KILL "$(state_of c pid)"
	wait_status c stopped
	run -1 kist start c
	assert_output --partial 'cannot start a container that has stopped'
	delete_box
}

@test "start: reports a program that cannot be executed" {
	box /script
	printf '#!/no/such/interpreter\n' >b/rootfs/script
	chmod 755 b/rootfs/script
	create_box
	run kist start c
	assert_failure
	assert_output --partial 'no such file or directory'
	wait_status c stopped
	kist delete c
}

@test "start: two at once, and one wins" {
	box sh -c 'echo began; sleep 1000'
	create_box
	"$KIST" --root "$KIST_ROOT" start c >1.log 2>&1 3>&- &
	local first=$! won=0
	"$KIST" --root "$KIST_ROOT" start c >2.log 2>&1 3>&- &
	local second=$!
	wait $first && won=$((won + 1))
	wait $second && won=$((won + 1))
	assert_equal $won 1
	wait_until 5 grep -q began c.out
	assert_equal "$(output_of)" began
	delete_box
}

# ---- kill ----

@test "kill: by number, name and name with SIG; TERM when there is none" {
	box sh -c 'for s in HUP USR1 USR2 TERM; do trap "echo $s" $s; done; echo ready; while :; do sleep 0.05; done'
	start_box
	wait_until 5 grep -q ready c.out
	kist kill c 1
	wait_until 5 grep -q HUP c.out
	kist kill c USR1
	wait_until 5 grep -q USR1 c.out
	kist kill c SIGUSR2
	wait_until 5 grep -q USR2 c.out
	kist kill c
	wait_until 5 grep -q TERM c.out
	kist kill -s usr1 c
	wait_until 5 eval '[ "$(grep -c USR1 c.out)" = 2 ]'
	delete_box
}

@test "kill: real-time signals" {
	box sh -c 'trap "echo got" 37; echo ready; while :; do sleep 0.05; done'
	start_box
	wait_until 5 grep -q ready c.out
	kist kill c RTMIN+3
	wait_until 5 grep -q got c.out
	delete_box
}

@test "kill: an unknown signal is refused" {
	box sleep 1000
	start_box
	local word
	for word in FOO 00 65 '' 1x 99999999999; do
		run -1 kist kill c "$word"
		assert_output --partial 'unknown'
	done
	assert_equal "$(state_of c status)" running
	delete_box
}

@test "kill: a stopped container is said not to run, an unknown one not to exist" {
	box true
	start_box
	wait_status c stopped
	local sig
	for sig in KILL TERM; do
		run -1 kist kill c $sig
		assert_output --partial 'container not running'
		run -1 kist kill --all c $sig
		assert_output --partial 'container not running'
	done
	kist delete c
	run -1 kist kill c KILL
	assert_output --partial 'container c does not exist'
}

@test "kill: a created container can be killed" {
	box sleep 1000
	create_box
	kist kill c KILL
	wait_status c stopped
	kist delete c
}

@test "kill --all: every process of the group" {
	box sh -c 'trap : TERM; sleep 1001 & sleep 1002 & echo ready; while :; do sleep 0.05; done'
	start_box
	wait_until 5 grep -q ready c.out
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" -ge 4 ]'
	kist kill --all c TERM
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" -le 2 ]'
	assert_equal "$(state_of c status)" running
	kist kill --all c KILL
	wait_status c stopped
	delete_box
}

@test "kill: a signal whose default is to end ends a created container, also with pid 1" {
	local sig
	box sleep 1000
	for sig in TERM INT HUP QUIT USR1; do
		create_box
		kist kill c $sig
		wait_status c stopped
		run kist start c
		assert_failure
		delete_box
	done
	create_box
	kist kill c WINCH
	kist start c
	assert_equal "$(state_of c status)" running
	# the handlers were not the program's
	grep -qx $'SigCgt:\t0000000000000000' "/proc/$(state_of c pid)/status"
	delete_box
}

@test "start: a program that cannot run has ended when start says so" {
	local i
	box true
	edit_config 'del(.process)'
	for i in 1 2 3 4 5 6 7 8; do
		create_box
		run kist start c
		assert_failure
		kist delete c
	done
}

@test "kill 0: tells whether there is something to signal" {
	box sleep 1000
	start_box
	kist kill c 0
	kist kill -s 0 c
	assert_equal "$(state_of c status)" running
	kist kill c KILL
	wait_status c stopped
	run kist kill c 0
	assert_failure
	assert_output --partial 'container not running'
	delete_box
}

@test "kill KILL ends all of a container in a shared pid namespace, also when its init has gone" {
	box sh -c 'sleep 1004 & sleep 1005 & exec sleep 1006'
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	start_box
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" -ge 3 ]'
	kist kill c TERM
	wait_status c stopped
	assert_equal "$(kist ps --format json c | jq length)" 2
	run kist kill c TERM
	assert_failure
	assert_output --partial 'container not running'
	kist kill c KILL
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" = 0 ]'
	run kist kill c KILL
	assert_failure
	assert_output --partial 'container not running'
	delete_box
	start_box
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" -ge 3 ]'
	kist kill c KILL
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" = 0 ]'
	delete_box
}

@test "kill --all: reaches what is left of a stopped container in a shared pid namespace" {
	box sh -c 'sleep 1003 & exit 0'
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	start_box
	wait_status c stopped
	assert_equal "$(kist ps --format json c | jq length)" 1
	kist kill --all c KILL
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" = 0 ]'
	kist delete c
}

# ---- stop ----

@test "stop: by the signal, within the grace" {
	box sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
	start_box
	wait_until 5 grep -q ready c.out
	run --separate-stderr kist stop -t 20 c
	assert_success
	assert_output c
	[[ $stderr == *"c: ended by SIGTERM"* ]]
	assert_equal "$(state_of c status)" stopped
	kist delete c
}

@test "stop: by KILL after the grace, and says so" {
	box sh -c 'trap "" TERM; sleep 1000 & while :; do sleep 0.05; done'
	start_box
	run --separate-stderr kist stop -t 0.3 c
	assert_success
	assert_output c
	[[ $stderr == *"c: killed after"* ]]
	assert_equal "$(state_of c status)" stopped
	assert_equal "$(kist ps --format json c | jq length)" 0
	kist delete c
}

@test "stop: of a stopped container is success; of a paused one works" {
	box sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
	start_box
	wait_until 5 grep -q ready c.out
	kist pause c
	kist stop -t 20 c
	assert_equal "$(state_of c status)" stopped
	kist stop c
	kist delete c
}

# ---- pause and resume ----

@test "pause and resume" {
	box sh -c 'while :; do echo x; sleep 0.02; done'
	start_box
	wait_until 5 grep -q x c.out
	kist pause c
	assert_equal "$(state_of c status)" paused
	local size
	size=$(stat -c %s c.out)
	sleep 0.2
	assert_equal "$(stat -c %s c.out)" "$size"
	run -1 kist pause c
	assert_output --partial 'already paused'
	run -1 kist delete c
	kist resume c
	assert_equal "$(state_of c status)" running
	wait_until 5 eval '[ "$(stat -c %s c.out)" -gt "'"$size"'" ]'
	run -1 kist resume c
	assert_output --partial 'not paused'
	delete_box
}

@test "pause: a stopped container is not running" {
	box true
	start_box
	wait_status c stopped
	run -1 kist pause c
	assert_output --partial 'container not running'
	run -1 kist resume c
	assert_output --partial 'container not running'
	kist delete c
}

@test "delete --force: a paused container" {
	box sleep 1000
	start_box
	kist pause c
	kist delete --force c
	run ! kist state c
}

# ---- delete ----

@test "delete: a running container is refused, and runs on" {
	box sleep 1000
	start_box
	run -1 kist delete c
	assert_output --partial 'delete c: cannot delete a container that is running'
	assert_equal "$(state_of c status)" running
	kist delete --force c
}

@test "delete: a created container goes without --force" {
	box sleep 1000
	create_box
	kist delete c
	run -1 kist state c
	assert_output --partial 'container c does not exist'
}

@test "delete: of what is not there fails, and with --force is success" {
	run -1 kist delete c
	assert_output --partial 'container c does not exist'
	run kist delete --force c
	assert_success
	assert_output ''
}

@test "delete --force: ends all processes of the container" {
	box sh -c 'sleep 1004 & sleep 1005 & echo ready; sleep 1006'
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	start_box
	wait_until 5 grep -q ready c.out
	kist delete --force c
	run pgrep -f 'sleep 100[456]'
	assert_failure
}

@test "delete: groups that the container made below its own go too" {
	box sh -c 'mkdir -p /sys/fs/cgroup/a/b && echo ready; sleep 1000'
	edit_config '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))'
	start_box
	wait_until 5 grep -q ready c.out
	local group
	group=$(cgroup_of "$(state_of c pid)")
	assert [ -d "$group/a/b" ]
	kist delete --force c
	assert [ ! -d "$group" ]
}

@test "delete: six at once of one container, and all agree that it is gone" {
	box sleep 1000
	start_box
	local i
	local -a pids=()
	for i in 1 2 3 4 5 6; do
		"$KIST" --root "$KIST_ROOT" delete --force c >"$i.log" 2>&1 3>&- &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6; do
		wait "${pids[i - 1]}" || { cat "$i.log"; return 1; }
	done
	run ! kist state c
}

@test "an id is free again after delete" {
	box true
	local i
	for i in 1 2 3; do
		create_box
		kist start c
		wait_status c stopped
		kist delete c
	done
}

# ---- descriptors and sockets ----

@test "preserve-fds: those and no others reach the program" {
	box sh -c 'ls /proc/self/fd; cat <&3; cat <&4'
	echo three >3.txt
	echo four >4.txt
	echo five >5.txt
	run run_box --preserve-fds 2 3<3.txt 4<4.txt 5<5.txt
	assert_success
	assert_line three
	assert_line four
	refute_line 6
	# 0 1 2, the two, and that of ls for the directory itself
	assert_equal "$(grep -c '^[0-9]*$' <<<"$output")" 6
}

@test "without preserve-fds the caller's descriptors are closed" {
	box sh -c 'ls /proc/self/fd'
	echo x >x.txt
	run run_box 3<x.txt 4<x.txt 9<x.txt
	assert_success
	assert_equal "$(grep -c '^[0-9]*$' <<<"$output")" 4
}

@test "console-socket: the terminal's master arrives and works" {
	box sh -c 'tty; stty size; read -r line; echo "got $line"; read -r line'
	edit_config '.process.terminal = true | .process.consoleSize = { height: 31, width: 97 }'
	python3 "$RUNTIME_HELPERS/console.py" console.sock hello >console.out 2>&1 </dev/null 3>&- &
	local receiver=$!
	wait_until 5 test -S console.sock
	create_box c --console-socket console.sock
	kist start c
	wait_until 10 grep -q 'got hello' console.out
	run cat console.out
	assert_output --partial '/dev/pts/0'
	assert_output --partial '31 97'
	delete_box
	wait $receiver
}

@test "console-socket: /dev/console is the terminal, which is the controlling one" {
	box sh -c 'stat -c "%t:%T" /dev/console; stat -L -c "%t:%T" /proc/self/fd/0; echo tty >/dev/tty; ls -l /dev/ptmx; echo end'
	edit_config '.process.terminal = true'
	python3 "$RUNTIME_HELPERS/console.py" console.sock >console.out 2>&1 </dev/null 3>&- &
	local receiver=$!
	wait_until 5 test -S console.sock
	create_box c --console-socket console.sock
	kist start c
	wait $receiver
	run cat console.out
	assert_line --index 0 --partial '88:0'
	assert_line --index 1 --partial '88:0'
	assert_line --partial 'tty'
	assert_output --partial 'pts/ptmx'
	delete_box
}

@test "console-socket: needed with a terminal, refused without one, and it must be there" {
	box sleep 1000
	edit_config '.process.terminal = true'
	run -1 kist create --bundle b c
	assert_output --partial '--console-socket'
	run -1 kist create --console-socket no.sock --bundle b c
	assert_output --partial 'console socket no.sock: No such file or directory'
	edit_config '.process.terminal = false'
	run -1 kist create --console-socket no.sock --bundle b c
	assert_output --partial 'process.terminal is not true'
}

# receive_pidfd: waits for a pidfd on the socket p.sock; what it says of it goes to pidfd.out, its pid to RECEIVER
receive_pidfd() {
	rm -f p.sock
	python3 "$RUNTIME_HELPERS/pidfd.py" p.sock >pidfd.out 2>&1 </dev/null 3>&- &
	RECEIVER=$!
	wait_until 5 test -S p.sock
}

@test "pidfd-socket: create sends a pidfd of the container's process" {
	box sleep 1000
	receive_pidfd
	create_box c --pidfd-socket p.sock
	wait_until 5 test -s pidfd.out
	assert_equal "$(cat pidfd.out)" "standard $(state_of c pid)"
	kist start c
	kist kill c KILL
	wait $RECEIVER
	assert_equal "$(tail -n 1 pidfd.out)" ended
	delete_box
}

# run_told: runs the box, whose program waits for its standard input's end, until the receiver has looked at the pidfd
run_told() {
	receive_pidfd
	mkfifo gate
	run_box --pidfd-socket p.sock <gate >run.out 2>&1 3>&- &
	local run=$!
	exec 8>gate
	wait_until 20 test -s pidfd.out
	exec 8>&-
	wait $run
	wait $RECEIVER
	rm gate
	assert_equal "$(sed 's/[0-9][0-9]*/N/' pidfd.out)" $'standard N\nended'
}

@test "pidfd-socket: run, and a container with a stage" {
	box cat
	run_told
	edit_config '.linux.namespaces += [{ type: "time" }]'
	run_told
}

@test "pidfd-socket: exec sends a pidfd of the new process" {
	box sleep 1000
	start_box
	receive_pidfd
	kist exec -d --pid-file exec.pid --pidfd-socket p.sock c sleep 1000
	wait_until 5 test -s pidfd.out
	assert_equal "$(cat pidfd.out)" "setns $(<exec.pid)"
	kill "$(<exec.pid)"
	wait $RECEIVER
	assert_equal "$(tail -n 1 pidfd.out)" ended
	delete_box
}

@test "pidfd-socket: one that is not there, or too long a path" {
	box true
	run -1 kist create --pidfd-socket no.sock --bundle b c
	assert_output 'kist: create c: pidfd socket no.sock: No such file or directory'
	local long
	long=$(printf '%0120d' 0)
	run -1 kist create --pidfd-socket "$long" --bundle b c
	assert_output "kist: create c: pidfd socket $long: longer than 107 bytes"
	run kist list -q
	assert_output ''
}

# ---- state root ----

@test "ids: what cannot be a name is refused" {
	box true
	local id
	for id in '' . .. .a -a /a a/b 'a b' 'a:b' $'a\nb' ä "$(printf 'x%.0s' {1..300})"; do
		run kist create --bundle b -- "$id"
		assert_failure
		assert_output --partial 'container id'
	done
	create_box A_b.c+d-9
	kist delete A_b.c+d-9
}

@test "ids: every operation of the specification wants one" {
	box true
	local verb
	for verb in state "create --bundle b" start kill delete; do
		# shellcheck disable=SC2086
		run kist oci $verb
		assert_failure
		assert_output --regexp 'usage|argument|expected|ID'
	done
	run -1 kist oci create nobundle # and create a bundle: the default is the current directory
	assert_output --partial config.json
	run kist oci list -q
	assert_output ''
}

@test "the state root is made with mode 700" {
	box true
	KIST_ROOT=$BATS_TEST_TMPDIR/deep/down/root
	create_box
	assert_equal "$(stat -c %a "$KIST_ROOT")" 700
	assert_equal "$(stat -c %a "$KIST_ROOT/c")" 700
	kist delete c
}

@test "a state root of a length that no socket name takes" {
	box true
	KIST_ROOT=$BATS_TEST_TMPDIR/$(printf 'long%.0s' {1..50})
	create_box
	kist start c
	wait_status c stopped
	kist delete c
}

@test "a state root of somebody else is refused" {
	box true
	mkdir theirs
	chown 1234 theirs
	KIST_ROOT=$BATS_TEST_TMPDIR/theirs
	run -1 kist create --bundle b c
	assert_output --partial 'belongs to another user'
}
