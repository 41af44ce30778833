# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# vm: -s
# systemd's cgroup manager: containers in scopes, on a host that systemd runs.
# Source: callers.md of the OCI callers (cgroupsPath "slice:prefix:name"); systemd.scope(5), CGROUP_DELEGATION.

load ../../helpers/common
load ../../helpers/runtime

# criu writes down what the kernel can do, once: that is no leak of a test
setup_file() {
	criu check >/dev/null 2>&1 || { criu check; return 1; } >&2
}

# prop NAME [UNIT]: a property of the container's scope
prop() {
	systemctl show --value -p "$1" "${2:-kist-c.scope}"
}

# group [FILE]: the folder of c's group, or one of its files
group() {
	local dir
	dir=$(cgroup_of "$(state_of c pid)")
	[ $# -eq 0 ] && echo "$dir" || cat "$dir/$1"
}

# sd ARG...: kist with systemd's manager
sd() {
	kist --systemd-cgroup "$@"
}

create_sd() {
	sd create --bundle "$BUNDLE" "${1:-c}" >"${1:-c}.out" 2>&1 </dev/null 3>&-
}

start_sd() {
	create_sd "$@" || { cat "${1:-c}.out" && return 1; }
	kist start "${1:-c}"
}

gone() { # gone UNIT: systemd does not know it any more
	[ "$(systemctl show --value -p LoadState "$1")" = not-found ] && [ "$(systemctl show --value -p ActiveState "$1")" = inactive ]
}

@test "a scope in system.slice, delegated, that goes with the container" {
	box sleep 1000
	start_sd
	assert_equal "$(group)" /sys/fs/cgroup/system.slice/kist-c.scope
	assert_equal "$(prop ActiveState) $(prop Delegate) $(prop DefaultDependencies) $(prop Slice)" 'active yes no system.slice'
	assert_equal "$(kist state c | jq -r .status)" running
	# exec comes without the flag
	kist exec -d --pid-file e.pid c sleep 1001
	assert_equal "$(cgroup_of "$(<e.pid)")" "$(group)"
	assert_equal "$(kist ps --format json c | jq length)" 2
	kist pause c
	assert_equal "$(state_of c status)" paused
	kist resume c
	kist delete --force c
	gone kist-c.scope
	assert_not_exist /sys/fs/cgroup/system.slice/kist-c.scope
}

@test "run in the foreground: the process sees its group as root, and nothing is left" {
	box sh -c 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs'
	run sd run --bundle b c
	assert_success
	assert_line 0::/
	assert_line 1
	gone kist-c.scope
	set_args sh -c 'exit 7'
	run -7 kist --cgroup-manager systemd run --bundle b c
	gone kist-c.scope
}

@test "cgroupsPath: slice, prefix and name; slices in slices; the root slice; no prefix" {
	box sleep 1000
	local path want
	while read -r path want; do
		edit_config '.linux.cgroupsPath = $p' --arg p "$path"
		start_sd
		assert_equal "$path: $(group)" "$path: /sys/fs/cgroup$want"
		kist delete --force c
		gone "${want##*/}"
	done <<-'E'
		user.slice:kist:x /user.slice/kist-x.scope
		kpods-besteffort.slice:cri:x1 /kpods.slice/kpods-besteffort.slice/cri-x1.scope
		-:kist:x /kist-x.scope
		machine.slice::lone /machine.slice/lone.scope
		:kist:x /system.slice/kist-x.scope
		machine.slice:p:n.scope /machine.slice/p-n.scope
	E
	# slices that were started for us stay, as systemd has it
	systemctl stop kpods-besteffort.slice kpods.slice machine.slice
}

@test "cgroupsPath: what is no such form is refused before anything happens" {
	box sleep 1000
	local path
	for path in /a/b a:b a:b:c:d system.slice:x: notaslice:x:y a--b.slice:x:y system.slice:x:y.slice 'system.slice:x:a/b'; do
		edit_config '.linux.cgroupsPath = $p' --arg p "$path"
		run -1 sd create --bundle b c
		assert_output --partial "create c: linux.cgroupsPath: \"$path\""
	done
	edit_config '.linux.cgroupsPath = "system.slice:kist:c"'
	run -1 kist create --bundle b c
	assert_output --partial "by --systemd-cgroup"
}

@test "limits are in the group's files and in the unit, and outlive a daemon-reload" {
	box sleep 1000
	edit_config '.linux.resources = { memory: { limit: 134217728, swap: 268435456, reservation: 67108864 },
		cpu: { shares: 512, quota: 25000, period: 50000, burst: 5000, cpus: "0", mems: "0" }, pids: { limit: 50 },
		unified: { "memory.high": "100663296" } }'
	start_sd
	local -A want=([memory.max]=134217728 [memory.swap.max]=134217728 [memory.low]=67108864 [cpu.weight]=59
		["cpu.max"]='25000 50000' [cpu.max.burst]=5000 [cpuset.cpus]=0 [cpuset.mems]=0 [pids.max]=50 [memory.high]=100663296)
	local round file
	for round in 1 2; do
		for file in "${!want[@]}"; do
			assert_equal "$round $file: $(group "$file")" "$round $file: ${want[$file]}"
		done
		systemctl daemon-reload
	done
	assert_equal "$(prop MemoryMax) $(prop MemorySwapMax) $(prop MemoryLow) $(prop MemoryHigh)" '134217728 134217728 67108864 100663296'
	assert_equal "$(prop CPUWeight) $(prop CPUQuotaPerSecUSec) $(prop CPUQuotaPeriodUSec) $(prop TasksMax)" '59 500ms 50ms 50'
	assert_equal "$(prop AllowedCPUs) $(prop AllowedMemoryNodes)" '0 0'
	kist delete --force c
}

