# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Hostile images and configs: what has led out of other runtimes' containers must not lead out of these. Each test
# names what it is about; where a CVE is known, its number.

load ../helpers/common
load ../helpers/runtime

# victim: a folder of the host that nothing may be made in
victim() {
	mkdir -p victim
	echo untouched >victim/file
}

assert_victim_untouched() {
	assert_equal "$(ls -A victim)" file
	assert_equal "$(stat -c '%F %a' victim/file) $(<victim/file)" 'regular file 644 untouched'
}

# ---- symlinks of the image in the place of what kist mounts and makes ----

@test "/proc is a symlink: refused (CVE-2019-19921)" {
	box true
	rm -rf b/rootfs/proc
	mkdir b/rootfs/fake
	ln -s /fake b/rootfs/proc
	run -1 create_box
	run output_of
	assert_output --partial '/proc: must be a plain directory'
}

@test "/sys is a symlink, or a file: refused" {
	box true
	rm -rf b/rootfs/sys
	ln -s /tmp b/rootfs/sys
	run -1 create_box
	run output_of
	assert_output --partial '/sys: must be a plain directory'
	rm b/rootfs/sys
	touch b/rootfs/sys
	run -1 create_box
}

@test "/dev is a symlink out of the root: nothing is made on the host (CVE-2026-41579)" {
	box sh -c 'ls /dev/null'
	victim
	local target
	for target in "$PWD/victim" ../../victim ../../../../../../../../../..$PWD/victim; do
		rm -rf b/rootfs/dev
		ln -s "$target" b/rootfs/dev
		run run_box
		assert_victim_untouched
	done
	# the same without a mount there
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev"))) | .root.readonly = false'
	for target in "$PWD/victim" ../../victim; do
		rm -rf b/rootfs/dev
		ln -s "$target" b/rootfs/dev
		run run_box
		assert_victim_untouched
	done
}

@test "devices and links that are symlinks out of the root" {
	box true
	victim
	writable_root
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev")))'
	local name
	for name in null zero tty ptmx fd stdin console; do
		rm -rf b/rootfs/dev
		mkdir b/rootfs/dev
		ln -s "$PWD/victim/new" "b/rootfs/dev/$name"
		run run_box
		assert_victim_untouched
	done
	edit_config '.linux.devices = [{ path: "/dir/made", type: "c", major: 1, minor: 3 }]'
	rm -rf b/rootfs/dev
	mkdir b/rootfs/dev
	ln -s "$PWD/victim" b/rootfs/dir
	run run_box
	assert_victim_untouched
}

@test "mount points that are symlinks count from the root (CVE-2021-30465)" {
	box sh -c 'cat /inside/file'
	victim
	mkdir dir
	echo bound >dir/file
	mkdir b/rootfs/inside
	local target
	for target in /inside ../inside ../../../../inside; do
		ln -sfn "$target" b/rootfs/link
		add_mount /link none "$PWD/dir" bind
		run run_box
		assert_output bound
		edit_config 'del(.mounts[-1])'
	done
	ln -sfn "$PWD/victim" b/rootfs/link
	add_mount /link/below none "$PWD/dir" bind
	run run_box
	assert_victim_untouched
	add_mount /link/../../../../../../../../../../../../victim none "$PWD/dir" bind
	run run_box
	assert_victim_untouched
}

@test "a mount point that is changed to a symlink and back all the time (CVE-2021-30465, CVE-2024-45310)" {
	box cat /race/sub/marker
	victim
	mkdir vol dir
	echo bound >dir/marker
	mkdir -p vol/race/sub
	ln -s "$PWD/victim" vol/swap
	add_mount /v none "$PWD/vol" bind
	add_mount /v/race/sub none "$PWD/dir" bind
	python3 - vol/race vol/swap >/dev/null 2>&1 3>&- <<-'P' &
		import ctypes, sys
		libc = ctypes.CDLL(None)
		a, b = (s.encode() for s in sys.argv[1:])
		while True:
		    libc.renameat2(-100, a, -100, b, 2)  # RENAME_EXCHANGE
	P
	local swapper=$! i
	for i in {1..60}; do
		run_box >/dev/null 2>&1 || true
	done
	kill -KILL $swapper
	wait $swapper 2>/dev/null || true
	assert_victim_untouched
	run grep -c victim /proc/self/mountinfo
	assert_output 0
}

