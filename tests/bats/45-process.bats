# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the program starts with: user and groups, umask, directory, environment, limits, capabilities; and how it is
# found. Source: runtime-spec config.md "Process".

load ../helpers/common
load ../helpers/runtime

# caps_of: the five sets of the program in the variable output, as words "CapInh=0 ..."
status_caps() {
	awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { sub(":", "", $1); sub("^0*", "", $2); printf "%s%s=%s", s, $1, $2 == "" ? 0 : $2; s = " " }'
}

# ---- user ----

@test "user: ids and exactly the groups that are listed" {
	box sh -c 'grep -E "^(Uid|Gid|Groups):" /proc/self/status'
	edit_config '.process.user = { uid: 1000, gid: 1001, additionalGids: [7, 50, 4294967294] }'
	run run_box
	assert_line $'Uid:\t1000\t1000\t1000\t1000'
	assert_line $'Gid:\t1001\t1001\t1001\t1001'
	assert_line --regexp $'^Groups:\t7 50 4294967294 *$'
}

@test "user: the caller's groups are dropped" {
	box grep ^Groups: /proc/self/status
	run setpriv --groups 4,5,6 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output --regexp $'^Groups:\t *$'
}

@test "user: the caller's groups are kept when an annotation asks for it, for run and exec" {
	box grep ^Groups: /proc/self/status
	edit_config '.annotations["run.oci.keep_original_groups"] = "1"'
	run setpriv --groups 4,5,6 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output --regexp $'^Groups:\t4 5 6 *$'
	edit_config '.process.user.additionalGids = [9]'
	run setpriv --groups 4,5,6 "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_line --partial 'additionalGids: not set, since run.oci.keep_original_groups'
	assert_line --regexp $'^Groups:\t4 5 6 *$'
	edit_config 'del(.process.user.additionalGids)'
	set_args sleep 1000
	start_box
	run setpriv --groups 4,5,6 "$KIST" --root "$KIST_ROOT" exec c grep ^Groups: /proc/self/status
	assert_output --regexp $'^Groups:\t4 5 6 *$'
	delete_box
	edit_config '.annotations["run.oci.keep_original_groups"] = "yes"'
	run -125 run_box
	assert_output --partial 'annotations.run.oci.keep_original_groups: expected 0 or 1, got yes'
}

@test "user: umask is given to exec too" {
	box sleep 1000
	edit_config '.process.user.umask = 63'
	start_box
	run kist exec c sh -c umask
	assert_output 0077
	run kist exec -u 1000 c sh -c umask
	assert_output 0077
	jq '.process | .user.umask = 18 | .args = ["sh", "-c", "umask"]' b/config.json >p.json
	run kist exec --process p.json c
	assert_output 0022
	delete_box
}

@test "user: umask is 0022, or the one that is given" {
	box sh -c umask
	umask 077
	run run_box
	assert_output 0022
	edit_config '.process.user.umask = 63'
	run run_box
	assert_output 0077
	edit_config '.process.user.umask = 0'
	run run_box
	assert_output 0000
}

# ---- environment ----

@test "environment: that of the config and nothing else" {
	box env
	edit_config '.process.env = ["PATH=/bin", "A=1", "EMPTY=", "A=2", "WITH=x=y"]'
	FROM_CALLER=1 run run_box
	assert_output $'PATH=/bin\nEMPTY=\nA=2\nWITH=x=y\nHOME=/root'
}

@test "user: one that is not given is root, also for exec" {
	box sh -c 'id; sleep 1000'
	edit_config 'del(.process.user)'
	start_box
	wait_until 5 grep -q 'uid=0(root) gid=0(root)' c.out
	run kist exec --process - c <<<'{"cwd":"/","args":["id","-u"],"env":["PATH=/bin"]}'
	assert_output 0
	delete_box
}

@test "environment: an empty HOME is as none, and there is one in the end" {
	box sh -c 'env | grep HOME'
	edit_config '.process.env += ["HOME="]'
	run run_box
	assert_output HOME=/root
	edit_config '.process.env += ["HOME=/x", "HOME="]'
	run run_box
	assert_output HOME=/root
}

