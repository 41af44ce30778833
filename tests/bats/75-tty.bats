#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Terminals: size, raw mode and its end, resize, complete output, signals by key, exec -t, -d -t.

load ../helpers/common
load ../helpers/engine

# kist_args: sets K to the program with this test's directories, for with_terminal, which runs programs only
kist_args() {
	K=("$KIST" --root "$KIST_ROOT" --store "$KIST_STORE")
}

@test "run -it: a terminal with our size from the first moment" {
	base_image
	kist_args
	run with_terminal "${K[@]}" run --rm -it base:1 sh -c 'tty; stty size; echo $TERM; exit 3' < <(sleep 1)
	assert_failure 3
	assert_line --partial /dev/pts/0
	assert_line --partial '24 80'
	assert_line --partial xterm
}

@test "run -it: what is typed reaches the program" {
	base_image
	kist_args
	run with_terminal "${K[@]}" run --rm -it base:1 sh -c 'read a; echo "got $a"' < <(sleep 0.5; echo typed; sleep 0.5)
	assert_success
	assert_output --partial 'got typed'
}

@test "run -t: complete output to a pipe, and the end of input is told" {
	base_image
	kist run --rm -t base:1 sh -c 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i + 1)); done' </dev/null >out
	tr -d '\r' <out | cmp - <(seq -f 'line %.0f' 0 19999)
	new_bundle b cat
	edit_config '.process.terminal = true'
	run kist run --bundle b c < <(echo typed)
	assert_success
	assert_output --partial typed
}

@test "oci: the output of a terminal has plain lines when it goes to no terminal, as with runc" {
	new_bundle b sh -c 'echo one; echo two'
	edit_config '.process.terminal = true'
	kist oci run --bundle b c </dev/null >out
	cmp out <(printf 'one\ntwo\n')
	set_args sleep 100
	edit_config '.process.terminal = false'
	kist run -d --bundle b c >/dev/null
	kist oci exec -t c sh -c 'echo one; echo two' </dev/null >out
	cmp out <(printf 'one\ntwo\n')
	kist rm -f c
}

@test "consoleSize without a terminal means nothing" {
	new_bundle b echo fine
	edit_config '.process.consoleSize = { height: 70000, width: 4294967295 }'
	run kist run --bundle "$BUNDLE" c
	assert_output fine
}

@test "run -it without a terminal is refused" {
	base_image
	run kist run --rm -it base:1 true </dev/null
	assert_failure 125
	assert_output --partial 'not a TTY'
	run kist ps -aq
	assert_output ""
}

@test "the terminal's mode is as before after every end" {
	base_image
	kist_args
	cat >modes <<-E
		#!/bin/bash
		before=\$(stty -g)
		${K[*]@Q} run --rm -it base:1 true
		[ "\$(stty -g)" = "\$before" ] && echo same-after-exit
		${K[*]@Q} run --rm -it base:1 nosuch
		[ "\$(stty -g)" = "\$before" ] && echo same-after-failure
		${K[*]@Q} run --rm -it --name term base:1 sleep 100 </dev/tty &
		run=\$!
		for i in \$(seq 50); do ${K[*]@Q} exec term true 2>/dev/null && break; sleep 0.1; done
		for i in 1 2 3; do kill -TERM \$run; sleep 0.3; done
		wait \$run
		[ "\$(stty -g)" = "\$before" ] && echo same-after-signal
	E
	chmod +x modes
	run with_terminal ./modes < <(sleep 3)
	assert_line --partial same-after-exit
	assert_line --partial same-after-failure
	assert_line --partial same-after-signal
}

@test "keys: ^C is the program's, in raw mode" {
	base_image
	kist_args
	run with_terminal "${K[@]}" run --rm -it base:1 sh -c 'trap "echo interrupted; exit 4" INT; echo up; while :; do sleep 0.1; done' \
		< <(sleep 1; printf '\003'; sleep 1)
	assert_failure 4
	assert_output --partial interrupted
}

@test "resize: SIGWINCH passes the new size on" {
	base_image
	kist_args
	cat >resize.py <<-'P'
		import fcntl, os, pty, struct, sys, termios, time
		def size(fd, rows, cols): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
		pid, fd = pty.fork()
		if pid == 0:
		    size(0, 24, 80)
		    os.execvp(sys.argv[1], sys.argv[1:])
		seen = b""
		while b"up" not in seen:
		    seen += os.read(fd, 1000)
		size(fd, 50, 132)
		os.write(fd, b"\n")
		try:
		    while True:
		        data = os.read(fd, 1000)
		        if not data:
		            break
		        seen += data
		except OSError:
		    pass
		os.waitpid(pid, 0)
		print(seen.decode())
	P
	run timeout 20 python3 resize.py "${K[@]}" run --rm -it base:1 sh -c 'echo up; read x; sleep 0.3; stty size'
	assert_output --partial '50 132'
}

@test "exec -it: a terminal of its own with our size" {
	base_image
	kist_args
	detached --name web base:1 sleep 100
	run with_terminal "${K[@]}" exec -it web sh -c 'stty size; tty; exit 5' < <(sleep 1)
	assert_failure 5
	assert_line --partial '24 80'
	assert_line --partial /dev/pts/
	kist rm -f web
}

@test "run -d -t: the keeper holds the terminal and logs it" {
	base_image
	detached --name web -t base:1 sh -c 'tty; echo done'
	kist wait web
	run kist logs web
	assert_line --partial /dev/pts/0
	assert_line --partial done
	kist rm web
}
