#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images going out and being made: names, history, save in every format with other tools as readers, commit, diff,
# export, import; digests compared byte for byte.

load ../helpers/common
load ../helpers/image
load ../helpers/engine

# names: all names in the store, sorted
names() {
	image ls --format '{{.Repository}}:{{.Tag}}' | LC_ALL=C sort | xargs
}

two_images() {
	small_trees
	layout_image lay one base one
	layout_image lay two base two
	image load -q lay >/dev/null
}

# ---- names ----

@test "tag: more names for one image, and a name that moves" {
	two_images
	one=$(image inspect -f '{{.Digest}}' lay:one)
	run kist tag lay:one app registry.test:5000/team/app:2
	assert_success
	assert_output ""
	assert_equal "$(names)" "app:latest lay:one lay:two registry.test:5000/team/app:2"
	assert_equal "$(image inspect -f '{{.Digest}}' app:latest registry.test:5000/team/app:2 | sort -u)" "$one"
	# lay:two loses a name of its own to lay:one, and stays
	kist image tag lay:two other:1
	kist tag "$one" other:1
	assert_equal "$(image inspect -f '{{.Digest}}' other:1)" "$one"
	assert_equal "$(names)" "app:latest lay:one lay:two other:1 registry.test:5000/team/app:2"
	# its last name: it stays without one
	kist tag lay:one lay:two
	assert_equal "$(names)" "<none>:<none> app:latest lay:one lay:two other:1 registry.test:5000/team/app:2"
}

@test "tag: what is no name, has a digest, or is not there" {
	two_images
	before=$(cat "$KIST_STORE/index.json")
	run kist tag lay:one good:1 Bad
	assert_failure 1
	assert_output --partial '"Bad"'
	run kist tag lay:one "app@sha256:$(printf '%064d' 0)"
	assert_failure 1
	assert_output --partial 'a name that is given has no digest'
	run kist tag lay:three app:1
	assert_failure 1
	assert_output --partial 'image "lay:three": not in the store'
	run kist tag lay:one
	assert_failure 2
	assert_equal "$(cat "$KIST_STORE/index.json")" "$before"
}

@test "untag: one name, all names; the image stays" {
	two_images
	one=$(image inspect -f '{{.Digest}}' lay:one)
	kist tag lay:one app:1 app:2
	run kist untag lay:one lay:two
	assert_failure 1
	assert_output --partial '"lay:two": not a name of that image'
	kist untag lay:one app:1
	assert_equal "$(names)" "app:2 lay:one lay:two"
	run kist image untag app:2
	assert_success
	assert_equal "$(names)" "<none>:<none> lay:two"
	assert_equal "$(image inspect -f '{{.Digest}}' "$one")" "$one"
	kist tag "${one:7:12}" back:1
	assert_equal "$(names)" "back:1 lay:two"
}

# ---- history ----

@test "history: steps with sizes, empty layers, in full, as JSON, by a template" {
	small_trees
	umoci init --layout lay
	umoci new --image lay:x
	umoci insert --image lay:x --history.created_by "ADD base in / with a long line of words that goes on" base /
	umoci config --image lay:x --history.created 2001-02-03T04:05:06Z --history.created_by "CMD sh" \
		--history.comment nothing --config.cmd sh
	umoci insert --image lay:x --history.created_by "ADD one" one /
	image load -q lay >/dev/null
	run kist history lay:x
	assert_success
	assert_line --index 0 --regexp '^ID +CREATED +CREATED BY +SIZE +COMMENT *$'
	assert_line --index 1 --regexp "^$(image inspect -f '{{.Digest}}' lay:x | cut -c 8-19) .* ADD one +4B *$"
	assert_line --index 2 --regexp '^<missing> +[0-9]+ years ago +CMD sh +0B +nothing$'
	assert_line --index 3 --regexp '^<missing> .* ADD base in / with a long line of words th\.\.\. '
	run kist history --no-trunc --human=false lay:x
	assert_line --index 1 --regexp "^$(image inspect -f '{{.Digest}}' lay:x) .* 4 *$"
	assert_line --index 2 --regexp ' 2001-02-03T04:05:06Z '
	assert_line --index 3 --regexp "that goes on +$(($(stat -c %s base/bin/busybox) + $(stat -c %s base/etc/passwd))) *$"
	run kist history --format '{{.Size}}|{{.CreatedBy}}' lay:x
	assert_line --index 0 '4B|ADD one'
	assert_equal "$(kist history --format json lay:x | jq -c 'map([.SizeBytes, .EmptyLayer, .Comment])' | cut -c 1-33)" \
		'[[4,false,""],[0,true,"nothing"],'
	assert_equal "$(kist history -q lay:x | wc -l)" 3
}
