# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# mounts add, mounts remove: what is mounted into a running container, and taken out of it again.

load ../helpers/common
load ../helpers/runtime
load ../helpers/engine

# started [FILTER]: the bundle b, its config changed by FILTER, running as c
started() {
	rm -rf b
	box sleep 1000
	writable_root
	[ $# -eq 0 ] || edit_config "$1"
	start_box
}

# inside COMMAND...: in the container
inside() {
	kist exec c "$@"
}

# mounts_of [ID]: the mounts of the container, as points and options
mounts_of() {
	awk '{ print $5, $6 }' "/proc/$(state_of "${1:-c}" pid)/mountinfo"
}

# file JSON...: writes them as an array to m.json
file() {
	jq -n '$ARGS.positional' --jsonargs "$@" >m.json
}

# refused VERB WORDS: fails with exactly these, and changes nothing
refused() {
	mounts_of >before
	run -1 kist mounts "$1" c m.json
	assert_output "kist: mounts $1 c: $2"
	mounts_of | diff before -
}

bind() { # bind SOURCE DESTINATION [OPTION...]: as JSON
	jq -nc '{ source: $s, destination: $d, type: "bind", options: (["rbind"] + $ARGS.positional) }' \
		--arg s "$1" --arg d "$2" --args "${@:3}"
}

@test "a directory of the host appears and goes" {
	started
	mkdir data && echo hello >data/file
	file "$(bind "$PWD/data" /mnt/data)"
	mounts_of >before
	run kist mounts add c m.json
	assert_success
	assert_output ''
	run inside cat /mnt/data/file
	assert_output hello
	run grep -c /mnt/data /proc/self/mountinfo
	assert_output 0
	run kist mounts remove c m.json
	assert_success
	assert_output ''
	mounts_of | diff before -
	run inside ls /mnt/data
	assert_output ''
	delete_box
}

@test "attributes, and a single file" {
	started
	mkdir data && echo hello >file
	file "$(bind "$PWD/data" /data ro nosuid noexec nodev)" "$(bind "$PWD/file" /etc/file ro)"
	kist mounts add c <(cat m.json)
	run mounts_of
	assert_line --regexp '^/data ro,nosuid,nodev,noexec'
	assert_line --regexp '^/etc/file ro'
	run inside touch /data/x
	assert_failure
	assert_output --partial 'Read-only file system'
	run inside cat /etc/file
	assert_output hello
	kist mounts remove c m.json
	run mounts_of
	refute_output --partial /data
	refute_output --partial /etc/file
	delete_box
}

@test "a tmpfs: its options, its mode, a copy of what it hides, read-only" {
	started
	mkdir -m 1770 b/rootfs/scratch
	echo kept >b/rootfs/scratch/file
	file '{ "destination": "/tmp/t", "type": "tmpfs", "options": ["size=64k", "mode=700", "nosuid"] }' \
		'{ "destination": "/scratch", "type": "tmpfs", "options": ["tmpcopyup", "ro"] }'
	kist mounts add c m.json
	run inside stat -c %a /tmp/t /scratch
	assert_output $'700\n1770'
	run inside cat /scratch/file
	assert_output kept
	run inside touch /scratch/new
	assert_failure
	run inside df -k /tmp/t
	assert_line --regexp ' 64 '
	kist mounts remove c m.json
	delete_box
}

@test "a relative source starts at the bundle" {
	started
	mkdir b/data && echo here >b/data/file
	file "$(bind data /data)"
	kist mounts add c m.json
	run inside cat /data/file
	assert_output here
	delete_box
}

@test "in a user namespace: a bind, a tmpfs of its root's, an id-mapped bind" {
	box sleep 1000
	writable_root
	edit_config '.linux.namespaces += [{ type: "user" }] | .linux.gidMappings = .linux.uidMappings
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs
	start_box
	mkdir data mapped
	echo hello >data/file
	echo hello >mapped/file
	file "$(bind "$PWD/data" /data)" '{ "destination": "/t", "type": "tmpfs" }' "$(bind "$PWD/mapped" /mapped idmap)"
	kist mounts add c m.json
	run inside stat -c %u /data/file /t /mapped/file
	assert_output $'65534\n0\n0'
	kist mounts remove c m.json
	run inside ls /t /data
	assert_success
	delete_box
}

@test "one inside the other, removed by the same file" {
	started
	mkdir -p data/sub more
	echo more >more/file
	file "$(bind "$PWD/data" /data)" "$(bind "$PWD/more" /data/sub)"
	mounts_of >before
	kist mounts add c m.json
	run inside cat /data/sub/file
	assert_output more
	kist mounts remove c m.json
	mounts_of | diff before -
	delete_box
}

@test "two at one place: the upper one goes first" {
	started
	mkdir one two
	touch one/one two/two
	file "$(bind "$PWD/one" /data)"
	kist mounts add c m.json
	file "$(bind "$PWD/two" /data)"
	kist mounts add c m.json
	run inside ls /data
	assert_output two
	kist mounts remove c m.json
	run inside ls /data
	assert_output one
	kist mounts remove c m.json
	run inside ls /data
	assert_output ''
	file "$(bind "$PWD/one" /data)" "$(bind "$PWD/two" /data)"
	kist mounts add c m.json
	kist mounts remove c m.json
	run inside ls /data
	assert_output ''
	refused remove 'mounts[1] /data: no mount was added there'
	delete_box
}

@test "a created container, whose program is not there yet" {
	box cat /data/file
	writable_root
	create_box
	mkdir data && echo early >data/file
	file "$(bind "$PWD/data" /data)"
	kist mounts add c m.json
	kist start c
	wait_status c stopped
	assert_equal "$(output_of)" early
	delete_box
}

@test "what the program has open stays open" {
	box sh -c 'exec 3</dev/null; until [ -e /data/file ]; do usleep 10000; done; exec 3</data/file; echo opened
		until [ ! -e /data/file ]; do usleep 10000; done; cat <&3'
	writable_root
	start_box
	mkdir data && echo held >data/file
	file "$(bind "$PWD/data" /data)"
	kist mounts add c m.json
	wait_until 5 grep -q opened c.out
	kist mounts remove c m.json
	wait_until 5 grep -q held c.out
	delete_box
}

# ---- all or none ----

@test "add: the failure of one takes back those before it" {
	started
	mkdir data
	file "$(bind "$PWD/data" /data)" '{ "destination": "/t", "type": "tmpfs" }' "$(bind "$PWD/none" /none)"
	refused add "mounts[2] /none: source: $PWD/none: No such file or directory"
	file "$(bind "$PWD/data" /data)" '{ "destination": "/t", "type": "tmpfs" }' \
		'{ "destination": "/x", "type": "tmpfs", "options": ["size=nonsense"] }'
	mounts_of >before
	run -1 kist mounts add c m.json
	assert_output --regexp '^kist: mounts add c: mounts\[2\] /x: size: '
	mounts_of | diff before -
	refused remove 'mounts[2] /x: no mount was added there'
	delete_box
}

@test "remove: only what was added, and nothing when one is not" {
	started
	mkdir data
	file "$(bind "$PWD/data" /data)"
	kist mounts add c m.json
	file "$(bind "$PWD/data" /data)" "$(bind "$PWD/data" /proc)"
	refused remove 'mounts[1] /proc: no mount was added there'
	file "$(bind "$PWD/data" /dev)"
	refused remove 'mounts[0] /dev: no mount was added there'
	run inside true
	assert_success
	delete_box
}

@test "remove: what the container has covered or taken out itself" {
	started
	add_caps CAP_SYS_ADMIN
	delete_box
	start_box
	mkdir data other
	file "$(bind "$PWD/data" /data)" "$(bind "$PWD/other" /other)"
	kist mounts add c m.json
	inside mount -t tmpfs over /other
	refused remove 'mounts[1] /other: what was added there is not there any more, or lies under another mount'
	inside umount /other
	inside umount /data
	refused remove 'mounts[0] /data: what was added there is not there any more, or lies under another mount'
	inside mount -t tmpfs mine /data
	refused remove 'mounts[0] /data: what was added there is not there any more, or lies under another mount'
	delete_box
}

# ---- hostile trees ----

@test "symlinks of the container lead nowhere but into its root" {
	started
	mkdir data outside
	touch data/inside
	ln -s "$PWD/outside" b/rootfs/link
	ln -s ../../../../../../../../../../../../outside b/rootfs/up
	ln -s /proc/1/root b/rootfs/magic
	file "$(bind "$PWD/data" /link/x)"
	run kist mounts add c m.json
	[ ! -e outside/x ]
	run grep -c "$PWD/outside" /proc/self/mountinfo
	assert_output 0
	file "$(bind "$PWD/data" /up)"
	run kist mounts add c m.json
	[ ! -e /outside ]
	file "$(bind "$PWD/data" /magic/x)"
	refused add 'mounts[0] /magic/x: destination: Too many levels of symbolic links'
	delete_box
}

@test "a container that swaps the path all the time gets nothing outside of its root" {
	box sh -c 'while :; do mkdir /race; rmdir /race; ln -s ../../../../../../../../../../outside /race; rm /race
		ln -s /proc/1/root /race; rm /race; done'
	writable_root
	start_box
	mkdir -p data /outside
	touch data/from-host
	file "$(bind "$PWD/data" /race/x)"
	local i
	for ((i = 0; i < 60; i++)); do
		kist mounts add c m.json >add.out 2>&1 || grep -q '^kist: mounts add c: mounts\[0\] /race/x: ' add.out
		[ ! -e /outside/x ]
	done
	assert_equal "$(grep -c "$PWD/data" /proc/self/mountinfo)" 0
	run ls -A /outside
	assert_output ''
	rmdir /outside
	delete_box
}

@test "nothing is mounted into procfs" {
	started
	mkdir data
	file "$(bind "$PWD/data" /proc/1)"
	refused add 'mounts[0] /proc/1: the destination lies inside of procfs, where nothing else may be mounted'
	file "$(bind "$PWD/data" /proc/sys)"
	refused add 'mounts[0] /proc/sys: the destination lies inside of procfs, where nothing else may be mounted'
	delete_box
}

@test "the helper is not seen in the container, and ends with the command" {
	started
	mkdir data
	file "$(bind "$PWD/data" /data)"
	kist mounts add c m.json
	run inside ps -o pid,args
	assert_equal "$(grep -vc 'PID\|ps -o' <<<"$output")" 1
	delete_box
}

# ---- words ----

@test "states: stopped, paused, unknown" {
	box true
	start_box
	wait_status c stopped
	file "$(bind "$PWD" /data)"
	run -1 kist mounts add c m.json
	assert_output 'kist: mounts add c: container not running'
	run -1 kist mounts remove c m.json
	assert_output 'kist: mounts remove c: container not running'
	delete_box
	run -1 kist mounts add nobody m.json
	assert_output 'kist: mounts add nobody: container nobody does not exist'
	started
	kist pause c
	refused add 'the container is paused: resume it first'
	refused remove 'the container is paused: resume it first'
	kist resume c
	delete_box
}

@test "files: not there, no array, wrong members, more than the array" {
	started
	rm -f m.json
	refused add 'm.json: No such file or directory'
	echo '{ "destination": "/x" }' >m.json
	refused add 'm.json: expected an array of mounts'
	echo '[ ], "mount": 1' >m.json
	refused add 'm.json: expected an array of mounts'
	echo '[{ "destination": 5 }]' >m.json
	refused add 'mounts[0].destination: expected string, got integer'
	echo '[{ "source": "/x", "options": ["bind"] }]' >m.json
	refused add 'mounts[0].destination: required, but missing'
	echo '[{ "destination": "/x", "source": "/x", "options": ["bind", "rro", "nodevs"] }]' >m.json
	run -1 kist mounts add c m.json
	assert_output --regexp '^kist: mounts add c: mounts\[0\].options: .*nodevs'
	echo '[' >m.json
	run -1 kist mounts add c m.json
	assert_output --regexp '^kist: mounts add c: m.json:'
	echo '[]' >m.json
	run kist mounts add c m.json
	assert_success
	delete_box
}

@test "kinds that are not for a running container" {
	started
	mkdir -p data
	file '{ "destination": "/p", "type": "proc" }'
	refused add 'mounts[0] /p: a procfs is not added to a running container: it would show the processes of the host'
	file '{ "destination": "/dev", "type": "tmpfs", "options": ["remount", "ro"] }'
	refused add 'mounts[0] /dev: remount adds no mount'
	file "$(bind "$PWD/data" /x copy-symlink)"
	refused add 'mounts[0] /x: copy-symlink makes no mount that could be taken out again'
	delete_box
	started 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	file '{ "destination": "/cg", "type": "cgroup" }'
	refused add 'mounts[0] /cg: needs a cgroup namespace'
	delete_box
	started 'del(.mounts, .linux.maskedPaths, .linux.readonlyPaths)
		| .linux.namespaces |= map(select(.type != "mount"))'
	file "$(bind "$PWD/data" /x)"
	refused add 'the container has no mount namespace of its own'
	delete_box
}

@test "cgroup: the container's own group" {
	started
	file '{ "destination": "/cg", "type": "cgroup", "options": ["ro"] }'
	kist mounts add c m.json
	run inside cat /cg/cgroup.procs
	assert_line 1
	kist mounts remove c m.json
	delete_box
}

@test "the OCI face has it too, and usage is explained" {
	started
	mkdir data
	file "$(bind "$PWD/data" /data)"
	kist oci mounts add c m.json
	kist oci mounts remove c m.json
	run -2 kist mounts add c
	assert_output --partial 'expected 2 arguments, got 1'
	run -2 kist mounts
	assert_output --partial 'remove'
	delete_box
}

@test "a container from an image, and one that is stopped and started again" {
	base_image
	mkdir data && echo hello >data/file
	run detached --name c base:1 sleep 1000
	assert_success
	file "$(bind "$PWD/data" /data ro)" '{ "destination": "/t", "type": "tmpfs" }'
	kist mounts add c m.json
	run inside cat /data/file
	assert_output hello
	kist stop -t 0 c
	kist start c </dev/null 3>&-
	run inside ls /data
	refute_output --partial file
	refused remove 'mounts[1] /t: no mount was added there'
	kist rm -f c
}
