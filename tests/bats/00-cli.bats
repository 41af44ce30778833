# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # bats sets stderr and stderr_lines
# The command line itself: versions, help, wrong usage, the two faces, the log, spec, man pages and completions.

load ../helpers/common

# ---- versions and help ----

@test "--version begins with the three lines that callers parse" {
	run -0 --separate-stderr kist --version
	assert_line -n 0 --regexp '^kist version [0-9]+\.[0-9]+\.[0-9]+'
	assert_line -n 1 --regexp '^commit: [0-9a-z]+$'
	assert_line -n 2 'spec: 1.3.0'
	first=$output
	run -0 --separate-stderr kist version
	assert_equal "$output" "$first"
}

@test "--help lists every command on standard output" {
	run -0 --separate-stderr kist --help
	for word in run create start exec kill delete state list ps pause resume stop logs wait inspect rm \
		'image load' 'image import' 'image ls' 'image inspect' 'image rm' spec plan features doctor; do
		assert_line --regexp "^  $word  +[a-z]"
	done
	assert_equal "$stderr" ""
}

@test "every command has help with usage, options and exit statuses" {
	while read -r word; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr kist $word --help
		assert_line -n 0 --regexp "^Usage: kist $word"
		assert_line 'Exit status:'
		assert_equal "$stderr" ""
		help=$output
		# shellcheck disable=SC2086
		run -0 kist help $word
		assert_equal "$output" "$help"
	done < <(kist --help | sed -n 's/^  \(image [a-z]*\|[a-z][a-z]*\)  .*/\1/p')
}

@test "short forms of image commands" {
	for pair in 'images:ls' 'load:load' 'import:import' 'rmi:rm'; do
		run -0 kist "${pair%:*}" --help
		assert_line -n 0 --regexp "^Usage: kist image ${pair#*:}"
	done
}

@test "image --help lists its commands, image alone is wrong usage" {
	run -0 kist image --help
	assert_line --regexp '^  image load'
	run -2 kist image
}

# ---- wrong usage ----

@test "an unknown command gets a suggestion and status 2" {
	run -2 --separate-stderr kist rnu
	assert_equal "$stderr" "kist: unknown command rnu (did you mean run?)"
	assert_output ""
	run -2 kist image lss
	assert_output "kist: unknown command image lss (did you mean ls?)"
	run -2 kist qqqqqqqq
	assert_output "kist: unknown command qqqqqqqq; kist --help lists them"
	run -2 kist
}

@test "an unknown option gets a suggestion and the usage lines" {
	run -125 --separate-stderr kist run --memmory 1g debian
	assert_output ""
	assert_equal "${stderr_lines[0]}" "kist: run: unknown option --memmory (did you mean --memory?)"
	assert_equal "${stderr_lines[1]}" "Usage: kist run [OPTIONS] IMAGE [COMMAND [ARG...]]"
}

@test "wrong usage is 125 for run, exec and start -a, else 2" {
	run -125 kist run --nope
	run -125 kist run
	run -125 kist exec --nope x
	run -125 kist exec
	run -125 kist start -a --nope x
	run -2 kist start --nope x
	run -2 kist start
	run -2 kist state
	run -2 kist state a b
	run -2 kist list x
	run -2 kist delete --nope x
	run -2 kist --nope list
	run -2 kist oci create --nope x
}

@test "an option without its argument, in the words that callers look for" {
	run -125 kist run --name
	assert_line "kist: run: flag needs an argument: --name"
	run -2 kist create --pid-file
	assert_line "kist: create: flag needs an argument: --pid-file"
	run -2 kist --root
	assert_output "kist: flag needs an argument: --root"
}

@test "values are judged before anything happens" {
	run -125 kist run -m 12x debian
	assert_line 'kist: run: option --memory: expected a size such as 512m or 1.5g, got "12x"'
	run -125 kist run --cpus many debian
	run -125 kist run --network bridge debian
	assert_line 'kist: run: option --network: expected none|host, got "bridge"'
	run -2 kist --log-format yaml list
	run -2 kist --cgroup-manager banana list
	assert_output 'kist: option --cgroup-manager: expected cgroupfs|systemd|disabled, got "banana"'
	run -2 kist --systemd-cgroup --cgroup-manager cgroupfs list
	assert_output 'kist: option --systemd-cgroup: contradicts --cgroup-manager cgroupfs'
	assert_not_exists "$KIST_ROOT"
	assert_not_exists "$KIST_STORE"
}

