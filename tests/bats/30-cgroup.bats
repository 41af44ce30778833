# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The container's group: where it is, who is in it, that it goes. What needs controllers is in vm/30-limits.bats.
# Source: runtime-spec config-linux.md "Control groups".

load ../helpers/common
load ../helpers/runtime

root=/sys/fs/cgroup

# group_of_box: the folder of c's group
group_of_box() {
	cgroup_of "$(state_of c pid)"
}

@test "cgroupsPath: absent, the group is named after the container, at the root when ours is not delegated" {
	box sleep 1000
	create_box
	assert_equal "$(group_of_box)" "$root/kist-c"
	delete_box
	assert_not_exist "$root/kist-c"
}

@test "cgroupsPath: absolute, with groups above that are made and removed" {
	box sleep 1000
	edit_config '.linux.cgroupsPath = "/kist-t/deep/er"'
	create_box
	assert_equal "$(group_of_box)" "$root/kist-t/deep/er"
	delete_box
	assert_not_exist "$root/kist-t"
}

@test "cgroupsPath: groups that were there before stay" {
	box sleep 1000
	mkdir "$root/kist-keep"
	edit_config '.linux.cgroupsPath = "/kist-keep/own"'
	create_box
	delete_box
	assert [ -d "$root/kist-keep" ]
	rmdir "$root/kist-keep"
}

@test "cgroupsPath: two containers below one group" {
	box sleep 1000
	edit_config '.linux.cgroupsPath = "/kist-t/a"'
	start_box c
	edit_config '.linux.cgroupsPath = "/kist-t/b"'
	start_box d
	delete_box c
	assert [ -d "$root/kist-t/b" ]
	assert_equal "$(state_of d status)" running
	delete_box d
	rmdir "$root/kist-t" 2>/dev/null || true
	assert_not_exist "$root/kist-t"
}

@test "cgroupsPath: relative, below our own delegated group or the root" {
	box sleep 1000
	edit_config '.linux.cgroupsPath = "kist-rel/x"'
	create_box
	assert_equal "$(group_of_box)" "$root/kist-rel/x"
	delete_box
	assert_not_exist "$root/kist-rel"
}

@test "cgroupsPath: below a group that is delegated to us" {
	box sleep 1000
	mkdir "$root/kist-d" "$root/kist-d/supervisor"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' "$root/kist-d"
	bash -c "echo \$\$ >$root/kist-d/supervisor/cgroup.procs; exec \"\$@\"" - \
		"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
	assert_equal "$(group_of_box)" "$root/kist-d/kist-c"
	delete_box
	rmdir "$root/kist-d/supervisor" "$root/kist-d"
}

@test "cgroupsPath: what leads out, or is systemd's form, is refused" {
	box true
	local path
	for path in /../x x/../../y /a//b / /a/./b $'/a\nb'; do
		edit_config '.linux.cgroupsPath = $p' --arg p "$path"
		run -1 kist create --bundle b c
		assert_output --partial 'linux.cgroupsPath'
	done
	edit_config '.linux.cgroupsPath = "system.slice:kist:c"'
	run -1 kist create --bundle b c
	assert_output --partial "systemd's cgroup manager"
}

@test "cgroupsPath: a group with processes in it, or a frozen one, is refused and left alone" {
	box true
	mkdir "$root/kist-used"
	edit_config '.linux.cgroupsPath = "/kist-used"'
	sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	local pid=$!
	echo $pid >"$root/kist-used/cgroup.procs"
	run -1 kist create --bundle b c
	assert_output --partial 'kist-used'
	assert [ -d /proc/$pid ]
	kill -KILL $pid
	wait $pid 2>/dev/null || true
	wait_until 5 grep -q 'populated 0' "$root/kist-used/cgroup.events"
	echo 1 >"$root/kist-used/cgroup.freeze"
	run -1 kist create --bundle b c
	assert_output --partial 'kist-used'
	rmdir "$root/kist-used"
}

@test "the process is in its group from its first moment" {
	box sh -c 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs'
	run run_box
	assert_line 0::/
	assert_line 1
}

@test "processes that the container makes are in its group" {
	box sh -c 'sleep 1000 & sleep 1001 & wait'
	start_box
	wait_until 5 eval '[ "$(wc -l <"$(group_of_box)/cgroup.procs")" = 3 ]'
	delete_box
}

