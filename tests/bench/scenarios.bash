# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # variables of tests/bench/run
# The scenarios of tests/bench/run, a function each. A scenario puts its numbers into $results and returns
# non-zero when a part of it could not run.

# command_of TOOL: sets $base, the words before the verb
command_of() {
	case $1 in
	kist) base=("$kist" --root "$work/state/kist" --store "$work/store") ;;
	crun) base=("$crun" --root "$work/state/crun") ;;
	runc) base=("$runc" --root "$work/state/runc") ;;
	esac
}

# run_words TOOL: sets $words, a whole run of /bin/true
run_words() {
	case $1 in
	floor)
		words=("$floor" run "$rootfs" "$work/state/floor" "$id_prefix-floor" /bin/true) ;;
	bwrap)
		words=("$bwrap" --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup
			--hostname bench --ro-bind "$rootfs" / --proc /proc --dev /dev --mqueue /dev/mqueue
			--ro-bind /sys /sys --cap-drop ALL --new-session /bin/true) ;;
	*)
		command_of "$1"
		words=("${base[@]}" run --bundle "$work/true" "$id_prefix-run-$1") ;;
	esac
}

# measure SCENARIO ROUNDS TIMER-WORD...: prints the timer's table and keeps its numbers
measure() {
	local scenario=$1 rounds=$2 table name median min rss faults json=()

	shift 2
	((quick)) && rounds=$(((rounds + 3) / 4))
	[[ -n $json_dir ]] && json=(-j "$json_dir/$scenario.json")
	table=$("$timer" -n "$rounds" "${json[@]}" "$@" </dev/null) || return
	say "$table"
	while read -r name median min _ _ rss _ faults; do
		[[ $name == command ]] && continue
		results[$scenario.median.$name]=$median
		results[$scenario.min.$name]=$min
		results[$scenario.rss.$name]=$rss
		results[$scenario.faults.$name]=$faults
	done <<<"$table"
}

measure_runs() {	# measure_runs SCENARIO ROUNDS TOOL...
	local scenario=$1 rounds=$2 tool args=()

	shift 2
	for tool; do
		run_words "$tool"
		args+=("@$tool" "${words[@]}")
	done
	measure "$scenario" "$rounds" "${args[@]}"
}

scenario_run() {
	measure_runs run 200 "${tools[@]}" "${others[@]}"
}

scenario_mounts() {
	local i status

	mkdir -p "$work/many" && mount -t tmpfs many "$work/many" || return
	for ((i = 0; i < 1000; i++)); do
		mkdir "$work/many/$i" && mount --bind "$rootfs" "$work/many/$i" || return
	done
	measure_runs mounts 60 "${tools[@]}" "${others[@]}"
	status=$?
	umount -R "$work/many"
	return "$status"
}

# A run under an engine's system call filter, which was compiled before; and what the filter adds to a run, measured in
# turns of these two alone, for what comes after another runtime still shares the machine with its clean-up.
scenario_filter() {
	local tool args=() config profile linux='"linux": {'

	config=$(<"$work/true/config.json") && profile=$(<"$here/../data/seccomp-profile.json") || return
	mkdir -p "$work/filter"
	say "${config/"$linux"/"$linux \"seccomp\": $profile,"}" >"$work/filter/config.json"
	for tool in "${tools[@]}"; do
		command_of "$tool"
		args+=("@$tool" "${base[@]}" run --bundle "$work/filter" "$id_prefix-filter-$tool")
	done
	measure filter 60 "${args[@]}" || return
	[[ -x $kist ]] || return
	command_of kist
	run_words kist
	measure filter-adds 150 @plain "${words[@]}" @filter "${base[@]}" run --bundle "$work/filter" "$id_prefix-filter" || return
	results[filter.added.kist]=$(awk "BEGIN { printf \"%.3f\",
		${results[filter-adds.median.filter]} - ${results[filter-adds.median.plain]} }")
}

