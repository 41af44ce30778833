# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Mounts: order, option words and what the kernel says of them, binds, propagation, tmpcopyup, id maps, covers, the
# root. Source: runtime-spec config.md "Mounts", config-linux.md "Masked Paths", "Readonly Paths", "Rootfs Mount
# Propagation".

load ../helpers/common
load ../helpers/runtime

# words_on TYPE SOURCE [OPTION...]: what mountinfo says of one mount with these options
words_on() {
	local type=$1 source=$2
	shift 2
	edit_config '.mounts |= map(select(.destination != "/m"))'
	add_mount /m "$type" "$source" "$@"
	set_args cat /proc/self/mountinfo
	run_box | mount_fields /m
}

# refused OPTION...: a tmpfs with them fails with the message in the variable output
refused() {
	edit_config '.mounts |= map(select(.destination != "/m"))'
	add_mount /m tmpfs tmpfs "$@"
	run kist create --bundle "$BUNDLE" c
	assert_failure
}

@test "options: each attribute word, and its opposite after it" {
	box
	local row want got
	local -a words
	while IFS='|' read -r row want; do
		read -r -a words <<<"$row"
		got=$(words_on tmpfs tmpfs "${words[@]}")
		assert_equal "$row: ${got%% *}" "$row: $want"
	done <<-'E'
		|rw,relatime
		defaults|rw,relatime
		ro|ro,relatime
		ro rw|rw,relatime
		nosuid|rw,nosuid,relatime
		nosuid suid|rw,relatime
		nodev|rw,nodev,relatime
		nodev dev|rw,relatime
		noexec|rw,noexec,relatime
		noexec exec|rw,relatime
		noatime|rw,noatime
		noatime atime|rw,relatime
		relatime|rw,relatime
		noatime relatime|rw,relatime
		strictatime|rw
		strictatime nostrictatime|rw,relatime
		nodiratime|rw,nodiratime,relatime
		nodiratime diratime|rw,relatime
		noatime nodiratime|rw,noatime,nodiratime
		nosymfollow|rw,relatime,nosymfollow
		nosymfollow symfollow|rw,relatime
		norelatime|rw,relatime
		loud|rw,relatime
		silent|rw,relatime
		noiversion|rw,relatime
		iversion|rw,relatime
		async|rw,relatime
		nolazytime|rw,relatime
		nomand|rw,relatime
	E
}

@test "options: superblock words" {
	box
	local word got
	for word in sync dirsync lazytime; do
		got=$(words_on tmpfs tmpfs $word)
		[[ ",${got##* }," == *",$word,"* ]] || fail "$word: $got"
	done
	got=$(words_on tmpfs tmpfs sync async)
	[[ ",${got##* }," != *",sync,"* ]] || fail "async: $got"
	got=$(words_on tmpfs tmpfs lazytime nolazytime)
	[[ ",${got##* }," != *",lazytime,"* ]] || fail "nolazytime: $got"
}

@test "options: recursive attributes of a new file system" {
	box
	local row want got
	local -a words
	while IFS='|' read -r row want; do
		read -r -a words <<<"$row"
		got=$(words_on tmpfs tmpfs "${words[@]}")
		assert_equal "$row: ${got%% *}" "$row: $want"
	done <<-'E'
		rro|ro,relatime
		rnosuid rnodev rnoexec|rw,nosuid,nodev,noexec,relatime
		rnoatime|rw,noatime
		rstrictatime|rw
		rnodiratime|rw,nodiratime,relatime
		rnosymfollow|rw,relatime,nosymfollow
	E
}

@test "options: those of the file system reach it" {
	box
	run words_on tmpfs shm size=128k mode=0711 nr_inodes=33
	assert_output --partial 'size=128k'
	assert_output --partial 'nr_inodes=33'
	assert_output --partial 'mode=711'
}

@test "options: what the file system does not know is refused with its word" {
	box
	refused size=1m nonsense=3
	assert_output --regexp 'mounts\[[0-9]+\] /m: .*nonsense'
	refused size=banana
	assert_output --regexp 'mounts\[[0-9]+\] /m: .*size'
}

@test "types: an unknown one is refused by its name" {
	box
	add_mount /m nosuchfs x
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/m: file system nosuchfs: unknown to this kernel'
}

