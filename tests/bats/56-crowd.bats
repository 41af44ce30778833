#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several shells on one store, each with commands in random order: pull, load, run, rmi, prune, commit, save, convert, check,
# tree, df. Each is right, or says the one thing that is right when another was faster; at the end nothing is left.
# KIST_CROWD_S: for how many seconds (default 5).

load ../helpers/common
load ../helpers/image
load ../helpers/engine
load ../helpers/registry
load ../helpers/user

# two_images: a:1 and b:1, which share the layer of busybox, in archives
two_images() {
	small_trees
	layout_image lay a base one
	layout_image lay b base two
	"$KIST_IMAGE" --store fresh load -q --name a:1 lay:a >/dev/null
	"$KIST_IMAGE" --store fresh load -q --name b:1 lay:b >/dev/null
	"$KIST_IMAGE" --store fresh save -q --format oci-archive -o a.tar a:1
	"$KIST_IMAGE" --store fresh save -q --format oci-archive -o b.tar b:1
	chmod 644 ./*.tar
}

# is_right COMMAND STATUS TEXT: whether a command may end so
is_right() {
	[ "$2" -ne 0 ] || return 0
	case $1 in
	run) [[ $3 == *"not in the store"* || $3 == *"is not unpacked"* ]] ;;
	save | convert) [[ $3 == *"not in the store"* ]] ;;
	rmi) [[ $3 == *"not in the store"* || $3 == *"is made from it"* ]] ;;
	*) false ;;
	esac
}

# crowd SHELL END: one shell's commands, until SECONDS is END
crowd() {
	local name=$1 end=$2 n=0 word text status
	local -a all=(pulla pullb loadb loada run rmi prune sysprune commit save check tree df convert rmicommit ls)
	RANDOM=$((name * 7919))
	while [ $SECONDS -lt "$end" ]; do
		word=${all[RANDOM % ${#all[@]}]} n=$((n + 1)) status=0
		case $word in
		pulla) text=$(crowd_kist pull -q "$A" 2>&1) ;;
		pullb) text=$(crowd_kist pull -q "$B" 2>&1) ;;
		loada) text=$(crowd_kist load -q --name "$A" "$TARS/a.tar" 2>&1) ;;
		loadb) text=$(crowd_kist load -q --name "$B" "$TARS/b.tar" 2>&1) ;;
		run)
			text=$(crowd_kist run --rm --user 0 "$A" /bin/sh -c 'read -r x </opt/one; echo "said $x"' 2>&1) || status=$?
			[ "$status" -ne 0 ] || [[ $text == *"said one" ]] || status=999
			;;
		rmi) text=$(crowd_kist rmi "$A" 2>&1) ;;
		prune) text=$(crowd_kist image prune -af 2>&1) ;;
		sysprune) text=$(crowd_kist system prune -f --volumes 2>&1) ;;
		commit) text=$(crowd_kist commit -q box "commit:$name" 2>&1) ;;
		rmicommit) text=$(crowd_kist rmi -f "commit:$name" 2>&1) ;;
		save) text=$(crowd_kist save -q --format oci-archive "$B" 2>&1 >/dev/null) ;;
		convert) text=$(crowd_kist image convert -q "$A" 2>&1) ;;
		check) text=$(crowd_kist image check -q 2>&1) ;;
		tree) text=$(crowd_kist image tree 2>&1) ;;
		df) text=$(crowd_kist system df -v 2>&1) ;;
		ls) text=$(crowd_kist images 2>&1) ;;
		esac || status=$?
		is_right "$word" "$status" "$text" || echo "$word: status $status: $text" >>"errors.$name"
	done
	echo "$n" >"count.$name"
}

# all_of_it: shells at once, then what must be so at the end
all_of_it() {
	local pids=() i end=$((SECONDS + ${KIST_CROWD_S:-5}))
	for i in 1 2 3 4 5; do
		crowd "$i" $end 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(cat errors.* 2>/dev/null)" ""
	[ "$(cat count.* | paste -sd+ | bc)" -gt 40 ] || fail "only $(cat count.*) commands"
	run crowd_kist image check
	assert_success
	crowd_kist rm -f box
	run crowd_kist system prune -af --volumes
	assert_success
	run crowd_kist image check -q
	assert_output ""
}

crowd_setup() {
	two_images
	registry_start reg
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$CONTAINERS_REGISTRIES_CONF"
	A=$REGISTRY/a:1 B=$REGISTRY/b:1 TARS=$PWD
	"$KIST" --store fresh push -q a:1 "$A"
	"$KIST" --store fresh push -q b:1 "$B"
}

@test "a crowd of root's shells on one store" {
	crowd_setup
	crowd_kist() { kist "$@"; }
	base_image
	detached --name box base:1 sh -c 'echo >/new; exec sleep 1000'
	all_of_it
	run find "$KIST_STORE" -type f
	assert_equal "$(xargs -n1 basename <<<"$output" | sort | xargs)" ".lock index.json oci-layout"
	assert_equal "$(ls -A "$KIST_STORE/tmp" "$KIST_STORE/layers/sha256" | grep -v :)" ""
}

@test "a crowd of the shells of a user other than root" {
	user_setup
	crowd_setup
	mkdir -p user/home/.config/containers
	cp "$CONTAINERS_REGISTRIES_CONF" user/home/.config/containers/registries.conf
	cp a.tar b.tar user/home/
	TARS=$PWD/user/home
	chown -R "$USER_ID:$USER_ID" user/home
	crowd_kist() { user_kist "$@"; }
	tar -C "$KIST_TEST_ROOTFS" -c . | user_kist import -q - base:1
	user_kist run -d --name box base:1 sh -c 'echo >/new; exec sleep 1000' </dev/null 3>&-
	all_of_it
	run find "$KIST_STORE" -type f
	assert_equal "$(xargs -n1 basename <<<"$output" | sort | xargs)" ".lock index.json oci-layout"
}
