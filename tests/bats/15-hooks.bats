# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The six kinds of hooks: when, where and with what each runs, and what comes of a failure. runtime-spec config.md "POSIX-platform
# Hooks", runtime.md "Lifecycle".

load ../helpers/common
load ../helpers/runtime
load ../helpers/engine

# shellcheck disable=SC2034
CREATE_KINDS=(prestart createRuntime createContainer)
ALL_KINDS=(prestart createRuntime createContainer startContainer poststart poststop)

setup() {
	kist_setup
	NOTES=$BATS_TEST_TMPDIR/notes
	mkdir "$NOTES"
	# note FOLDER KIND: what a hook sees
	cat >note <<-'END'
		#!/bin/sh
		echo "$2" >>"$1/order"
		cat >"$1/$2.state"
		readlink /proc/self/ns/mnt >"$1/$2.mnt"
		readlink /proc/self/ns/pid >"$1/$2.pid"
		pwd >"$1/$2.cwd"
	END
	chmod +x note
}

# add_hook KIND PATH [ARG...]: appends a hook; without arguments it has no "args"
add_hook() {
	local kind=$1 path=$2
	shift 2
	# shellcheck disable=SC2016
	edit_config '.hooks[$k] += [{ path: $p } + if $ARGS.positional == [] then {} else { args: $ARGS.positional } end]' \
		--arg k "$kind" --arg p "$path" --args -- "$@"
}

# set_hook KIND FILTER: changes the last hook of a kind
set_hook() {
	# shellcheck disable=SC2016
	edit_config ".hooks[\$k][-1] |= ($2)" --arg k "$1"
}

# add_sh KIND WORDS: a hook that is a shell's words
add_sh() {
	add_hook "$1" /bin/sh sh -c "$2"
}

# add_notes KIND...: hooks that note what they see. The container has the program and the folder at the same paths.
add_notes() {
	local kind
	for kind; do
		add_hook "$kind" "$BATS_TEST_TMPDIR/note" note "$NOTES" "$kind"
	done
}

# share_notes: the notes' folder, and what writes them, in the container too
share_notes() {
	add_mount "$BATS_TEST_TMPDIR" bind "$BATS_TEST_TMPDIR" rbind
}

# state_seen KIND KEY: of the document that a hook got
state_seen() {
	jq -r --arg key "$2" '.[$key]' "$NOTES/$1.state"
}

# order: the kinds in the order of their hooks
order() {
	[ ! -e "$NOTES/order" ] || tr '\n' ' ' <"$NOTES/order"
}

# gone [ID]: nothing is left of the container
gone() {
	run ! kist state "${1:-c}"
	assert_output --partial 'does not exist'
}

# ---- order and place ----

@test "hooks: all six kinds run, in their order, around the program" {
	box sh -c "echo program >>$NOTES/order"
	share_notes
	add_notes "${ALL_KINDS[@]}"
	# poststart comes when the program runs: what the program writes may come before or after it
	run -0 run_box
	run sed '/poststart/d' "$NOTES/order"
	assert_output "$(printf '%s\n' prestart createRuntime createContainer startContainer program poststop)"
	run grep -c poststart "$NOTES/order"
	assert_output 1
}

@test "hooks: those of one kind run in the listed order" {
	box
	local kind
	for kind in "${ALL_KINDS[@]}"; do
		add_sh "$kind" "echo $kind-1 >>$NOTES/order"
		add_sh "$kind" "echo $kind-2 >>$NOTES/order"
	done
	share_notes
	run -0 run_box
	run cat "$NOTES/order"
	assert_output "$(for kind in "${ALL_KINDS[@]}"; do printf '%s-1\n%s-2\n' "$kind" "$kind"; done)"
}

@test "hooks: create, start and delete each run theirs before they return" {
	box sleep 1000
	share_notes
	add_notes "${ALL_KINDS[@]}"
	create_box
	assert_equal "$(order)" "prestart createRuntime createContainer "
	assert_equal "$(state_of c status)" created
	kist start c
	assert_equal "$(order)" "prestart createRuntime createContainer startContainer poststart "
	kist kill c KILL
	wait_status c stopped
	kist delete c
	assert_equal "$(order)" "prestart createRuntime createContainer startContainer poststart poststop "
}