@test "order: later mounts lie over and below earlier ones" {
	box sh -c 'cat /a/file /a/b/file; grep -c " /a" /proc/self/mountinfo'
	mkdir one two
	echo one >one/file
	echo two >two/file
	add_mount /a tmpfs tmpfs
	add_mount /a none "$PWD/one" bind
	add_mount /a/b none "$PWD/two" bind
	run run_box
	assert_output $'one\ntwo\n3'
	assert [ -d one/b ]
}

@test "destination: made when missing, as directory or file, also relative" {
	box sh -c 'cat /x/y/z; stat -c %F /x/y/z /new/deep; ls /rel'
	echo text >file
	mkdir dir
	touch dir/inside
	add_mount /x/y/z none "$PWD/file" bind
	add_mount /new/deep tmpfs tmpfs
	add_mount rel none "$PWD/dir" rbind
	run run_box
	assert_output $'text\nregular file\ndirectory\ninside'
}

@test "destination: a file for a directory, and the reverse, are refused" {
	box true
	mkdir dir
	echo x >file
	touch b/rootfs/afile
	mkdir b/rootfs/adir
	add_mount /afile none "$PWD/dir" bind
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/afile'
	edit_config '.mounts |= map(select(.destination != "/afile"))'
	add_mount /adir none "$PWD/file" bind
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/adir'
	run cat b/rootfs/afile
	assert_output ''
}

@test "bind: the source is relative to the bundle" {
	box cat /m/file
	mkdir b/data
	echo bundled >b/data/file
	add_mount /m none data bind
	run run_box
	assert_output bundled
	mkdir elsewhere
	cd elsewhere
	run kist run --bundle ../b c
	assert_output bundled
}

@test "bind: a missing source is refused, and nothing is made" {
	box true
	add_mount /m none "$PWD/missing" bind
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --regexp "mounts\[[0-9]+\] /m: source: $PWD/missing: No such file or directory"
	assert_not_exist missing
	assert_not_exist b/rootfs/m
}

@test "bind: with and without what is mounted below" {
	box sh -c 'ls /m/sub'
	mkdir -p tree/sub
	mount -t tmpfs tmpfs tree/sub
	touch tree/sub/mounted
	add_mount /m none "$PWD/tree" bind
	run run_box
	assert_output ''
	edit_config '.mounts[-1].options = ["rbind"]'
	run run_box
	assert_output mounted
	umount tree/sub
}

@test "bind: type bind alone, without the option, is no bind" {
	box true
	mkdir dir
	add_mount /m bind "$PWD/dir" ro
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial 'a mount of type bind needs the option bind or rbind'
}

@test "bind: attributes are the copy's alone" {
	box sh -c 'touch /m/x; echo "status $?"; cat /proc/self/mountinfo'
	mkdir dir
	local before
	before=$(grep -vc /root/.template /proc/self/mountinfo)
	add_mount /m none "$PWD/dir" bind ro nosuid nodev noexec nosymfollow noatime
	run run_box
	assert_line 'status 1'
	assert_equal "$(mount_fields /m <<<"$output" | cut -d ' ' -f 1)" ro,nosuid,nodev,noexec,noatime,nosymfollow
	touch dir/writable
	assert_equal "$(grep -vc /root/.template /proc/self/mountinfo)" "$before"
}

@test "bind: ro is for the top alone, rro for all below" {
	box sh -c 'touch /m/x; echo "top $?"; touch /m/sub/x; echo "sub $?"'
	mkdir -p tree/sub
	mount -t tmpfs tmpfs tree/sub
	add_mount /m none "$PWD/tree" rbind ro
	run run_box
	assert_line 'top 1'
	assert_line 'sub 0'
	edit_config '.mounts[-1].options = ["rbind", "rro"]'
	run run_box
	assert_line 'top 1'
	assert_line 'sub 1'
	edit_config '.mounts[-1].options = ["rbind", "rro", "rrw"]'
	run run_box
	assert_line 'top 0'
	assert_line 'sub 0'
	umount tree/sub
}

