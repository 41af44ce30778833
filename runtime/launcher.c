/* SPDX-License-Identifier: Apache-2.0 */
/* See launcher.h. */
#include "runtime/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/helper.h"
#include "util/mem.h"
#include "util/sys.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U    /* Linux 6.3: executable although vm.memfd_noexec is 1 */
#endif

/* The build makes the program first (Makefile, LAUNCHER). */
__asm__(".section .rodata\n.balign 16\n.globl launcher_start\nlauncher_start:\n\t.incbin \"" LAUNCHER "\"\n"
	"launcher_end:\n\t.balign 4\n.globl launcher_size\nlauncher_size:\n\t.long launcher_end - launcher_start\n"
	".previous\n");

int launcher_open(void)
{
	fd_auto int fd = memfd_create("kist-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("kist-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, launcher_start, launcher_size);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? r : fd_take(&fd);
}

/* Our arguments as the kernel keeps them: words that end in NUL. proc(5), "/proc/pid/cmdline". */
int launcher_own_arguments(char ***ret_argv, struct err *e)
{
	char *bytes = NULL;
	size_t len = 0, n = 0;
	int r = file_read(AT_FDCWD, "/proc/self/cmdline", 16 << 20, false, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "own arguments");
	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\0';
	char **argv = mem_zero(n + 1, sizeof(*argv));
	char *p = bytes;
	for (size_t i = 0; i < n; i++, p += strlen(p) + 1)
		argv[i] = p;
	*ret_argv = argv;
	return 0;
}

bool launcher_is_sealed(void)
{
	struct statvfs fs;
	return statvfs("/proc/self/exe", &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

int launcher_seal_self(struct err *e)
{
	if (launcher_is_sealed())
		return 0;
	char **argv;
	int r = launcher_own_arguments(&argv, e);
	if (r < 0)
		return r;
	fd_auto int tree = open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "own program: read-only copy of its mount");
	helper_keep_place();
	syscall(SYS_execveat, tree, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, "own program: execute it from a read-only mount");
}
