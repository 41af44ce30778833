# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a container says of itself: the state document in each status, list, ps, the log, and what is written below the
# state root. Source: runtime-spec runtime.md "State".

load ../helpers/common
load ../helpers/runtime

# expect_state STATUS: the document of c, but for its pid and times
expect_state() {
	run kist state c
	assert_success
	assert_equal "$(jq -r '.ociVersion + " " + .id + " " + .status + " " + .bundle' <<<"$output")" \
		"1.3.0 c $1 $BUNDLE"
	assert_equal "$(jq -r .rootfs <<<"$output")" "$BUNDLE/rootfs"
	jq -e '.annotations == { "a.b/c": "x=y \"z\"", "empty": "" }' <<<"$output"
}

@test "state: in every status, with annotations" {
	box sleep 1000
	edit_config '.annotations = { "a.b/c": "x=y \"z\"", "empty": "" }'
	create_box
	expect_state created
	assert [ "$(state_of c pid)" -gt 1 ]
	kist start c
	expect_state running
	assert [ -d "/proc/$(state_of c pid)" ]
	kist pause c
	expect_state paused
	kist resume c
	expect_state running
	kist kill c KILL
	wait_status c stopped
	expect_state stopped
	assert_equal "$(state_of c pid)" 0
	kist delete c
	run -1 kist state c
	assert_output --partial 'container c does not exist'
}

@test "state: creating, while another kist works on it" {
	box sleep 1000
	# strace holds the child at a step, and ends when the container does
	strace -f -qq -o /dev/null -e trace=pivot_root -e inject=pivot_root:delay_enter=2000000 \
		"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c >create.log 2>&1 </dev/null 3>&- &
	local pid=$!
	wait_until 20 test -s "$KIST_ROOT/c/state.json"
	assert_equal "$(state_of c status)" creating
	assert_equal "$(kist list --format json | jq -r '.[0].status')" creating
	run -1 kist kill c KILL
	assert_output --partial 'container not running'
	wait_status c created
	delete_box
	wait $pid
}

@test "state: a pid that belongs to another process now is a stopped container" {
	box sleep 1000
	start_box
	kist kill c KILL
	wait_status c stopped
	# the record as if the number had been given again: this shell has it
	jq -c ".pid = $$" "$KIST_ROOT/c/state.json" | tr -d '\n' >state.new
	cat state.new >"$KIST_ROOT/c/state.json"
	assert_equal "$(state_of c status)" stopped
	run -1 kist kill c KILL
	assert_output --partial 'container not running'
	kist delete c
}

@test "state: a record of an earlier boot is a stopped container" {
	box sleep 1000
	start_box
	local pid
	pid=$(state_of c pid)
	cp "$KIST_ROOT/c/state.json" state.old
	jq -c '.bootId = "00000000-0000-0000-0000-000000000000"' state.old | tr -d '\n' >"$KIST_ROOT/c/state.json"
	assert_equal "$(state_of c status)" stopped
	run -1 kist kill c KILL
	assert [ -d "/proc/$pid" ]
	cat state.old >"$KIST_ROOT/c/state.json"
	delete_box
}

@test "state: a torn record is what delete --force removes" {
	box true
	mkdir -p "$KIST_ROOT/c"
	printf '{"id":"c","bun' >"$KIST_ROOT/c/state.json"
	kist state c
	run -1 kist delete c
	kist delete --force c
	run ! kist state c
}

@test "state: an empty directory, as a killed create leaves it, is what delete --force removes" {
	mkdir -p "$KIST_ROOT/c"
	kist delete --force c
	assert_not_exist "$KIST_ROOT/c"
}