@test "bind: each recursive word reaches the mounts below" {
	box cat /proc/self/mountinfo
	mkdir -p tree/sub
	mount -t tmpfs tmpfs tree/sub
	local row want
	local -a words
	while IFS='|' read -r row want; do
		read -r -a words <<<"$row"
		edit_config '.mounts |= map(select(.destination != "/m"))'
		add_mount /m none "$PWD/tree" rbind "${words[@]}"
		run run_box
		assert_equal "$row: $(mount_fields /m/sub <<<"$output" | cut -d ' ' -f 1)" "$row: $want"
	done <<-'E'
		|rw,relatime
		rro|ro,relatime
		rnosuid|rw,nosuid,relatime
		rnosuid rsuid|rw,relatime
		rnodev|rw,nodev,relatime
		rnodev rdev|rw,relatime
		rnoexec|rw,noexec,relatime
		rnoexec rexec|rw,relatime
		rnoatime|rw,noatime
		rnoatime ratime|rw,relatime
		rnoatime rrelatime|rw,relatime
		rstrictatime|rw
		rstrictatime rnostrictatime|rw,relatime
		rrelatime rnorelatime|rw,relatime
		rnodiratime|rw,nodiratime,relatime
		rnodiratime rdiratime|rw,relatime
		rnosymfollow|rw,relatime,nosymfollow
		rnosymfollow rsymfollow|rw,relatime
	E
	umount tree/sub
}

@test "bind: an option of no meaning for it is refused with the nearest word" {
	box true
	mkdir dir
	add_mount /m none "$PWD/dir" bind nosiud
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --partial 'unknown option "nosiud" for a bind mount (did you mean "nosuid"?)'
}

@test "bind: values for a file system are said to have no effect" {
	box true
	add_mount /m '' "$PWD" bind size=1k mode=700
	run run_box
	assert_success
	assert_output --partial 'warning: mounts['
	assert_output --partial 'size=1k,mode=700: belongs to a file system; on a bind mount it has no effect'
}

@test "bind: superblock words are said to have no effect" {
	box true
	mkdir dir
	add_mount /m none "$PWD/dir" bind sync
	run run_box
	assert_output --partial 'sync'
}

@test "bind: a source that is a symlink is followed, and with src-nofollow is the link itself" {
	box sh -c 'cat /m/file; readlink /l'
	mkdir dir
	echo text >dir/file
	ln -s dir link
	add_mount /m none "$PWD/link" bind
	ln -s /somewhere b/rootfs/l
	ln -s /else other
	add_mount /l none "$PWD/other" bind src-nofollow dest-nofollow
	run run_box
	assert_success
	assert_output $'text\n/else'
}

@test "bind: copy-symlink makes the link anew" {
	box readlink /copied/link
	ln -s /target/of/it link
	add_mount /copied/link none "$PWD/link" bind copy-symlink
	run run_box
	assert_success
	assert_output /target/of/it
	assert_equal "$(readlink link)" /target/of/it
}

@test "remount: new attributes for what is there" {
	box cat /proc/self/mountinfo
	add_mount /m tmpfs tmpfs
	add_mount /m none none remount ro nosuid
	run run_box
	assert_success
	assert_equal "$(mount_fields /m <<<"$output" | cut -d ' ' -f 1)" ro,nosuid,relatime
	assert_equal "$(grep -c ' /m ' <<<"$output")" 1
	edit_config '.mounts[-1].options = ["remount", "size=64k"]'
	run run_box
	assert_success
	[[ $(mount_fields /m <<<"$output") == *size=64k* ]] || fail "$(mount_fields /m <<<"$output")"
	edit_config '.mounts[-1].options = ["remount", "bind", "ro"]'
	run run_box
	assert_equal "$(mount_fields /m <<<"$output" | cut -d ' ' -f 1)" ro,relatime
}

@test "remount: of what is no mount is refused" {
	box true
	mkdir b/rootfs/m
	add_mount /m none none remount ro
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --partial '/m'
}

# ---- propagation ----