@test "environment: HOME from the container's passwd, / when it is not there" {
	box sh -c 'echo $HOME'
	edit_config '.process.user = { uid: 1000, gid: 1000 }'
	run run_box
	assert_output /home/app
	edit_config '.process.user = { uid: 4321, gid: 1000 }'
	run run_box
	assert_output /
	rm b/rootfs/etc/passwd
	run run_box
	assert_output /
	edit_config '.process.env += ["HOME=/given"]'
	run run_box
	assert_output /given
}

@test "environment: a passwd that is a FIFO, a directory or endless does not stop the program" {
	box sh -c 'echo $HOME'
	rm b/rootfs/etc/passwd
	mkfifo b/rootfs/etc/passwd
	run run_box
	assert_output /
	rm b/rootfs/etc/passwd
	mkdir b/rootfs/etc/passwd
	run run_box
	assert_output /
	rmdir b/rootfs/etc/passwd
	ln -s /dev/zero b/rootfs/etc/passwd
	run run_box
	assert_output /
}

# ---- working directory ----

@test "cwd: entered, and PWD's own business" {
	box pwd
	edit_config '.process.cwd = "/home/app"'
	run run_box
	assert_output /home/app
	edit_config '.process.cwd = "/home/../etc/"'
	run run_box
	assert_output /etc
}

@test "cwd: a directory that only root, or only the user, may enter" {
	box sh -c 'pwd; id -u'
	edit_config '.process.user = { uid: 1000, gid: 1000 } | .process.cwd = "/root"'
	chmod 700 b/rootfs/root
	run run_box
	assert_output $'/root\n1000'
	mkdir b/rootfs/home/app/deep
	chown -R 1000:1000 b/rootfs/home/app
	chmod 700 b/rootfs/home/app
	edit_config '.process.cwd = "/home/app/deep"'
	run run_box
	assert_output $'/home/app/deep\n1000'
}

@test "cwd: relative, or a file, is refused" {
	box true
	edit_config '.process.cwd = "etc"'
	run -1 kist create --bundle b c
	assert_output --partial 'process.cwd'
	edit_config '.process.cwd = "/etc/passwd"'
	run -1 kist create --bundle b c
	assert_output --partial 'process.cwd /etc/passwd: Not a directory'
}

# ---- how the program is found ----

# create_fails STATUS TEXT: of create and of run
create_fails() {
	run kist create --bundle b c
	assert_equal "create $status" "create $1"
	assert_output --partial "$2"
	run run_box
	assert_equal "run $status" "run $1"
	assert_output --partial "$2"
	assert_equal "${#lines[@]}" 1
}

@test "program: by PATH of the config, in its order" {
	box tool
	mkdir -p b/rootfs/one b/rootfs/two
	printf '#!/bin/sh\necho one\n' >b/rootfs/one/tool
	printf '#!/bin/sh\necho two\n' >b/rootfs/two/tool
	chmod 755 b/rootfs/two/tool
	edit_config '.process.env = ["PATH=/none:/one:/two"]'
	run run_box
	assert_output two
	chmod 755 b/rootfs/one/tool
	run run_box
	assert_output one
	edit_config '.process.env = ["PATH="] | .process.cwd = "/two"' # an empty entry is the working directory
	run run_box
	assert_output two
}

@test "program: without PATH the usual folders are searched" {
	box true
	edit_config '.process.env = []'
	run run_box
	assert_success
}

@test "program: relative to the working directory" {
	box ./tool
	printf '#!/bin/sh\necho here\n' >b/rootfs/home/app/tool
	chmod 755 b/rootfs/home/app/tool
	edit_config '.process.cwd = "/home/app"'
	run run_box
	assert_output here
}

@test "program: what is not there" {
	box nonsense
	create_fails 127 'exec: "nonsense": executable file not found in $PATH'
	set_args /bin/nonsense
	create_fails 127 'exec: "/bin/nonsense": no such file or directory'
	set_args ./nonsense
	create_fails 127 'exec: "./nonsense": no such file or directory'
	set_args /etc/passwd/x
	create_fails 127 'exec: "/etc/passwd/x": Not a directory'
}

