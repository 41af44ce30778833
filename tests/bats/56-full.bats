#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A store that is full, has no inodes left, or cannot be written: what is said names the place and the reason, nothing
# stays of what failed, and with room the same command works.

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/registry

# small_store: the store on a tmpfs, with the image base:1 and the stopped container box
small_store() {
	mkdir -p "$KIST_STORE"
	chmod 700 "$KIST_STORE"
	mount -t tmpfs -o mode=700,size=200m,nr_inodes=100k kist-test "$KIST_STORE"
	mkdir -p lay.tree/bin lay.tree/etc/many
	cp "$(command -v busybox)" lay.tree/bin/
	ln -s busybox lay.tree/bin/sh
	(cd lay.tree/etc/many && seq 300 | xargs touch)
	head -c 3000000 /dev/urandom >lay.tree/zero
	base_image
	kist run --name box base:1 sh -c 'mkdir /many; for i in $(seq 300); do echo $i >/many/$i; done; head -c 3000000 /dev/urandom >/big'
	kist image import -q lay.tree lay:1 >/dev/null
	kist image save -q --format oci-archive -o lay.tar lay:1
	kist image rm lay:1
	kist image prune -f
}

teardown() {
	umount "$BATS_TEST_TMPDIR/out" 2>/dev/null || :
	umount -l "$KIST_STORE" 2>/dev/null || :
	registry_teardown
}

# limit RESOURCE N: so many blocks of 4 KiB, or inodes, are left in the store
limit() {
	local used
	case $1 in
	size)
		used=$(df --output=used -B4096 "$KIST_STORE" | tail -n 1)
		mount -o "remount,size=$(((used + $2) * 4))k" "$KIST_STORE"
		;;
	nr_inodes)
		used=$(df --output=iused "$KIST_STORE" | tail -n 1)
		mount -o "remount,nr_inodes=$((used + $2))" "$KIST_STORE"
		;;
	esac
}

widen() {
	mount -o remount,size=200m,nr_inodes=100k "$KIST_STORE"
}

# all that is in the store, but for its empty folders and its lock, as text
state() {
	store_files
	jq -S . "$KIST_STORE/index.json"
}

# starved WHAT... -- UNDO...: runs `kist WHAT` with ever more room, until it works. Each time it does not, it says why and
# where, and the store is as it was. UNDO is what takes the result away.
starved() {
	local -a what=() undo=()
	local resource room before after tries=0
	while [ "$1" != -- ]; do
		what+=("$1")
		shift
	done
	undo=("${@:2}")
	before=$(state)
	for resource in size nr_inodes; do
		for room in 0 1 3 8 20 60 150 280 700 1500 6000; do
			limit $resource $room
			run kist "${what[@]}"
			widen
			if [ "$status" -eq 0 ]; then
				kist image check -q || fail "$resource $room: ${what[*]}: $output"
				"${undo[@]}"
				kist image prune -f >/dev/null
				break
			fi
			tries=$((tries + 1))
			assert_equal "$status" 1
			assert_output --partial "No space left on device"
			assert_output --regexp "^kist: .*(store|layers/|blobs/|layer |blob |import|index|commit|convert|pack|image|tmp/|oci|\.tar)"
			[ "${#lines[@]}" -eq 1 ] || fail "several lines: $output"
			after=$(state)
			[ "$after" = "$before" ] || fail "$resource $room: ${what[*]}: $output: $(diff <(echo "$before") <(echo "$after"))"
		done
		[ "$status" -eq 0 ] || fail "$resource: ${what[*]}: $output"
		after=$(state)
		[ "$after" = "$before" ] || fail "after ${what[*]}: $(diff <(echo "$before") <(echo "$after"))"
	done
	[ "$tries" -gt 4 ] || fail "${what[*]}: only $tries failures"
}

@test "a full store: load and import say so, and leave nothing" {
	small_store
	starved load -q --name lay:1 lay.tar -- kist image rm lay:1
	starved import -q lay.tree lay:1 -- kist image rm lay:1
}

@test "a full store: pull says so, and leaves nothing" {
	small_store
	registry_start reg
	kist load -q --name lay:1 lay.tar
	kist push -q --tls-verify=false lay:1 "$REGISTRY/lay:1"
	kist image rm lay:1
	starved pull -q --tls-verify=false "$REGISTRY/lay:1" -- kist image rm "$REGISTRY/lay:1"
}

@test "a full store: commit and convert say so, and leave nothing" {
	small_store
	kist image convert -q base:1 # what the first one makes and keeps
	starved commit -q box new:1 -- kist image rm new:1
	kist load -q --name lay:1 lay.tar
	starved image convert -q lay:1 new:1 -- sh -c "'$KIST_IMAGE' --store '$KIST_STORE' rm lay:1 new:1 && '$KIST_IMAGE' --store '$KIST_STORE' load -q --name lay:1 lay.tar >/dev/null"
}

@test "a full disk elsewhere: save, pack and export leave no part of a file, and the old one as it was" {
	small_store
	kist load -q --name lay:1 lay.tar
	mkdir out
	mount -t tmpfs -o size=1m kist-test out
	for verb in "save -q -o" "save -q --format oci-archive -o" "image pack -q -o"; do
		echo old >out/file
		run kist $verb out/file lay:1
		assert_equal "$status" 1
		assert_output --partial "out/file"
		assert_output --partial "No space left on device"
		assert_equal "$(cat out/file)" old
		assert_equal "$(ls -A out)" file
	done
	run kist export -o out/file box
	assert_equal "$status" 1
	assert_output --partial "No space left on device"
	assert_equal "$(ls -A out)" file
	run bash -c "'$KIST' --root '$KIST_ROOT' --store '$KIST_STORE' save lay:1 >/dev/full"
	assert_equal "$status" 1
	assert_output --partial "No space left on device"
	kist image check -q
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
}

@test "a store that cannot be written: what reads works, the rest says why" {
	small_store
	kist load -q --name lay:1 lay.tar
	registry_start reg
	kist push -q --tls-verify=false lay:1 "$REGISTRY/lay:1"
	mount -o remount,ro "$KIST_STORE"
	for words in "images -q" "image inspect lay:1" "history lay:1" "image tree" "system df" "image check -q" \
		"save -q --format oci-archive -o again.tar lay:1" "ps -a" "push -q --tls-verify=false lay:1 $REGISTRY/again:1"; do
		run kist $words
		[ "$status" -eq 0 ] || fail "$words: $output"
	done
	cmp lay.tar again.tar
	for words in "load -q --name new:1 lay.tar" "import -q lay.tree new:1" "pull -q --tls-verify=false $REGISTRY/lay:1" \
		"commit -q box new:1" "tag lay:1 new:1" "rmi lay:1" "image prune -f" "image convert -q lay:1" "rm box" \
		"system prune -af" "prune" "run --rm lay:1 true" "image mount lay:1"; do
		run kist $words
		[ "$status" -ne 0 ] || fail "$words: works"
		[[ $output == *"Read-only file system"* ]] || fail "$words: $output"
		[[ $output == *store* || $output == *container* ]] || fail "$words: $output"
	done
	mount -o remount,rw "$KIST_STORE"
	kist image check -q
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	kist run --rm lay:1 sh -c true
}