@test "a working directory that is a symlink out of the root is made inside" {
	box pwd
	victim
	writable_root
	ln -s "$PWD/victim" b/rootfs/link
	edit_config '.process.cwd = "/link/new"'
	run run_box
	assert_victim_untouched
}

# without_openat2 OPTION...: run_box where the kernel does not have it
without_openat2() {
	strace -f -qq -o /dev/null -e trace=openat2 -e inject=openat2:error=ENOSYS \
		"$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
}

@test "all this without openat2" {
	box sh -c 'sed "s/^[0-9]* [0-9]* [0-9:]* //; s/ - .*//" /proc/self/mountinfo; cat /link/file; ls -l /dev; cat /secret'
	mkdir dir
	echo bound >dir/file
	echo hidden >b/rootfs/secret
	mkdir b/rootfs/inside
	ln -s ../../../inside b/rootfs/link
	add_mount /link none "$PWD/dir" bind
	edit_config '.linux.maskedPaths += ["/secret"] | .linux.devices = [{ path: "/dev/a/b", type: "c", major: 1, minor: 3 }]'
	run run_box
	assert_success
	local with
	with=$(grep -v '^[dclt]' <<<"$output")
	run without_openat2
	assert_success
	assert_line --partial bound
	refute_output --partial hidden
	assert_equal "$(grep -v '^[dclt]' <<<"$output")" "$with"
	victim
	ln -sfn "$PWD/victim" b/rootfs/link
	run without_openat2
	assert_victim_untouched
	rm -rf b/rootfs/proc
	ln -s /tmp b/rootfs/proc
	run without_openat2
	assert_failure
	assert_output --partial '/proc: must be a plain directory'
	rm b/rootfs/proc
	mkdir b/rootfs/proc
	rm -rf b/rootfs/dev
	ln -s "$PWD/victim" b/rootfs/dev
	run without_openat2
	assert_victim_untouched
	# a descriptor that leads out of the root is refused; from one that leads into it no way goes up to the host
	set_args sh -c 'cd ../../../../../../../.. && [ -e secret ] && echo inside'
	local fd
	for fd in 5 6 7 8 9; do
		edit_config '.process.cwd = "/proc/self/fd/'$fd'"'
		run without_openat2
		[ "$status" -ne 0 ] || assert_output inside
	done
}

# ---- /dev/null, covers, the terminal ----

@test "masked files are covered by the host's /dev/null, whatever the image has there (CVE-2025-31133)" {
	box sh -c 'cat /secret; echo written >/secret; cat /secret'
	victim
	echo hidden >b/rootfs/secret
	edit_config 'del(.mounts[] | select(.destination | startswith("/dev"))) | .root.readonly = false
		| .linux.maskedPaths = ["/secret"]'
	mkdir b/rootfs/dev 2>/dev/null || true
	ln -sf "$PWD/victim/file" b/rootfs/dev/null
	run run_box
	refute_output --partial hidden
	refute_output --partial untouched
	assert_victim_untouched
	assert_equal "$(<b/rootfs/secret)" hidden
}

@test "masked and read-only paths that are symlinks out of the root" {
	box sh -c 'echo ran'
	victim
	ln -s "$PWD/victim" b/rootfs/m
	ln -s "$PWD/victim/file" b/rootfs/f
	edit_config '.linux.maskedPaths += ["/m", "/f"] | .linux.readonlyPaths += ["/m"]'
	run run_box
	assert_output ran
	assert_victim_untouched
	run grep -c victim /proc/self/mountinfo
	assert_output 0
}