@test "a limit of no process is one for systemd, which knows no 0" {
	box sleep 1000
	edit_config '.linux.resources.pids.limit = 0'
	start_sd
	assert_equal "$(group pids.max) $(prop TasksMax)" '0 1'
	kist delete --force c
}

@test "no limit of processes is none: systemd's default does not apply" {
	box sleep 1000
	start_sd
	assert_equal "$(group pids.max) $(prop TasksMax)" 'max infinity'
	kist delete --force c
}

@test "update changes files and unit; what fails changes neither" {
	box sleep 1000
	edit_config '.linux.resources = { memory: { limit: 134217728 }, pids: { limit: 50 } }'
	start_sd
	kist update -m 64m --cpu-quota 12345 c
	assert_equal "$(group memory.max) $(group cpu.max) $(group pids.max)" '67108864 12345 100000 50'
	assert_equal "$(prop MemoryMax) $(prop CPUQuotaPerSecUSec) $(prop TasksMax)" '67108864 130ms 50'
	systemctl daemon-reload
	assert_equal "$(group memory.max)" 67108864
	run -1 kist update -r - c <<<'{"memory":{"limit":33554432},"unified":{"memory.high":"banana"}}'
	assert_equal "$(group memory.max) $(prop MemoryMax)" '67108864 67108864'
	kist delete --force c
}

@test "device rules are kist's own, and a daemon-reload leaves them" {
	box sh -c 'while :; do sleep 1; done'
	edit_config '.linux.resources.devices = [{ allow: false, access: "rwm" }]
		| .linux.devices = [{ path: "/dev/none", type: "c", major: 60, minor: 7 }]'
	start_sd
	local round
	for round in 1 2 3; do
		run kist exec c sh -c ': </dev/none'
		assert_output --partial 'Operation not permitted'
		kist exec c sh -c ': </dev/null'
		[ $round = 1 ] && systemctl daemon-reload || systemctl daemon-reexec
	done
	kist update -r - c <<<'{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":60,"minor":7,"access":"rwm"}]}'
	systemctl daemon-reload
	run kist exec c sh -c ': </dev/none'
	assert_output --partial 'No such device'
	kist delete --force c
}

@test "annotations: properties in GVariant's text form" {
	box sleep 1000
	edit_config '.annotations = { "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
		"org.systemd.property.CollectMode": "'"'inactive'"'", "org.systemd.property.RuntimeMaxSec": "1234.5",
		"org.systemd.property.After": "['"'multi-user.target'"', '"'basic.target'"']",
		"org.systemd.property.SendSIGHUP": "true", "org.systemd.property.DefaultDependencies": "false" }'
	start_sd
	assert_equal "$(prop TimeoutStopUSec) $(prop CollectMode) $(prop RuntimeMaxUSec) $(prop SendSIGHUP)" \
		'7s inactive 20min 34.500000s yes'
	run prop After
	assert_output --partial multi-user.target
	kist delete --force c
	gone kist-c.scope
	local name value words
	while read -r name value words; do
		edit_config '.annotations = { ("org.systemd.property." + $n): $v }' --arg n "$name" --arg v "$value"
		run -1 sd create --bundle b c
		assert_output --partial "$words"
		gone kist-c.scope
	done <<-'E'
		Slice 'x.slice' kist sets this property itself
		a-b true is not the name of a property
		TimeoutStopUSec banana property TimeoutStopUSec: expected a value
		NoSuchThing true StartTransientUnit
	E
}