@test "a root directory of / is refused" {
	run -1 "$KIST" --root / list
	assert_output "kist: option --root: / is no place for the state of containers"
}

@test "kist-image is found in libexec of the prefix that kist lies in" {
	mkdir -p usr/bin usr/libexec/kist
	cp "$KIST" usr/bin/kist
	cp "$KIST_IMAGE" usr/libexec/kist/kist-image
	run -0 env -u KIST_LIBEXEC usr/bin/kist --store "$PWD/store" images
	assert_output --partial REPOSITORY
}

@test "capabilities that cannot be had are one warning with their names, and plan names them as configs do" {
	kist spec
	mkdir rootfs
	jq '.process.capabilities.ambient = ["CAP_KILL", "CAP_AUDIT_WRITE"]' config.json >c && mv c config.json
	run -0 --separate-stderr kist plan --bundle .
	[ "$stderr" = "kist: warning: process.capabilities.ambient: not both permitted and inheritable, so left out: CAP_KILL,CAP_AUDIT_WRITE" ]
	[ "$(jq -c .process.capabilities.bounding <<<"$output")" = '["CAP_KILL","CAP_NET_BIND_SERVICE","CAP_AUDIT_WRITE"]' ]
}

# ---- two faces ----

@test "the OCI face knows OCI verbs and options only" {
	ln -s "$KIST" runc
	ln -s "$KIST" crun
	ln -s "$KIST" kist-oci
	for name in ./runc ./crun ./kist-oci; do
		run -0 "$name" --help
		assert_line --regexp '^  create '
		refute_line --regexp '^  stop '
		refute_line 'Look into containers:'
		run -2 "$name" stop x
		assert_output --partial "unknown command stop"
		run -1 "$name" run --memory 1g x
		run -2 "$name" list --all
	done
	run -2 kist oci stop x
	run -0 kist oci --root /nowhere --help
	run -0 kist --root /nowhere oci --version
}

@test "long options with one dash, as urfave callers write them" {
	run -2 kist create -no-subreaper -bundle /nowhere -nope
	assert_line --partial "unknown option"
	run -2 kist list -format
	assert_line "kist: list: flag needs an argument: --format"
}

# ---- directories and the log ----

@test "KIST_ROOT and KIST_STORE stand in for the options" {
	mkdir empty
	run -0 --separate-stderr env KIST_ROOT="$PWD/empty" KIST_STORE="$PWD/empty" "$KIST" list --quiet
	assert_output ""
}

@test "a JSON log holds exactly one object, the error" {
	run kist --log log.json --log-format json --debug state no-such
	assert_failure 1
	run -0 jq -r '[keys[], .level] | join(" ")' log.json
	assert_output "level msg time error"
	run -0 jq -r .msg log.json
	assert_output --partial "does not exist"
}

@test "usage errors reach the log too" {
	run -2 kist --log log.json --log-format=json state
	run -0 jq -r .msg log.json
	assert_output "state: expected 1 argument, got 0"
}

@test "a log that cannot be opened is named" {
	run -1 kist --log no-such-dir/log list
	assert_output "kist: log no-such-dir/log: No such file or directory"
}

# ---- spec and features ----

@test "spec writes a config.json that passes its own check, and never over another" {
	run -0 kist spec
	assert_output ""
	run -0 kist spec --check config.json
	assert_output ""
	run -1 kist spec
	assert_output --partial "config.json: File exists"
	mkdir b
	run -0 kist spec --bundle b
	assert_file_exist b/config.json
	run -1 kist spec -b nowhere
	assert_output "kist: bundle nowhere: No such file or directory"
}

@test "spec --rootless has a user namespace" {
	run -0 kist spec --rootless
	run -0 jq -r '.linux.namespaces[].type' config.json
	assert_line user
	run -0 kist spec --check config.json
}