@test "delete waits until the group is empty, also when its processes are slow to end" {
	box sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (trap "" TERM HUP INT; while :; do :; done) & done; echo ready; wait'
	start_box
	wait_until 10 grep -q ready c.out
	kist delete --force c
	assert_not_exist "$root/kist-c"
}

@test "delete of a container whose processes were moved elsewhere below" {
	box sh -c 'mkdir /sys/fs/cgroup/in && echo $$ >/sys/fs/cgroup/in/cgroup.procs && echo moved; sleep 1000'
	edit_config '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))'
	start_box
	wait_until 5 grep -q moved c.out
	assert_equal "$(group_of_box)" "$root/kist-c/in"
	kist exec -d --pid-file e.pid c sleep 1001
	assert_equal "$(cgroup_of "$(<e.pid)")" "$root/kist-c/in"
	delete_box
	assert_not_exist "$root/kist-c"
}

@test "a leftover group of a chosen name is taken over" {
	box sleep 1000
	mkdir "$root/kist-c"
	create_box
	assert_equal "$(group_of_box)" "$root/kist-c"
	delete_box
	assert_not_exist "$root/kist-c"
}

@test "--cgroup-manager disabled: none is made, the container is where we are" {
	box sleep 1000
	kist --cgroup-manager disabled create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
	assert_equal "$(group_of_box)" "$(cgroup_of self)"
	kist start c
	assert_equal "$(state_of c status)" running
	run -1 kist pause c
	assert_output --partial 'cgroup'
	kist kill c KILL
	wait_status c stopped
	kist delete c
	assert_not_exist "$root/kist-c"
}

@test "--cgroup-manager disabled: limits are refused by their path" {
	box true
	edit_config '.linux.resources.pids = { limit: 10 }'
	run -1 kist --cgroup-manager disabled create --bundle b c
	assert_output --partial 'linux.resources.pids.limit: cgroups are disabled'
}

@test "--cgroup-manager disabled: kill --all reaches the init" {
	box sleep 1000
	kist --cgroup-manager disabled create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
	kist start c
	run kist kill --all c KILL
	assert_success
	wait_status c stopped
	kist delete c
}

@test "a limit whose controller is not there is refused by name, with what to do" {
	box true
	edit_config '.linux.resources.unified = { "nonsense.max": "1" }'
	run -1 kist create --bundle b c
	assert_output --partial 'nonsense'
	local name key
	while read -r name key; do
		edit_config ".linux.resources = $key"
		if has_controller "$name"; then
			run_box
		else
			run -1 kist create --bundle b c
			assert_output --partial "linux.resources.$(jq -r 'paths(scalars) | map(tostring) | join(".")' <<<"$key")"
			assert_output --partial "$name"
		fi
	done <<-'E'
		memory {"memory":{"limit":67108864}}
		pids {"pids":{"limit":100}}
		cpu {"cpu":{"shares":512}}
		cpuset {"cpu":{"cpus":"0"}}
	E
}

@test "limits of cgroup v1 that v2 has not are refused" {
	box true
	local key
	while read -r key; do
		edit_config ".linux.resources = $key"
		run -1 kist create --bundle b c
		assert_output --partial "linux.resources.$(jq -r 'paths(scalars) | map(tostring) | join(".")' <<<"$key")"
	done <<-'E'
		{"memory":{"kernel":1000000}}
		{"memory":{"kernelTCP":1000000}}
		{"memory":{"swappiness":5}}
		{"memory":{"disableOOMKiller":true}}
		{"cpu":{"realtimeRuntime":1000}}
		{"blockIO":{"leafWeight":100}}
		{"network":{"classID":1}}
	E
}

@test "unified: core files need no controller" {
	box cat /sys/fs/cgroup/cgroup.max.depth /sys/fs/cgroup/cgroup.max.descendants
	edit_config '.linux.resources.unified = { "cgroup.max.depth": "3", "cgroup.max.descendants": "7" }'
	run run_box
	assert_output $'3\n7'
}

@test "a failed create leaves no group" {
	box /no/such
	edit_config '.linux.cgroupsPath = "/kist-t/deep"'
	run -127 create_box
	assert_not_exist "$root/kist-t"
	edit_config '.linux.resources.unified = { "cgroup.max.depth": "banana" }'
	run -1 create_box
	assert_not_exist "$root/kist-t"
}

@test "freeze: no process of the group runs, and kill works on it" {
	box sh -c 'while :; do echo x; sleep 0.01; done'
	start_box
	kist pause c
	run cat "$(group_of_box)/cgroup.events"
	assert_line 'frozen 1'
	kist kill --all c KILL
	wait_status c stopped
	kist delete c
	start_box
	kist pause c
	kist kill c KILL
	wait_status c stopped
	kist delete c
}