@test "propagation: each word, seen in mountinfo" {
	box cat /proc/self/mountinfo
	mkdir dir
	mount -t tmpfs shared dir
	mount --make-shared dir
	local word want
	while read -r word want; do
		edit_config '.mounts |= map(select(.destination != "/m"))'
		add_mount /m none "$PWD/dir" bind "$word"
		run run_box
		assert_success
		run mount_fields /m <<<"$output"
		assert_output --regexp "$want"
	done <<-'E'
		private ^rw,relatime tmpfs
		rprivate ^rw,relatime tmpfs
		slave ^rw,relatime master:[0-9]+ tmpfs
		rslave ^rw,relatime master:[0-9]+ tmpfs
		unbindable ^rw,relatime unbindable tmpfs
		runbindable ^rw,relatime unbindable tmpfs
		shared ^rw,relatime shared:[0-9]+
		rshared ^rw,relatime shared:[0-9]+
	E
	edit_config '.mounts[-1].options = ["bind", "rslave", "rshared"]'
	run run_box
	run mount_fields /m <<<"$output"
	assert_output --regexp '^rw,relatime shared:[0-9]+ master:[0-9]+ tmpfs'
	umount dir
}

@test "propagation: a mount made on the host later appears in a slave, not in a private one" {
	box sleep 1000
	mkdir dir
	mount -t tmpfs shared dir
	mount --make-shared dir
	mkdir dir/later
	add_mount /s none "$PWD/dir" rbind rslave
	add_mount /p none "$PWD/dir" rbind rprivate
	start_box
	mount -t tmpfs later dir/later
	touch dir/later/file
	run kist exec c ls /s/later
	assert_output file
	run kist exec c ls /p/later
	assert_output ''
	delete_box
	umount -R dir
}

@test "propagation: of the root" {
	box grep ' / / \| / rw' /proc/self/mountinfo
	set_args sh -c 'awk "\$5 == \"/\"" /proc/self/mountinfo'
	local word want
	while read -r word want; do
		edit_config '.linux.rootfsPropagation = $w' --arg w "$word"
		run run_box
		assert_success
		run mount_fields / <<<"$output"
		assert_output --regexp "$want"
	done <<-'E'
		private ^ro,[a-z,]* [^:]*$
		unbindable unbindable
		shared shared:[0-9]
		slave ^ro
	E
}

@test "propagation: of the root, by what travels to it, from it and within it" {
	local word from_host within bound
	box sleep 1000
	writable_root
	add_caps CAP_SYS_ADMIN
	mkdir b/rootfs/{h,c,n,b} && mkdir b/rootfs/b/n
	mount --bind b/rootfs b/rootfs
	mount --make-shared b/rootfs
	while read -r word from_host within bound; do
		edit_config '.linux.rootfsPropagation = $w' --arg w "$word"
		start_box
		mount -t tmpfs later b/rootfs/h
		touch b/rootfs/h/file
		run kist exec c sh -c '[ -e /h/file ]; echo "host $?"; mount -t tmpfs x /c && touch /c/file
			mount --bind / /b; echo "bound $?"
			mount -t tmpfs x /b/n && touch /b/n/file; [ -e /n/file ]; echo "within $?"'
		assert_line "host $from_host"
		assert_line "within $within"
		if [ "$bound" = 0 ]; then assert_line 'bound 0'; else refute_line 'bound 0'; fi
		# to the host nothing travels
		assert_not_exist b/rootfs/c/file
		assert_not_exist b/rootfs/n/file
		umount b/rootfs/h
		delete_box
	done <<-'E'
		shared 0 0 0
		slave 0 1 0
		private 1 1 0
		unbindable 1 1 1
	E
	umount -R b/rootfs
}

@test "nothing that a container mounts travels back to the host" {
	mount --make-rshared / 2>/dev/null || true
	box sh -c 'mount -t tmpfs x /mnt && grep -c " /mnt " /proc/self/mountinfo'
	mkdir b/rootfs/mnt
	add_caps CAP_SYS_ADMIN
	run run_box
	assert_output 1
	run grep -c "rootfs/mnt" /proc/self/mountinfo
	assert_output 0
	mount --make-rprivate /
}

# ---- new file systems ----