# A user other than root, with subordinate ids, runs the same bundle: most of it is newuidmap's and newgidmap's time.
scenario_user() {
	local tool args=() file id=4000 json_dir='' timer=$timer dir=$work/user

	mkdir -p "$dir/etc" "$dir/run" && cp /etc/passwd /etc/group "$dir/etc" || return
	say "bench:x:$id:$id::/:/bin/sh" >>"$dir/etc/passwd"
	say "bench:x:$id:" >>"$dir/etc/group"
	say "bench:400000:65536" | tee "$dir/etc/subuid" >"$dir/etc/subgid"
	chown "$id" "$dir/run" && chmod 700 "$dir/run"
	{
		say '#!/bin/sh -e'
		for file in passwd group subuid subgid; do say "mount --bind $dir/etc/$file /etc/$file"; done
		say "exec setpriv --reuid $id --regid $id --clear-groups env USER=bench XDG_RUNTIME_DIR=$dir/run HOME=/ $timer \"\$@\""
	} >"$dir/as-user" && chmod 755 "$dir/as-user"
	{
		say '#!/bin/sh'
		say "exec unshare --mount --propagation private $dir/as-user \"\$@\""
	} >"$dir/timer" && chmod 755 "$dir/timer"
	timer=$dir/timer
	for tool in kist crun; do
		[[ " ${tools[*]} " == *" $tool "* ]] || continue
		args+=("@$tool" "${!tool}" --cgroup-manager disabled run --bundle "$work/true" "$id_prefix-user-$tool")
	done
	measure user 40 "${args[@]}"
}

start_sleeper() {	# start_sleeper TOOL ID
	command_of "$1"
	"${base[@]}" create --bundle "$work/sleep" "$2" </dev/null >/dev/null && "${base[@]}" start "$2"
}

remove_sleeper() {	# remove_sleeper TOOL ID
	command_of "$1"
	"${base[@]}" delete --force "$2"
}

pid_of() {	# pid_of TOOL ID: prints the PID of the container's init
	command_of "$1"
	"${base[@]}" state "$2" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'
}

scenario_exec() {
	local tool pid args=() id=$id_prefix-exec status

	for tool in "${tools[@]}"; do
		start_sleeper "$tool" "$id-$tool" || return
		args+=("@$tool" "${base[@]}" exec "$id-$tool" /bin/true)
	done
	start_sleeper "${tools[-1]}" "$id-floor" && pid=$(pid_of "${tools[-1]}" "$id-floor") || return
	args+=(@floor "$floor" exec "$pid" "/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$pid/cgroup")" /bin/true)
	measure exec 100 "${args[@]}"
	status=$?
	for tool in "${tools[@]}"; do remove_sleeper "$tool" "$id-$tool" || status=1; done
	remove_sleeper "${tools[-1]}" "$id-floor"
	return "$status"
}

# phase_words PHASE TOOL: adds to $words what the timer is told: how a container gets to the phase, the phase
# itself, and how the container goes away.
phase_words() {
	local phase=$1 tool=$2 id=$id_prefix-$1-$2 pid_file=$work/pid.$2 runtime create remove

	command_of "$tool"
	runtime="${base[*]}"
	create="$runtime create --bundle $work/sleep --pid-file $pid_file $id"
	remove="$runtime delete --force $id"
	words+=("@$tool")
	case $phase in
	create) words+=(-c "$remove" "${base[@]}" create --bundle "$work/sleep" "$id") ;;
	start) words+=(-p "$create" -c "$remove" "${base[@]}" start "$id") ;;
	state) words+=("${base[@]}" state "$id") ;;
	kill) words+=(-p "$create && $runtime start $id" -c "$remove" "${base[@]}" kill "$id" KILL) ;;
	delete)
		words+=(-p "$create && $runtime start $id && $runtime kill $id KILL
				while [ -d /proc/\$(cat $pid_file) ]; do sleep 0.002; done"
			"${base[@]}" delete "$id") ;;
	force) words+=(-p "$create && $runtime start $id" "${base[@]}" delete --force "$id") ;;
	esac
}

