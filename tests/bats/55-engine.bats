#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Detached containers: keeper, ps, stop, wait, inspect, rm, start, exec, and what kills leave.

load ../helpers/common
load ../helpers/engine

@test "run -d: prints the name when the program runs; ps, inspect and wait know it" {
	base_image
	run detached --name web -l color=blue base:1 sh -c 'sleep 0.5; exit 7'
	assert_success
	assert_output web
	run kist ps --format '{{.Names}} {{.Image}} {{.State}}'
	assert_output 'web base:1 running'
	run kist inspect -f '{{.State.Running}} {{.Config.Labels.color}} {{.Image}}' web
	assert_output 'true blue base:1'
	run kist wait web
	assert_output 7
	run kist ps -q
	assert_output ""
	run kist ps -a --format '{{.Names}} {{.State}} {{.ExitCode}}'
	assert_output 'web exited 7'
	run kist inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' web
	assert_output 'exited 7 false'
	kist ps -a --format json | jq -e '.[0].status | startswith("Exited (7)")'
	run kist rm web
	assert_output web
}

@test "run -d: a program that cannot be run is told to the caller, and nothing stays" {
	base_image
	run detached --name web base:1 nosuch
	assert_failure 127
	run detached --name web -u nobody-here base:1 true
	assert_failure 125
	run kist ps -aq
	assert_output ""
}

@test "run -d --rm: gone when its program has ended, and wait still tells the status" {
	base_image
	detached --rm --name job base:1 sh -c 'sleep 0.4; exit 9'
	run kist wait job
	assert_output 9
	wait_until 5 eval '[ -z "$(kist ps -aq)" ]'
	run kist wait job
	assert_failure 1
	assert_output --partial 'no such container: job'
}

@test "wait: several, in the order of the words, and --exit" {
	base_image
	detached --name a base:1 sh -c 'sleep 0.3; exit 3'
	detached --name b base:1 sh -c 'exit 4'
	run kist wait a b
	assert_success
	assert_output $'3\n4'
	run kist wait --exit a
	assert_failure 3
	kist rm a b
}

@test "stop: by the signal, by KILL after the grace, already stopped, and not there" {
	base_image
	detached --name soft base:1 sh -c 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done'
	wait_until 5 eval '[ "$(kist logs soft)" = up ]'
	run --separate-stderr kist stop soft
	assert_success
	assert_output soft
	# shellcheck disable=SC2154
	assert_equal "$stderr" 'soft: ended by SIGTERM'
	run kist wait soft
	assert_output 5
	detached --name hard base:1 sleep 100
	run --separate-stderr kist stop -t 0.3 hard
	assert_success
	[[ $stderr == "hard: killed after"* ]]
	run kist inspect -f '{{.State.ExitCode}} {{.State.Signal}}' hard
	assert_output '137 9'
	run kist stop hard
	assert_success
	assert_output hard
	run kist stop nobody
	assert_failure 1
	assert_output --partial 'no such container: nobody'
	kist rm soft hard
}

@test "stop: the image's signal, and the caller's over it" {
	app_image app:1 --config.stopsignal SIGUSR1
	detached --name a app:1 sh -c 'trap "exit 11" USR1; trap "exit 12" INT; echo up; while :; do sleep 0.05; done'
	wait_until 5 eval '[ "$(kist logs a)" = up ]'
	kist stop a
	run kist wait a
	assert_output 11
	kist start a
	wait_until 5 eval '[ "$(kist logs a)" = up$'"'\\n'"'up ]'
	kist stop -s INT a
	run kist wait a
	assert_output 12
	kist rm a
}

@test "rm: refuses what runs; with -f takes it, and what is not there is success" {
	base_image
	detached --name web base:1 sleep 100
	run kist rm web
	assert_failure 1
	assert_output --partial 'is running'
	run kist rm -f web
	assert_success
	run kist rm -f web
	assert_success
	run kist rm web
	assert_failure 1
	assert_output --partial 'no such container: web'
}

@test "start: a stopped container again, with its own layer, detached and attached" {
	base_image
	run kist run --name again base:1 sh -c 'echo x >>/count; wc -l </count; exit 3'
	assert_failure 3
	assert_output 1
	run kist start -a again
	assert_failure 3
	assert_output 2
	run kist start again
	assert_output again
	kist wait again
	run kist logs again
	assert_output 3
	run kist start nobody
	assert_failure
	kist rm again
}