# ---- ownership: config-linux.md "Cgroup ownership" ----

# writable_tree: the container's cgroup mount without ro, which is not the default
writable_tree() {
	edit_config '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))'
}

# owners: who owns the group's folder and its files, each once
owners() {
	stat -c '%u %n' "$root/kist-c" "$root/kist-c"/cgroup.* | sed "s|$root/kist-c/\?||"
}

@test "ownership: a user namespace with a writable tree owns its group, and can use it" {
	box sh -c 'mkdir /sys/fs/cgroup/sub && echo $$ >/sys/fs/cgroup/sub/cgroup.procs && cat /proc/self/cgroup; exec sleep 1000'
	edit_config '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs
	writable_tree
	start_box
	wait_until 5 grep -q sub c.out
	run owners
	assert_line '100000 '
	local file
	for file in cgroup.procs cgroup.threads cgroup.subtree_control; do
		assert_line "100000 $file"
	done
	# what is not listed in /sys/kernel/cgroup/delegate stays root's
	assert_line '0 cgroup.freeze'
	assert_line '0 cgroup.max.depth'
	assert_equal "$(stat -c %g "$root/kist-c/cgroup.procs")" 0
	delete_box
	assert_not_exist "$root/kist-c"
}

@test "ownership: the user of the process, also without a user namespace" {
	box sleep 1000
	writable_tree
	edit_config '.process.user = { uid: 1234, gid: 1234 }'
	start_box
	run owners
	assert_line '1234 cgroup.procs'
	delete_box
}

@test "ownership: of the files that the kernel lists, those that are there; without its list of three" {
	box sleep 1000
	writable_tree
	edit_config '.process.user = { uid: 1234, gid: 1234 }'
	mkdir list
	local names
	for names in $'cgroup.procs\ncgroup.of-later-days' ''; do
		rm -f list/delegate
		[ -z "$names" ] || echo "$names" >list/delegate
		mount --bind list /sys/kernel/cgroup
		run start_box
		umount /sys/kernel/cgroup
		assert_success
		run owners
		if [ "$names" ]; then
			assert_equal "$(grep -c ^1234 <<<"$output")" 2 # with the directory
			assert_line '1234 cgroup.procs'
		else
			assert_equal "$(grep ^1234 <<<"$output" | LC_ALL=C sort | tr -d '\n')" \
				'1234 1234 cgroup.procs1234 cgroup.subtree_control1234 cgroup.threads'
		fi
		delete_box
	done
}

@test "ownership: a read-only tree, none, or no cgroup namespace: root keeps it" {
	box sleep 1000
	edit_config '.process.user = { uid: 1234, gid: 1234 }'
	local filter
	for filter in . 'del(.mounts[] | select(.type == "cgroup"))' \
		'(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro")) | del(.linux.namespaces[] | select(.type == "cgroup"))'; do
		cp "$BUNDLE/config.json" saved.json
		edit_config "$filter"
		start_box
		run owners
		refute_output --partial 1234
		delete_box
		cp saved.json "$BUNDLE/config.json"
	done
}

# ---- systemd's manager, where there is none; vm/40-systemd.bats has the rest ----

@test "--systemd-cgroup on a host without systemd is refused, and leaves nothing" {
	[ ! -S /run/systemd/private ] || skip "systemd runs this host"
	box true
	run -1 kist --systemd-cgroup create --bundle b c
	assert_output "kist: create c: scope kist-c.scope: the system's bus (/run/dbus/system_bus_socket): No such file or directory; is this host run by systemd?"
	assert_not_exist "$KIST_ROOT/c"
	# with a shared pid namespace kist starts again from a copy of its file, and finds its helper all the same
	edit_config '.linux.namespaces |= map(select(.type != "pid"))'
	run -1 kist --cgroup-manager systemd create --bundle b c
	assert_output --partial "the system's bus"
}

@test "--systemd-cgroup without its helper names what is missing" {
	box true
	mkdir bin
	cp "$KIST" bin/kist
	[ ! -e /usr/local/libexec/kist/kist-systemd ] || skip "kist is installed here"
	run -1 env -u KIST_LIBEXEC bin/kist --root "$KIST_ROOT" --systemd-cgroup create --bundle b c
	assert_output --partial 'kist-systemd: neither beside kist nor in '
	assert_not_exist "$KIST_ROOT/c"
}
