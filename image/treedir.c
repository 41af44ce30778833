/* SPDX-License-Identifier: Apache-2.0 */
/* See treedir.h. */
#include "image/treedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/path.h"

static int make_dir(int parent, const char *name, int flags)
{
	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	return path_open(parent, name, PATH_BENEATH, flags | O_DIRECTORY | O_NOFOLLOW, 0);
}

int treedir_open(int ingest, size_t number, struct treedir *ret_dir, struct err *e)
{
	char name[32];
	treedir_auto struct treedir d = TREEDIR_NONE;
	snprintf(name, sizeof(name), "layer-%zu", number);
	d.layer = make_dir(ingest, name, O_PATH);
	if (d.layer < 0)
		return err_ret(e, d.layer, "%s", name);
	d.root = make_dir(d.layer, "fs", O_RDONLY);
	if (d.root < 0)
		return err_ret(e, d.root, "%s/fs", name);
	*ret_dir = d;
	d = TREEDIR_NONE;
	return 0;
}

void treedir_done(struct treedir *d)
{
	fd_drop(&d->root);
	fd_drop(&d->layer);
}

/* What the next image with this layer has to have as this one does: image/inherit. */
static int write_implied(const struct treedir *d, const struct unpacked *unpacked, struct err *e)
{
	fd_auto int fd = path_open(d->layer, TREEDIR_IMPLIED, PATH_BENEATH, O_WRONLY | O_CREAT | O_EXCL, 0644);
	int r = fd < 0 ? fd : fd_write_all(fd, unpacked->implied, unpacked->implied_len);
	return r < 0 ? err_ret(e, r, TREEDIR_IMPLIED) : 0;
}

int treedir_finish(const struct treedir *d, const struct unpacked *unpacked, struct sharing_layer *share, struct err *e)
{
	char text[32];
	if (unpacked->is_opaque && renameat(d->layer, "fs", d->layer, "fs-opaque") < 0)
		return err_sys(e, "fs-opaque");
	int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)unpacked->bytes);
	fd_auto int fd = path_open(d->layer, "bytes", PATH_BENEATH, O_WRONLY | O_CREAT | O_EXCL, 0644);
	int r = fd < 0 ? fd : fd_write_all(fd, text, (size_t)len);
	if (r < 0)
		return err_ret(e, r, "bytes");
	r = fileindex_write(&share->made, unpacked->is_opaque, d->layer, FILEINDEX_NAME);
	if (r < 0)
		return err_ret(e, r, FILEINDEX_NAME);
	return unpacked->implied_len && !unpacked->is_opaque ? write_implied(d, unpacked, e) : 0;
}