@test "spec --check lists every breach and unknown key, and ends in 1" {
	kist spec
	jq '.process.cwd = 5 | .linux.resources.memory.limit = "64M" | .hostnam = "x"' config.json >bad.json
	run -1 --separate-stderr kist spec --check bad.json
	assert_line --partial 'process.cwd: expected string, got integer'
	assert_line --partial 'linux.resources.memory.limit: expected integer, got string'
	assert_line 'hostnam: unknown key (did you mean hostname?)'
	jq '.hostnam = "x"' config.json >odd.json
	run -0 kist spec --check odd.json
	assert_output 'hostnam: unknown key (did you mean hostname?)'
	jq '.process.cwd = "tmp"' config.json >later.json
	run -1 --separate-stderr kist spec --check later.json
	assert_line --partial 'process.cwd: expected an absolute path'
	echo '{' >broken.json
	run -1 kist spec --check broken.json
	run -1 kist spec --check nowhere.json
	assert_output "kist: nowhere.json: No such file or directory"
	run -2 kist spec --check bad.json --bundle b
}

@test "features is JSON that names the versions" {
	run -0 --separate-stderr kist features
	run -0 jq -r '.ociVersionMin, (.linux.namespaces | length)' <<<"$output"
	assert_line -n 0 1.0.0
	assert_line -n 1 8
}

@test "features: only properties that the specification has" {
	kist features >f.json
	run -0 jq -rc 'paths(type != "array") | map(tostring) | join(".")' f.json
	run grep -vE '\.[0-9]+$|^annotations\.|^linux(\.(cgroup|seccomp|apparmor|selinux|intelRdt|memoryPolicy|mountExtensions(\.idmap)?|netDevices))?$' <<<"$output"
	run grep -vxE 'ociVersionM(in|ax)|annotations|linux\.(cgroup\.(v1|v2|systemd|systemdUser|rdma)|(seccomp|apparmor|selinux|netDevices|intelRdt|mountExtensions\.idmap)\.enabled|intelRdt\.(schemata|monitoring))' <<<"$output"
	assert_output ''
	run -0 jq -rc 'paths(type == "array") | join(".")' f.json
	run grep -vxE 'hooks|mountOptions|potentiallyUnsafeConfigAnnotations|linux\.(namespaces|capabilities|seccomp\.(actions|operators|archs|knownFlags|supportedFlags)|memoryPolicy\.(modes|flags))' <<<"$output"
	assert_output ''
	run jq -e 'any(..; . == null)' f.json # null would say: unknown
	assert_output false
}

@test "features: each word that it names is taken in a configuration" {
	kist features >f.json
	kist spec
	local filter config count=0
	while IFS= read -r filter; do
		# shellcheck disable=SC2016
		run -0 jq -c --slurpfile f f.json '$f[0] as $f | .linux += { uidMappings: [], gidMappings: [] } | '"$filter" config.json
		while IFS= read -r config; do
			echo "$config" >c.json
			count=$((count + 1))
			kist spec --check c.json >said 2>&1 && [ ! -s said ] || fail "$filter: $(cat said)"
		done <<<"$output"
	done <<-'E'
		.ociVersion = ($f.ociVersionMin, $f.ociVersionMax)
		.hooks[$f.hooks[]] = [{ path: "/hook" }]
		$f.mountOptions[] as $o | [{ containerID: 0, hostID: 0, size: 1 }] as $m | .mounts += [{ destination: "/x", type: "tmpfs", source: "/y", options: ["bind", $o], uidMappings: $m, gidMappings: $m }]
		[{ containerID: 0, hostID: 0, size: 1 }] as $m | .linux.namespaces |= (map(.type) + $f.linux.namespaces | unique | map({ type: . })) | .linux += { uidMappings: $m, gidMappings: $m }
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/s", syscalls: [{ names: ["read"], action: $f.linux.seccomp.actions[] }] }
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 1, op: $f.linux.seccomp.operators[] }] }] }
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: $f.linux.seccomp.archs }
		.linux.seccomp = { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/s", flags: $f.linux.seccomp.knownFlags }
		.linux.memoryPolicy = ($f.linux.memoryPolicy.modes[] | if IN("MPOL_DEFAULT", "MPOL_LOCAL") then { mode: . } else { mode: ., nodes: "0" } end)
		.linux.memoryPolicy = ($f.linux.memoryPolicy.flags[] | { mode: "MPOL_BIND", nodes: "0", flags: [.] })
	E
	assert [ $count -gt 75 ] # one for each mount option, and the rest
}

