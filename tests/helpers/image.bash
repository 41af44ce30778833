# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the suites of images: content from busybox, images by umoci, skopeo and buildah, and exact listings of trees.

# image VERB ARG...: kist-image on this test's store
image() {
	"$KIST_IMAGE" --store "$KIST_STORE" "$@"
}

# layout_image DIR TAG TREE...: an image made by umoci in the OCI layout DIR, one layer for each TREE
layout_image() {
	local dir=$1 tag=$2 tree
	shift 2
	[ -e "$dir/index.json" ] || umoci init --layout "$dir"
	umoci new --image "$dir:$tag"
	for tree; do
		umoci insert --image "$dir:$tag" "$tree" / >/dev/null
	done
	umoci config --image "$dir:$tag" --config.cmd /bin/sh --config.env "PATH=/bin" --config.env "COLOR=blue" \
		--config.user 1000:1000 --config.workingdir /tmp --config.label "a=b"
}

# small_trees: makes trees base, one and two to build layers from; base holds a busybox
small_trees() {
	mkdir -p base/bin base/etc one/opt two/srv
	cp "$(command -v busybox)" base/bin/busybox
	ln -s busybox base/bin/sh
	echo root:x:0:0::/:/bin/sh >base/etc/passwd
	echo one >one/opt/one
	echo two >two/srv/two
}

# layers_of IMAGE: its diffIDs without "sha256:", lowest first
layers_of() {
	image inspect "$1" | jq -r '.[0].RootFS.Layers[]' | cut -d: -f2
}

# store_files: all that the store holds, but for its empty folders and its lock
store_files() {
	(cd "$KIST_STORE" 2>/dev/null && find . \( -type d -empty -o -name .lock \) -prune -o -print | LC_ALL=C sort)
}

# merged IMAGE DIR: mounts an image's layers as the engine does, with a writable layer, on DIR. The caller is in a
# mount namespace of the test's own.
merged() {
	local layer lower='' fs
	for layer in $(layers_of "$1" | tac); do
		fs=$KIST_STORE/layers/sha256/$layer/fs
		[ -d "$fs" ] || fs=$fs-opaque
		lower+=${lower:+:}$fs
		[ "${fs%-opaque}" = "$fs" ] || break
	done
	mkdir -p "$2" "$2.upper"
	mount -t tmpfs kist-test "$2.upper"
	mkdir "$2.upper/u" "$2.upper/w"
	mount -t overlay kist-test -o "lowerdir=$lower,upperdir=$2.upper/u,workdir=$2.upper/w" "$2"
}

unmerge() {
	umount "$1" "$1.upper"
}

# tree_list DIR: each file below DIR with everything that an image keeps of it, sorted. Files with several names are
# told by the first of them; names elsewhere do not count. Without the root itself; with "notimes": without times.
tree_list() {
	python3 - "$@" <<-'P'
	import collections, hashlib, os, stat, sys
	top, first, count = os.fsencode(sys.argv[1]), {}, collections.Counter()
	for base, dirs, files in os.walk(top):
	    for name in files:
	        st = os.lstat(os.path.join(base, name))
	        count[st.st_dev, st.st_ino] += 1
	for base, dirs, files in sorted(os.walk(top)):
	    for name in sorted(dirs + files):
	        path = os.path.join(base, name)
	        st, short = os.lstat(path), path[len(top) + 1:]
	        row = [stat.filemode(st.st_mode), str(st.st_uid), str(st.st_gid)]
	        if len(sys.argv) < 3:
	            row.append(str(st.st_mtime_ns))
	        if stat.S_ISREG(st.st_mode):
	            with open(path, "rb") as f:
	                row += [str(st.st_size), hashlib.sha256(f.read()).hexdigest()[:16]]
	        if stat.S_ISLNK(st.st_mode):
	            row.append(os.fsdecode(os.readlink(path)))
	        if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
	            row.append("%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev)))
	        if count[st.st_dev, st.st_ino] > 1:
	            row.append("= " + os.fsdecode(first.setdefault((st.st_dev, st.st_ino), short)))
	        for x in sorted(os.listxattr(path, follow_symlinks=False)):
	            if "overlay." not in x:
	                row.append("%s=%s" % (x, os.getxattr(path, x, follow_symlinks=False).hex()))
	        print(os.fsdecode(short).encode("unicode_escape").decode(), *row)
	P
}

# wide_tree DIR: a tree with all kinds of files and metadata that a layer can hold
wide_tree() {
	local long=n
	mkdir -p "$1"/{bin,deep/er/est,dev,empty,sticky,private}
	cp "$(command -v busybox)" "$1/bin/busybox"
	chmod 4755 "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	ln -s /no/such/file "$1/dangling"
	echo text >"$1/deep/er/est/file"
	ln "$1/deep/er/est/file" "$1/hard"
	ln "$1/deep/er/est/file" "$1/bin/hard"
	: >"$1/zero"
	mknod "$1/dev/null" c 1 3
	mknod "$1/dev/loop7" b 7 7
	mkfifo -m 640 "$1/fifo"
	chmod 1777 "$1/sticky"
	chmod 0000 "$1/private"
	chmod 2750 "$1/empty"
	for _ in 1 2 3 4 5 6; do long+=$long; done
	echo long >"$1/$long$long$long" # 192 bytes
	mkdir -p "$1/$long/$long/$long"
	echo longer >"$1/$long/$long/$long/$long"
	printf 'name with a newline' >"$1/a"$'\n'"b"
	echo umlaut >"$1/ä ö"
	chown 1000:2000 "$1/zero" "$1/empty"
	chown -h 7:8 "$1/dangling"
	chown 3000000:3000001 "$1/fifo"
	touch -d '2001-02-03 04:05:06.789012345' "$1/zero" "$1/deep/er"
	touch -d '1969-12-31 23:59:58 UTC' "$1/deep/er/est/file"
	touch -h -d '2010-01-01' "$1/dangling"
	setfattr -n user.color -v blue "$1/zero"
	setfattr -n user.dir -v yes "$1/deep"
	setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$1/hard"
}