@test "program: what cannot be executed" {
	box /etc/passwd
	create_fails 126 'exec: "/etc/passwd": permission denied'
	set_args /etc
	create_fails 126 'exec: "/etc": is a directory'
	set_args passwd
	edit_config '.process.env = ["PATH=/etc"]'
	create_fails 126 'exec: "passwd": permission denied'
	set_args tool
	mkdir b/rootfs/etc/tool
	create_fails 127 'exec: "tool": executable file not found in $PATH'
}

@test "program: not for this user" {
	box /bin/tool
	printf '#!/bin/sh\necho ran\n' >tool
	install -m 700 tool b/rootfs/etc/tool
	set_args /etc/tool
	edit_config '.process.user = { uid: 1000, gid: 1000 }'
	create_fails 126 'exec: "/etc/tool": permission denied'
	chown 1000 b/rootfs/etc/tool
	run run_box
	assert_output ran
}

@test "program: no format that the kernel knows" {
	box /etc/tool
	printf 'no program\n' >b/rootfs/etc/tool
	chmod 755 b/rootfs/etc/tool
	run run_box
	assert_equal "$status" 126
	assert_output --regexp 'exec: "/etc/tool": [Ee]xec format error'
	run ! kist state c
}

@test "program: on a mount without exec" {
	box /m/tool
	mkdir dir
	cp b/rootfs/bin/busybox dir/tool
	add_mount /m none "$PWD/dir" bind noexec
	create_fails 126 'exec: "/m/tool": permission denied'
}

@test "arguments: as they are, also empty and with blanks" {
	box sh -c 'for a; do echo "<$a>"; done' - '' 'a b' $'new\nline' ä
	run run_box
	assert_output $'<>\n<a b>\n<new\nline>\n<ä>'
}

# ---- limits and scores ----

@test "rlimits: soft and hard, of each type" {
	box cat /proc/self/limits
	edit_config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 1024 }, { type: "RLIMIT_CPU", soft: 100, hard: 200 },
		{ type: "RLIMIT_DATA", soft: 1073741824, hard: 2147483648 }, { type: "RLIMIT_FSIZE", soft: 5000000, hard: 6000000 },
		{ type: "RLIMIT_LOCKS", soft: 77, hard: 78 }, { type: "RLIMIT_MEMLOCK", soft: 65536, hard: 65536 },
		{ type: "RLIMIT_MSGQUEUE", soft: 800, hard: 900 }, { type: "RLIMIT_NICE", soft: 0, hard: 0 },
		{ type: "RLIMIT_NOFILE", soft: 333, hard: 444 }, { type: "RLIMIT_NPROC", soft: 4000, hard: 5000 },
		{ type: "RLIMIT_RSS", soft: 1, hard: 2 }, { type: "RLIMIT_RTPRIO", soft: 0, hard: 0 },
		{ type: "RLIMIT_RTTIME", soft: 5000000, hard: 6000000 }, { type: "RLIMIT_SIGPENDING", soft: 50, hard: 60 },
		{ type: "RLIMIT_STACK", soft: 4194304, hard: 8388608 }, { type: "RLIMIT_AS", soft: 424242, hard: 424242 }]'
	sed -i 's/424242/18446744073709551615/' b/config.json # jq would round it
	run run_box
	local row
	while read -r row; do
		assert_output --regexp "$row"
	done <<-'E'
		core file size +0 +1024
		cpu time +100 +200
		data size +1073741824 +2147483648
		Max file size +5000000 +6000000
		file locks +77 +78
		locked memory +65536 +65536
		msgqueue size +800 +900
		nice priority +0 +0
		open files +333 +444
		processes +4000 +5000
		resident set +1 +2
		realtime priority +0 +0
		realtime timeout +5000000 +6000000
		pending signals +50 +60
		stack size +4194304 +8388608
		address space +unlimited +unlimited
	E
}