@test "hooks: prestart, createRuntime, poststart and poststop run in the runtime's namespaces, the others in the container's" {
	box sleep 1000
	share_notes
	add_notes "${ALL_KINDS[@]}"
	start_box
	local pid kind
	pid=$(state_of c pid)
	local mnt pidns
	mnt=$(readlink "/proc/$pid/ns/mnt")
	pidns=$(readlink "/proc/$pid/ns/pid")
	assert [ "$mnt" != "$(readlink /proc/self/ns/mnt)" ]
	delete_box
	for kind in prestart createRuntime poststart poststop; do
		assert_equal "$kind $(<"$NOTES/$kind.mnt")" "$kind $(readlink /proc/self/ns/mnt)"
		assert_equal "$kind $(<"$NOTES/$kind.pid")" "$kind $(readlink /proc/self/ns/pid)"
	done
	for kind in createContainer startContainer; do
		assert_equal "$kind $(<"$NOTES/$kind.mnt")" "$kind $mnt"
		assert_equal "$kind $(<"$NOTES/$kind.pid")" "$kind $pidns"
	done
}

@test "hooks: a path is the host's but for startContainer, whose path is the container's" {
	box
	echo '#!/bin/sh' >b/rootfs/only-there
	chmod +x b/rootfs/only-there
	add_hook startContainer /only-there
	run -0 run_box
	edit_config 'del(.hooks)'
	add_hook createContainer /only-there
	run -125 run_box
	assert_output --partial 'hooks.createContainer[0] /only-there: exec: No such file or directory'
	edit_config 'del(.hooks)'
	add_hook startContainer "$BATS_TEST_TMPDIR/note"
	run -125 run_box
	assert_output --partial "hooks.startContainer[0] $BATS_TEST_TMPDIR/note: exit status 127"
}

@test "hooks: they start in the bundle, in the root, and in the container's /" {
	box
	share_notes
	add_notes "${ALL_KINDS[@]}"
	run -0 run_box
	local kind
	for kind in prestart createRuntime poststart poststop; do
		assert_equal "$kind $(<"$NOTES/$kind.cwd")" "$kind $BUNDLE"
	done
	assert_equal "$(<"$NOTES/createContainer.cwd")" "$BUNDLE/rootfs"
	assert_equal "$(<"$NOTES/startContainer.cwd")" /
}

# ---- what they get ----

@test "hooks: the state on standard input has the status of the moment, and the pid as the hook sees it" {
	box sleep 1000
	share_notes
	edit_config '.annotations = { "org.example.key": "a \"value\"" }'
	add_notes "${ALL_KINDS[@]}"
	start_box
	local pid kind
	pid=$(state_of c pid)
	delete_box
	for kind in prestart createRuntime createContainer; do
		assert_equal "$kind $(state_seen "$kind" status)" "$kind creating"
	done
	assert_equal "$(state_seen startContainer status)" created
	assert_equal "$(state_seen poststart status)" running
	assert_equal "$(state_seen poststop status)" stopped
	for kind in prestart createRuntime poststart; do
		assert_equal "$kind $(state_seen "$kind" pid)" "$kind $pid"
	done
	assert_equal "$(state_seen createContainer pid)" 1
	assert_equal "$(state_seen startContainer pid)" 1
	for kind in "${ALL_KINDS[@]}"; do
		run jq -r '[.ociVersion, .id, .bundle, .root, .annotations["org.example.key"]] | join(" ")' "$NOTES/$kind.state"
		assert_output "1.3.0 c $BUNDLE $BUNDLE/rootfs a \"value\""
	done
}

@test "hooks: without a pid namespace of its own the pid is the same everywhere" {
	box
	share_notes
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	add_notes "${ALL_KINDS[@]}"
	run -0 run_box
	assert_equal "$(state_seen createContainer pid)" "$(state_seen prestart pid)"
	assert_equal "$(state_seen startContainer pid)" "$(state_seen prestart pid)"
}

@test "hooks: while those of create run, the container is being created, and its config.json is there" {
	box
	add_sh createRuntime "$KIST --root $KIST_ROOT state c >$NOTES/state; cat $KIST_ROOT/c/config.json >$NOTES/config"
	run -0 run_box
	assert_equal "$(jq -r .status "$NOTES/state")" creating
	assert_equal "$(jq -r '.process.args[0]' "$NOTES/config")" true
}

