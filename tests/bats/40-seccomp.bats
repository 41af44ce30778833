# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# System call filters: actions, comparisons of arguments, errnos, and what kist itself still does under a filter.
# Source: runtime-spec config-linux.md "Seccomp", seccomp(2).

load ../helpers/common
load ../helpers/runtime

# filter JSON: linux.seccomp of the bundle
filter() {
	edit_config '.linux.seccomp = $f' --argjson f "$1"
}

# deny NAME...: these calls give EPERM, all others are allowed
deny() {
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: $ARGS.positional, action: "SCMP_ACT_ERRNO" }] }' --args "$@"
}

# on_mkdir ACTION [ERRNO]: what mkdir gives
on_mkdir() {
	filter "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],
		\"action\":\"$1\"${2:+,\"errnoRet\":$2}}]}"
}

# mkdir_box: tries to make a directory in a tmpfs of the container
mkdir_box() {
	box sh -c 'mkdir /m/x; echo "status $?"; ls /m'
	add_mount /m tmpfs tmpfs
}

@test "errno: EPERM, or the one that is given" {
	mkdir_box
	on_mkdir SCMP_ACT_ERRNO
	run run_box
	assert_line --partial 'Operation not permitted'
	assert_line 'status 1'
	on_mkdir SCMP_ACT_ERRNO 95
	run run_box
	assert_line --partial 'not supported'
	on_mkdir SCMP_ACT_ERRNO 0
	run run_box
	assert_output 'status 0' # "done", but there is none
}

@test "kill: the process, the thread, and by a trap" {
	box mkdir /m/x
	add_mount /m tmpfs tmpfs
	local action
	for action in SCMP_ACT_KILL SCMP_ACT_KILL_THREAD SCMP_ACT_KILL_PROCESS SCMP_ACT_TRAP; do
		on_mkdir $action
		run run_box
		assert_equal "$action $status" "$action 159" # 128 + SIGSYS
	done
}

@test "log and trace: log lets it pass, trace without a tracer is ENOSYS" {
	mkdir_box
	on_mkdir SCMP_ACT_LOG
	run run_box
	assert_output $'status 0\nx'
	on_mkdir SCMP_ACT_TRACE 7
	run run_box
	assert_line --partial 'not implemented'
}

@test "errnoRet with an action that has none is refused" {
	box true
	on_mkdir SCMP_ACT_KILL 1
	run -1 kist create --bundle b c
	assert_output --partial 'linux.seccomp.syscalls[0].errnoRet'
	filter '{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.seccomp.defaultErrnoRet'
}

# compare OPERATOR VALUE [VALUE-TWO]: chmod with such a mode gives EPERM
compare() {
	filter "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_ERRNO\",
		\"args\":[{\"index\":1,\"value\":$2,\"valueTwo\":${3:-0},\"op\":\"SCMP_CMP_$1\"}]}]}"
}

@test "arguments: each comparison" {
	box sh -c 'for m in 400 444 644; do chmod $m /m; echo $m $?; done 2>/dev/null'
	add_mount /m tmpfs tmpfs
	add_caps CAP_FOWNER
	local operator value two want
	while read -r operator value two want; do
		compare "$operator" "$value" "$two"
		run run_box
		assert_equal "$operator $value $two: $(awk '{ printf $2 }' <<<"$output")" "$operator $value $two: $want"
	done <<-E
		EQ $((0444)) 0 010
		NE $((0444)) 0 101
		LT $((0444)) 0 100
		LE $((0444)) 0 110
		GT $((0444)) 0 001
		GE $((0444)) 0 011
		MASKED_EQ $((0200)) $((0200)) 001
		MASKED_EQ $((0040)) 0 100
	E
}

