# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How the program is scheduled, on which processors, with which priority of I/O, as what machine, with memory of which
# nodes; and that exec gives all of it too. Source: runtime-spec config.md "Linux Process", config-linux.md
# "Personality", "Memory policy".

load ../helpers/common
load ../helpers/runtime

# scheduled: policy, priority and niceness, fields 41, 40 and 19 of proc(5) "/proc/pid/stat"
scheduled() {
	box cut -d ' ' -f 41,40,19 /proc/self/stat
}

# process FILTER: writes p.json, the container's process object changed by a jq filter
process() {
	jq ".process | $1" b/config.json >p.json
}

# ---- scheduler ----

@test "scheduler: each policy, with its numbers" {
	local policy want
	scheduled
	while read -r policy want; do
		edit_config '.process.scheduler = $s' --argjson s "$policy"
		run run_box
		assert_equal "$policy $output" "$policy $want"
	done <<-'E'
		{"policy":"SCHED_OTHER"} 0 0 0
		{"policy":"SCHED_OTHER","nice":7} 7 0 0
		{"policy":"SCHED_OTHER","nice":-5} -5 0 0
		{"policy":"SCHED_BATCH","nice":3} 3 0 3
		{"policy":"SCHED_IDLE"} 0 0 5
		{"policy":"SCHED_FIFO","priority":9} 0 9 1
		{"policy":"SCHED_RR","priority":99} 0 99 2
		{"policy":"SCHED_DEADLINE","runtime":10000000,"deadline":20000000,"period":30000000} 0 0 6
		{"policy":"SCHED_DEADLINE","runtime":10000000,"deadline":20000000} 0 0 6
	E
}

@test "scheduler: reset on fork is for the children" {
	box sh -c 'cut -d " " -f 41 /proc/$$/stat; cut -d " " -f 41 /proc/self/stat; true'
	edit_config '.process.scheduler = { policy: "SCHED_FIFO", priority: 1, flags: ["SCHED_FLAG_RESET_ON_FORK"] }'
	run run_box
	assert_output $'1\n0'
	edit_config '.process.scheduler.flags = []'
	run run_box
	assert_output $'1\n1'
}

@test "scheduler: without capabilities, in a user namespace, as another user" {
	scheduled
	edit_config '.process.scheduler = { policy: "SCHED_RR", priority: 3 } | .process.user = { uid: 1000, gid: 1000 } |
		del(.process.capabilities) | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	run run_box
	assert_output '0 3 2'
}

@test "scheduler: the kernel's no is an error, and nothing is left" {
	scheduled
	edit_config '.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 2000, deadline: 4000, period: 4000000000000 }'
	run -125 run_box
	assert_output --partial 'process.scheduler: SCHED_DEADLINE'
	run -1 kist state c
	edit_config '.process.scheduler = { policy: "SCHED_FIFO", priority: 1 }'
	run -125 setpriv --bounding-set -sys_nice --inh-caps -sys_nice "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output --partial 'process.scheduler: SCHED_FIFO of priority 1 and nice 0 needs CAP_SYS_NICE, which kist does not have'
}

@test "scheduler: create and start, and exec the same or its own" {
	box sleep 1000
	edit_config '.process.scheduler = { policy: "SCHED_BATCH", nice: 4 }'
	start_box
	assert_equal "$(cut -d ' ' -f 41,19 "/proc/$(state_of c pid)/stat")" '4 3'
	run kist exec c cut -d ' ' -f 41,40,19 /proc/self/stat
	assert_output '4 0 3'
	process '.scheduler = { policy: "SCHED_FIFO", priority: 2 } | .args = ["cut", "-d", " ", "-f", "41,40,19", "/proc/self/stat"]'
	run kist exec --process p.json c
	assert_output '0 2 1'
	process 'del(.scheduler) | .args = ["cut", "-d", " ", "-f", "41,40,19", "/proc/self/stat"]'
	run kist exec --process p.json c
	assert_output '0 0 0'
	process '.scheduler = { policy: "SCHED_OTHER", priority: 2 }'
	run -125 kist exec --process p.json c
	assert_output --partial 'p.json: scheduler.priority: only for SCHED_FIFO and SCHED_RR, not for SCHED_OTHER'
	delete_box
}

# ---- I/O priority ----