@test "hooks: a state larger than a pipe reaches a hook, and one that does not read it does no harm" {
	box
	# shellcheck disable=SC2016
	edit_config '.annotations = { "org.example.long": ("x" * 300000) }'
	add_notes prestart
	add_hook prestart /bin/true
	add_sh createRuntime 'exec <&-; sleep 0.2'
	run -0 run_box
	assert_equal "$(jq -r '.annotations | .[] | length' "$NOTES/prestart.state")" 300000
}

@test "hooks: env is what is listed, kist's or the program's own when none is; args default to the path" {
	box
	export KIST_TEST_OWN=mine
	add_hook prestart /bin/cp cp /proc/self/environ "$NOTES/given"
	set_hook prestart '.env = ["A=1", "B=two words"]'
	add_hook prestart /bin/cp cp /proc/self/environ "$NOTES/none"
	set_hook prestart '.env = []'
	add_hook prestart /bin/cp cp /proc/self/environ "$NOTES/own"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$0 $#" >%s/args\n' "$NOTES" >plain
	chmod +x plain
	add_hook prestart "$BATS_TEST_TMPDIR/plain"
	edit_config '.process.env += ["HOME=/there"]'
	add_hook startContainer /bin/sh sh -c '[ "$HOME-$PATH-$KIST_TEST_OWN" = "/there-/bin-" ] || exit 4'
	edit_config '.process.env |= map(select(startswith("PATH=") | not)) + ["PATH=/bin"]'
	add_hook startContainer /bin/sh sh -c 'echo "$A-${HOME:-none}" >&2; exit 3'
	set_hook startContainer '.env = ["A=1"]'
	run -125 run_box
	assert_output --partial 'exit status 3: 1-none'
	assert_equal "$(tr '\0' '\n' <"$NOTES/given")" $'A=1\nB=two words'
	assert_equal "$(wc -c <"$NOTES/none")" 0
	tr '\0' '\n' <"$NOTES/own" | grep -qx KIST_TEST_OWN=mine
	assert_equal "$(<"$NOTES/args")" "$BATS_TEST_TMPDIR/plain 0"
}

@test "hooks: descriptors, signals and session are their own" {
	box
	local kind
	for kind in "${ALL_KINDS[@]}"; do
		# ls has one of its own; what it prints is seen because it fails
		edit_config 'del(.hooks)'
		add_hook "$kind" /bin/ls ls /proc/self/fd /nowhere
		exec 4<note 5<note 6<note 7<note 8<note 9>other
		trap '' HUP USR1 PIPE
		run kist run --preserve-fds 7 --bundle "$BUNDLE" c
		trap - HUP USR1 PIPE
		exec 4<&- 5<&- 6<&- 7<&- 8<&- 9>&-
		assert_output --partial "hooks.${kind}[0] /bin/ls: exit status"
		assert_output --regexp '/proc/self/fd: 0 +1 +2 +3( |$)'
		refute_output --regexp '/proc/self/fd: 0 +1 +2 +3 +[4-9]'
	done
	edit_config 'del(.hooks)'
	add_hook prestart /bin/cp cp /proc/self/status /proc/self/stat "$NOTES"
	trap '' HUP USR1
	run -0 run_box
	trap - HUP USR1
	run grep -E '^Sig(Blk|Ign)' "$NOTES/status"
	assert_output "$(printf 'SigBlk:\t%016d\nSigIgn:\t%016d' 0 0)"
	run awk '{ print ($1 == $5 && $1 == $6) }' "$NOTES/stat"
	assert_output 1
}

@test "hooks: a caller without standard descriptors" {
	box
	share_notes
	add_notes "${ALL_KINDS[@]}"
	run -0 sh -c "exec '$KIST' --root '$KIST_ROOT' run --bundle '$BUNDLE' c <&- >&- 2>&-"
	local kind
	for kind in "${ALL_KINDS[@]}"; do
		assert_equal "$kind $(state_seen "$kind" id)" "$kind c"
	done
	assert_equal "$(<"$NOTES/createContainer.cwd")" "$BUNDLE/rootfs"
}