@test "arguments: of two indices both must hold, of one index either" {
	box sh -c 'for m in 400 444 644; do chmod $m /m; echo $m $?; done 2>/dev/null'
	add_mount /m tmpfs tmpfs
	filter "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[
		{\"index\":1,\"value\":$((0400)),\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":$((0644)),\"op\":\"SCMP_CMP_EQ\"}]}]}"
	run run_box
	assert_equal "$(awk '{ printf $2 }' <<<"$output")" 101
	filter "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[
		{\"index\":1,\"value\":$((0400)),\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}"
	run run_box
	assert_equal "$(awk '{ printf $2 }' <<<"$output")" 000
}

@test "arguments: a value that needs all 64 bits" {
	box sh -c 'chmod 444 /m; echo $?'
	add_mount /m tmpfs tmpfs
	filter '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod"],"action":"SCMP_ACT_ERRNO",
		"args":[{"index":0,"value":424242,"op":"SCMP_CMP_LT"}]}]}'
	sed -i 's/424242/18446744073709551615/' b/config.json # jq would round it
	run run_box
	assert_line 1
}

@test "an allow-list: what is not on it fails" {
	mkdir_box
	# all that the shell and its programs call, as an engine's profile would list it
	filter '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],
		"syscalls":[{"action":"SCMP_ACT_ALLOW","names":["execve","brk","arch_prctl","set_tid_address","set_robust_list",
		"rseq","prlimit64","readlink","readlinkat","getrandom","mprotect","mmap","munmap","getuid","getgid","geteuid",
		"getegid","getpid","getppid","rt_sigaction","rt_sigprocmask","rt_sigreturn","getcwd","stat","newfstatat","fstat",
		"lstat","open","openat","close","read","write","writev","fork","vfork","clone","clone3","wait4","exit",
		"exit_group","getdents64","ioctl","fcntl","dup2","umask","uname","prctl","time","clock_gettime","lseek",
		"set_tid_address","futex","sigaltstack","statx"]}]}'
	run run_box
	assert_line --partial 'not implemented'
	assert_line 'status 1'
}

@test "without no_new_privs kist's own work is not caught by the filter" {
	box sh -c 'id -u; echo $HOME; grep Seccomp: /proc/self/status'
	deny sendmsg recvmsg sendto recvfrom accept accept4 socket connect close_range openat2 faccessat2 setresuid setresgid \
		setgroups
	edit_config '.process.noNewPrivileges = false | .process.user = { uid: 1000, gid: 1000 }'
	run run_box
	assert_success
	assert_line --index 0 1000
	assert_line --index 1 /home/app
	assert_line --regexp 'Seccomp:.*2'
	create_box
	kist start c
	wait_until 5 grep -q Seccomp c.out
	run kist exec c id -u # the container has ended
	wait_status c stopped
	kist delete c
}

@test "an error after the filter is loaded is still reported" {
	box /etc/tool
	printf '#!/no/such/interpreter\n' >b/rootfs/etc/tool
	chmod 755 b/rootfs/etc/tool
	deny sendmsg sendto
	run -127 run_box
	assert_output --partial 'exec: "/etc/tool": no such file or directory'
}

@test "with no_new_privs, too" {
	box sh -c 'echo $HOME; grep -E "Seccomp:|NoNewPrivs" /proc/self/status; sleep 1000'
	deny sendmsg recvmsg accept accept4 socket connect close_range openat2 faccessat2 setresuid setresgid setgroups \
		capset prctl
	edit_config '.process.user = { uid: 1000, gid: 1000 }'
	start_box
	wait_until 5 grep -q Seccomp: c.out
	run kist exec c grep Seccomp: /proc/self/status
	assert_success
	assert_output --regexp '2$'
	run output_of
	assert_line /home/app
	delete_box
}

@test "exec is under the container's filter" {
	box sleep 1000
	add_mount /m tmpfs tmpfs
	on_mkdir SCMP_ACT_ERRNO 95
	start_box
	run kist exec c mkdir /m/x
	assert_failure
	assert_output --partial 'not supported'
	delete_box
}

@test "names: unknown ones are passed over, also those of other architectures" {
	mkdir_box
	filter '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["no_such_call","mkdir","arm_fadvise64_64","mkdirat"],
		"action":"SCMP_ACT_ERRNO"}]}'
	run run_box
	assert_line 'status 1'
}