@test "tmpcopyup: the tmpfs starts with what it hides" {
	box sh -c 'cat /d/file; stat -c "%a %u %g %n" /d /d/* /d/.hidden; readlink /d/link; stat -c %h /d/one /d/two
		cat /d/sub/deep/x; stat -c "%t:%T" /d/dev; date -r /d/file +%s; echo new >/d/sub/new && echo wrote'
	mkdir -p b/rootfs/d/sub/deep
	echo text >b/rootfs/d/file
	echo linked >b/rootfs/d/one
	ln b/rootfs/d/one b/rootfs/d/two
	ln -s /no/where b/rootfs/d/link
	echo deep >b/rootfs/d/sub/deep/x
	touch b/rootfs/d/.hidden
	mknod b/rootfs/d/dev c 1 3
	chmod 2751 b/rootfs/d/sub
	chmod 664 b/rootfs/d/file
	chown 7:8 b/rootfs/d/file
	chmod 700 b/rootfs/d
	touch -d @1000000000 b/rootfs/d/file
	add_mount /d tmpfs tmpfs tmpcopyup
	run run_box
	assert_line --index 0 text
	assert_line '700 0 0 /d'
	assert_line '664 7 8 /d/file'
	assert_line '2751 0 0 /d/sub'
	assert_line '644 0 0 /d/.hidden'
	assert_line /no/where
	assert_equal "$(grep -c '^2$' <<<"$output")" 2
	assert_line deep
	assert_line 1:3
	assert_line 1000000000
	assert_line wrote
	assert_equal "$(<b/rootfs/d/file)" text
}

@test "tmpcopyup: capabilities of programs and other attributes" {
	box sleep 1000
	mkdir -p b/rootfs/d/sub
	echo program >b/rootfs/d/prog
	# cap_net_raw+ep, as setcap(8) writes it
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 b/rootfs/d/prog
	setfattr -n trusted.kist -v word b/rootfs/d/sub
	chown 5:6 b/rootfs/d/sub
	add_mount /d tmpfs tmpfs tmpcopyup
	start_box
	local there
	there=/proc/$(state_of c pid)/root/d
	run getfattr --absolute-names --only-values -e hex -n security.capability "$there/prog"
	assert_success
	assert_equal "$(getfattr --absolute-names -d -m security.capability -e hex "$there/prog" | grep =)" \
		security.capability=0x0100000200200000000000000000000000000000
	assert_equal "$(getfattr --absolute-names --only-values -n trusted.kist "$there/sub")" word
	delete_box
}

@test "tmpcopyup: of nothing, and of what does not fit" {
	box ls -A /d
	mkdir b/rootfs/d
	add_mount /d tmpfs tmpfs tmpcopyup
	run run_box
	assert_success
	assert_output ''
	head -c 200000 /dev/zero >b/rootfs/d/big
	edit_config '.mounts[-1].options = ["tmpcopyup", "size=64k"]'
	run kist create --bundle "$BUNDLE" c
	assert_failure
	assert_output --regexp '/d: tmpcopyup: .*big: No space left on device'
}

@test "default file systems: proc, sysfs, devpts, mqueue, cgroup2" {
	box cat /proc/self/mountinfo
	run run_box
	local point type
	while read -r point type; do
		[[ $(mount_fields "$point" <<<"$output") == *" $type "* ]] || fail "$point is no $type"
	done <<-'E'
		/proc proc
		/sys sysfs
		/dev tmpfs
		/dev/pts devpts
		/dev/shm tmpfs
		/dev/mqueue mqueue
		/sys/fs/cgroup cgroup2
	E
}

@test "a read-only tmpfs over /dev still gets its devices" {
	box sh -c 'stat -c "%t:%T" /dev/null; touch /dev/x; echo "status $?"'
	edit_config '(.mounts[] | select(.destination == "/dev").options) += ["ro"]'
	run run_box
	assert_line 1:3
	assert_line 'status 1'
}

@test "cgroup without a cgroup namespace: the container's own group is seen" {
	box sh -c 'cat /sys/fs/cgroup/cgroup.procs >/dev/null && stat -f -c %T /sys/fs/cgroup'
	edit_config '.linux.namespaces |= map(select(.type != "cgroup"))'
	run run_box
	assert_success
	assert_output --regexp 'cgroup2|UNKNOWN|63677270'
}

# ---- id-mapped binds ----

@test "idmap: mappings of the mount" {
	box sh -c 'stat -c %u:%g /m /m/file; touch /m/new'
	mkdir dir
	touch dir/file
	chown 1000:2000 dir/file
	add_mount /m none "$PWD/dir" bind
	edit_config '.mounts[-1] += {
		uidMappings: [{ containerID: 0, hostID: 0, size: 1 }, { containerID: 1000, hostID: 7, size: 1 }],
		gidMappings: [{ containerID: 0, hostID: 0, size: 1 }, { containerID: 2000, hostID: 8, size: 1 }] }'
	run run_box
	assert_success
	assert_output $'0:0\n7:8'
	assert_equal "$(stat -c %u:%g dir/new)" 0:0
}

