# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A containerd of the test's own, on sockets and in folders of its own, and scripts for ctr. Loaded after callers.bash.

CONTAINERD_RUN=/run/kist-containerd # sockets and shims' folders have short names

# containerd_start: the daemon, and the image box:1; CONTAINERD is its pid
containerd_start() {
	local dir=$BATS_TEST_TMPDIR/containerd
	mkdir -p "$CONTAINERD_RUN" "$dir"
	cat >"$dir/config.toml" <<-C
		version = 2
		root = "$dir/root"
		state = "$CONTAINERD_RUN/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$CONTAINERD_RUN/sock"
		[plugins."io.containerd.runtime.v1.linux"]
		  no_shim = false
		$(cat "${1:-/dev/null}")
	C
	containerd --config "$dir/config.toml" --log-level warn >"$dir/log" 2>&1 </dev/null 3>&- &
	CONTAINERD=$!
	wait_until 60 command ctr -a "$CONTAINERD_RUN/sock" version
	umoci init --layout "$dir/image"
	umoci new --image "$dir/image:1"
	umoci insert --image "$dir/image:1" "$KIST_TEST_ROOTFS" / >/dev/null
	umoci config --image "$dir/image:1" --config.cmd sh --config.env PATH=/bin
	tar -C "$dir/image" -cf "$dir/image.tar" .
	ctr images import --base-name box "$dir/image.tar" >/dev/null
}

containerd_stop() {
	local id
	[ -n "${CONTAINERD:-}" ] || return 0
	for id in $(ctr container ls -q); do
		ctr task kill -s KILL "$id"
		ctr task delete -f "$id"
		ctr container rm "$id"
	done >/dev/null 2>&1
	kill "$CONTAINERD" && wait "$CONTAINERD"
	awk -v a="$CONTAINERD_RUN/" -v b="$BATS_TEST_TMPDIR/containerd/" 'index($5, a) == 1 || index($5, b) == 1 { print $5 }' \
		/proc/self/mountinfo | tac | while read -r point; do umount -l "$point"; done
	[ ! -d /sys/fs/cgroup/box ] || rmdir /sys/fs/cgroup/box
	callers_sweep "$CONTAINERD_RUN" /run/containerd
} 2>/dev/null

# ctr ARG...: in a namespace of the test's own
ctr() {
	command ctr -a "$CONTAINERD_RUN/sock" -n box "$@"
}

# ctr_run OPTION... : ctr run with the runtime RT, which keeps its state in folders of its own
ctr_run() {
	ctr run --runc-binary "$RT" --runc-root "$CONTAINERD_RUN/$RT_NAME" "$@"
}

# ---- scripts: with any runtime the same output ----

ctr_starts() {
	step ctr_run --rm box:1 c sh -c 'echo out; exit 3'
	step ctr_run --rm box:1 c nonsense
	step ctr_run --rm box:1 c /etc/passwd
	step ctr_run --rm --cwd /etc --env A=b --env HOME=/h box:1 c sh -c 'pwd; echo $A $HOME; id'
	step ctr_run --rm --seccomp --mount type=bind,src=/etc,dst=/mnt,options=rbind:ro box:1 c \
		sh -c 'grep -E "^(Seccomp|CapBnd|NoNewPrivs):" /proc/self/status; grep " /mnt " /proc/mounts | cut -d" " -f4 | cut -d, -f1'
	step ctr_run --rm --read-only box:1 c sh -c 'touch /x 2>&1; grep -c / /proc/mounts >/dev/null; ls /dev | xargs'
	step ctr_run --rm --privileged box:1 c grep CapEff /proc/self/status
}

ctr_life() {
	step ctr_run -d box:1 c sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
	step ctr task exec --exec-id e1 c sh -c 'echo in; exit 4'
	step ctr task exec --exec-id e2 c nonsense
	step ctr task exec --exec-id e3 --cwd /etc --user app c sh -c 'pwd; id -u'
	step ctr task exec -d --exec-id e4 c sleep 1000
	step ctr task pause c
	step ctr task ls | sed 's/ [0-9][0-9]* / PID /'
	step ctr task resume c
	ctr task ps c | sed 1d | wc -l
	ctr task metrics c | grep -cE '^(pids.current|memory.usage|cpu.usage_usec) '
	step ctr task kill c
	wait_until 20 eval 'ctr task ls | grep -q STOPPED'
	step ctr task delete c 2>&1 | sed 's/.*msg=//'
	step ctr container rm c
	# kill of what has ended, delete while it runs
	step ctr_run -d box:1 d sleep 1000
	step ctr task delete d 2>&1 | sed 's/.*msg=//; s/ *error=.*//'
	step ctr task kill -s KILL d
	wait_until 20 eval 'ctr task ls | grep -q STOPPED'
	step ctr task delete d 2>&1 | sed 's/.*msg=//'
	step ctr container rm d
}

ctr_terminals() {
	# ctr gives the terminal its size after the start, and complains when the program has ended by then
	local sized='until stty size 2>/dev/null | grep -v "^0"; do sleep 0.1; done'
	with_terminal ctr -a "$CONTAINERD_RUN/sock" -n box run --runc-binary "$RT" --runc-root "$CONTAINERD_RUN/$RT_NAME" \
		-t --rm box:1 c sh -c "$sized; exit 5"
	echo "-> $?"
	ctr_run -d box:1 c sleep 1000
	with_terminal ctr -a "$CONTAINERD_RUN/sock" -n box task exec -t --exec-id e c sh -c "$sized; tty; exit 6"
	echo "-> $?"
	ctr task kill -s KILL c
	wait_until 20 eval 'ctr task ls | grep -q STOPPED'
	ctr task delete c >/dev/null 2>&1
	ctr container rm c
}