@test "a rule of the default action changes nothing" {
	mkdir_box
	on_mkdir SCMP_ACT_ALLOW
	run run_box
	assert_output $'status 0\nx'
}

@test "architectures: known ones are added, unknown ones refused" {
	box true
	on_mkdir SCMP_ACT_ERRNO
	edit_config '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]'
	run run_box
	assert_success
	edit_config '.linux.seccomp.architectures = ["SCMP_ARCH_PDP11"]'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.seccomp.architectures[0]'
}

@test "flags: each that the kernel has" {
	box grep -E 'Seccomp|Speculation_Store' /proc/self/status
	on_mkdir SCMP_ACT_ERRNO
	local flags
	for flags in '[]' '["SECCOMP_FILTER_FLAG_TSYNC"]' '["SECCOMP_FILTER_FLAG_LOG"]' '["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' \
		'["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'; do
		edit_config ".linux.seccomp.flags = $flags"
		run run_box
		assert_success
		assert_output --regexp 'Seccomp_filters:.*1'
	done
	edit_config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NONSENSE"]'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.seccomp.flags[0]'
}

# profile: the filter of an engine's size
profile() {
	filter "$(cat "$RUNTIME_HELPERS/../data/seccomp-profile.json")"
}

# call_box NUMBER...: tells how each of these system calls ends
call_box() {
	box python3 -c 'import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
for number in sys.argv[1:]:
    libc.syscall(int(number), -1, -1, -1, -1, -1, -1)
    print(number, errno.errorcode[ctypes.get_errno()])' "$@"
	edit_config '.root.path = "/"' # python needs the libraries of the host
}

@test "calls newer than a profile are missing, and not forbidden" {
	call_box 167 435 4000 4194304 # swapon, clone3, and two that will never be
	profile
	run run_box
	assert_success
	assert_output $'167 EPERM\n435 ENOSYS\n4000 ENOSYS\n4194304 ENOSYS'
	edit_config '.linux.seccomp.defaultErrnoRet = 95'
	run run_box
	assert_line '167 ENOTSUP'
	assert_line '4000 ENOSYS'
	# a profile that lets pass what it does not name
	filter '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["swapon"],"action":"SCMP_ACT_ERRNO"}]}'
	run run_box
	assert_output $'167 EPERM\n435 E2BIG\n4000 ENOSYS\n4194304 ENOSYS'
}

# cached: the names of the kept filters
cached() {
	ls -A "$KIST_ROOT/.seccomp"
}

@test "cache: a filter is compiled once, whoever comes at the same time" {
	local i file
	local -a pids=()
	box grep Seccomp: /proc/self/status
	profile
	for i in 1 2 3 4 5 6; do
		kist run --bundle b c$i >out.$i 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 1 2 3 4 5 6; do assert_equal "$(cat out.$i)" $'Seccomp:\t2'; done
	assert_equal "$(cached | wc -w)" 1
	file=$KIST_ROOT/.seccomp/$(cached)
	assert_equal "$(stat -c '%a %u' "$KIST_ROOT/.seccomp" "$file")" $'700 0\n600 0'
	i=$(stat -c %i "$file")
	run run_box
	assert_output $'Seccomp:\t2'
	assert_equal "$(stat -c %i "$file")" "$i"
}

@test "cache: two profiles that differ in one errno only do not share a filter" {
	mkdir_box
	on_mkdir SCMP_ACT_ERRNO 95
	run run_box
	assert_line --partial 'not supported'
	on_mkdir SCMP_ACT_ERRNO 30
	run run_box
	assert_line --partial 'Read-only'
	on_mkdir SCMP_ACT_ERRNO 95
	run run_box
	assert_line --partial 'not supported'
	assert_equal "$(cached | wc -w)" 2
}

# allow_more FILE: makes the last but one return of the program in it "allow"
allow_more() {
	python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(-16, 2)
    file.write(b"\6\0\0\0\0\0\xff\x7f")' "$1"
}