@test "I/O priority: each class, of the whole process group, and of exec" {
	local class want
	box sh -c 'ionice -p $$; ionice -p 1'
	while read -r class want; do
		edit_config '.process.ioPriority = $p' --argjson p "$class"
		run run_box
		assert_equal "$class ${lines[0]} ${lines[1]}" "$class $want $want"
	done <<-'E'
		{"class":"IOPRIO_CLASS_RT","priority":0} realtime: prio 0
		{"class":"IOPRIO_CLASS_RT","priority":7} realtime: prio 7
		{"class":"IOPRIO_CLASS_BE","priority":2} best-effort: prio 2
		{"class":"IOPRIO_CLASS_IDLE","priority":0} idle
	E
	set_args sleep 1000
	edit_config '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 }'
	start_box
	run kist exec c sh -c 'ionice -p $$'
	assert_output 'best-effort: prio 6'
	delete_box
}

@test "I/O priority: of real time without the right is an error" {
	box true
	edit_config '.process.ioPriority = { class: "IOPRIO_CLASS_RT", priority: 1 }'
	run -125 strace -qq -o /dev/null -e trace=ioprio_set -e inject=ioprio_set:error=EPERM \
		"$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output --partial 'process.ioPriority: IOPRIO_CLASS_RT needs CAP_SYS_NICE'
}

# ---- processors ----

@test "processors: exec has those that are asked for, first and at the end" {
	[ "$(nproc)" -gt 1 ] || skip 'a machine with one processor has no other to go to'
	box sleep 1000
	edit_config '.process.execCPUAffinity = { initial: "1", final: "0" }'
	start_box
	local all
	all=$(grep ^Cpus_allowed_list "/proc/$(state_of c pid)/status")
	refute [ "$all" = $'Cpus_allowed_list:\t0' ]
	run kist exec c grep ^Cpus_allowed_list /proc/self/status
	assert_output $'Cpus_allowed_list:\t0'
	process '.execCPUAffinity = { initial: "1" } | .args = ["grep", "^Cpus_allowed_list", "/proc/self/status"]'
	run kist exec --process p.json c
	assert_output $'Cpus_allowed_list:\t1'
	strace -f -o trace -e trace=sched_setaffinity,clone3 "$KIST" --root "$KIST_ROOT" exec c true
	run sed 's/^[0-9]* *//; s/  *= / = /' trace
	assert_line --index 0 'sched_setaffinity(0, 8, [1]) = 0'
	assert_line --index 1 --regexp '^clone3\('
	assert_line 'sched_setaffinity(0, 8, [0]) = 0'
	delete_box
}

@test "processors: exec is not bound to those of its caller" {
	[ "$(nproc)" -gt 1 ] || skip 'a machine with one processor has no other to go to'
	box sleep 1000
	start_box
	run taskset 1 "$KIST" --root "$KIST_ROOT" exec c grep ^Cpus_allowed_list /proc/self/status
	assert_output "$(grep ^Cpus_allowed_list "/proc/$(state_of c pid)/status")"
	delete_box
	set_args grep ^Cpus_allowed_list /proc/self/status
	run taskset 1 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output $'Cpus_allowed_list:\t0'
}

@test "processors: numbers beyond 1024, and none that is there" {
	box sleep 1000
	start_box
	process '.execCPUAffinity = { final: "0,1030-1040,8191" } | .args = ["grep", "^Cpus_allowed_list", "/proc/self/status"]'
	run kist exec --process p.json c
	assert_output $'Cpus_allowed_list:\t0'
	process '.execCPUAffinity = { final: "5000-6000" }'
	run -125 kist exec --process p.json c
	assert_output --partial 'process.execCPUAffinity.final: none of the processors 5000-6000 may be used here'
	process '.execCPUAffinity = { initial: "8000" }'
	run -125 kist exec --process p.json c
	assert_output --partial 'process.execCPUAffinity.initial: none of the processors 8000 may be used here'
	delete_box
}

# ---- personality ----

@test "personality: of 32 bits, and back, for run and exec" {
	case $(uname -m) in
	x86_64) ;;
	*) skip "only x86-64's name of its 32-bit machine is known here, and this is $(uname -m)" ;;
	esac
	box uname -m
	edit_config '.linux.personality = { domain: "LINUX32" }'
	run run_box
	assert_output i686
	edit_config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{ names: ["personality"], action: "SCMP_ACT_KILL_PROCESS" }] }'
	run run_box
	assert_output i686
	set_args sleep 1000
	start_box
	run kist exec c uname -m
	assert_output i686
	delete_box
	set_args uname -m
	edit_config '.linux.personality = { domain: "LINUX" }'
	run linux32 "$KIST" --root "$KIST_ROOT" run --bundle b c
	assert_output x86_64
}