@test "a masked path stays masked for exec" {
	box sleep 1000
	echo hidden >b/rootfs/secret
	edit_config '.linux.maskedPaths += ["/secret"]'
	start_box
	run kist exec c cat /secret
	assert_output ''
	delete_box
}

@test "/dev/console and /dev/pts are the image's symlinks (CVE-2025-52565)" {
	box true
	victim
	edit_config '.process.terminal = true | .root.readonly = false
		| del(.mounts[] | select(.destination == "/dev"))'
	ln -s "$PWD/victim/file" b/rootfs/dev/console
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_victim_untouched
	rm -rf b/rootfs/dev
	mkdir b/rootfs/dev
	ln -s "$PWD/victim" b/rootfs/dev/pts
	edit_config 'del(.mounts[] | select(.destination == "/dev/pts"))'
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_failure
	assert_victim_untouched
}

@test "a fake terminal multiplexer is refused" {
	box true
	edit_config '.process.terminal = true | .root.readonly = false
		| del(.mounts[] | select(.destination == "/dev/pts" or .destination == "/dev"))'
	mkdir -p b/rootfs/dev/pts
	mknod b/rootfs/dev/pts/ptmx c 1 3
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/dev/pts/ptmx: not a terminal multiplexer'
}

# ---- procfs ----

@test "nothing but a few files may be mounted inside of /proc (CVE-2023-27561, CVE-2025-52881)" {
	box cat /proc/cpuinfo
	mkdir dir
	echo fake >file
	local place
	for place in /proc/self /proc/self/attr /proc/sys /proc/1 /proc/self/attr/../.. /proc/sys/kernel/core_pattern /link /link/kernel; do
		ln -sfn /proc/sys b/rootfs/link
		add_mount $place none "$PWD/dir" bind
		[ $place != /proc/sys/kernel/core_pattern ] || edit_config '.mounts[-1].source = $f' --arg f "$PWD/file"
		run -1 create_box
		run output_of
		assert_output --regexp 'procfs|/proc'
		edit_config 'del(.mounts[-1])'
	done
	add_mount /proc/cpuinfo none "$PWD/file" bind
	run run_box
	assert_output fake
}

@test "a tmpfs with a fake /proc below it cannot take kist's writes" {
	box sh -c 'cat /proc/sys/kernel/msgmax'
	mkdir -p b/rootfs/proc/sys/kernel
	echo fake >b/rootfs/proc/sys/kernel/msgmax
	edit_config '.linux.sysctl = { "kernel.msgmax": "8195" }'
	run run_box
	assert_output 8195
	assert_equal "$(<b/rootfs/proc/sys/kernel/msgmax)" fake
}

# ---- descriptors ----

@test "cwd in a descriptor of kist's is refused (CVE-2024-21626)" {
	box pwd
	local n
	for n in {0..25} ../1/cwd; do
		edit_config '.process.cwd = $c' --arg c "/proc/self/fd/$n"
		run run_box
		assert_failure
		refute_line --regexp '^/'
	done
	edit_config '.process.cwd = "/"'
	set_args sleep 1000
	start_box
	for n in {3..25}; do
		run kist exec --cwd "/proc/self/fd/$n" c pwd
		assert_failure
		run kist exec --cwd "/proc/self/fd/$n/.." c pwd
		assert_failure
	done
	delete_box
}

@test "a waiting process holds nothing of the host (CVE-2016-9962)" {
	box sleep 1000
	create_box
	local pid link
	pid=$(state_of c pid)
	for link in "/proc/$pid/fd"/*; do
		case $(readlink "$link") in
		/dev/null | "$BATS_TEST_TMPDIR/c.out") ;; # standard streams
		socket:*) ;;                              # the gate
		/launcher | /memfd:kist-launcher*) ;; # the read-only program that executes the container's
		*) fail "$link -> $(readlink "$link")" ;;
		esac
	done
	assert_equal "$(readlink "/proc/$pid/cwd")" /
	delete_box
}

@test "a process that exec puts in holds nothing of the host" {
	box sleep 1000
	start_box
	run kist exec c sh -c 'ls -l /proc/self/fd/ | grep -v "pipe:\|/dev/null\|/proc/[0-9]*/fd$"'
	refute_output --partial "$KIST_ROOT"
	refute_output --partial /sys/fs/cgroup
	delete_box
}

