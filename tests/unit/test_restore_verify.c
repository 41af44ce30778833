/* SPDX-License-Identifier: Apache-2.0 */
/* restore_verify against live processes: children of ours stand for what criu has restored. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/restore_verify.h"

#define ALL_CAPS ((struct caps){ .bounding = UINT64_MAX >> 1, .permitted = UINT64_MAX >> 1 })

/* A child that waits; `is_nnp`: with no_new_privs. It is there when this returns. */
static pid_t start(bool is_nnp)
{
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (is_nnp)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		close(ready[0]);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What is refused has been stopped, and what is not goes on. */
static void expect(const struct plan *p, pid_t pid, const char *words)
{
	struct err e = { 0 };
	int status = 0;
	int r = restore_verify(p, -1, pid, &e);
	if (!words) {
		assert_int_equal(r, 0);
		assert_int_equal(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
		return;
	}
	assert_int_equal(r, -EPERM);
	assert_non_null(strstr(e.text, words));
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

static void test_allowed(void **state)
{
	(void)state;
	const struct plan p = { .need = NEED_PROCESS, .process.caps = ALL_CAPS };
	pid_t pid = start(false);
	expect(&p, pid, NULL);
	end(pid);
}

static void test_no_new_privileges(void **state)
{
	(void)state;
	const struct plan p = {
		.need = NEED_PROCESS, .process = { .caps = ALL_CAPS, .no_new_privileges = true },
	};
	pid_t pid = start(true);
	expect(&p, pid, NULL);
	end(pid);
	pid = start(false);
	expect(&p, pid, "without process.noNewPrivileges");
	end(pid);
}

static void test_seccomp(void **state)
{
	(void)state;
	static const struct sock_filter filter;
	const struct plan p = { .need = NEED_PROCESS, .process = { .caps = ALL_CAPS, .filter = &filter } };
	pid_t pid = start(false);
	expect(&p, pid, "without linux.seccomp");
	end(pid);
}

static void test_namespaces(void **state)
{
	(void)state;
	const struct plan p = { .new_ns = CLONE_NEWNET };
	pid_t pid = start(false);
	expect(&p, pid, "into the host's network namespace");
	end(pid);
}

/* Only root has capabilities to be refused. */
static void test_capabilities(void **state)
{
	(void)state;
	const struct plan p = { .need = NEED_PROCESS };
	if (geteuid() != 0) {
		print_message("not root: no capability that could be refused\n");
		skip();
	}
	pid_t pid = start(false);
	expect(&p, pid, "capabilities that config.json does not: ");
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),    cmocka_unit_test(test_no_new_privileges),
		cmocka_unit_test(test_seccomp),    cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_capabilities),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
