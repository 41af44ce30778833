/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of EROFS's format on disk that kist writes and reads, and nothing else of it: blocks of 4096 bytes, extended
 * inodes, plain data with or without the last block behind the inode, xattrs behind the inode. Source: the kernel's
 * Documentation/filesystems/erofs.rst "On-disk details", and the format's definition, erofs_fs.h.
 */
#pragma once
#include <endian.h>
#include <stdint.h>

enum {
	EROFS_BLOCK = 4096,
	EROFS_SLOT = 32,          /* inodes lie at multiples of it, which are their numbers */
	EROFS_SUPER_AT = 1024,    /* what lies before is not EROFS's: image/packhead */
	EROFS_NAME_MAX = 255,
	EROFS_TAIL_MAX = 2048,    /* longer tails get a block of their own: they would leave gaps between inodes */
	EROFS_XATTR_MAX = 65535,  /* bytes of a value */
};

#define EROFS_MAGIC 0xE0F5E1E2u

enum { EROFS_COMPAT_CHECKSUM = 1, EROFS_COMPAT_MTIME = 2 };

struct erofs_super {
	uint32_t magic, checksum, feature_compat;
	uint8_t block_bits, ext_slots;
	uint16_t root_nid;
	uint64_t inodes, build_time;
	uint32_t build_time_nsec, blocks, meta_block, xattr_block;
	uint8_t uuid[16], volume[16];
	uint32_t feature_incompat;
	uint16_t compression, extra_devices, device_slot;
	uint8_t dir_block_bits, xattr_prefixes;
	uint32_t xattr_prefix_start;
	uint64_t packed_nid;
	uint8_t xattr_filter, reserved[23];
} __attribute__((packed));

/* i_format: bit 0 is the extended inode, then three bits of how the data lies. */
enum { EROFS_PLAIN = 1 | 0 << 1, EROFS_INLINE = 1 | 2 << 1 };

struct erofs_inode {
	uint16_t format, xattr_units, mode, reserved;
	uint64_t size;
	uint32_t u; /* first block, or a device's number */
	uint32_t ino, uid, gid;
	uint64_t mtime;
	uint32_t mtime_nsec, links;
	uint8_t reserved2[16];
} __attribute__((packed));

/* Before an inode's xattrs; each of them begins at a multiple of 4 bytes. */
struct erofs_xattr_head {
	uint32_t name_filter;
	uint8_t shared, reserved[7];
} __attribute__((packed));

struct erofs_xattr {
	uint8_t name_len, prefix;
	uint16_t value_len;
} __attribute__((packed));

struct erofs_dirent {
	uint64_t nid;
	uint16_t name_at;
	uint8_t type, reserved;
} __attribute__((packed));

_Static_assert(sizeof(struct erofs_super) == 128 && sizeof(struct erofs_inode) == 64 &&
		       sizeof(struct erofs_xattr_head) == 12 && sizeof(struct erofs_dirent) == 12,
	       "sizes on disk");

enum { EROFS_ROOT_AT = EROFS_SUPER_AT + (int)sizeof(struct erofs_super) };

/* The prefixes of xattr names that are kept as a number. */
static const struct erofs_prefix {
	uint8_t number;
	const char *text;
} erofs_prefixes[] = {
	{ 2, "system.posix_acl_access" },
	{ 3, "system.posix_acl_default" },
	{ 1, "user." },
	{ 4, "trusted." },
	{ 6, "security." },
};