@test "idmap: by the container's own maps" {
	box sh -c 'stat -c %u:%g /m/file; touch /m/new'
	mkdir dir b/rootfs/m
	touch dir/file
	chown 5:6 dir/file
	chmod 777 dir
	edit_config '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	add_mount /m none "$PWD/dir" bind idmap
	run run_box
	assert_success
	assert_output 5:6
	assert_equal "$(stat -c %u:%g dir/new)" 0:0
}

@test "idmap: ridmap for all below, idmap for the top alone" {
	box sh -c 'stat -c %u /m/file /m/sub/file'
	mkdir -p dir/sub
	mount -t tmpfs tmpfs dir/sub
	touch dir/file dir/sub/file
	chown 1000 dir/file dir/sub/file
	add_mount /m none "$PWD/dir" rbind idmap
	edit_config '.mounts[-1] += { uidMappings: [{ containerID: 1000, hostID: 7, size: 1 }],
		gidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }'
	run run_box
	assert_output $'7\n1000'
	edit_config '.mounts[-1].options = ["rbind", "ridmap"]'
	run run_box
	assert_output $'7\n7'
	umount dir/sub
}

# map_one DISK SEEN: the last mount shows the id DISK as SEEN, for users and groups
map_one() {
	edit_config '.mounts[-1] += { uidMappings: [$m], gidMappings: [$m] }' \
		--argjson m "{\"containerID\":$1,\"hostID\":$2,\"size\":1}"
}

# hold_mapped: a user namespace that others have made, with ids from 200000 on
hold_mapped() {
	hold_ns --user
	echo '0 200000 1000' >"/proc/$HELD/uid_map"
	echo '0 200000 1000' >"/proc/$HELD/gid_map"
}

@test "idmap: of a new file system" {
	box sh -c 'stat -c "%u:%g %a" /m; touch /m/x && stat -c %u /m/x; grep " /m " /proc/self/mountinfo'
	add_mount /m tmpfs tmpfs mode=711 nosuid idmap
	map_one 0 7
	edit_config '.process.user = { uid: 7, gid: 7 }'
	run run_box
	assert_line --index 0 '7:7 711'
	assert_line --index 1 7
	assert_line --index 2 --regexp ' /m rw,nosuid,.*idmapped'
	edit_config '.mounts[-1].options = ["ro"]'
	chmod 750 b/rootfs/m
	run run_box
	assert_line --index 0 '7:7 750'
	assert_line --partial 'Read-only file system'
}

@test "idmap: of a new file system in a user namespace, by its maps, by maps of its own, and joined" {
	box sh -c 'stat -c %u:%g /m; touch /m/x; stat -c %u /m/x'
	edit_config '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	mkdir b/rootfs/m
	add_mount /m tmpfs tmpfs idmap
	run run_box
	assert_output $'0:0\n0'
	map_one 0 100007
	edit_config '.process.user = { uid: 7, gid: 7 }'
	run run_box
	assert_output $'7:7\n7'
	hold_mapped
	edit_config '.process.user = { uid: 0, gid: 0 } | del(.mounts[-1].uidMappings, .mounts[-1].gidMappings)
		| del(.linux.uidMappings, .linux.gidMappings)
		| (.linux.namespaces[] | select(.type == "user")).path = $p' --arg p "/proc/$HELD/ns/user"
	run run_box
	release_ns
	assert_output $'0:0\n0'
}

@test "idmap: a bind by the maps of a joined user namespace" {
	box sh -c 'stat -c %u:%g /m/file'
	mkdir dir b/rootfs/m
	touch dir/file
	chown 5:6 dir/file
	hold_mapped
	edit_config '.linux.namespaces += [{ type: "user", path: $p }]' --arg p "/proc/$HELD/ns/user"
	add_mount /m none "$PWD/dir" bind idmap
	run run_box
	release_ns
	assert_output 5:6
}