# ---- the container's tree ----

@test "hooks: prestart finds the root at its path in the container's mount namespace, and what it mounts there stays" {
	box sh -c 'cat /etc/given; cat /proc/version'
	# shellcheck disable=SC2016
	add_sh prestart 'pid=$(sed "s/.*\"pid\":\([0-9]*\).*/\1/")
		echo a gift >gift
		nsenter -t "$pid" -m sh -c "test -e $PWD/rootfs/proc/version && touch $PWD/rootfs/etc/given &&
			mount --bind $PWD/gift $PWD/rootfs/etc/given"'
	run -0 run_box
	assert_line 'a gift'
	assert_line --partial 'Linux version'
	run -0 cat b/rootfs/etc/given
	assert_output ''
	run -1 grep given /proc/self/mountinfo
}

@test "hooks: createContainer sees the host's programs and the mounts of the container, and may write to a root that becomes read-only" {
	box sh -c 'cat /etc/made; ! touch /etc/other'
	edit_config '.root.readonly = true'
	add_sh createContainer "test -e $PWD/b/rootfs/proc/version && echo made >etc/made && test -x $KIST"
	run -0 run_box
	assert_line made
	assert_line --partial 'Read-only file system'
}

@test "hooks: a root.path that is a symlink, and one in a user namespace" {
	box sh -c 'cat /etc/made; cat /proc/self/uid_map'
	ln -s rootfs b/link
	edit_config '.root.path = "link"'
	add_sh createContainer "test -e $PWD/b/rootfs/proc/version && echo made >etc/made"
	run -0 run_box
	assert_line made
	edit_config '.root.path = "rootfs" | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs/etc
	set_hook createContainer '.args[2] = "test -e proc/version && echo mine >etc/made"'
	run -0 run_box
	assert_line mine
	assert_equal "$(stat -c %u b/rootfs/etc/made)" 100000
}

@test "hooks: a network interface of a hook is there for sysctls" {
	box cat /proc/sys/net/ipv4/conf/extra/forwarding
	edit_config '.linux.sysctl = { "net/ipv4/conf/extra/forwarding": "1" }'
	# shellcheck disable=SC2016
	add_sh createRuntime 'pid=$(sed "s/.*\"pid\":\([0-9]*\).*/\1/"); nsenter -t "$pid" -n ip link add extra type bridge'
	run -0 run_box
	assert_output 1
}

@test "hooks: without those of create nothing of the host is copied" {
	box
	add_hook poststart /bin/true
	add_hook startContainer /bin/true
	run -0 run_box # the first one builds the template, whose builder leaves a chroot by setns(2)
	run -0 strace -f -e trace=open_tree,setns -o calls "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	run grep -c setns calls
	assert_output 1
}

@test "hooks: startContainer runs as the program would: user, capabilities, filter, limits" {
	box
	edit_config '.process.user = { uid: 1000, gid: 1000 } | .process.noNewPrivileges = true |
		.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 77, hard: 77 }] |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" }'
	add_sh startContainer 'id -u; ulimit -n; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; exit 1'
	run -125 run_box
	assert_output --regexp ': 1000 77 CapEff:.0000000000000000 NoNewPrivs:.1 Seccomp:.2'
}

@test "hooks: startContainer cannot reach kist's own file" {
	box
	ln -s /proc/self/exe b/rootfs/self
	add_hook startContainer /self
	run run_box
	assert_failure
	assert_output --partial 'hooks.startContainer[0] /self'
	refute_output --partial 'Usage'
}

# ---- failures ----

