# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the suites of the OCI runtime share; loaded after common.bash.

RUNTIME_HELPERS=$(readlink -f "${BASH_SOURCE[0]%/*}")

# box [COMMAND [ARG...]]: the bundle b, which run_box and the others below take
box() {
	new_bundle b "$@"
}

# run_box [OPTION...]: runs the bundle in the foreground as container c
run_box() {
	kist run "$@" --bundle "$BUNDLE" c
}

# create_box [ID [OPTION...]]: creates a container of the bundle; what its program prints goes to the file ID.out. It
# keeps none of the test's own descriptors: bats would wait for their end.
create_box() {
	local id=${1:-c}
	shift || true
	kist create "$@" --bundle "$BUNDLE" "$id" >"$BATS_TEST_TMPDIR/$id.out" 2>&1 </dev/null 3>&-
}

# start_box [ID [OPTION...]]: creates and starts it
start_box() {
	local id=${1:-c}
	create_box "$@" || { cat "$BATS_TEST_TMPDIR/$id.out" && return 1; }
	kist start "$id"
}

# output_of [ID]: what a container of create_box has printed
output_of() {
	cat "$BATS_TEST_TMPDIR/${1:-c}.out"
}

# delete_box [ID]: ends and removes it
delete_box() {
	kist delete --force "${1:-c}"
}

# add_mount DESTINATION TYPE SOURCE [OPTION...]: appends to .mounts of the bundle
add_mount() {
	local destination=$1 type=$2 source=$3
	shift 3
	# shellcheck disable=SC2016
	edit_config '.mounts += [{ destination: $d, type: $t, source: $s, options: $ARGS.positional }]' \
		--arg d "$destination" --arg t "$type" --arg s "$source" --args "$@"
}

# add_caps CAP...: to the bounding, effective and permitted set
add_caps() {
	# shellcheck disable=SC2016
	edit_config '.process.capabilities |= map_values(. + $ARGS.positional)' --args "$@"
}

# writable_root: the root file system of the bundle can be written to
writable_root() {
	edit_config '.root.readonly = false'
}

# mount_fields POINT: "OPTIONS [PROPAGATION...] TYPE SUPER-OPTIONS" of the last mount there, from mountinfo on stdin
mount_fields() {
	awk -v point="$1" '$5 == point {
		line = $6
		for (i = 7; $i != "-"; i++) line = line " " $i
		last = line " " $(i + 1) " " $(i + 3)
	} END { print last }'
}

# ns_of PID KIND: the identity of a process's namespace
ns_of() {
	stat -L -c %i "/proc/$1/ns/$2"
}

# hold_ns FILE UNSHARE-OPTION...: a process in new namespaces, whose pid goes to HELD; ended by release_ns
hold_ns() {
	unshare "$@" sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	HELD=$!
	wait_until 5 grep -q sleep "/proc/$HELD/comm"
}

release_ns() {
	kill -KILL "$HELD" && wait "$HELD" 2>/dev/null || true
}
