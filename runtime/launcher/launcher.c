/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last program before the container's own: `launcher[:FD] PATH ARGS...` executes PATH and does nothing else. What
 * execve says against it goes to the socket FD, as a message of runtime/sync.h, or else to standard error. It exists
 * so that /proc/self/exe never leads from a container to kist's own file, which the container could keep open and
 * write to later (CVE-2019-5736): what it finds is this, on a file system that nobody can write to. It has no libc,
 * because it stands in the way of every start; kist carries it as bytes (runtime/launcher.c).
 */
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "runtime/sync.h"

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall launch\n");
static long call3(long nr, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tand sp, x0, #-16\n\tbl launch\n");
static long call3(long nr, long a, long b, long c)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#else
#error "the system call sequence of this architecture is missing"
#endif

/* What execve(2) says, in the words that callers of runtimes match. */
static const struct {
	int num;
	const char *text;
} words[] = {
	{ ENOENT,  "no such file or directory" },
	{ ENOTDIR, "not a directory" },
	{ EACCES,  "permission denied" },
	{ EPERM,   "operation not permitted" },
	{ ENOEXEC, "exec format error" },
	{ ETXTBSY, "text file busy" },
	{ ELOOP,   "too many levels of symbolic links" },
	{ E2BIG,   "argument list too long" },
	{ ENOMEM,  "cannot allocate memory" },
};

static size_t add(char *line, size_t at, size_t max, const char *text)
{
	while (*text && at < max)
		line[at++] = *text++;
	return at;
}

/* The number behind the colon of our own name; -1: there is none. */
static int report_to(const char *name)
{
	int fd = -1;
	for (; *name; name++)
		if (*name == ':')
			fd = 0;
		else if (fd >= 0 && *name >= '0' && *name <= '9')
			fd = fd * 10 + (*name - '0');
	return fd;
}

void launch(long *stack) __attribute__((noreturn, used));

void launch(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	struct sync_wire m;
	const char *text = "cannot be executed";
	int fd = report_to(argc ? argv[0] : "");
	if (fd >= 0)
		call3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
	long r = argc < 3 ? -EINVAL : call3(__NR_execve, (long)argv[1], (long)(argv + 2), (long)envp);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].num == -r)
			text = words[i].text;
	size_t max = sizeof(m.text) - 1;
	size_t n = add(m.text, 0, max, fd < 0 ? "kist: exec: \"" : "exec: \"");
	n = add(m.text, n, max - 64, argc < 3 ? "" : argv[2]);
	n = add(m.text, n, max, "\": ");
	n = add(m.text, n, max, text);
	m.type = SYNC_ERROR;
	m.value = 0;
	m.num = (int)-r;
	m.exit = r == -ENOENT || r == -ENOTDIR ? 127 : 126;
	m.text[n] = fd < 0 ? '\n' : '\0';
	if (fd < 0)
		call3(__NR_write, 2, (long)m.text, (long)n + 1);
	else
		call3(__NR_write, fd, (long)&m, (long)(offsetof(struct sync_wire, text) + n + 1));
	for (;;)
		call3(__NR_exit_group, m.exit, 0, 0);
}
