#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kist run IMAGE and run --config: what the program gets from the image, the file and the options, and exit statuses.

load ../helpers/common
load ../helpers/engine

# ---- process ----

@test "run: output, exit status and nothing left" {
	base_image
	run --separate-stderr kist run --rm base:1 sh -c 'echo out; echo err >&2; exit 42'
	assert_equal "$status" 42
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
	run kist ps -aq
	assert_output ""
}

@test "run: 126 and 127 for programs that cannot be run, 125 for kist's own errors, 128+n for signals" {
	base_image
	run kist run --rm base:1 /no/such/program
	assert_failure 127
	run kist run --rm base:1 nosuchprogram
	assert_failure 127
	assert_output --partial 'executable file not found in $PATH'
	run kist run --rm base:1 /etc/passwd
	assert_failure 126
	run kist run --rm no/such:image true
	assert_failure 125
	assert_output --partial 'no/such:image'
	run kist run --rm
	assert_failure 125
	run kist run --rm base:1 sh -c 'sh -c "kill -KILL \$\$"; exit $?'
	assert_failure 137
	run kist ps -aq
	assert_output ""
}

@test "run: entrypoint, command, environment, user and working directory come from the image" {
	app_image app:1 --config.entrypoint /bin/sh --config.entrypoint -c --config.cmd 'echo "$A|$B|$HOME|$(pwd)|$(id -u):$(id -g)"' \
		--config.env A=1 --config.env B=2 --config.user app --config.workingdir /srv/app
	run kist run --rm app:1
	assert_success
	assert_output '1|2|/home/app|/srv/app|1000:1000'
	run kist run --rm -e B=3 -w /tmp -u 5:6 app:1
	assert_output '1|3|/|/tmp|5:6'
	run kist run --rm app:1 'echo other'
	assert_output other
	run kist run --rm --entrypoint /bin/echo app:1 words
	assert_output words
	run kist run --rm --entrypoint "" app:1 echo plain
	assert_output plain
}

@test "run: users by name with their groups, from the image's own files" {
	base_image
	run kist run --rm -u app base:1 id
	assert_output 'uid=1000(app) gid=1000(app) groups=50(staff)'
	run kist run --rm -u app:staff base:1 id
	assert_output 'uid=1000(app) gid=50(staff)'
	run kist run --rm -u 1000 base:1 id -G
	assert_output '1000 50'
	run kist run --rm --group-add staff --group-add 77 base:1 id -G
	assert_output '0 50 77'
	run kist run --rm -u nobody-here base:1 true
	assert_failure 125
	assert_output --partial 'user nobody-here: not in'
}

@test "run: a fifo or a huge file in the place of /etc/passwd is refused" {
	mkdir -p bad/etc bad/bin
	cp "$KIST_TEST_ROOTFS/bin/busybox" bad/bin/sh
	mkfifo bad/etc/passwd
	kist image import -q bad bad:1 >/dev/null
	run timeout 10 "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm -u app bad:1 /bin/sh -c true
	assert_failure 125
	assert_output --partial 'not a regular file'
}

@test "run: env files, variables of ours, and an entry without a value" {
	base_image
	printf '# comment\nONE=1\n\nFROM_US\nTWO=a b=c\n' >env
	FROM_US=ours run kist run --rm --env-file env -e ONE=2 -e NOT_SET_ANYWHERE base:1 \
		sh -c 'echo "$ONE|$FROM_US|$TWO|${NOT_SET_ANYWHERE-unset}"'
	assert_output '2|ours|a b=c|unset'
}

@test "run: standard input is empty without -i and complete with it" {
	base_image
	run kist run --rm base:1 cat < <(echo no)
	assert_output ""
	head -c 3000000 /dev/urandom >bytes
	kist run --rm -i base:1 sh -c 'cat; echo end >&2' <bytes >copy 2>err
	cmp bytes copy
	assert_equal "$(<err)" end
}

@test "run: the caller's signals reach the program, the third SIGTERM kills" {
	base_image
	"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm base:1 sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done' \
		>out 2>&1 </dev/null 3>&- &
	local pid=$! ended=0
	wait_until 10 grep -q up out
	kill -TERM $pid
	sleep 0.2
	kill -TERM $pid
	sleep 0.2
	kill -0 $pid
	kill -TERM $pid
	wait $pid || ended=$?
	assert_equal $ended 137
}

@test "run: stopped writers of a closed standard output end it, not us" {
	base_image
	set +o pipefail
	run bash -c '"$0" --root "$1" --store "$2" run --rm base:1 yes | head -n 1' "$KIST" "$KIST_ROOT" "$KIST_STORE"
	assert_line y
}

# ---- defaults ----