@test "hooks: a failing prestart, createRuntime or createContainer ends create, and poststop still runs" {
	local kind
	for kind in "${CREATE_KINDS[@]}"; do
		rm -rf b "$NOTES"/*
		box sh -c "echo program >>$NOTES/order"
		share_notes
		add_sh "$kind" 'echo why >&2; exit 3'
		add_notes "$kind" startContainer poststart poststop
		run -1 create_box
		run cat c.out
		assert_output "kist: create c: hooks.${kind}[0] /bin/sh: exit status 3: why"
		assert_equal "$kind: $(order)" "$kind: poststop "
		assert_equal "$(state_seen poststop status)" stopped
		gone
		run -125 run_box
		assert_equal "$kind: $(order)" "$kind: poststop poststop "
	done
}

@test "hooks: a failing startContainer ends the container, and the program never runs" {
	box sh -c "echo program >>$NOTES/order"
	share_notes
	add_notes createRuntime poststart poststop
	add_sh startContainer 'kill -TERM $$; sleep 5'
	add_notes startContainer
	create_box
	run -1 kist start c
	assert_output 'kist: start c: hooks.startContainer[0] /bin/sh: killed by signal 15 (TERM)'
	assert_equal "$(order)" "createRuntime poststop "
	gone
	run -125 run_box
	assert_equal "$(order)" "createRuntime poststop createRuntime poststop "
}

@test "hooks: a failing poststart ends the program and the container" {
	box sleep 1000
	share_notes
	add_sh poststart 'exit 7'
	add_notes poststart poststop
	create_box
	local pid
	pid=$(state_of c pid)
	run -1 kist start c
	assert_output 'kist: start c: hooks.poststart[0] /bin/sh: exit status 7'
	assert [ ! -e "/proc/$pid" ]
	assert_equal "$(order)" "poststop "
	gone
	run -125 run_box
	assert_output 'kist: start c: hooks.poststart[0] /bin/sh: exit status 7'
}

@test "hooks: poststart does not run for a program that cannot be executed, and the container can be deleted" {
	box /etc/notes
	printf '\x7fELFnot' >b/rootfs/etc/notes
	chmod +x b/rootfs/etc/notes
	add_notes poststart poststop
	create_box
	run ! kist start c
	assert_equal "$(order)" ""
	assert_equal "$(state_of c status)" stopped
	kist delete c
	assert_equal "$(order)" "poststop "
}

@test "hooks: a failing poststop is a warning, the others run, and delete succeeds" {
	box
	add_sh poststop 'exit 1'
	add_hook poststop /nowhere
	add_notes poststop
	start_box
	wait_status c stopped
	run -0 --separate-stderr kist delete c
	# shellcheck disable=SC2154
	assert_equal "$(grep -c warning <<<"$stderr")" 2
	assert_regex "$stderr" 'hooks.poststop\[0\] /bin/sh: exit status 1'
	assert_regex "$stderr" 'hooks.poststop\[1\] /nowhere: exec: No such file or directory'
	assert_equal "$(order)" "poststop "
	gone
}

@test "hooks: what fails before there are namespaces runs no hook at all" {
	box
	add_notes "${ALL_KINDS[@]}"
	edit_config '.root.path = "nowhere"'
	run -125 run_box
	edit_config '.root.path = "rootfs" | .mounts += [{ destination: "/x", type: "nonsense", source: "x" }]'
	run -125 run_box
	assert_equal "$(order)" ""
}

@test "hooks: what fails after them runs poststop" {
	box /no/such/program
	add_notes createRuntime poststart poststop
	run -127 run_box
	assert_equal "$(order)" "createRuntime poststop "
}

@test "hooks: a timeout ends a hook and its children, and is named" {
	local kind
	for kind in prestart createContainer startContainer poststart; do
		box
		add_sh "$kind" 'sleep 77 & sleep 78'
		set_hook "$kind" '.timeout = 1'
		SECONDS=0
		run -125 run_box
		assert [ $SECONDS -lt 10 ]
		assert_output --partial "hooks.${kind}[0] /bin/sh: timed out after 1 s"
		wait_until 5 eval '! pgrep -f "^sleep 7[78]$"'
		rm -rf b
	done
	box
	add_sh poststop 'sleep 77'
	set_hook poststop '.timeout = 1'
	run -0 run_box
	assert_output --partial 'hooks.poststop[0] /bin/sh: timed out after 1 s'
}

@test "hooks: a signal to a run that waits for a hook ends both; poststop is left alone" {
	box
	add_sh createRuntime "echo \$\$ >$NOTES/hook; exec sleep 1000"
	add_sh poststop "sleep 0.5; echo done >$NOTES/done"
	"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c </dev/null >out 2>&1 3>&- &
	local pid=$! ended=0
	wait_until 10 test -s "$NOTES/hook"
	kill -INT "$pid"
	wait "$pid" || ended=$?
	assert_equal $ended 125
	run cat out
	assert_output 'kist: create c: hooks.createRuntime[0] /bin/sh: stopped, because kist got a signal'
	assert [ ! -e "/proc/$(<"$NOTES/hook")" ]
	assert_equal "$(<"$NOTES/done")" done
	gone
}

@test "hooks: a message holds the end of what a failing hook prints, on one line" {
	box
	# shellcheck disable=SC2016
	add_sh prestart 'i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i + 1)); done; printf "the\tlast\n\n"; exit 1'
	run -125 run_box
	assert_equal ${#lines[@]} 1
	assert [ ${#output} -lt 600 ]
	assert_output --regexp 'line 4999 the last$'
}

@test "hooks: nobody waits for what a hook leaves behind on purpose" {
	box
	add_sh prestart "setsid sleep 30 & echo \$! >$NOTES/pid"
	SECONDS=0
	run -0 run_box
	assert [ $SECONDS -lt 10 ]
	kill "$(<"$NOTES/pid")"
}

# ---- the rest of life ----

@test "hooks: later edits of the bundle do not matter" {
	box
	add_notes poststart poststop
	create_box
	edit_config 'del(.hooks) | .hooks.poststop = [{ path: "/nowhere" }]'
	kist start c
	wait_status c stopped
	run -0 kist delete c
	assert_output ''
	assert_equal "$(order)" "poststart poststop "
}

@test "hooks: poststop runs when the container is gone: its id is free, its bundle may be" {
	box
	add_sh poststop "$KIST --root $KIST_ROOT state c 2>$NOTES/state; pwd >$NOTES/cwd"
	create_box
	mv b moved
	delete_box
	run cat "$NOTES/state"
	assert_output --partial 'container c does not exist'
	assert_equal "$(<"$NOTES/cwd")" /
}

@test "hooks: delete runs poststop once, also with --force" {
	box sleep 1000
	add_notes poststop
	start_box
	kist delete --force c
	kist delete --force c
	assert_equal "$(order)" "poststop "
	create_box
	kist delete c
	assert_equal "$(order)" "poststop poststop "
}

@test "hooks: a create that is killed takes its hook along, and delete runs poststop" {
	box
	add_sh createRuntime "echo \$\$ >$NOTES/hook; exec sleep 1000"
	add_notes poststop
	"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c </dev/null >/dev/null 2>&1 3>&- &
	local pid=$! hook
	wait_until 10 test -s "$NOTES/hook"
	hook=$(<"$NOTES/hook")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	wait_until 5 test ! -e "/proc/$hook"
	assert_equal "$(order)" ""
	kist delete --force c
	assert_equal "$(order)" "poststop "
	gone
}

@test "hooks: a delete that is killed in poststop is finished by the next one" {
	box
	add_sh poststop "test -e $NOTES/go || exec sleep 1000"
	add_notes poststop
	create_box
	"$KIST" --root "$KIST_ROOT" delete c </dev/null >/dev/null 2>&1 3>&- &
	local pid=$!
	wait_until 10 pgrep -f '^sleep 1000$'
	gone
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	touch "$NOTES/go"
	# a new container of that name does not get in its way
	create_box
	kist delete c
	assert_equal "$(order)" "poststop poststop "
	run ! kist delete c
	assert_equal "$(ls -A "$KIST_ROOT" | grep -v template)" ""
}

@test "hooks: a poststart hook may pause its container" {
	box sleep 1000
	add_sh poststart "$KIST --root $KIST_ROOT kill c CONT && $KIST --root $KIST_ROOT exec c true"
	start_box
	assert_equal "$(state_of c status)" running
	delete_box
}

@test "hooks: without a process create runs its hooks, and start still says what is missing" {
	box
	share_notes
	edit_config 'del(.process)'
	add_notes "${ALL_KINDS[@]}"
	create_box
	run -1 kist start c
	assert_output --partial 'process: missing in config.json'
	wait_status c stopped # start has its word a moment before it ends
	kist delete c
	assert_equal "$(order)" "prestart createRuntime createContainer poststop "
}

@test "hooks: in a joined mount namespace, and with cgroups disabled" {
	box
	hold_ns --mount --propagation private
	edit_config '.mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .root.readonly = false |
		(.linux.namespaces[] | select(.type == "mount")) += { path: $p }' --arg p "/proc/$HELD/ns/mnt"
	add_notes prestart createContainer poststop
	local ns
	ns=$(readlink "/proc/$HELD/ns/mnt")
	run -0 kist --cgroup-manager disabled run --bundle "$BUNDLE" c
	release_ns
	assert_equal "$(order)" "prestart createContainer poststop "
	assert_equal "$(<"$NOTES/createContainer.mnt")" "$ns"
}

@test "hooks: with a stage (time namespace), and a terminal" {
	box sh -c 'tty; cat /proc/self/timens_offsets'
	share_notes
	edit_config '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets.monotonic.secs = 100 | .process.terminal = true'
	add_notes "${ALL_KINDS[@]}"
	run -0 with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output --partial /dev/pts/0
	run sort "$NOTES/order"
	assert_output "$(printf '%s\n' "${ALL_KINDS[@]}" | sort)"
}

# ---- the engine ----

# hooked_config: a --config file with hooks alone, from the bundle's
hooked_config() {
	jq '{ ociVersion, annotations: { "io.kist.image": "base:1" }, root: { path: "unused" }, hooks }' "$BUNDLE/config.json" >hooked.json
}

@test "hooks: a container of an image shows its root below its bundle, and each start and end runs them again" {
	base_image
	box
	# shellcheck disable=SC2016
	add_sh createContainer 'bundle=$(sed "s/.*\"bundle\":\"\([^\"]*\).*/\1/"); cd "$bundle" && test -e config.json &&
		test -e rootfs/proc/version && echo made >rootfs/etc/made'
	add_notes createRuntime poststart poststop
	hooked_config
	run -0 kist run --config hooked.json --name web cat /etc/made
	assert_output made
	assert_equal "$(order)" "createRuntime poststart poststop "
	assert_equal "$(state_seen createRuntime root)" "$KIST_STORE/containers/web/rootfs"
	run -0 ls -A "$KIST_STORE/containers/web/rootfs"
	assert_output ''
	run -0 kist start -a web
	assert_output made
	assert_equal "$(order)" "createRuntime poststart poststop createRuntime poststart poststop "
	kist rm web
	run -0 kist run --rm --config hooked.json cat /etc/made
	assert_output made
}

