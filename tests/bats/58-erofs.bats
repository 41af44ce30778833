#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images as files: convert, which makes an EROFS file in the store that is mounted in the place of unpacked layers, and
# pack, which makes one file that carries image and configuration and runs by itself.

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/user

# Mounting a regular file as EROFS needs Linux 6.12 with CONFIG_EROFS_FS_BACKED_BY_FILE.
needs_erofs() {
	can_mount_erofs || skip "this kernel mounts no EROFS file"
}

can_mount_erofs() {
	base_image probe:1
	kist image convert -q probe:1 >/dev/null
	KIST_EROFS=always kist run --rm probe:1 true 2>/dev/null
	local status=$?
	kist image rm probe:1 >/dev/null
	return $status
}

# erofs_of IMAGE: the path of its file in the store
erofs_of() {
	echo "$KIST_STORE/erofs/sha256/$(image inspect -f '{{.Digest}}' "$1" | cut -d: -f2)"
}

# layered NAME: an image of three layers with all kinds of files, whiteouts and an opaque directory
layered() {
	wide_tree base
	mkdir -p base/gone base/hidden/below two/deep two/hidden three/srv
	echo gone >base/gone/file
	echo below >base/hidden/below/file
	echo two >two/deep/new
	echo above >two/hidden/above
	chmod 2711 two/hidden
	: >two/.wh.gone
	: >two/hidden/.wh..wh..opq
	ln two/deep/new two/deep/again
	echo three >three/srv/three
	: >three/.wh.zero
	mkdir lay
	umoci init --layout lay/l
	umoci new --image lay/l:x
	for tree in base two three; do
		tar -C "$tree" --numeric-owner --xattrs --xattrs-include='*' --sort=name -cf "$tree.tar" .
		umoci raw add-layer --image lay/l:x "$tree.tar"
	done
	umoci config --image lay/l:x --config.cmd /bin/sh --config.env COLOR=blue --config.workingdir /srv
	kist image load -q --name "$1" lay/l:x >/dev/null
}

# mounted FILE DIR: mounts an EROFS file by a loop device, which every kernel with EROFS can
mounted() {
	mkdir -p "$2"
	mount -t erofs -o ro,loop "$1" "$2"
}

# ---- convert ----

@test "convert: the file holds just what the layers show, by the kernel's and by erofs-utils' word" {
	grep -qw erofs /proc/filesystems || skip "this kernel has no EROFS"
	layered app:1
	run kist image convert app:1
	assert_success
	assert_output "$(image inspect -f '{{.Digest}}' app:1)"
	file=$(erofs_of app:1)
	run fsck.erofs "$file"
	assert_success
	merged app:1 m
	mounted "$file" e
	tree_list m >want
	tree_list e >have
	stat -c '%a %u %g %h' m >want-root
	stat -c '%a %u %g %h' e >have-root
	umount e
	unmerge m
	assert_equal "$(cat have)" "$(cat want)"
	assert_equal "$(cut -d' ' -f1-3 have-root)" "$(cut -d' ' -f1-3 want-root)"
	assert [ "$(wc -l <want)" -gt 25 ]
	refute grep -q '^gone\|^zero\|^hidden/below' want
	grep -q '^hidden/above' want
}

@test "convert and pack: ls and inspect tell of the files" {
	base_image
	assert_equal "$(image ls --format '{{.ErofsBytes}}')" 0
	assert_equal "$(image inspect base:1 | jq -c '.[0].Erofs')" null
	kist image convert -q base:1 >/dev/null
	size=$(stat -c %s "$(erofs_of base:1)")
	assert_equal "$(image ls --format '{{.ErofsBytes}}')" "$size"
	assert_equal "$(image inspect base:1 | jq -r '.[0].Erofs | .Path, .Size' | xargs)" "$(erofs_of base:1) $size"
	kist pack -q base:1 -o app.kist
	run kist image inspect ./app.kist
	assert_success
	KIST_STORE=$PWD/none
	assert_equal "$(kist image inspect ./app.kist | jq -c '.[0] | [.RepoTags, .Erofs.Path, (.RootFS.Layers | length)]')" \
		'[["base:1"],"./app.kist",1]'
	run kist image inspect ./none.kist
	assert_failure 1
	assert_output --partial "./none.kist: open: No such file"
}

