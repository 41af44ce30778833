/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first 1024 bytes of a file that holds a whole image, which EROFS leaves to others: lines of text, so that a human
 * can read them, and a program that has the file's execute bit set runs it by `kist run --rm`. docs/formats.md has the lines.
 * Pure. Part of kist and of kist-image: kist reads it, kist-image has verified it before (image/packcheck).
 */
#pragma once
#include "image/ref.h"
#include <stdint.h>
#include <sys/stat.h>

enum { PACK_HEAD_SIZE = 1024 };

#define PACK_MAGIC "#!/usr/bin/env -S kist run --rm\nkist-pack 1\n"

/* Bytes of the file and their digest. */
struct pack_part {
	uint64_t offset, size; /* size 0: there is none */
	char digest[DIGEST_TEXT_MAX];
};

struct pack_head {
	char tree[DIGEST_TEXT_MAX]; /* of the tree as a tar archive: the diffID */
	uint64_t erofs_size;        /* of the file system, with these 1024 bytes */
	struct pack_part zstd;      /* the file system from byte 1024 on, packed; none: it lies where it belongs */
	struct pack_part manifest, config; /* of the image; a file of the store itself has none */
	char name[REF_TEXT_MAX];    /* that the image had; "": none */
	char sum[DIGEST_TEXT_MAX];  /* of all lines before this one's */
};

/* Whether a word means a file, and not an image's name: it begins with "/", "./" or "../", or it ends in ".kist". */
bool pack_is_word(const char *word);

/* True when bytes at the beginning of a file (at least PACK_HEAD_SIZE) are meant to be such a head. */
bool pack_head_is(const char *bytes);

/*
 * Reads a head. -EBADMSG with words for one that kist has not written; its sum is not looked at, nor what it speaks of.
 */
int pack_head_parse(const char bytes[static PACK_HEAD_SIZE], struct pack_head *ret_head, struct err *e);

/* Writes all lines but the last. Returns their length; 0: they do not fit. */
size_t pack_head_lines(const struct pack_head *head, char out[static PACK_HEAD_SIZE]);

/* Adds the last line behind `len` bytes of lines. False: it does not fit. */
bool pack_head_end(const struct pack_head *head, size_t len, char out[static PACK_HEAD_SIZE]);

/* Where a file with this head ends. */
uint64_t pack_head_file_size(const struct pack_head *head);

/*
 * The note in the store that a file was verified: its name below erofs/packs/, and its text, which speaks of just this
 * file with just these bytes, as far as the kernel's times and sizes can tell. docs/formats.md
 */
enum { PACK_NOTE_MAX = 256 };
void pack_note(const struct stat *st, const char *digest, char name[static PACK_NOTE_MAX],
	       char text[static PACK_NOTE_MAX]);

/*
 * Why a file is not mounted as it is but unpacked: NULL: it may be, by who could write to it. A file is verified once, and
 * read by the kernel as long as it is mounted: nobody but root may be able to change it meanwhile. `fd` is open for
 * reading, and `st` is of it.
 */
const char *pack_unmountable(const struct pack_head *head, int fd, const struct stat *st);