@test "list: table, json, ids" {
	box sleep 1000
	edit_config '.annotations = { k: "v" }'
	start_box one
	create_box two
	run kist list
	assert_line --index 0 --regexp '^ID +PID +STATUS +BUNDLE +CREATED +OWNER'
	assert_line --index 1 --regexp "^one +$(state_of one pid) +running +$BUNDLE +20[0-9TZ:.-]+ +root"
	assert_line --index 2 --regexp '^two +[0-9]+ +created '
	run kist list -q
	assert_output $'one\ntwo'
	run kist list --format json
	jq -e 'length == 2 and .[0].id == "one" and .[0].status == "running" and .[1].status == "created"
		and .[0].annotations.k == "v" and (.[0].pid | type) == "number" and .[0].owner == "root"
		and .[0].ociVersion == "1.3.0" and (.[0].created | startswith("20"))' <<<"$output"
	run kist list --format '{{.ID}} {{.Status}}'
	assert_output $'one running\ntwo created'
	run ! kist list --format '{{.Nonsense}}'
	delete_box one
	delete_box two
}

@test "list: without containers" {
	run kist list --format json
	assert_output '[]'
	run kist list -q
	assert_output ''
}

@test "ps of a container: json and table" {
	box sh -c 'sleep 1000 & wait'
	start_box
	wait_until 5 eval '[ "$(kist ps --format json c | jq length)" = 2 ]'
	run kist ps --format json c
	jq -e "length == 2 and index($(state_of c pid)) != null" <<<"$output"
	run kist ps c
	assert_line --index 0 --partial PID
	assert_line --partial 'sleep 1000'
	assert_equal "${#lines[@]}" 3
	run kist ps c -o pid,comm
	assert_equal "${#lines[@]}" 3
	assert_line --index 1 --regexp '^ *[0-9]+ s'
	delete_box
	run -1 kist ps --format json c
	assert_output --partial 'does not exist'
}

# ---- the log ----

@test "log: an error is one JSON object and nothing else" {
	box /no/such/program
	run ! kist --log log.json --log-format json create --bundle "$BUNDLE" c
	assert_equal "$(wc -l <log.json)" 1
	jq -e '.level == "error" and (.msg | contains("no such file or directory")) and
		(.time | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"))' log.json
	assert_output --partial "$(jq -r .msg log.json)"
}

@test "log: warnings stay out of a JSON log, before and after an error" {
	box /no/such/program
	edit_config '.process.capabilities.bounding += ["CAP_UNKNOWN_TO_ALL"]'
	run ! kist --debug --log log.json --log-format json create --bundle "$BUNDLE" c
	assert_output --partial 'CAP_UNKNOWN_TO_ALL'
	assert_equal "$(jq -s length log.json)" 1
	box_works
}

box_works() {
	set_args true
	rm log.json
	kist --debug --log log.json --log-format json run --bundle "$BUNDLE" c
	assert [ ! -s log.json ]
}

@test "log: as text, with its level" {
	run ! kist --log log.txt state nothing
	run cat log.txt
	assert_output --regexp '^20[0-9TZ:.-]+ error: .*container nothing does not exist$'
}

@test "log: what a config says cannot break the JSON" {
	new_bundle $'quo"te' "$(printf '/a\x01b"c\\\nd')"
	run ! kist --log log.json --log-format json create --bundle "$BUNDLE" c
	jq -e '.level == "error"' log.json
	assert_equal "$(wc -l <log.json)" 1
}

@test "log: a log that cannot be written is an error" {
	run -1 kist --log no/log state c
	assert_output --partial 'no/log'
}

# ---- what lies below the state root ----

@test "the state directory holds the record, the config and the gate, and is gone after delete" {
	box sleep 1000
	create_box
	run ls -A "$KIST_ROOT/c"
	assert_output $'config.json\ngate\nstate.json'
	assert_equal "$(jq -S . "$KIST_ROOT/c/config.json")" "$(jq -S . b/config.json)"
	kist start c
	run ls -A "$KIST_ROOT/c"
	assert_output $'config.json\nstate.json'
	kist delete --force c
	assert_not_exist "$KIST_ROOT/c"
}

@test "run leaves its state directory only while the program runs, and with --keep afterwards" {
	box true
	kist oci run --keep --bundle "$BUNDLE" c
	assert_equal "$(state_of c status)" stopped
	kist delete c
	kist oci run --bundle "$BUNDLE" c
	run ! kist state c
}