@test "convert: the bytes follow from the tree alone" {
	layered app:1
	kist image convert -q app:1 >/dev/null
	cp "$(erofs_of app:1)" first
	mkdir other
	KIST_STORE=$PWD/other/store
	kist image load -q --name app:1 lay/l:x >/dev/null
	kist image convert -q app:1 >/dev/null
	cmp first "$(erofs_of app:1)"
}

@test "convert: run mounts the file, and the host sees no mount" {
	needs_erofs
	base_image
	run kist image convert base:1 lean:1
	assert_success
	rm -r "$KIST_STORE"/layers/sha256/*
	run kist run --rm lean:1 sh -c 'echo it runs; echo x >/new; cat /new'
	assert_success
	assert_output $'it runs\nx'
	name=$(detached base:1 sleep 60)
	run grep erofs /proc/mounts
	assert_failure
	# a second one beside it, commits and a new start stand on the same file
	run kist run --rm base:1 cat /etc/passwd
	assert_output --partial root
	kist stop -t 0 "$name"
	kist start "$name"
	run kist exec "$name" ls /bin/sh
	assert_success
	kist rm -f "$name"
	run grep erofs /proc/mounts
	assert_failure
}

@test "convert: KIST_EROFS=never takes the layers, always says why not" {
	needs_erofs
	base_image
	kist image convert -q base:1 >/dev/null
	printf garbage >"$(erofs_of base:1)"
	KIST_EROFS=never run kist run --rm base:1 echo layers
	assert_output layers
	KIST_EROFS=always run kist run --rm base:1 echo layers
	assert_failure 125
	assert_output --partial EROFS
	# and by itself it takes what works
	run kist run --rm base:1 echo layers
	assert_output layers
	KIST_EROFS=maybe run kist run --rm base:1 true
	assert_failure 125
	assert_output --partial 'KIST_EROFS: expected auto, always or never'
}

@test "convert --drop-layers gives back the space of layers that nothing else needs" {
	needs_erofs
	mkdir -p two/data
	echo first >two/data/file
	umoci init --layout lay
	umoci new --image lay:base
	umoci insert --image lay:base "$KIST_TEST_ROOTFS" / >/dev/null
	umoci insert --image lay:base --tag app two / >/dev/null
	kist image load -q --name base:1 lay:base >/dev/null
	kist image load -q --name app:1 lay:app >/dev/null
	kist run --name old base:1 true
	run kist image convert --drop-layers app:1
	assert_success
	assert_output --partial "1 unpacked layers removed"
	# the base's layer belongs to base:1 too, and to a container
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 1
	run kist run --rm app:1 cat /data/file
	assert_output first
	run kist image check
	assert_success
	# nothing is lost: where a file cannot be mounted, the layers come back
	KIST_EROFS=never run kist run --rm app:1 cat /data/file
	assert_success
	assert_line first
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 2
	# a container that stands on layers keeps them
	run kist image convert --drop-layers base:1
	assert_output --partial "0 unpacked layers removed"
	kist start -a old
	kist rm old
}

@test "convert: rm and prune while a container runs on the file, and after" {
	needs_erofs
	base_image
	kist image convert --drop-layers -q base:1 >/dev/null
	file=$(erofs_of base:1)
	detached --name c base:1 sleep 60
	kist image rm -f base:1
	kist image prune
	assert_file_exists "$file"
	run kist exec c cat /etc/passwd
	assert_success
	kist stop -t 0 c
	kist start c
	kist rm -f c
	kist image prune
	assert_file_not_exists "$file"
	assert_equal "$(find "$KIST_STORE"/{layers,blobs,erofs}/sha256 -mindepth 1)" ""
}

@test "convert: image check finds a wrong byte in the file, --repair takes it away" {
	needs_erofs
	base_image
	kist image convert --drop-layers -q base:1 >/dev/null
	file=$(erofs_of base:1)
	run kist image check
	assert_success
	for at in 500 1200 $(($(stat -c %s "$file") / 2)); do
		printf '\xa5' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
		run kist image check
		assert_failure 1
		assert_output --partial "EROFS file of $(image inspect -f '{{.Digest}}' base:1)"
		run kist image check --repair
		assert_file_not_exists "$file"
		run kist run --rm base:1 echo here
		assert_success
		assert_line here
		kist image convert --drop-layers -q base:1 >/dev/null
		run kist image check
		assert_success
	done
}

@test "convert --drop-layers killed at any time: the image runs, and nothing is left" {
	needs_erofs
	base_image
	head -c 30000000 /dev/urandom >big
	mkdir -p tree && cp -a "$KIST_TEST_ROOTFS"/. tree/ && cp big tree/
	kist image import -q tree big:1 >/dev/null
	for ms in 005 010 020 040 060 080 120 200; do
		kist image convert -q --drop-layers big:1 >/dev/null &
		sleep "0.$ms"
		kill -9 $! 2>/dev/null || :
		wait $! 2>/dev/null || :
		run kist run --rm big:1 sh -c 'wc -c </big'
		assert_line 30000000
	done
	kist image convert -q --drop-layers big:1 >/dev/null
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	run kist image check
	assert_success
	kist image rm big:1 base:1
	assert_equal "$(find "$KIST_STORE"/{layers,blobs,erofs}/sha256 "$KIST_STORE/tmp" -mindepth 1)" ""
}

@test "convert: another tool that rewrites index.json does not lose the image" {
	needs_erofs
	base_image
	kist image convert --drop-layers -q base:1 >/dev/null
	jq 'del(.manifests[].annotations."io.kist.erofs")' "$KIST_STORE/index.json" >index
	cp index "$KIST_STORE/index.json"
	run kist run --name c base:1 echo here
	assert_output here
	grep -q '^erofs sha256:' "$KIST_STORE/containers/c/layers"
	kist rm c
}

@test "convert of a plain image costs its start no system call" {
	base_image
	kist run --rm base:1 true
	strace -f -o calls "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm base:1 true
	refute grep -q '"erofs' calls
	grep -q '"layers/sha256' calls
}

# ---- pack ----

@test "pack: from one store to another, run as it is and by itself" {
	needs_erofs
	app_image app:1 --config.cmd 'cat' --config.cmd /data/file --config.env COLOR=blue
	run kist pack app:1 -o app.kist
	assert_success
	digest=$output
	assert [ -x app.kist ]
	run fsck.erofs app.kist
	assert_success
	KIST_STORE=$PWD/fresh
	run kist run --rm ./app.kist
	assert_success
	assert_output first
	# it was mounted: the store has no layer of it
	assert_equal "$(ls "$KIST_STORE/layers/sha256")" ""
	run kist run --rm ./app.kist sh -c 'echo $COLOR'
	assert_output blue
	# by its own first line
	mkdir path
	ln -s "$KIST" path/kist
	KIST_STORE=$KIST_STORE KIST_ROOT=$KIST_ROOT KIST_LIBEXEC=${KIST%/*} PATH=$PWD/path:$PATH run ./app.kist
	assert_output first
	assert_equal "$(ls "$KIST_STORE/containers")" ""
	mv "$KIST_STORE/containers" gone && mkdir "$KIST_STORE/containers"
	rm -r gone
	# as a stored image it is the same, under its name
	run kist image load app.kist
	assert_output app:1
	assert_equal "$(image inspect -f '{{.Digest}}' app:1)" "$digest"
	run kist run --rm app:1
	assert_output first
}

@test "pack: directories that no layer describes are the same on every host" {
	mkdir -p top/srv/app lay
	echo x >top/srv/app/file
	tar -C top --numeric-owner -cf top.tar srv/app/file
	umoci init --layout lay/l
	umoci new --image lay/l:x
	umoci raw add-layer --image lay/l:x top.tar
	kist image load -q --name app:1 lay/l:x >/dev/null
	kist pack -q app:1 -o one.kist
	sleep 0.1
	mkdir other
	KIST_STORE=$PWD/other/store
	kist image load -q --name app:1 lay/l:x >/dev/null
	kist pack -q app:1 -o two.kist
	cmp one.kist two.kist
}

@test "pack: the bytes follow from the image alone; --change; -o replaces whole" {
	layered app:1
	kist pack -q app:1 -o one.kist
	mkdir other
	KIST_STORE=$PWD/other/store
	kist image load -q --name app:1 lay/l:x >/dev/null
	echo old >two.kist
	kist pack -q -o two.kist app:1
	cmp one.kist two.kist
	run kist pack -c 'CMD ["pwd"]' -c 'ENV A=b' app:1 -o three.kist
	assert_success
	run kist image load --name three:1 three.kist
	assert_output three:1
	assert_equal "$(image inspect three:1 | jq -c '.[0].Config | [.Cmd, .Env]')" '[["pwd"],["COLOR=blue","A=b"]]'
	run kist pack app:1 -o /nowhere/x.kist
	assert_failure
	run kist pack app:1 -o .
	assert_failure
	run kist pack app:1
	assert_failure
	assert_output --partial "expected -o FILE"
	run kist pack --compress xz app:1 -o x.kist
	assert_failure
	assert_output --partial "expected none or zstd"
	assert_file_not_exists x.kist
}

@test "pack: unpacked where it cannot be mounted: KIST_EROFS=never, zstd, a file that others may change" {
	app_image app:1 --config.cmd cat --config.cmd /data/file
	kist pack -q app:1 -o app.kist
	kist pack -q --compress zstd app:1 -o small.kist
	assert [ "$(stat -c %s small.kist)" -lt "$(stat -c %s app.kist)" ]
	merged app:1 m
	tree_list m >want
	unmerge m
	for way in never zstd owner mode; do
		KIST_STORE=$PWD/$way
		file=./app.kist
		export KIST_EROFS=auto
		case $way in
		never) KIST_EROFS=never ;;
		zstd) file=./small.kist ;;
		owner) chown 1000 app.kist ;;
		mode) chown 0 app.kist && chmod 775 app.kist ;;
		esac
		run kist run --rm "$file"
		assert_success
		assert_line first
		assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 1
		# the second time nothing is read but the file's head
		KIST_LIBEXEC=/nowhere run kist run --rm "$file"
		assert_output first
		merged "$(image ls -q)" m
		tree_list m >have
		unmerge m
		assert_equal "$(cat have)" "$(cat want)"
		KIST_EROFS=always run kist run --rm "$file"
		case $way in
		never) ;;
		zstd) assert_output --partial "it is compressed" ;;
		owner) assert_output --partial "it does not belong to root" ;;
		mode) assert_output --partial "others than root may write to it" ;;
		esac
	done
}

@test "pack: a file that somebody could write to still is not mounted" {
	app_image app:1 --config.cmd cat --config.cmd /data/file
	kist pack -q app:1 -o app.kist
	# He has it open, or has mapped it, since it was his: what he writes need not change its times.
	exec 7<>app.kist
	KIST_EROFS=always run kist run --rm ./app.kist
	assert_failure 125
	assert_output --partial 'cannot be mounted as it is: somebody has it open for writing'
	run kist run --rm ./app.kist
	assert_success
	assert_line first
	assert_file_not_exists "$KIST_STORE/erofs/packs"
	exec 7>&-
	can_mount_erofs || return 0
	KIST_EROFS=always run kist run --rm ./app.kist
	assert_success
	# verified and noted before, it is looked at again
	exec 7<>app.kist
	KIST_EROFS=always run kist run --rm ./app.kist
	exec 7>&-
	assert_failure 125
	assert_output --partial 'somebody has it open for writing'
}

@test "pack: a file on a file system that others serve is not mounted" {
	command -v fuse-overlayfs >/dev/null || skip "no fuse-overlayfs"
	app_image app:1 --config.cmd cat --config.cmd /data/file
	mkdir low m
	kist pack -q app:1 -o low/app.kist
	fuse-overlayfs -o "lowerdir=$PWD/low" m || skip "no FUSE here"
	KIST_EROFS=always run kist run --rm m/app.kist
	local status_always=$status output_always=$output
	run kist run --rm m/app.kist
	umount m
	assert_success
	assert_line first
	assert_equal "$status_always" 125
	assert_regex "$output_always" 'cannot be mounted as it is: it lies on a file system that others serve'
	assert_file_not_exists "$KIST_STORE/erofs/packs"
}

@test "pack: a container starts again from its file, unless that is gone or another now" {
	needs_erofs
	base_image
	kist pack -q base:1 -o app.kist
	kist run --name c ./app.kist sh -c 'echo run >>/log; cat /log'
	run kist start -a c
	assert_output $'run\nrun'
	cp app.kist copy
	rm app.kist
	run kist start -a c
	assert_failure 125
	assert_output --partial "container c: its image's file: $PWD/./app.kist: No such file"
	kist pack -q -c 'CMD ["true"]' base:1 -o app.kist
	run kist start -a c
	assert_failure 125
	assert_output --partial "holds another image now"
	cp copy app.kist
	run kist start -a c
	assert_success
	kist rm c
}

@test "pack: a running container does not mind that its file is removed" {
	needs_erofs
	base_image
	kist pack -q base:1 -o app.kist
	detached --name c ./app.kist sleep 60
	rm app.kist
	run kist exec c cat /etc/passwd
	assert_success
	kist rm -f c
	run grep erofs /proc/mounts
	assert_failure
}

@test "pack: a byte that is wrong anywhere is found before the kernel sees it" {
	app_image app:1 --config.cmd true
	kist pack -q app:1 -o app.kist
	kist pack -q --compress zstd app:1 -o small.kist
	for file in app.kist small.kist; do
		size=$(stat -c %s $file)
		# the head's lines, its fill, superblock, inodes, names, data, documents, and one byte at many places
		for at in 3 30 45 130 400 1023 1024 1030 1100 1151 1152 1190 1300 2000 4095 4096 5000 9000 \
			$((size / 4)) $((size / 3)) $((size / 2)) $((size * 2 / 3)) $((size - 900)) $((size - 500)) \
			$((size - 300)) $((size - 2)); do
			cp $file bad.kist
			python3 - bad.kist "$at" <<-'P'
				import sys
				with open(sys.argv[1], "r+b") as f:
				    f.seek(int(sys.argv[2])); b = f.read(1)[0]
				    f.seek(int(sys.argv[2])); f.write(bytes([b ^ 0x21]))
			P
			run kist image unpack ./bad.kist
			assert_failure 1
			run kist image load ./bad.kist
			assert_failure 1
			run kist run --rm ./bad.kist true
			assert_failure 125
		done
		for cut in 100 1024 4096 $((size / 2)) $((size - 1)); do
			head -c "$cut" $file >bad.kist
			run kist image load bad.kist
			assert_failure 1
			run kist run --rm ./bad.kist true
			assert_failure 125
		done
		(cat $file && echo more) >bad.kist
		run kist run --rm ./bad.kist true
		assert_failure 125
		assert_output --partial "damaged: has"
	done
	assert_equal "$(ls "$KIST_STORE/erofs" 2>/dev/null)" ""
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	assert_equal "$(image ls -q | wc -l)" 1
}

@test "pack: a compressed file that unpacks to more than --max-size is refused" {
	base_image
	kist pack -q --compress zstd base:1 -o small.kist
	run kist image load --max-size 100k small.kist
	assert_failure 1
	assert_output --partial 'more than the limit of 102400 (--max-size)'
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	kist image load -q small.kist
}

@test "pack: a file that is changed after it was verified is verified again" {
	needs_erofs
	base_image
	kist pack -q base:1 -o app.kist
	kist run --rm ./app.kist true
	# nothing is executed for a file that is known
	KIST_LIBEXEC=/nowhere kist run --rm ./app.kist true
	size=$(stat -c %s app.kist)
	printf X | dd of=app.kist bs=1 seek=$((size / 2)) conv=notrunc status=none
	run kist run --rm ./app.kist true
	assert_failure 125
	assert_output --partial "damaged"
}

@test "pack: what is no packed image is told apart" {
	base_image
	echo text >plain.kist
	run kist run --rm ./plain.kist true
	assert_failure 125
	assert_output --partial 'not a packed image'
	run kist run --rm ./none.kist true
	assert_failure 125
	assert_output --partial 'No such file'
	mkdir dir.kist
	run kist run --rm ./dir.kist true
	assert_failure 125
	assert_output --partial 'not a regular file'
	kist image convert -q base:1 >/dev/null
	run kist run --rm "$(erofs_of base:1)" true
	assert_failure 125
	assert_output --partial "a file of a store"
}

@test "pack by and for a user other than root: unpacked into his store" {
	user_setup
	KIST_STORE=$PWD/rooted
	base_image
	kist pack -q base:1 -o user/home/app.kist
	KIST_STORE=$USER_DIR/home/.local/share/kist
	run as_user "$KIST" run --rm ./app.kist cat /etc/passwd
	assert_success
	assert_line --partial root
	run as_user "$KIST" image convert "$(as_user "$KIST" images -q | head -n 1)"
	assert_success
	run as_user "$KIST" image convert --drop-layers "$(as_user "$KIST" images -q | head -n 1)"
	assert_failure 1
	assert_output --partial "the layers are needed"
	run as_user "$KIST" run --rm ./app.kist echo again
	assert_output again
	run as_user env KIST_EROFS=always "$KIST" run --rm ./app.kist true
	assert_failure 125
	assert_output --partial "only root of the host may mount it"
}

# ---- what containers of one file share ----

# cached PID FILE: how many bytes of a file of the container lie in memory
cached() {
	fincore -nbo RES "/proc/$1/root$2"
}

# shares_cache IMAGE: of a file of 8 MiB, the second and the third container find in memory what the first has read, and
# the third does so when the first has ended. The kernel may have dropped some of it meanwhile.
shares_cache() {
	local image=$1 pid
	detached --name c1 "$image" sleep 60 >/dev/null
	detached --name c2 "$image" sleep 60 >/dev/null
	pid=$(kist inspect -f '{{.State.Pid}}' c2)
	assert [ "$(cached "$pid" /data/big)" -lt 1000000 ]
	kist exec c1 cat /data/big >/dev/null
	assert [ "$(cached "$pid" /data/big)" -gt 6000000 ]
	kist rm -f c1
	detached --name c3 "$image" sleep 60 >/dev/null
	pid=$(kist inspect -f '{{.State.Pid}}' c3)
	assert [ "$(cached "$pid" /data/big)" -gt 6000000 ]
	run kist run --rm "$image" sh -c 'head -c 4 /data/big | wc -c'
	assert_output 4
	kist rm -f c2 c3
	run grep erofs /proc/mounts
	assert_failure
}

@test "containers of one file share its pages in memory" {
	needs_erofs
	# before, a mount that is attached nowhere cannot be copied: open_tree(2)
	[ "$(printf '6.15\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.15 ] || skip "Linux 6.15 and later"
	mkdir -p tree/data
	cp -a "$KIST_TEST_ROOTFS"/. tree/
	head -c 8388608 /dev/urandom >tree/data/big
	kist image import -q tree big:1 >/dev/null
	kist image convert --drop-layers -q big:1 >/dev/null
	shares_cache big:1
	kist pack -q big:1 -o big.kist
	kist run --rm ./big.kist true
	shares_cache ./big.kist
}

# ---- with other verbs ----

@test "image mount of a file in the place of layers" {
	needs_erofs
	base_image
	kist image convert --drop-layers -q base:1 >/dev/null
	run kist image mount base:1
	assert_success
	tree=$output
	assert_equal "$(stat -f -c %T "$tree")" erofs
	cmp "$tree/etc/passwd" "$KIST_TEST_ROOTFS/etc/passwd"
	kist image umount base:1
	run grep erofs /proc/mounts
	assert_failure
}

@test "commit, diff, export and id maps on a file in the place of layers" {
	needs_erofs
	base_image
	kist image convert --drop-layers -q base:1 >/dev/null
	kist run --name c base:1 sh -c 'echo new >/new; rm /etc/passwd'
	run kist diff c
	assert_output $'C /etc\nD /etc/passwd\nA /new'
	kist export c >tree.tar
	tar -tf tree.tar >names
	grep -qx new names
	refute grep -qx etc/passwd names
	grep -q busybox names
	kist commit -q c next:1 >/dev/null
	run kist run --rm next:1 sh -c 'cat /new; ls /etc/passwd'
	assert_line new
	assert_line --partial 'No such file'
	run kist run --rm --uidmap 0:100000:1000 base:1 sh -c 'stat -c %u:%g /bin/busybox; echo x >/y && stat -c %u /y'
	assert_success
	assert_output $'0:0\n0'
	kist rm c
	# of a packed image, once it is in the store
	kist pack -q base:1 -o app.kist
	KIST_STORE=$PWD/other
	kist run --name c ./app.kist sh -c 'echo new >/new'
	run kist diff c
	assert_output 'A /new'
	kist export c | tar -tf - >names
	grep -qx new names
	run kist commit c next:1
	assert_failure
	assert_output --partial 'kist image load'
	kist image load -q app.kist >/dev/null
	kist commit -q c next:1 >/dev/null
	run kist run --rm next:1 cat /new
	assert_output new
	kist rm c
}