@test "run: podman's capabilities by default, --cap-add and --cap-drop" {
	base_image
	run kist run --rm base:1 grep CapEff /proc/self/status
	assert_output --partial 00000000800405fb
	run kist run --rm --cap-drop ALL base:1 grep CapBnd /proc/self/status
	assert_output --partial 0000000000000000
	run kist run --rm --cap-drop all --cap-add net_raw base:1 grep CapEff /proc/self/status
	assert_output --partial 0000000000002000
	run kist run --rm --cap-drop CAP_KILL base:1 grep CapEff /proc/self/status
	assert_output --partial 00000000800405db
	run kist run --rm --cap-add NET_RAWW base:1 true
	assert_failure 125
	assert_output --partial 'did you mean CAP_NET_RAW?'
}

@test "run: its own network with loopback only, its own host name and hosts file" {
	base_image
	run kist run --rm --hostname box base:1 sh -c 'hostname; cat /etc/hostname; grep -c "localhost box" /etc/hosts; ls /sys/class/net'
	assert_output $'box\nbox\n1\nlo'
	run kist run --rm --name named base:1 sh -c 'hostname; echo $HOSTNAME'
	assert_output $'named\nnamed'
	run kist run --rm --network host base:1 ls /sys/class/net
	assert_line lo
	assert_equal "$(kist run --rm --network host base:1 sh -c 'readlink /proc/self/ns/net')" "$(readlink /proc/self/ns/net)"
	run ls -A "$KIST_ROOT"
	refute_output --partial .etc
}

@test "run: no-new-privileges and a seccomp file; a profile of Docker's format is refused" {
	base_image
	run kist run --rm --security-opt no-new-privileges base:1 grep NoNewPrivs /proc/self/status
	assert_output --partial 1
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":5}]}' >f.json
	run kist run --rm --security-opt seccomp=f.json base:1 mkdir /tmp/x
	assert_failure 1
	assert_output --partial 'Input/output error'
	echo '{"defaultAction":"SCMP_ACT_ALLOW","archMap":[],"syscalls":[]}' >docker.json
	run kist run --rm --security-opt seccomp=docker.json base:1 true
	assert_failure 125
	assert_output --partial 'archMap: unknown key'
}

@test "run: ulimits, shm size, sysctls" {
	base_image
	run kist run --rm --ulimit nofile=100:200 --ulimit core=0 base:1 sh -c 'ulimit -n; ulimit -Hn; ulimit -c'
	assert_output $'100\n200\n0'
	run kist run --rm --shm-size 1m base:1 sh -c 'df -k /dev/shm | tail -n 1 | awk "{ print \$2 }"'
	assert_output 1024
	run kist run --rm --sysctl net.ipv4.ip_forward=1 base:1 cat /proc/sys/net/ipv4/ip_forward
	assert_output 1
	run kist run --rm --ulimit nosuch=1 base:1 true
	assert_failure 125
}

@test "run: a device of the host" {
	base_image
	mknod dev-null c 1 3
	run kist run --rm --device "$PWD/dev-null:/dev/mine:rw" base:1 sh -c 'echo x >/dev/mine && ls -l /dev/mine'
	assert_success
	assert_output --partial '1,   3'
	run kist run --rm --device /etc/passwd base:1 true
	assert_failure 125
	assert_output --partial 'is no device'
}

# ---- file systems ----

@test "run: the root is writable for each container alone; the image stays as it is" {
	base_image
	run kist run --rm base:1 sh -c 'echo mine >/etc/passwd; rm /bin/vi; cat /etc/passwd'
	assert_output mine
	run kist run --rm base:1 sh -c 'head -n 1 /etc/passwd; ls /bin/vi'
	assert_output $'root:x:0:0:root:/root:/bin/sh\n/bin/vi'
}

@test "run: --read-only, --tmpfs, binds read-only and not" {
	base_image
	mkdir host
	echo there >host/f
	run kist run --rm --read-only --tmpfs /tmp:size=1m -v "$PWD/host:/h:ro" -v "$PWD/host:/w" base:1 \
		sh -c 'touch /x || echo root; touch /tmp/x && echo tmp; cat /h/f; touch /h/x || echo ro; echo new >/w/g'
	assert_line root
	assert_line tmp
	assert_line there
	assert_line ro
	assert_equal "$(<host/g)" new
	run kist run --rm -v relative/dir:/x base:1 true
	assert_failure 125
	assert_output --partial 'expected an absolute path or the name of a volume'
	run kist run --rm -v "$PWD/no-such:/x" base:1 true
	assert_failure 125
	assert_output --partial no-such
}

@test "run: the host's root, with kist's own state below it, can be bound" {
	base_image
	kist run --rm base:1 true
	run kist run --rm -v /:/host:ro base:1 ls "/host$PWD"
	assert_success
	assert_line root
	run kist run --rm -v "$PWD:/here:rslave" base:1 ls /here
	assert_success
}

@test "run: named volumes stay and start with what the image has there" {
	app_image app:1
	run kist run --rm -v vol:/data app:1 sh -c 'cat /data/file; stat -c "%u %a" /data; echo second >/data/file'
	assert_output $'first\n1000 750'
	run kist run --rm -v vol:/data app:1 cat /data/file
	assert_output second
	run kist run --rm -v vol2:/data:nocopy app:1 ls -A /data
	assert_output ""
}