@test "cache: what is broken, cut off or another's is not used, and is written again" {
	local file damage
	mkdir_box
	on_mkdir SCMP_ACT_ERRNO 95
	run run_box
	file=$KIST_ROOT/.seccomp/$(cached)
	cp "$file" good
	for damage in 'truncate -s 100' 'truncate -s 0' 'chown 1' 'chmod 666' allow_more; do
		$damage "$file"
		run run_box
		assert_line --partial 'not supported'
		cmp "$file" good
		assert_equal "$(stat -c '%a %u' "$file")" '600 0'
	done
	# a link, a directory, and a cache that cannot be
	mv "$file" moved && ln -s "$PWD/moved" "$file"
	run run_box
	assert_line --partial 'not supported'
	rm -r "$KIST_ROOT/.seccomp"
	: >"$KIST_ROOT/.seccomp"
	run run_box
	assert_line --partial 'not supported'
	rm "$KIST_ROOT/.seccomp"
}

@test "cache: exec takes the container's filter from there" {
	box sleep 1000
	add_mount /m tmpfs tmpfs
	on_mkdir SCMP_ACT_ERRNO 95
	start_box
	assert_equal "$(cached | wc -w)" 1
	run strace -f -o trace "$KIST" --root "$KIST_ROOT" exec c mkdir /m/x
	assert_output --partial 'not supported'
	run grep -c memfd_create.*seccomp trace
	assert_output 0
	delete_box
}

@test "flags: one that needs a listener, and has none" {
	box true
	on_mkdir SCMP_ACT_ERRNO
	edit_config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	run -1 kist create --bundle b c
	assert_output --partial 'linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs SCMP_ACT_NOTIFY'
}

@test "a filter of a whole engine's profile is taken" {
	box sh -c 'echo fine; grep Seccomp: /proc/self/status'
	# every call that the kernel's headers know, one rule each, with comparisons
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [range(40) as $i |
		{ names: $ARGS.positional, action: "SCMP_ACT_ALLOW",
		  args: (if $i % 2 == 0 then [] else [{ index: 3, value: $i, op: "SCMP_CMP_NE" }] end) }] }' \
		--args $(sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' /usr/include/x86_64-linux-gnu/asm/unistd_64.h | head -n 330)
	run run_box
	assert_success
	assert_line fine
}

# ---- SCMP_ACT_NOTIFY ----

# agent [OPTION...]: starts the agent at the socket "agent.sock", and sets AGENT to its pid
agent() {
	mkdir -p agent
	"$RUNTIME_HELPERS/seccomp_agent.py" "$PWD/agent.sock" agent "$@" </dev/null >agent.log 2>&1 3>&- &
	AGENT=$!
	wait_until 5 test -S agent.sock
}

no_agent() {
	kill "$AGENT" 2>/dev/null || true
	wait "$AGENT" 2>/dev/null || true
	rm -f agent.sock
}

# notify NAME...: these calls go to the agent
notify() {
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $s, listenerMetadata: "who \"knows\"",
		syscalls: [{ names: $ARGS.positional, action: "SCMP_ACT_NOTIFY" }] }' --arg s "$PWD/agent.sock" --args "$@"
}

# told N FILTER: of the Nth message
told() {
	jq -r "$2" "agent/$1.json"
}

@test "notify: run hands the calls to the agent, with one whole state" {
	mkdir_box
	notify mkdir
	edit_config '.annotations = { "a.b": "c" }'
	agent --errno 83=95
	run run_box
	assert_line --partial 'not supported'
	assert_line 'status 1'
	assert_equal "$(ls agent)" $'1.json\ncalls'
	assert_equal "$(<agent/calls)" 83
	assert_equal "$(told 1 '[.ociVersion, .metadata, .state.ociVersion, .state.id, .state.status, .state.bundle,
		.state.annotations["a.b"], (.fds | tojson), .agent.fds] | join(" ")')" \
		"1.3.0 who \"knows\" 1.3.0 c creating $BUNDLE c [\"seccompFd\"] 1"
	assert_equal "$(told 1 .pid)" "$(told 1 .state.pid)"
	assert_equal "$(told 1 '[keys, (.state | keys)] | tojson')" \
		'[["agent","fds","metadata","ociVersion","pid","state"],["annotations","bundle","id","ociVersion","pid","status"]]'
	no_agent
}

