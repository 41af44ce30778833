#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# prune and system prune: what goes, what stays, what is said of it, and containers that begin meanwhile.

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/user

# other_image NAME: an image of its own
other_image() {
	mkdir -p "$1.tree/bin"
	cp "$KIST_TEST_ROOTFS/bin/busybox" "$1.tree/bin/"
	ln -s busybox "$1.tree/bin/sh"
	echo "$1" >"$1.tree/who"
	kist image import -q "$1.tree" "$1:1" >/dev/null
}

store_bytes() {
	du -s --block-size=1 "$KIST_STORE" | cut -f1
}

# near A B: they differ by a twentieth at most, or by a few blocks of directories
near() {
	local d=$(($1 > $2 ? $1 - $2 : $2 - $1))
	[ $d -le $((($1 > $2 ? $1 : $2) / 20 + 65536)) ] || fail "$1 and $2"
}

# said: what the last line of $output says was reclaimed, in bytes
said() {
	sed -n 's/^Total reclaimed space: \([0-9.]*\)\([kMG]\?\)B$/\1\U\2/p' <<<"$output" | numfmt --from=si
}

@test "prune: containers that do not run go, those that run or are paused stay" {
	base_image
	kist run --name ended base:1 sh -c 'head -c 3000000 /dev/zero >/zeros'
	run kist run --name failed base:1 sh -c 'exit 3'
	detached --name runs base:1 sleep 1000
	detached --name paused base:1 sleep 1000
	kist pause paused
	before=$(store_bytes)
	run kist prune
	assert_success
	assert_line -n 0 ended
	assert_line -n 1 failed
	assert_line -n 2 --regexp '^Total reclaimed space: 3\.[0-9]MB$'
	near "$(said)" $((before - $(store_bytes)))
	assert_equal "$(kist ps -a --format '{{.Names}}' | sort | xargs)" "paused runs"
	kist resume paused
	run kist prune -f
	assert_output "Total reclaimed space: 0B"
	kist rm -f runs paused
}

@test "prune: remains of a killed keeper go, and so does what no keeper will end" {
	base_image
	detached --name orphan base:1 sleep 1000
	keeper=$(keeper_of orphan) pid=$(kist inspect -f '{{.State.Pid}}' orphan)
	kill -9 "$keeper"
	# its program goes on: it is not stopped
	run kist prune
	assert_output "Total reclaimed space: 0B"
	kill -9 "$pid"
	wait_until 5 sh -c "! kill -0 $pid 2>/dev/null"
	run kist prune
	assert_line -n 0 orphan
	run kist ps -aq
	assert_output ""
}

@test "system prune: stopped containers and images without names; with -a all that nothing runs on" {
	base_image
	other_image other
	other_image used
	echo more >>other.tree/who
	kist image import -q other.tree other:1 >/dev/null
	kist run --name ended other:1 sh -c 'echo >/new'
	detached --name runs base:1 sleep 1000
	run kist system prune
	assert_success
	assert_line -n 0 "Deleted Containers:"
	assert_line -n 1 ended
	assert_line -n 2 "Deleted Images:"
	assert_line -n 3 --regexp '^sha256:[0-9a-f]{64}$'
	assert_equal "$(kist images --format '{{.Repository}}' | sort | xargs)" "base other used"
	before=$(store_bytes)
	run kist system prune -af
	assert_success
	refute_line "Deleted Containers:"
	assert_line -n 0 "Deleted Images:"
	assert_line other:1
	assert_line used:1
	near "$(said)" $((before - $(store_bytes)))
	assert_equal "$(kist images --format '{{.Repository}}')" base
	kist exec runs true
	kist image check -q
	kist rm -f runs
	before=$(store_bytes)
	run kist system prune -a
	near "$(said)" $((before - $(store_bytes)))
	run find "$KIST_STORE" -type f
	assert_equal "$(xargs -n1 basename <<<"$output" | sort | xargs)" ".lock index.json oci-layout"
}

@test "system prune: volumes go with --volumes only, and only those that no container has" {
	base_image
	kist run --rm -v free:/v base:1 sh -c 'echo text >/v/file'
	kist run --name ended -v ended:/v base:1 true
	detached --name runs -v held:/v base:1 sleep 1000
	detached --rm --name brief -v brief:/v base:1 sleep 1000
	kist rm ended
	kist run --name ended -v ended:/v base:1 true
	kist system prune -f
	assert_equal "$(ls "$KIST_STORE/volumes" | xargs)" "brief ended free held"
	run kist system prune -f --volumes
	assert_success
	assert_line "Deleted Volumes:"
	assert_line free
	assert_line ended
	assert_equal "$(ls "$KIST_STORE/volumes" | xargs)" "brief held"
	kist exec runs sh -c 'echo still >/v/there'
	kist rm -f runs brief
	kist system prune -f --volumes
	assert_equal "$(ls "$KIST_STORE/volumes")" ""
}

@test "prune asks at a terminal, and takes no for an answer" {
	base_image
	kist run --name ended base:1 true
	for verb in prune "system prune -a"; do
		run script -qec "$KIST --root $KIST_ROOT --store $KIST_STORE $verb" /dev/null <<<n
		assert_equal "$status" 1
		assert_output --partial "WARNING! This will remove:"
		assert_output --partial "prune: nothing was removed"
	done
	assert_equal "$(kist ps -aq)" ended
	run script -qec "$KIST --root $KIST_ROOT --store $KIST_STORE system prune" /dev/null <<<y
	assert_success
	assert_equal "$(kist ps -aq)" ""
	assert_equal "$(kist images -q | wc -l)" 1
}

@test "prune: an empty store, wrong usage, what cannot be read" {
	run kist prune
	assert_output "Total reclaimed space: 0B"
	run kist system prune -af --volumes
	assert_success
	assert_output "Total reclaimed space: 0B"
	for words in "prune x" "prune --all" "system prune x" "system prune --filter a=b"; do
		run kist $words
		assert_equal "$status" 2
	done
	base_image
	echo '{' >"$KIST_STORE/index.json"
	run kist system prune -a
	assert_equal "$status" 1
	assert_output --partial "index.json"
	assert [ -n "$(ls "$KIST_STORE/layers/sha256")" ]
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
}

@test "prune: containers with volumes that begin meanwhile have what they need" {
	base_image
	keeps() {
		local i
		for i in {1..25}; do
			# a volume that goes before it was mounted is told; one that is there stays
			said=$(kist run --rm -v "race:/v" base:1 sh -c "echo it >/v/$1; cat /v/$1" 2>&1) || [[ $said == *volumes/race* ]] ||
				echo "run: $said" >>errors
			[[ $said == it || $said == *volumes/race* ]] || echo "run said: $said" >>errors
		done
	}
	prunes() {
		local i
		for i in {1..25}; do
			kist system prune -f --volumes >/dev/null 2>>errors || echo "prune: $?" >>errors
		done
	}
	local pids=() what
	for what in "keeps one" "keeps two" prunes prunes; do
		$what 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(cat errors 2>/dev/null)" ""
	kist system prune -f --volumes
	assert_equal "$(ls "$KIST_STORE/volumes")" ""
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
	kist image check -q
}