@test "hooks: run -d: the keeper runs poststop when the program has ended, rm -f when it is killed" {
	base_image
	box
	add_notes createRuntime poststart poststop
	hooked_config
	detached --config hooked.json --name web sh -c 'sleep 0.5'
	assert_equal "$(order)" "createRuntime poststart "
	wait_until 10 grep -q poststop "$NOTES/order"
	kist wait web
	kist rm web
	detached --config hooked.json --name web sleep 1000
	kist rm -f web
	assert_equal "$(order)" "createRuntime poststart poststop createRuntime poststart poststop "
	detached --config hooked.json --name web sleep 1000
	local keeper
	keeper=$(keeper_of web)
	kill -KILL "$keeper"
	wait_until 5 test ! -e "/proc/$keeper"
	kist rm -f web
	assert_equal "$(state_seen poststop status)" stopped
	assert_equal "$(grep -c poststop "$NOTES/order")" 3
}

@test "hooks: run -d: a failing hook is told to the caller, and nothing stays" {
	base_image
	box
	add_sh poststart 'exit 1'
	add_notes poststop
	hooked_config
	run -125 detached --config hooked.json --name web sleep 1000
	assert_output 'kist: start web: hooks.poststart[0] /bin/sh: exit status 1'
	assert_equal "$(order)" "poststop "
	run kist ps -aq
	assert_output ''
}

@test "features and plan list the hooks" {
	run -0 kist features
	assert_equal "$(jq -c .hooks <<<"$output")" '["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]'
	box
	add_sh createRuntime 'exit 1'
	add_hook poststop /bin/true
	run -0 kist plan --bundle "$BUNDLE" c
	assert_equal "$(jq -c .hooks <<<"$output")" '{"createRuntime":["/bin/sh"],"poststop":["/bin/true"]}'
}