@test "rlimits: those that are not listed are the caller's" {
	box sh -c 'ulimit -c; ulimit -n'
	edit_config '.process.rlimits = []'
	ulimit -S -n 777
	run run_box
	assert_line --index 1 777
}

@test "rlimits: one that kist may not raise is refused with both numbers" {
	box true
	edit_config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 1048576 }]'
	run setpriv --bounding-set -sys_resource --inh-caps -sys_resource bash -c \
		'ulimit -n 4096; exec "$@"' - "$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial 'process.rlimits[0] RLIMIT_NOFILE: hard limit 1048576 asked, 4096 allowed here'
}

@test "rlimits: a low limit of file size or open files does not hinder kist" {
	box sh -c 'ulimit -n'
	edit_config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 4, hard: 4 }, { type: "RLIMIT_FSIZE", soft: 0, hard: 0 }]'
	run run_box
	assert_output 4
}

@test "oomScoreAdj: written, and untouched when it is not given" {
	box cat /proc/self/oom_score_adj
	edit_config '.process.oomScoreAdj = 345'
	run run_box
	assert_output 345
	edit_config 'del(.process.oomScoreAdj)'
	run bash -c 'echo 123 >/proc/self/oom_score_adj; exec "$@"' - "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output 123
	edit_config '.process.oomScoreAdj = 1001'
	run kist create --bundle b c
	assert_failure
	assert_output --partial 'process.oomScoreAdj'
}

@test "no_new_privs: set, and not set" {
	box grep NoNewPrivs /proc/self/status
	run run_box
	assert_output --regexp '1$'
	edit_config '.process.noNewPrivileges = false'
	run run_box
	assert_output --regexp '0$'
}

@test "no_new_privs: a file's capabilities are gained only without it" {
	box /etc/grep ^CapEff: /proc/self/status
	edit_config '.process.user = { uid: 1000, gid: 1000 }'
	cp "$(command -v busybox)" b/rootfs/etc/grep
	# struct vfs_cap_data, capabilities(7): revision 2, effective; permitted CAP_CHOWN
	python3 -c 'import os, struct; os.setxattr("b/rootfs/etc/grep", "security.capability",
		struct.pack("<IIIII", 0x02000001, 1 << 0, 0, 0, 0))'
	edit_config '.process.capabilities.bounding += ["CAP_CHOWN"]'
	run run_box
	assert_output --regexp '0000$'
	edit_config '.process.noNewPrivileges = false'
	run run_box
	assert_output --regexp '0001$'
}

# ---- capabilities ----

@test "capabilities: the five sets, for root" {
	box cat /proc/self/status
	edit_config '.process.capabilities = { bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_SETUID"], permitted: ["CAP_KILL", "CAP_CHOWN"],
		effective: ["CAP_KILL"], inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"] }'
	run run_box
	# execve(2) by root: effective is all that is permitted, and with no_new_privs that does not grow
	assert_equal "$(status_caps <<<"$output")" 'CapInh=1 CapPrm=21 CapEff=21 CapBnd=a1 CapAmb=1'
	edit_config '.process.noNewPrivileges = false'
	run run_box
	assert_equal "$(status_caps <<<"$output")" 'CapInh=1 CapPrm=a1 CapEff=a1 CapBnd=a1 CapAmb=1'
}