measure_phase() {	# measure_phase PHASE
	local tool

	words=()
	for tool in "${tools[@]}"; do phase_words "$1" "$tool"; done
	measure "$1" 60 "${words[@]}"
}

scenario_create() { measure_phase create; }
scenario_start() { measure_phase start; }
scenario_kill() { measure_phase kill; }
scenario_delete() { measure_phase delete; }
scenario_force() { measure_phase force; }

scenario_state() {
	local tool status

	for tool in "${tools[@]}"; do start_sleeper "$tool" "$id_prefix-state-$tool" || return; done
	measure_phase state
	status=$?
	for tool in "${tools[@]}"; do remove_sleeper "$tool" "$id_prefix-state-$tool"; done
	return "$status"
}

scenario_image() {
	local of_image=image-x of_bundle=bundle

	[[ -x $kist ]] || return
	command_of kist
	make_image && "${base[@]}" image load --name bench:latest "$work/image" >/dev/null || return
	run_words kist
	measure image 100 @bundle "${words[@]}" @image "${base[@]}" run --rm bench:latest /bin/true || return
	of_image=${results[image.median.image]}
	of_bundle=${results[image.median.bundle]}
	results[image.added.kist]=$(awk "BEGIN { printf \"%.3f\", $of_image - $of_bundle }")
}

# System calls of a whole run, the payload's included, as strace counts them; page faults as the timer does.
scenario_counts() {
	local tool

	measure_runs counts 20 "${tools[@]}" "${others[@]}" || return
	[[ -n $strace ]] || return
	for tool in "${tools[@]}" "${others[@]}"; do
		run_words "$tool"
		"$strace" -f -c -U calls,name -o "$work/strace" "${words[@]}" </dev/null || return
		results[counts.syscalls.$tool]=$(awk '$2 == "total" { print $1 }' "$work/strace")
		printf '%-16s %9d system calls %9d minor faults\n' "$tool" \
			"${results[counts.syscalls.$tool]}" "${results[counts.faults.$tool]}"
	done
}

scenario_memory() {
	measure_runs memory 4 "${tools[@]}" "${others[@]}"
}