@test "exec: stdio, user by name, directory, environment, status" {
	base_image
	detached --name web -e IMAGE=1 base:1 sleep 100
	run kist exec web sh -c 'echo $IMAGE $HOSTNAME $(pwd) $(id -un)'
	assert_output '1 web / root'
	run kist exec -u app -w /tmp -e X=2 web sh -c 'echo $X $(pwd) $(id -un); exit 6'
	assert_failure 6
	assert_output '2 /tmp app'
	run kist exec -i web cat < <(echo typed)
	assert_output typed
	run kist exec web cat < <(echo untyped)
	assert_output ""
	run kist exec web nosuch
	assert_failure 127
	run kist exec nobody true
	assert_failure
	run kist exec -d web sh -c 'echo done >/tmp/flag; sleep 100'
	assert_success
	assert_output ""
	wait_until 5 kist exec web test -s /tmp/flag
	run kist ps web -eo pid,comm
	assert_line --regexp 'sleep'
	kist ps --format json web | jq -e 'length == 2'
	kist rm -f web
}

@test "bundles with -d have a record too" {
	new_bundle b sh -c 'echo from the bundle; exit 8'
	run detached --bundle b boxed
	assert_output boxed
	run kist wait boxed
	assert_output 8
	run kist logs boxed
	assert_output 'from the bundle'
	kist start boxed
	run kist wait boxed
	assert_output 8
	kist rm boxed
}

@test "the OCI face: run --detach as runc has it, without keeper and record" {
	new_bundle b sleep 100
	kist oci run --detach --bundle b plain </dev/null >/dev/null 2>&1 3>&-
	assert_equal "$(state_of plain status)" running
	run kist ps -aq
	assert_output ""
	run kist stop -t 0 plain
	assert_success
	kist delete plain
}

@test "keeper: small, in no session of ours, deaf to SIGTERM, outlives its caller" {
	base_image
	detached --name web base:1 sleep 100
	local keeper rss
	keeper=$(keeper_of web)
	assert_equal "$(cat "/proc/$keeper/comm")" kist-keeper
	assert_equal "$(tr '\0' ' ' <"/proc/$keeper/cmdline" | sed 's/ *$//')" 'kist-keeper web'
	assert_equal "$(readlink "/proc/$keeper/cwd")" /
	kill -TERM "$keeper"
	sleep 0.5
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$keeper/status")
	echo "# keeper: $rss KiB resident" >&3
	# a quarter of conmon's 2064 KiB
	assert [ "$rss" -le 516 ]
	kist rm -f web
	assert [ ! -d "/proc/$keeper" ]
}

@test "keeper: killed, the container goes on; ps, stop and rm cope" {
	base_image
	detached --name web base:1 sleep 100
	kill -KILL "$(keeper_of web)"
	run kist ps --format '{{.Names}} {{.State}}'
	assert_output 'web running'
	run kist stop -t 0 web
	assert_success
	run kist wait web
	assert_failure 1
	assert_output --partial 'nobody saw how it ended'
	run kist ps -a --format '{{.Names}} {{.State}}'
	assert_output 'web dead'
	kist start web
	run kist ps --format '{{.Names}} {{.State}}'
	assert_output 'web running'
	kist rm -f web
}

@test "rm -f cleans up after a run that was killed at any moment" {
	base_image
	local i pid
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --name killed base:1 sleep 100 </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.00$((i * 7 % 10))"
		kill -KILL $pid
		wait $pid 2>/dev/null || true
		run kist rm -f killed
		assert_success
		assert [ ! -e "$KIST_STORE/containers/killed" ]
	done
}

@test "six runs with one name: one wins, the others say that it is taken" {
	base_image
	local i won=0 taken=0 pids=()
	for i in 1 2 3 4 5 6; do
		"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run -d --name race base:1 sleep 100 >"o$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" && won=$((won + 1)); done
	taken=$(cat o? | grep -c 'name is taken')
	assert_equal "$won $taken" '1 5'
	kist rm -f race
}

@test "an image that a container holds keeps its layers" {
	base_image
	detached --name web base:1 sleep 100
	run kist image rm base:1
	kist exec web ls /bin >/dev/null
	kist rm -f web
}

@test "doctor: a table and JSON, and nothing left" {
	run kist doctor
	assert_success
	assert_line --regexp '^kernel +ok'
	kist doctor --format json | jq -e 'map(select(.check == "overlay").state) == ["ok"]'
}