@test "run: volumes of the image are filled and go with the container; odd ones are left out" {
	app_image app:1 --config.volume /data --config.volume /proc/x --config.volume relative
	run --separate-stderr kist run --rm app:1 sh -c 'cat /data/file; grep -c " /data " /proc/mounts'
	assert_output $'first\n1'
	# shellcheck disable=SC2154
	[[ $stderr == *"/proc/x"*"left out"* ]]
	run find "$KIST_STORE/containers" -mindepth 1
	assert_output ""
}

@test "run: deeper volumes are mounted after those above them" {
	base_image
	mkdir -p a b
	echo a >a/f
	echo b >b/f
	run kist run --rm -v "$PWD/b:/v/deep/er" -v "$PWD/a:/v" base:1 sh -c 'mkdir -p /v/deep/er; cat /v/f /v/deep/er/f'
	assert_output $'a\nb'
}

# ---- --config ----

@test "run --config: the file wins over the image, options over the file" {
	app_image app:1 --config.env A=image --config.env B=image --config.cmd /bin/false --config.user app
	cat >c.json <<-'J'
		{ "ociVersion": "1.3.0", "annotations": { "io.kist.image": "app:1" }, "root": { "path": "rootfs" },
		  "process": { "args": ["sh", "-c", "echo $A $B $(id -u) $(pwd)"], "env": ["A=file"], "cwd": "/srv",
		               "user": { "uid": 7, "gid": 8 } } }
	J
	run kist run --rm --config c.json
	assert_success
	assert_output 'file image 7 /srv'
	run kist run --rm --config c.json -e A=option -u 9 sh -c 'echo $A $(id -u)'
	assert_output 'option 9'
}

@test "run --config: only limits and a root directory of one's own" {
	cat >c.json <<-J
		{ "ociVersion": "1.3.0", "root": { "path": "$KIST_TEST_ROOTFS" }, "hostname": "filed" }
	J
	run kist run --rm --read-only --config c.json hostname
	assert_success
	assert_output filed
	run ls "$KIST_TEST_ROOTFS/etc"
	refute_output --partial hostname
}

@test "run --config: a breach is told with its path" {
	echo '{ "ociVersion": "1.3.0", "root": { "path": 7 } }' >c.json
	run kist run --rm --config c.json true
	assert_failure 125
	assert_output --partial 'root.path: expected string, got'
}

@test "plan: prints and leaves nothing" {
	base_image
	kist plan -m 64m --cap-drop ALL -v vol:/data base:1 sh >plan.json
	jq -e '.namespaces | map(.type) | contains(["mount", "network", "pid"])' plan.json
	jq -e '[.mounts[].destination] | contains(["/proc", "/data"])' plan.json
	grep -q 67108864 plan.json
	run find "$KIST_STORE/containers" "$KIST_STORE/volumes" -mindepth 1
	refute_output --partial "$KIST_STORE/containers/"
	assert [ ! -e "$KIST_STORE/volumes" ]
	new_bundle b true
	kist plan --bundle b | jq -e '.id == "new"'
}

@test "plan: pulls nothing, and unpacks nothing" {
	base_image
	for when in always newer; do
		run kist plan --pull $when base:1 sh
		assert_failure 2
		assert_output --partial '--pull: a plan is of what the store has'
	done
	kist plan --pull never base:1 sh >/dev/null
	kist pack -o app.kist base:1
	kist image rm base:1
	find "$KIST_STORE" | sort >before
	run kist plan ./app.kist sh
	assert_failure 1
	assert_output --partial 'app.kist: not verified and in the store yet'
	find "$KIST_STORE" | sort | diff before -
	kist load -q app.kist
	kist plan ./app.kist sh | jq -e '.id == "new"'
}

# ---- names and files about it ----

@test "run: a name can be had once, cidfile and pid file" {
	base_image
	kist run --name one --cidfile cid base:1 true
	assert_equal "$(<cid)" one
	run kist run --name one base:1 true
	assert_failure 125
	assert_output --partial 'the name is taken'
	run kist run --rm --cidfile cid base:1 true
	assert_failure 125
	assert_output --partial 'File exists'
	run kist run --name '../x' base:1 true
	assert_failure 125
	kist rm one
	detached --name two --pidfile p base:1 sleep 100
	assert_equal "$(<p)" "$(kist inspect -f '{{.State.Pid}}' two)"
	kist rm -f two
}

@test "run: a wrong option is told before anything is made" {
	base_image
	run kist run --cpus 0 base:1 true
	assert_failure 125
	run kist run --memory-swap 1g base:1 true
	assert_failure 125
	assert_output --partial '--memory'
	run kist run --bundle . -e A=1 c
	assert_failure 125
	assert_output --partial 'does not go with a bundle'
	run kist ps -aq
	assert_output ""
}
