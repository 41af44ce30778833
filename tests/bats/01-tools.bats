# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# The scripts that tests and builds stand on: the test VM and the installation of dependencies.

load ../helpers/common

top=$(readlink -f "$BATS_TEST_DIRNAME/../..")
vm=$top/tests/vm/vm

setup_file() {
	[ -n "${KIST_VM:-}" ] || "$BATS_TEST_DIRNAME/../vm/vm" --setup
}

needs_host() {
	[ -z "${KIST_VM:-}" ] || skip "a VM in the VM would take minutes"
}

# nothing of a VM may stay: the test's TMPDIR is where its job folders are
run_vm() {
	mkdir -p tmp
	TMPDIR=$PWD/tmp run --separate-stderr "$vm" "$@"
	assert_equal "$(ls -A tmp)" ""
}

@test "vm: output, status, environment, folder, shares and the scratch disk" {
	needs_host
	mkdir here kept
	echo text >here/file
	cat >script <<-'E'
		cat here/file; echo words >&2; echo "$A"; cat
		echo kept >kept/file; echo lost >here/file
		stat -f -c %T /vm /sys/fs/cgroup
		exit 37
	E
	run_vm -w kept -d 64 -e 'A=b c' -i -- bash script <<<"typed"
	assert_equal "$status" 37
	assert_equal "$output" $'text\nb c\ntyped\next2/ext3\ncgroup2fs'
	assert_equal "$stderr" words
	assert_equal "$(<kept/file)" kept
	assert_equal "$(<here/file)" text
}

@test "vm: 124 when the time is over" {
	needs_host
	run_vm -t 1 -- true
	assert_equal "$status" 124
	assert_equal "$stderr" "vm: time limit of 1 s reached"
}

@test "vm: 125 and the end of the console when the guest dies" {
	needs_host
	run_vm -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
	assert_equal "$status" 125
	[[ $stderr == *"ended without a result"*"sysrq triggered crash"* ]]
}

@test "vm: ended by a signal, it takes the guest along" {
	needs_host
	mkdir tmp
	TMPDIR=$PWD/tmp "$vm" sleep 1000 &
	wait_until 20 pgrep -f "qemu.*$PWD/tmp"
	kill $!
	wait $! || assert_equal $? 143
	assert_equal "$(ls -A tmp)" ""
	run pgrep -f "qemu.*$PWD/tmp"
	assert_failure 1
}

@test "vm: an unknown kernel and wrong options are 125" {
	run_vm -k 0.99 -- true
	assert_equal "$status" 125
	[[ $stderr == *"no kernel 0.99"*"--setup 0.99"* ]]
	run_vm -z
	assert_equal "$status" 125
}

@test "deps: quiet when all is there, also without rights" {
	run setpriv --reuid nobody --clear-groups "$top/scripts/deps" build
	assert_success
	refute_output
}

@test "deps: what is missing is named to who cannot install it" {
	mkdir -m 755 copy copy/scripts copy/packages
	cp "$top/scripts/deps" copy/scripts/
	echo "libc6-dev # there" >copy/packages/build.txt
	echo "no-such-package # not there" >>copy/packages/build.txt
	run setpriv --reuid nobody --clear-groups copy/scripts/deps build
	assert_failure 1
	assert_output "deps: not root: run as root, or install first: apt-get install no-such-package"
	KIST_DEPS=skip run copy/scripts/deps build
	assert_success
	run copy/scripts/deps everything
	assert_failure 2
}
