/* SPDX-License-Identifier: Apache-2.0 */
/* See live_record.h. */
#include "runtime/live_record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/fd.h"
#include "util/jx.h"

#define LIVE_FILE "mounts.json"

/* Of linux/stat.h since 6.8: a number that is never used again. */
enum { MNT_ID_UNIQUE = 0x4000 };

struct record {
	struct live_mounts mounts;
};

static const struct jx_field mount_rows[] = {
	JX_STR(struct live_mount, destination, "destination", .must = true),
	JX_U64(struct live_mount, mount, "mount", .must = true),
	JX_U64(struct live_mount, device, "device", .must = true),
	JX_U64(struct live_mount, inode, "inode", .must = true),
	JX_END,
};

static const struct jx_field record_rows[] = {
	JX_LIST(struct record, mounts, "mounts", struct live_mount, mount_rows),
	JX_END,
};

int live_read(const struct state_dir *dir, struct arena *a, struct live_mounts *ret, struct err *e)
{
	struct record record = { 0 };
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(dir->fd, LIVE_FILE, JX_BYTES_MAX, false, &bytes, &len);
	if (r < 0 && r != -ENOENT)
		return err_ret(e, r, "state directory %s: %s", dir->id, LIVE_FILE);
	r = r == -ENOENT ? 0 : jx_load(bytes, len, LIVE_FILE, record_rows, &record, a, NULL, e);
	if (r == 0)
		*ret = record.mounts;
	return r < 0 ? err_at(e, r, "state directory %s", dir->id) : 0;
}

int live_write(const struct state_dir *dir, const struct live_mounts *list, struct err *e)
{
	const struct record record = { .mounts = *list };
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	jx_print(&text, record_rows, &record, 0);
	int r = file_replace(dir->fd, LIVE_FILE, text.p, text.len, 0600);
	return r < 0 ? err_ret(e, r, "state directory %s: %s", dir->id, LIVE_FILE) : 0;
}

int live_id_of(int fd, struct live_id *ret, bool *ret_is_root)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, MNT_ID_UNIQUE, &st) < 0)
		return -errno;
	bool is_unique = st.stx_mask & MNT_ID_UNIQUE;
	if (!is_unique && statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_MNT_ID, &st) < 0)
		return -errno;
	*ret = (struct live_id){ .number = st.stx_mnt_id };
	if (!is_unique) {
		ret->device = makedev(st.stx_dev_major, st.stx_dev_minor);
		ret->inode = st.stx_ino;
	}
	*ret_is_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return 0;
}

bool live_is(const struct live_mount *m, const struct live_id *id)
{
	return m->mount.v == id->number && m->device.v == id->device && m->inode.v == id->inode;
}

struct live_mount live_row(const char *destination, const struct live_id *id)
{
	return (struct live_mount){
		.destination = destination, .mount = { true, id->number }, .device = { true, id->device },
		.inode = { true, id->inode },
	};
}