@test "capabilities: for another user only the ambient ones stay" {
	box cat /proc/self/status
	edit_config '.process.user = { uid: 1000, gid: 1000 }
		| .process.capabilities = { bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL", "CAP_CHOWN"],
		effective: ["CAP_KILL", "CAP_CHOWN"], inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"] }'
	run run_box
	assert_equal "$(status_caps <<<"$output")" 'CapInh=1 CapPrm=1 CapEff=1 CapBnd=21 CapAmb=1'
	edit_config 'del(.process.capabilities.ambient, .process.capabilities.inheritable)'
	run run_box
	assert_equal "$(status_caps <<<"$output")" 'CapInh=0 CapPrm=0 CapEff=0 CapBnd=21 CapAmb=0'
}

@test "capabilities: none, when there is no object and when it is empty" {
	box cat /proc/self/status
	edit_config 'del(.process.capabilities)'
	run run_box
	assert_equal "$(status_caps <<<"$output")" 'CapInh=0 CapPrm=0 CapEff=0 CapBnd=0 CapAmb=0'
	edit_config '.process.capabilities = {}'
	run run_box
	assert_equal "$(status_caps <<<"$output")" 'CapInh=0 CapPrm=0 CapEff=0 CapBnd=0 CapAmb=0'
}

@test "capabilities: all that the kernel has" {
	box cat /proc/self/status
	local -a all
	mapfile -t all < <(python3 -c '
last = int(open("/proc/sys/kernel/cap_last_cap").read())
names = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
print("\n".join("CAP_" + n for n in names[:last + 1]))')
	edit_config '.process.capabilities = { bounding: $ARGS.positional, effective: $ARGS.positional, permitted: $ARGS.positional }' \
		--args "${all[@]}"
	run run_box
	local mask # all that this machine lets us have ourselves
	mask=$(awk '/^CapPrm/ { sub("^0*", "", $2); print $2 }' /proc/self/status)
	assert_equal "$(status_caps <<<"$output")" "CapInh=0 CapPrm=$mask CapEff=$mask CapBnd=$mask CapAmb=0"
}

@test "capabilities: unknown ones, and ones that kist has not itself, give a warning that names them" {
	box cat /proc/self/status
	edit_config '.process.capabilities.bounding += ["CAP_FUTURE"]'
	run run_box
	assert_success
	assert_output --partial 'process.capabilities.bounding[3]: CAP_FUTURE is not known here'
	edit_config '.process.capabilities = { bounding: ["CAP_KILL", "CAP_SYS_TIME"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"] }'
	run setpriv --bounding-set -sys_time --inh-caps -sys_time "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_success
	assert_output --partial 'CAP_SYS_TIME cannot be granted'
	assert_equal "$(status_caps <<<"$output")" 'CapInh=0 CapPrm=20 CapEff=20 CapBnd=20 CapAmb=0'
}

@test "capabilities: a name in another spelling is refused or known, never dropped silently" {
	box cat /proc/self/status
	edit_config '.process.capabilities = { bounding: ["cap_kill", "KILL"], permitted: [], effective: [] }'
	run run_box
	[ "$status" -ne 0 ] || [[ $output == *KILL*'not known'* ]] || [ "$(status_caps <<<"$output" | grep -c CapBnd=20)" = 1 ]
}

# ---- signals, streams, keyring, session ----

@test "signals: none is ignored or blocked, whatever the caller does" {
	box grep -E '^Sig(Ign|Blk)' /proc/self/status
	run bash -c 'trap "" HUP PIPE INT TERM QUIT; exec "$@"' - env --block-signal=TERM "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_output --regexp $'SigBlk:\t0+'
	# Signals 32 and 33 belong to the C library's threads; whoever ignores them above kist does no harm.
	local ignored
	ignored=$(awk '/SigIgn/ { print $2 }' <<<"$output")
	assert_equal $((0x$ignored & 0x7fffffff)) 0
}

@test "standard streams: pipes belong to the user, so that /dev/stdout can be opened anew" {
	box sh -c 'echo through >/dev/stdout; echo errors >/dev/stderr'
	edit_config '.process.user = { uid: 1000, gid: 1000 }'
	run bash -c '"$@" | cat' - "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	assert_line through
}

@test "standard streams: that are closed do not become other files" {
	box sh -c 'ls -l /proc/self/fd'
	run bash -c '"$@" <&-' - "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
	refute_output --partial "$KIST_ROOT"
	refute_output --partial state
}

@test "session: the program leads one of its own" {
	box sh -c 'ps -o pid,pgid,sid,args 2>/dev/null || awk "{ print \$5, \$6 }" /proc/self/stat; awk "{ print \$1, \$5, \$6 }" /proc/1/stat'
	run run_box
	assert_line '1 1 1'
}