@test "a unit of that name that is another's is refused, and left alone" {
	box sleep 1000
	systemd-run --scope --unit kist-c.scope sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	wait_until 10 eval '[ "$(prop ActiveState)" = active ]'
	run -1 sd create --bundle b c
	assert_output --partial 'create c: scope kist-c.scope: StartTransientUnit'
	assert_equal "$(prop ActiveState)" active
	assert_not_exist "$KIST_ROOT/c"
	systemctl stop kist-c.scope
	wait $! || true
}

@test "a create that fails later leaves no scope" {
	box /no/such
	run -127 sd create --bundle b c
	gone kist-c.scope
	set_args true
	edit_config '.linux.resources.unified = { "memory.high": "banana" }'
	run -1 sd create --bundle b c
	assert_output --partial 'memory.high banana'
	gone kist-c.scope
	assert_not_exist /sys/fs/cgroup/system.slice/kist-c.scope
}

@test "a killed create is cleaned up by delete --force" {
	box sleep 1000
	local i
	for i in 1 2 3; do
		strace -qq -o /dev/null -e inject=openat:signal=KILL:when=$((12 + i * 8)) \
			"$KIST" --root "$KIST_ROOT" --systemd-cgroup create --bundle b c </dev/null >/dev/null 2>&1 3>&- || true
		kist delete --force c
		wait_until 10 gone kist-c.scope
		assert_not_exist "$KIST_ROOT/c"
	done
}

@test "a container that the host has stopped: systemctl stop ends it" {
	box sleep 1000
	start_sd
	systemctl stop kist-c.scope
	wait_status c stopped
	assert_equal "$(kist ps --format json c)" '[]'
	kist delete c
}

@test "user namespaces, joined pid namespaces: the child waits for its scope in each way of cloning" {
	box sh -c 'cat /proc/self/cgroup; exec sleep 1000'
	edit_config '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs
	start_sd
	wait_until 10 grep -qx 0::/ c.out
	assert_equal "$(group)" /sys/fs/cgroup/system.slice/kist-c.scope
	kist delete --force c
	gone kist-c.scope
	new_bundle e sleep 1000
	start_sd
	new_bundle d sh -c 'cat /proc/self/cgroup; exec sleep 1000'
	edit_config '(.linux.namespaces[] | select(.type == "pid")) |= { type: "pid", path: $p }' --arg p "/proc/$(state_of c pid)/ns/pid"
	sd create --bundle d d >d.out 2>&1 </dev/null 3>&- || { cat d.out && false; }
	kist start d
	wait_until 10 grep -qx 0::/ d.out
	assert_equal "$(cgroup_of "$(state_of d pid)")" /sys/fs/cgroup/system.slice/kist-d.scope
	kist delete --force d
	kist delete --force c
	gone kist-c.scope
}

@test "a container of the engine is started again in a scope" {
	box sleep 1000
	sd run -d --bundle b web
	assert_equal "$(cgroup_of "$(state_of web pid)")" /sys/fs/cgroup/system.slice/kist-web.scope
	kist stop -t 0 web
	gone kist-web.scope
	kist start web
	assert_equal "$(cgroup_of "$(state_of web pid)")" /sys/fs/cgroup/system.slice/kist-web.scope
	kist rm -f web
	gone kist-web.scope
}

@test "checkpoint and restore: the processes come back in a scope" {
	box sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done'
	edit_config '.linux.resources = { pids: { limit: 30 } }'
	start_sd
	wait_until 20 grep -qx 3 c.out
	kist checkpoint --image-path img c
	local n
	n=$(tail -n 1 c.out)
	kist delete c
	gone kist-c.scope
	sd restore -d --bundle "$BUNDLE" --image-path img c >back.out 2>&1 </dev/null 3>&- || { cat back.out && false; }
	assert_equal "$(group) $(group pids.max) $(prop TasksMax)" '/sys/fs/cgroup/system.slice/kist-c.scope 30 30'
	assert_equal "$(wc -l <"$(group)/cgroup.procs")" "$(kist ps --format json c | jq length)"
	wait_until 20 eval "[ \"\$(tail -n 1 back.out)\" -gt $((n + 3)) ]"
	kist delete --force c
	gone kist-c.scope
}