@test "idmap: without maps, or of what cannot be mapped, is refused" {
	box true
	mkdir dir
	add_mount /m none "$PWD/dir" bind idmap
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --partial 'idmap needs uidMappings and gidMappings, or a user namespace'
	edit_config '.mounts[-1] = { destination: "/m", type: "mqueue", source: "mqueue" }'
	map_one 0 0
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --partial 'id-mapped mount: this kernel has none of file system mqueue'
	edit_config '.mounts[-1].type = "cgroup"'
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --partial 'only a bind mount or a new file system can be id-mapped'
}

# ---- covers and the root ----

@test "masked paths: files and directories are empty and read-only, missing ones passed over" {
	box sh -c 'cat /secret; ls /dir; touch /dir/x; echo "status $?"; cat /proc/keys; ls /other | wc -l; stat -c %a /dir'
	writable_root
	echo secret >b/rootfs/secret
	mkdir b/rootfs/dir b/rootfs/other
	touch b/rootfs/dir/inside b/rootfs/other/inside
	edit_config '.linux.maskedPaths += ["/secret", "/dir", "/no/such", "/secret/below", "/other"]'
	run run_box
	refute_output --partial secret
	refute_output --partial inside
	assert_line 'status 1'
	assert_line 0
	assert_equal "$(<b/rootfs/secret)" secret
}

@test "read-only paths: with what is mounted below, missing ones passed over" {
	box sh -c 'touch /d/x; echo "top $?"; touch /d/sub/x; echo "sub $?"; touch /w/x; echo "other $?"; echo 1 >/proc/sys/kernel/msgmax; echo "proc $?"'
	writable_root
	mkdir -p b/rootfs/d b/rootfs/w
	add_mount /d/sub tmpfs tmpfs
	edit_config '.linux.readonlyPaths += ["/d", "/no/such"]'
	run run_box
	assert_line 'top 1'
	assert_line 'sub 1'
	assert_line 'other 0'
	assert_line 'proc 1'
}

@test "read-only paths: keep the other flags of what they cover" {
	box cat /proc/self/mountinfo
	add_mount /m tmpfs tmpfs nosuid nodev noexec noatime
	edit_config '.linux.readonlyPaths += ["/m"]'
	run run_box
	assert_equal "$(mount_fields /m <<<"$output" | cut -d ' ' -f 1)" ro,nosuid,nodev,noexec,noatime
}

@test "root: read-only, and writable" {
	box sh -c 'touch /x; echo "status $?"'
	run run_box
	assert_line 'status 1'
	assert_not_exist b/rootfs/x
	writable_root
	run run_box
	assert_output 'status 0'
	assert_exist b/rootfs/x
}

@test "root: a relative path, an absolute one, one that is a symlink" {
	box cat /marker
	echo here >b/rootfs/marker
	edit_config '.root.path = $p' --arg p "$PWD/b/rootfs"
	run run_box
	assert_output here
	ln -s rootfs b/link
	edit_config '.root.path = "link"'
	run run_box
	assert_output here
	edit_config '.root.path = "./rootfs/../rootfs"'
	run run_box
	assert_output here
}

@test "root: missing, or a file, is refused" {
	box true
	edit_config '.root.path = "nothing"'
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --regexp "root.path:? $BUNDLE/nothing: No such file or directory"
	edit_config '.root.path = "config.json"'
	run -1 kist create --bundle "$BUNDLE" c
	assert_output --regexp "root.path:? $BUNDLE/config.json: [Nn]ot a directory"
}

@test "root: mounts of the host below it are there, and the host's tree is not" {
	box sh -c 'cat /vol/file; grep -c . /proc/self/mountinfo; ls /'
	mkdir b/rootfs/vol
	mount -t tmpfs tmpfs b/rootfs/vol
	echo volume >b/rootfs/vol/file
	run run_box
	assert_line --index 0 volume
	refute_output --partial "$BATS_TEST_TMPDIR"
	refute_line boot
	umount b/rootfs/vol
}

@test "a bind over a symlink that leads nowhere: its target is made in the root" {
	box cat /etc/hosts
	writable_root
	ln -sf /run/made/for/hosts b/rootfs/etc/hosts
	ln -s ../../run/made/dir b/rootfs/usr/to-dir
	echo here >file
	mkdir dir
	echo there >dir/x
	add_mount /etc/hosts '' "$PWD/file" bind
	add_mount /usr/to-dir/deep '' "$PWD/dir" bind
	run run_box
	assert_success
	assert_output here
	set_args cat /usr/to-dir/deep/x
	run run_box
	assert_output there
	assert [ -f b/rootfs/run/made/for/hosts ]
	assert [ -d b/rootfs/run/made/dir/deep ]
	assert [ ! -e /run/made ]
}

