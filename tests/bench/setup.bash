# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # variables of tests/bench/run
# What tests/bench/run works on. Programs and the root filesystem lie in $disk, for the page cache of a
# tmpfs costs a program more faults; the rest in $work, a tmpfs, for the disk is not to be measured.

rootfs=$disk/rootfs

# A cgroup2 file system at /sys/fs/cgroup, for everybody; on a hybrid host that takes a mount of our own.
use_cgroup2() {
	[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && return
	mount -t cgroup2 cgroup2 /sys/fs/cgroup && say "host: hybrid cgroups: all see a private cgroup2 mount"
}

build_tools() {	# build_tools NAME...: the programs beside this file
	local tool flags=(-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -static)

	for tool; do
		${CC:-cc} "${flags[@]}" -o "$disk/$tool" "$here/$tool.c" || return
	done
	floor=$disk/floor
	timer=$disk/timer
}

make_rootfs() {
	local busybox name

	busybox=$(command -v busybox) || { say "busybox is missing (package busybox-static)"; return 1; }
	mkdir -p "$rootfs"/{bin,dev,etc,proc,root,sys,tmp}
	cp "$busybox" "$rootfs/bin/busybox"
	"$rootfs/bin/busybox" true || return
	for name in true sleep sh; do ln "$rootfs/bin/busybox" "$rootfs/bin/$name"; done
}

# make_bundle NAME ARG...: the default config around one command
make_bundle() {
	local name=$1 args

	shift
	printf -v args '"%s", ' "$@"
	mkdir -p "$work/$name"
	sed -e "s|@ARGS@|${args%, }|" -e "s|@ROOTFS@|$rootfs|" "$here/config.json.in" \
		>"$work/$name/config.json"
}

# Debian's crun 1.8.1 insists on raising RLIMIT_MEMLOCK before it loads a device program (crun issue 1388) and
# gives up without CAP_SYS_RESOURCE. A copy that asks for the limit instead of setting it (one letter of an
# import) does the same work in the same time, so that it can be compared here, too.
adapt_crun() {
	local trial try=(--root "$work/state/trial" run --bundle "$work/true" "$id_prefix-trial")

	trial=$("$crun" "${try[@]}" 2>&1) && return
	[[ $trial == *MEMLOCK* ]] || { say "crun does not run here: $trial"; return 1; }
	LC_ALL=C sed 's/\x00setrlimit\x00/\x00getrlimit\x00/' "$crun" >"$disk/crun"
	chmod 755 "$disk/crun"
	crun=$disk/crun
	"$crun" "${try[@]}" || return
	say "host: no CAP_SYS_RESOURCE, needed by crun: a copy of it without setrlimit() runs"
}

# find_tool NAME PACKAGE: sets the variable NAME to its path; what is missing counts as "could not run"
find_tool() {
	local path

	path=$(command -v "$1") || { say "$1 is missing (package $2)"; broken=1; return 1; }
	printf -v "$1" %s "$path"
}

# Which runtimes take part: $tools, and $others that have no OCI face. kist comes first in each table.
find_tools() {
	tools=()
	others=()
	strace='' conmon='' bwrap=''
	if [[ -x $kist ]]; then
		tools+=(kist)
	else
		say "$kist is not built: it is left out"
		broken=1
	fi
	find_tool crun crun && adapt_crun && tools+=(crun)
	find_tool runc runc && tools+=(runc)
	find_tool bwrap bubblewrap && others+=(bwrap)
	others+=(floor)
	find_tool strace strace
	find_tool conmon conmon
}

blob() {	# blob FILE: moves it among the blobs of the image layout; prints its digest and size
	local digest size

	digest=$(sha256sum "$1") && digest=${digest%% *} && size=$(stat -c %s "$1") || return
	mv "$1" "$work/image/blobs/sha256/$digest"
	say "\"digest\":\"sha256:$digest\",\"size\":$size"
}

# An OCI image layout with the root filesystem as its one layer: "bench:latest".
make_image() {
	local layer config manifest diff arch type=application/vnd.oci.image

	arch=$(uname -m)
	case $arch in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; esac
	mkdir -p "$work/image/blobs/sha256"
	tar --sort=name --numeric-owner -C "$rootfs" -cf "$work/layer.tar" . || return
	diff=$(sha256sum "$work/layer.tar") && diff=${diff%% *}
	layer=$(blob "$work/layer.tar") || return
	printf %s "{\"architecture\":\"$arch\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/bin\"]}," \
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$diff\"]}}" >"$work/part"
	config=$(blob "$work/part") || return
	printf %s "{\"schemaVersion\":2,\"mediaType\":\"$type.manifest.v1+json\"," \
		"\"config\":{\"mediaType\":\"$type.config.v1+json\",$config}," \
		"\"layers\":[{\"mediaType\":\"$type.layer.v1.tar\",$layer}]}" >"$work/part"
	manifest=$(blob "$work/part") || return
	printf %s "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$type.manifest.v1+json\",$manifest," \
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"bench:latest\"}}]}" \
		>"$work/image/index.json"
	say '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"
}

set_up() {
	mkdir -p "$work"/state/{kist,crun,runc,floor} "$work/store"
	use_cgroup2 && build_tools floor timer && make_rootfs || return
	make_bundle true /bin/true
	make_bundle sleep /bin/sleep 100000
	find_tools
	return 0
}