# weigh NAME PID: prints and keeps what a waiting process holds of memory
weigh() {
	local rss pss dirty

	rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$2/status") &&
		pss=$(sed -n 's/^Pss:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$2/smaps_rollup") &&
		dirty=$(sed -n 's/^Private_Dirty:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$2/smaps_rollup") || return
	results[keeper.rss.$1]=$rss
	printf '%-16s RSS %6d KiB  PSS %6d KiB  private dirty %6d KiB\n' "$1" "$rss" "$pss" "$dirty"
}

# conmon as podman calls it, around crun.
weigh_conmon() {
	local id=$id_prefix-conmon status

	[[ -n $conmon && " ${tools[*]} " == *" crun "* ]] || return
	command_of crun
	mkdir -p "$work/exits"
	"$conmon" --api-version 1 -c "$id" -u "$id" -n "$id" -r "$crun" --runtime-arg --root \
		--runtime-arg "$work/state/crun" -b "$work/sleep" -p "$work/pid.conmon" \
		--conmon-pidfile "$work/conmon.pid" -l "k8s-file:$work/conmon.log" --exit-dir "$work/exits" \
		--full-attach </dev/null || return
	wait_for_file "$work/pid.conmon" && "${base[@]}" start "$id" || return
	sleep 0.5
	weigh conmon "$(cat "$work/conmon.pid")"
	status=$?
	remove_sleeper crun "$id"
	return "$status"
}

wait_for_file() {
	local i

	for ((i = 0; i < 100; i++)); do
		[[ -s $1 ]] && return
		sleep 0.05
	done
	say "$1 did not appear"
	return 1
}

# The keeper is the parent of the container's init.
weigh_kist() {
	local id=$id_prefix-keeper pid keeper status

	[[ -x $kist ]] || return
	command_of kist
	"${base[@]}" run -d --bundle "$work/sleep" "$id" </dev/null >/dev/null || return
	sleep 0.5
	pid=$(pid_of kist "$id") && keeper=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status") || return
	if ((keeper > 1)); then
		weigh kist "$keeper"
	else
		say "kist: container $id has no keeper"
		false
	fi
	status=$?
	remove_sleeper kist "$id"
	return "$status"
}

scenario_keeper() {
	weigh_conmon
	weigh_kist
	[[ -n ${results[keeper.rss.kist]-} && -n ${results[keeper.rss.conmon]-} ]]
}

# shower TOOL: 16 shells at once, 25 runs each; keeps the rate, counts the failures
shower() {
	local tool=$1 shell start_us end_us failed

	command_of "$tool"
	: >"$work/failures"
	start_us=${EPOCHREALTIME/./}
	for ((shell = 0; shell < 16; shell++)); do
		# shellcheck disable=SC2016  # expanded by the inner shell
		sh -c 'id=$1; shift; i=0
			while [ $((i += 1)) -le 25 ]; do "$@" "$id-$i" || echo "$id-$i"; done' \
			sh "$id_prefix-shower-$tool-$shell" "${base[@]}" run --bundle "$work/true" \
			</dev/null >>"$work/failures" 2>>"$work/complaints" &
		showers[shell]=$!
	done
	wait "${showers[@]}"
	end_us=${EPOCHREALTIME/./}
	failed=$(wc -l <"$work/failures")
	results[throughput.failed.$tool]=$((${results[throughput.failed.$tool]-0} + failed))
	rates[$tool]+=" $((400 * 1000000 / (end_us - start_us)))"
}

scenario_throughput() {
	local tool round rate showers=()
	local -A rates=()

	: >"$work/complaints"
	for ((round = 0; round < (quick ? 1 : 3); round++)); do
		for tool in "${tools[@]}"; do shower "$tool"; done
	done
	for tool in "${tools[@]}"; do
		rate=$(tr ' ' '\n' <<<"${rates[$tool]# }" | sort -n | sed -n "$(((round + 1) / 2))p")
		results[throughput.rate.$tool]=$rate
		printf '%-16s %9d containers/s (of%s), %d failed\n' "$tool" "$rate" "${rates[$tool]}" \
			"${results[throughput.failed.$tool]}"
	done
	sort "$work/complaints" | uniq -c | sort -rn | head -5
}

# contend TOOL ROUND: six creates of one ID, let loose by one write to a FIFO; sets $winners and $untold
contend() {
	local id=$id_prefix-race-$1-$2 k

	command_of "$1"
	for ((k = 0; k < 6; k++)); do
		{
			read -r _ <"$work/gate"
			"${base[@]}" create --bundle "$work/sleep" "$id" </dev/null >/dev/null \
				2>"$work/race.$k"
			echo $? >"$work/race.$k.status"
		} &
		racers[k]=$!
	done
	sleep 0.05
	: >"$work/gate"
	wait "${racers[@]}"
	winners=0
	untold=0
	for ((k = 0; k < 6; k++)); do
		if (($(cat "$work/race.$k.status") == 0)); then
			winners=$((winners + 1))
		elif ! grep -Eq 'taken|exist|in use' "$work/race.$k"; then
			untold=$((untold + 1))
			cp "$work/race.$k" "$work/race.odd"
		fi
	done
	remove_sleeper "$1" "$id" 2>/dev/null
}

scenario_race() {
	local tool round won lost_silently racers=() winners untold

	[[ -p $work/gate ]] || mkfifo "$work/gate" || return
	for tool in "${tools[@]}"; do
		won=0
		lost_silently=0
		rm -f "$work/race.odd"
		for ((round = 0; round < 30; round++)); do
			contend "$tool" "$round"
			((winners == 1)) && won=$((won + 1))
			lost_silently=$((lost_silently + untold))
		done
		results[race.won.$tool]=$won
		results[race.untold.$tool]=$lost_silently
		printf '%-16s one winner in %d of 30 rounds, %d losers not told that the ID is taken\n' \
			"$tool" "$won" "$lost_silently"
		if [[ -e $work/race.odd ]]; then sed 's/^/    /' "$work/race.odd"; fi
	done
}