@test "tmpfs: the mode of the directory that it covers, unless it says one" {
	box stat -c %a /m
	writable_root
	mkdir -m 0710 b/rootfs/m
	add_mount /m tmpfs tmpfs nosuid
	run run_box
	assert_output 710
	run words_on tmpfs tmpfs mode=1500
	assert_output --partial mode=1500
	# a directory that was not there gives none
	rm -r b/rootfs/m
	set_args stat -c %a /m
	edit_config '.mounts |= map(select(.destination != "/m"))'
	add_mount /m tmpfs tmpfs nosuid
	run run_box
	assert_output 1777
	assert_equal "$(stat -c %a b/rootfs/m)" 755
}

@test "no-pivot: no procfs or sysfs of the host is left to mount another from (user_namespaces(7))" {
	local kind root=$KIST_ROOT
	mkdir -m 700 other
	touch other/.template # in its place: the host's mount namespace is copied
	for kind in proc sysfs; do
		rm -rf b
		box unshare -mrpfn sh -c "mkdir /tmp/x && mount -t $kind none /tmp/x && echo mounted"
		add_mount /tmp tmpfs tmpfs
		# without it nobody maps root into a namespace: user_namespaces(7)
		edit_config '.process.capabilities |= map_values(. + ["CAP_SETFCAP"])'
		for KIST_ROOT in "$root" "$PWD/other"; do
			run run_box --no-pivot
			refute_output --partial mounted
			assert_output --partial 'ermission denied'
		done
	done
	KIST_ROOT=$root
}

@test "no-pivot: the root is entered all the same" {
	box sh -c 'ls /; cat /proc/self/mountinfo'
	run run_box --no-pivot
	assert_success
	assert_line bin
	refute_line boot
}

@test "a working directory that is missing is made" {
	box pwd
	writable_root
	edit_config '.process.cwd = "/made/for/it"'
	run run_box
	assert_output /made/for/it
	assert [ -d b/rootfs/made/for/it ]
}

@test "without the template, the host's mount namespace is copied, and all is the same" {
	box sh -c 'sed "s/^[0-9]* [0-9]* [0-9:]* //; s/ - .*//" /proc/self/mountinfo; ls /; cat /proc/sys/kernel/msgmax'
	edit_config '.linux.sysctl = { "kernel.msgmax": "8195" }'
	run run_box
	assert_success
	local with=$output before root=$KIST_ROOT
	KIST_ROOT=$PWD/other
	mkdir -m 700 other
	touch other/.template # in its place: it cannot be made
	before=$(sort /proc/self/mountinfo)
	run kist --debug run --bundle "$BUNDLE" c
	KIST_ROOT=$root
	assert_success
	assert_output --partial "the host's mount namespace is copied instead"
	assert_equal "$(grep -v '^kist:' <<<"$output")" "$with"
	assert_equal "$(sort /proc/self/mountinfo)" "$before"
}

@test "in a chroot: the template, which is no part of it, and the same with a user namespace" {
	box sh -c 'sed "s/^[0-9]* [0-9]* [0-9:]* //; s/ - .*//" /proc/self/mountinfo; ls /'
	run run_box
	assert_success
	local as=$output
	mkdir top
	mount --rbind / top
	mount --make-rprivate top
	mkdir -m 700 other
	run chroot top "$KIST" --debug --root "$PWD/other" run --bundle "$BUNDLE" c
	assert_success
	refute_output --partial "mount namespace is copied instead"
	assert_equal "$(grep -v '^kist:' <<<"$output")" "$as"
	edit_config '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1000 }] | .linux.gidMappings = .linux.uidMappings'
	run chroot top "$KIST" --root "$PWD/other" run --bundle "$BUNDLE" c
	assert_success
	assert_line bin
	umount -l top
}

@test "a thousand mounts" {
	box sh -c 'grep -c " /many/" /proc/self/mountinfo'
	edit_config '.mounts += [range(1000) | { destination: "/many/\(.)", type: "tmpfs", source: "tmpfs" }]'
	run run_box
	assert_success
	assert_output 1000
}
