#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The log of a detached container: the CRI format, rotation, following, --tail, --since, a full disk.

load ../helpers/common
load ../helpers/engine

@test "logs: each stream to its own, the file in the CRI format" {
	base_image
	detached --name l base:1 sh -c 'echo out; echo err >&2; printf part; sleep 0.3; echo ial'
	kist wait l
	run --separate-stderr kist logs l
	assert_output $'out\npartial'
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
	local log=$KIST_STORE/containers/l/log
	grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z stdout F out$' "$log"
	grep -qE ' stderr F err$' "$log"
	grep -qE ' stdout P part$' "$log"
	grep -qE ' stdout F ial$' "$log"
	kist rm l
}

@test "logs: every byte of long lines and of binary output" {
	base_image
	head -c 300000 /dev/urandom >bytes
	detached --name l -v "$PWD/bytes:/b:ro" base:1 sh -c 'cat /b; echo'
	kist wait l
	kist logs l >copy
	{ cat bytes && echo; } | cmp - copy
	kist rm l
}

@test "logs: --tail, --since and -t" {
	base_image
	detached --name l base:1 sh -c 'for i in 1 2 3; do echo $i; done; sleep 1.5; for i in 4 5; do echo $i; done'
	kist wait l
	run kist logs --tail 2 l
	assert_output $'4\n5'
	run kist logs -n 0 l
	assert_output ""
	run kist logs --tail 100 l
	assert_output $'1\n2\n3\n4\n5'
	run kist logs --since 1s l
	assert_output $'4\n5'
	run kist logs --since 2001-01-01T00:00:00Z l
	assert_line 1
	run kist logs --since nonsense l
	assert_failure 2
	run kist logs -t --tail 1 l
	assert_output --regexp '^[0-9-]+T[0-9:.]+Z 5$'
	kist rm l
}

@test "logs -f: follows, and ends with the container" {
	base_image
	detached --name l base:1 sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done'
	run timeout 20 "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" logs -f l
	assert_success
	assert_output $'1\n2\n3\n4\n5'
	kist rm l
	detached --rm --name l base:1 sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done'
	run timeout 20 "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" logs -f l
	assert_success
	assert_output $'1\n2\n3'
}

@test "logs: rotation by size keeps the newest files; a reader passes through all" {
	base_image
	detached --name l --log-max-size 20k --log-max-files 4 base:1 \
		sh -c 'i=0; while [ $i -lt 1500 ]; do echo "line $i"; i=$((i + 1)); done'
	kist wait l
	run ls "$KIST_STORE/containers/l"
	assert_line log.1
	assert_line log.3
	refute_line log.4
	local size
	for size in $(stat -c %s "$KIST_STORE"/containers/l/log*); do
		assert [ "$size" -le 20480 ]
	done
	# what is left is one piece without a gap, up to the last line
	kist logs l >got
	assert_equal "$(tail -n 1 got)" 'line 1499'
	awk '{ if (NR > 1 && $2 != last + 1) exit 1; last = $2 }' got
	kist rm l
}

@test "logs -f: follows through rotations without loss" {
	base_image
	detached --name l --log-max-size 8k --log-max-files 50 base:1 \
		sh -c 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i + 1)); [ $((i % 200)) -ne 0 ] || sleep 0.05; done'
	timeout 30 "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" logs -f l >got
	seq -f 'line %.0f' 0 1999 | cmp - got
	kist rm l
}

@test "logs: a full disk drops lines and counts them; the container never waits" {
	mkdir small
	mount -t tmpfs -o size=8m none small
	KIST_STORE=$PWD/small/store
	base_image
	# what is left of the disk is taken, but for some pages
	dd if=/dev/zero of=small/fill bs=4k 2>/dev/null || true
	truncate -s -64k small/fill
	detached --name l base:1 sh -c 'i=0; while [ $i -lt 20000 ]; do echo "a line of the log $i"; i=$((i + 1)); done'
	run kist wait l
	assert_output 0
	local dropped
	dropped=$(kist inspect -f '{{.State.LogDropped}}' l)
	assert [ "$dropped" -gt 100 ]
	kist logs l >got
	assert [ -s got ]
	# a line may lack its end, but nothing follows on it
	run ! grep 'log.*line' got
	run ! grep -v '^a' got
	kist rm l
	umount small
	KIST_STORE=$BATS_TEST_TMPDIR/store
}

@test "logs: what ran in the foreground has none" {
	base_image
	kist run --name l base:1 true
	run kist logs l
	assert_failure 1
	assert_output --partial 'has no log'
	kist rm l
	run kist logs nobody
	assert_failure 1
}