@test "notify: start hands them over, and exec does for its process" {
	box sleep 1000
	add_mount /m tmpfs tmpfs
	notify mkdir
	agent --errno 83=95
	create_box
	assert_equal "$(ls agent)" calls # not yet
	kist start c
	assert_equal "$(told 1 '.pid, .state.pid, .state.status')" "$(kist state c | jq -r '.pid, .pid, "creating"')"
	run kist exec c mkdir /m/x
	assert_failure
	assert_output --partial 'not supported'
	assert_equal "$(told 2 '.state.pid, .state.status, .state.id, .agent.fds')" "$(kist state c | jq -r '.pid, "running", .id, 1')"
	[ "$(told 2 .pid)" -gt 1 ]
	[ "$(told 2 .pid)" != "$(told 2 .state.pid)" ]
	assert_equal "$(cat agent/calls)" 83
	delete_box
	no_agent
}

@test "notify: none of the calls that kist itself may still make stops it" {
	local call
	box sh -c 'id -u; echo done >&2'
	agent
	for call in write sendmsg sendto recvmsg read futex sched_yield close fcntl capset prctl execve execveat exit exit_group \
		seccomp clone getpid rt_sigreturn brk; do
		for nnp in true false; do
			notify "$call"
			edit_config ".process.noNewPrivileges = $nnp"
			run timeout 20 "$KIST" --root "$KIST_ROOT" run --bundle b c
			assert_equal "$call $nnp $status: $output" "$call $nnp 0: "$'0\ndone'
		done
	done
	create_box
	kist start c
	wait_status c stopped
	kist delete c
	no_agent
}

@test "notify: all calls there are, by the default action" {
	local flags
	box sh -c 'ls / >/dev/null; echo $HOME'
	agent
	for flags in null '["SECCOMP_FILTER_FLAG_TSYNC"]' '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV","SECCOMP_FILTER_FLAG_LOG"]'; do
		edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: $s, flags: $f }' \
			--arg s "$PWD/agent.sock" --argjson f "$flags"
		run timeout 20 "$KIST" --root "$KIST_ROOT" run --bundle b c
		assert_success
		assert_output /root
	done
	run grep -cx 59 agent/calls # execve
	[ "$output" -ge 3 ]
	no_agent
}

@test "notify: a real-time process on one processor does not wait for ever" {
	chrt -f 1 true || skip "no real-time policies here (CAP_SYS_NICE)"
	box echo done
	notify write sendmsg sched_yield
	agent
	run timeout 30 chrt -f 1 taskset -c 0 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_success
	assert_output done
	no_agent
}

@test "notify: an error behind the filter is still reported" {
	box /etc/tool
	printf '#!/no/such/interpreter\n' >b/rootfs/etc/tool
	chmod 755 b/rootfs/etc/tool
	notify sendmsg write execve
	agent
	run -127 timeout 20 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output --partial 'exec: "/etc/tool": no such file or directory'
	# the agent's own no
	no_agent
	box2=$BUNDLE
	agent --errno 59=13
	run -126 timeout 20 "$KIST" --root "$KIST_ROOT" run --bundle "$box2" c
	assert_output --partial 'permission denied'
	no_agent
}

@test "notify: without an agent nothing is made" {
	box true
	notify mkdir
	run -1 kist create --bundle b c
	assert_output --partial "linux.seccomp.listenerPath $PWD/agent.sock: No such file or directory"
	run -125 run_box
	assert_output --partial "linux.seccomp.listenerPath $PWD/agent.sock: No such file or directory"
	: >agent.sock
	run -1 kist create --bundle b c
	assert_output --partial "linux.seccomp.listenerPath $PWD/agent.sock: not a socket"
	rm agent.sock
	run kist list -q
	assert_output ''
}

@test "notify: an agent that is gone at start can come back" {
	box sleep 1000
	notify mkdir
	agent
	create_box
	no_agent
	run -1 kist start c
	assert_output --partial "linux.seccomp.listenerPath $PWD/agent.sock: No such file or directory"
	assert_equal "$(kist state c | jq -r .status)" created
	agent
	kist start c
	wait_status c running
	delete_box
	no_agent
}