# ---- memory policy ----

@test "memory policy: each mode, as the program's own memory shows it" {
	[ -e /proc/self/numa_maps ] || skip 'this kernel has no NUMA policies'
	local policy want
	box sh -c 'grep " heap\| stack" /proc/self/numa_maps | sed "s/^[^ ]* //; s/ [a-z]*=.*//; s/ stack.*//; s/ heap.*//" | uniq'
	while read -r policy want; do
		edit_config '.linux.memoryPolicy = $p' --argjson p "$policy"
		run run_box
		assert_equal "$policy $output" "$policy $want"
	done <<-'E'
		{"mode":"MPOL_DEFAULT"} default
		{"mode":"MPOL_LOCAL"} local
		{"mode":"MPOL_BIND","nodes":"0"} bind:0
		{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]} bind=static:0
		{"mode":"MPOL_INTERLEAVE","nodes":"0","flags":["MPOL_F_RELATIVE_NODES"]} interleave=relative:0
		{"mode":"MPOL_PREFERRED"} local
		{"mode":"MPOL_PREFERRED","nodes":"0"} prefer:0
		{"mode":"MPOL_PREFERRED_MANY","nodes":"0"} prefer (many):0
	E
	set_args sleep 1000
	edit_config '.linux.memoryPolicy = { mode: "MPOL_INTERLEAVE", nodes: "0" }'
	start_box
	run kist exec c sh -c 'grep " stack" /proc/self/numa_maps | cut -d " " -f 2'
	assert_output interleave:0
	delete_box
}

@test "memory policy: a node that is not there is an error" {
	[ -e /proc/self/numa_maps ] || skip 'this kernel has no NUMA policies'
	box true
	edit_config '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "900" }'
	run -125 run_box
	assert_output --partial 'linux.memoryPolicy: MPOL_BIND: unknown to this kernel, or nodes 900 are not all there'
}

@test "kist plan says what is asked for, and nothing else" {
	box true
	run kist plan --bundle b
	refute_output --partial scheduler
	edit_config '.process += { scheduler: { policy: "SCHED_FIFO", priority: 3 },
		ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 }, apparmorProfile: "web" } |
		.linux += { personality: { domain: "LINUX32" }, memoryPolicy: { mode: "MPOL_LOCAL" } }'
	kist plan --bundle b >plan.json
	run jq -c '.process | [.scheduler, .ioPriority, .apparmorProfile, .personality, .memoryPolicy]' plan.json
	assert_output '["SCHED_FIFO","IOPRIO_CLASS_IDLE","web","LINUX32","MPOL_LOCAL"]'
}

# ---- security modules: what they do is in vm/46-attrs.bats and vm/47-selinux.bats ----

@test "labels: for a module that is off, refused before anything is made; exec too" {
	grep -qx Y /sys/module/apparmor/parameters/enabled 2>/dev/null && skip 'AppArmor is on here'
	grep -q selinuxfs /proc/filesystems && skip 'SELinux is on here'
	box sleep 1000
	start_box
	process '.apparmorProfile = "web" | .args = ["true"]'
	run -125 kist exec --process p.json c
	assert_output --partial 'process.apparmorProfile web: AppArmor is off on this host'
	process '.selinuxLabel = "u:r:t" | .args = ["true"]'
	run -125 kist exec --process p.json c
	assert_output --partial 'process.selinuxLabel u:r:t: SELinux is off on this host'
	run -125 kist exec --apparmor web c true
	assert_output --partial 'process.apparmorProfile web: AppArmor is off on this host'
	delete_box
	local key
	for key in process.apparmorProfile process.selinuxLabel linux.mountLabel; do
		cp b/config.json saved.json
		edit_config ".$key = \"web\""
		run -1 kist create --bundle b c
		assert_output --regexp "create c: $key web: (AppArmor|SELinux) is off on this host"
		assert_not_exist "$KIST_ROOT/c"
		mv saved.json b/config.json
	done
	edit_config '.process.apparmorProfile = "unconfined" | .process.args = ["echo", "free"]'
	run run_box
	assert_output free
}