@test "the container cannot watch what kist has while it joins (CVE-2016-9962)" {
	# with CAP_SYS_PTRACE the container may look into any process that it sees: nothing of the host must be there
	box sh -c 'while :; do for p in /proc/[0-9]*; do for f in $p/fd/* $p/cwd $p/root; do
		case $(readlink "$f") in /*cgroup*|*/root/*) echo "seen: $f $(readlink "$f")" ;; esac; [ -e "$f/../../../../../marker" ] && echo "out: $f"
		done; done; done 2>/dev/null'
	touch "$BATS_TEST_TMPDIR/marker"
	add_caps CAP_SYS_PTRACE
	start_box
	local i
	for i in {1..40}; do kist exec c true; done
	run grep -c . c.out
	assert_output 0
	delete_box
}

@test "descriptors of a caller do not reach the program, also with exec" {
	box sh -c 'sleep 1000'
	victim
	exec 7<victim 8<victim/file
	start_box
	run kist exec c sh -c 'ls -l /proc/self/fd /proc/1/fd'
	exec 7<&- 8<&-
	refute_output --partial victim
	delete_box
}

# ---- the runtime's own program ----

@test "what /proc/self/exe leads to before the program is nothing that can be written to (CVE-2019-5736)" {
	local before
	before=$(sha256sum <"$KIST")
	# The launcher executes what it is given: the third word becomes the program.
	box /proc/self/exe /bin/readlink readlink /proc/self/exe
	run run_box
	assert_success
	assert_output /bin/busybox
	printf '#!/proc/self/exe /bin/sleep\n' >b/rootfs/script
	chmod 755 b/rootfs/script
	set_args sleep 1000
	start_box
	# A helper in the container that opens every executable it sees for writing, while exec starts more of them.
	kist exec -d c sh -c 'while :; do for p in /proc/[0-9]*; do { echo x >>$p/exe; } 2>/dev/null && echo $p >>/tmp/wrote; done; done' || true
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kist exec c /script 0 >/dev/null 2>&1 || true
	done
	assert_equal "$(sha256sum <"$KIST")" "$before"
	delete_box
}

@test "kist itself is not what the container runs (CVE-2019-5736)" {
	box /proc/self/exe --version
	run run_box
	assert_failure
	refute_output --partial spec:
	set_args /script
	printf '#!/proc/self/exe --version\n' >b/rootfs/script
	chmod 755 b/rootfs/script
	run run_box
	assert_failure
	refute_output --partial spec:
	ln -s /proc/self/exe b/rootfs/link
	set_args /link --version
	run run_box
	assert_failure
	refute_output --partial spec:
	set_args sleep 1000
	start_box
	run kist exec c /proc/self/exe --version
	refute_output --partial spec:
	run kist exec c /script
	refute_output --partial spec:
	delete_box
}

# ---- ids, groups, capabilities ----

@test "ids that do not fit are refused, never wrapped round (CVE-2026-30892)" {
	box id -u
	local id
	for id in -1 4294967295 4294967296 18446744073709551616 1.5 '"0"' null; do
		sed "s/\"uid\": 0/\"uid\": $id/" b/config.json >new.json
		[ "$id" != null ] || continue
		mkdir -p bad
		cp new.json bad/config.json
		ln -sfn "$PWD/b/rootfs" bad/rootfs
		run kist run --bundle bad c
		assert_failure
		assert_output --partial process.user.uid
		refute_line 0
	done
}

@test "inheritable capabilities are none unless they are listed (CVE-2022-29162)" {
	box grep CapInh /proc/self/status
	run setpriv --inh-caps +chown,+kill "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output $'CapInh:\t0000000000000000'
	set_args sleep 1000
	start_box
	run setpriv --inh-caps +chown,+kill "$KIST" --root "$KIST_ROOT" exec c grep -E 'Cap(Inh|Amb)' /proc/self/status
	assert_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
	delete_box
}

@test "groups of the caller do not reach exec" {
	box sleep 1000
	start_box
	run setpriv --groups 4,5,6 "$KIST" --root "$KIST_ROOT" exec c grep ^Groups: /proc/self/status
	assert_output --regexp $'^Groups:\t *$'
	delete_box
}

# ---- the terminal of the caller, the keyring ----

@test "the caller's terminal cannot be typed into (TIOCSTI)" {
	box sh -c 'echo x >/dev/tty; echo "tty $?"; ps -o sid,args | grep "sh -c"'
	run with_terminal "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_line --partial 'tty 1'
	assert_line --partial 'No such device or address'
}

@test "the session keyring is the container's own, unless --no-new-keyring" {
	[ -e /proc/keys ] || fail "this kernel has no keyrings"
	box cat /proc/keys
	edit_config '.linux.maskedPaths = []'
	cat >with-key.py <<-'P'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		libc.syscall(250, 1, b"kist-test")  # keyctl(KEYCTL_JOIN_SESSION_KEYRING)
		key = libc.syscall(248, b"user", b"callers-secret", b"x", 1, -3)  # add_key(2), session keyring
		if key < 0 or libc.syscall(250, 5, key, 0x3F000000) < 0:  # KEYCTL_SETPERM: for who possesses it alone
		    sys.exit("add_key: %s" % os.strerror(ctypes.get_errno()))
		os.execv(sys.argv[1], sys.argv[1:])
	P
	run python3 with-key.py "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_success
	refute_output --partial callers-secret
	run python3 with-key.py "$KIST" --root "$KIST_ROOT" run --no-new-keyring --bundle "$BUNDLE" c
	assert_output --partial callers-secret
}

# ---- the state root, the config ----

@test "the state of a container is not readable for others" {
	box sleep 1000
	edit_config '.process.env += ["PASSWORD=secret"]'
	create_box
	run setpriv --reuid 1000 --regid 1000 --clear-groups cat "$KIST_ROOT/c/config.json"
	assert_failure
	delete_box
}

@test "a config that is a FIFO, a device or endless does not stop kist" {
	mkdir b
	mkfifo b/config.json
	run timeout 5 "$KIST" --root "$KIST_ROOT" create --bundle b c
	assert_equal "$status" 1
	rm b/config.json
	ln -s /dev/zero b/config.json
	run timeout 5 "$KIST" --root "$KIST_ROOT" create --bundle b c
	assert_equal "$status" 1
	rm b/config.json
	python3 -c 'print("[" * 100000)' >b/config.json
	run timeout 5 "$KIST" --root "$KIST_ROOT" create --bundle b c
	assert_equal "$status" 1
	truncate -s 20M b/config.json
	run timeout 5 "$KIST" --root "$KIST_ROOT" create --bundle b c
	assert_equal "$status" 1
}

@test "control characters of a config do not reach the terminal" {
	box true
	edit_config '.root.path = "no\u001b[31msuch"'
	run kist create --bundle b c
	assert_failure
	refute_output --partial $'\e'
}

@test "ids cannot leave the state root" {
	box true
	victim
	local id
	for id in ../victim ../../victim a/../../victim "$PWD/victim"; do
		run kist delete --force "$id"
		run kist state "$id"
		assert_failure
		run kist create --bundle b "$id"
		assert_failure
	done
	mkdir -p "$KIST_ROOT"
	ln -s "$PWD/victim" "$KIST_ROOT/link"
	run kist delete --force link
	run kist state link
	assert_failure
	assert_victim_untouched
	rm "$KIST_ROOT/link"
}