@test "notify: an agent that hangs up is an error, and ends the process" {
	box sleep 1000
	notify mkdir
	agent --drop
	run -125 run_box
	assert_output --partial 'linux.seccomp.listenerPath: send the container process state'
	no_agent
}

@test "notify: calls fail once the agent is gone" {
	box sh -c 'mkdir /m/x; echo "status $?"'
	add_mount /m tmpfs tmpfs
	notify mkdir
	agent --die
	run timeout 20 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_line --partial 'not implemented'
	assert_line 'status 1'
	no_agent
}

@test "notify: listenerPath means nothing without a call that is notified" {
	mkdir_box
	on_mkdir SCMP_ACT_ERRNO
	edit_config '.linux.seccomp.listenerPath = "/no/agent/here" | .linux.seccomp.listenerMetadata = "m"'
	run run_box
	assert_line 'status 1'
}

@test "notify: a path that is longer than a socket's name" {
	local folder
	folder=$PWD/$(printf 'd%.0s' {1..90})
	mkdir "$folder"
	box true
	notify getpid
	agent
	mv agent.sock "$folder/agent.sock"
	edit_config '.linux.seccomp.listenerPath = $s' --arg s "$folder/agent.sock"
	run run_box
	assert_success
	assert_equal "$(told 1 .state.id)" c
	no_agent
}

@test "notify: features names it" {
	run jq -r '.linux.seccomp | .actions[], .supportedFlags[]' <<<"$(kist features)"
	assert_line SCMP_ACT_NOTIFY
	assert_line SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
}

@test "notify: in user and time namespaces of its own, and beside processes of the host" {
	box sh -c 'id -u; sleep 1000'
	notify write execve sendmsg
	edit_config '.linux.namespaces += [{ type: "user" }, { type: "time" }] | .process.user = { uid: 1000, gid: 1000 } |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
		.linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs
	agent
	start_box
	wait_until 5 grep -q 1000 c.out
	run timeout 20 "$KIST" --root "$KIST_ROOT" exec c id -u
	assert_output 1000
	delete_box
	edit_config 'del(.linux.uidMappings, .linux.gidMappings) |
		.linux.namespaces |= map(select(.type != "pid" and .type != "user" and .type != "time"))'
	chown -R 0:0 b/rootfs
	add_caps CAP_SYS_PTRACE
	start_box d
	run timeout 20 "$KIST" --root "$KIST_ROOT" exec d id -u
	assert_output 1000
	delete_box d
	no_agent
}

@test "notify: a limit that leaves no room for the second thread is named" {
	box true
	notify write
	edit_config '.process.rlimits = [{ type: "RLIMIT_NPROC", soft: 0, hard: 0 }] | .process.user = { uid: 1000, gid: 1000 }'
	agent
	run -125 run_box
	assert_output --partial 'linux.seccomp.listenerPath: a second thread for a moment'
	assert_output --partial RLIMIT_NPROC
	no_agent
}

@test "an unknown name is left out, or refused when an annotation asks for it" {
	box echo fine
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{ names: ["mount", "nosuchcall"], action: "SCMP_ACT_ERRNO" }] }'
	run run_box
	assert_output fine
	edit_config '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
	run -125 run_box
	assert_output --partial 'linux.seccomp.syscalls[0].names[1]: nosuchcall is no system call that is known here'
	assert_not_exist "$KIST_ROOT/c"
	edit_config '.linux.seccomp.syscalls[0].names = ["mount"]'
	run run_box
	assert_output fine
}

@test "every architecture that features lists can be named, all in one filter" {
	mkdir_box
	on_mkdir SCMP_ACT_ERRNO
	run -0 kist features
	edit_config '.linux.seccomp.architectures = $f.linux.seccomp.archs' --argjson f "$output"
	run run_box
	assert_line --partial 'Operation not permitted'
	assert_line 'status 1'
}