@test "a full disk under standard output is a failure" {
	# shellcheck disable=SC2016
	run -1 --separate-stderr bash -c '"$0" features >/dev/full' "$KIST"
	assert_equal "$stderr" "kist: standard output: No space left on device"
}

# ---- man pages and completions ----

@test "every option of every command is in its man page" {
	mkdir man
	gen=${KIST%/*}/kist-gen
	out=$PWD/man
	cd "$(dirname "$BATS_TEST_FILENAME")/../.."
	"$gen" man "$out"
	declare -A page=([run]=run [create]=run [start]=run [exec]=run [spec]=spec [plan]=run [features]=spec
		[doctor]=spec [login]=registry [logout]=registry [logs]=logs [inspect]=logs [update]=limits [events]=limits
		[commit]=files [diff]=files [export]=files [checkpoint]=checkpoint [restore]=checkpoint)
	count=0
	while IFS=';' read -r command spelling _; do
		case $command in
		'') file=$out/kist.1 ;;
		'image '* | images | load | import | rmi | pull | push | save | tag | untag | history | pack) file=$out/kist-image.1 ;;
		'system '*) file=$out/kist-system.1 ;;
		*) file=$out/kist-${page[$command]:-lifecycle}.1 ;;
		esac
		name=${spelling%% *}
		name=${name#--}
		grep -qF -- "\\fB\\-\\-${name//-/\\-}\\fR" "$file" || fail "$file has no --$name of $command"
		count=$((count + 1))
	done < <("$gen" bash | sed -n "/^_kist_options='/,/^'/{/;/p}")
	[ $count -gt 80 ]
}

@test "man pages are formatted without a warning" {
	command -v groff >/dev/null || fail "groff is not installed"
	mkdir man
	gen=${KIST%/*}/kist-gen
	out=$PWD/man
	cd "$(dirname "$BATS_TEST_FILENAME")/../.."
	"$gen" man "$out"
	for file in "$out"/*.1; do
		run -0 --separate-stderr groff -man -Tascii -ww -z "$file"
		assert_equal "$stderr" ""
	done
}

# complete WORD...: what bash completion offers for the last word
complete_line() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_kist
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "bash completes commands, options and words" {
	cd "$(dirname "$BATS_TEST_FILENAME")/../.."
	"${KIST%/*}/kist-gen" bash >"$BATS_TEST_TMPDIR/kist.bash"
	cd "$BATS_TEST_TMPDIR"
	# shellcheck disable=SC1091
	. ./kist.bash
	run -0 complete_line kist ru
	assert_output run
	run -0 complete_line kist image l
	assert_line ls
	assert_line load
	run -0 complete_line kist --root x oci run --pid
	assert_line --regexp '^--pid-file'
	run -0 complete_line kist --log-format j
	assert_output json
	mkdir bundles
	touch bunker
	run -0 complete_line kist create --bundle bun
	assert_output bundles
	run -0 complete_line kist exec -
	assert_line --workdir
	refute_line --memory
}

@test "zsh and fish completions name every command" {
	cd "$(dirname "$BATS_TEST_FILENAME")/../.."
	for shell in zsh fish; do
		run -0 "${KIST%/*}/kist-gen" "$shell"
		for word in run exec stop images doctor; do
			assert_output --regexp "[ ']${word}[ ':)]"
		done
	done
	run -1 "${KIST%/*}/kist-gen" powershell
}

@test "checkpoint and restore: what podman probes, and rules of their options" {
	run -0 kist oci checkpoint --help
	assert_line --partial 'Usage: kist'
	run kist oci restore --lsm-mount-context
	assert_failure
	assert_output --partial 'flag needs an argument: --lsm-mount-context'
	run ! kist checkpoint --pre-dump --leave-running c
	assert_output --partial '--leave-running does not go with it'
	run ! kist checkpoint --lazy-pages c
	assert_output --partial '--lazy-pages needs --page-server'
	run ! kist checkpoint --status-fd 7 c
	assert_output --partial '--status-fd goes with --lazy-pages only'
	run ! kist checkpoint --network-lock magic c
	assert_output --partial iptables
	run ! kist oci restore -no-subreaper -no-pivot c
	assert_output --partial -- '--no-pivot cannot be honoured'
	run ! kist checkpoint nothing
	assert_output --partial 'container nothing does not exist'
}
