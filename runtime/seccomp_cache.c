/* SPDX-License-Identifier: Apache-2.0 */
/* See seccomp_cache.h. */
#include "runtime/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

#define CACHE_DIR ".seccomp"

/* So many files stay, of programs that have at most 32 KiB each: profiles that change with each start must not pile
 * up. */
enum { FILES_MAX = 64, KEY_MAX = 1 << 20, NAME_ROOM = 20 };

struct head {
	char magic[8];	  /* "kistbpf1": the format; what kist puts into the program is told by the key */
	uint32_t key_len; /* bytes, padded to eight in the file */
	uint32_t count;	  /* instructions */
	uint64_t sum;	  /* over key and program */
};

static const char magic[8] = { 'k', 'i', 's', 't', 'b', 'p', 'f', '1' };

/* ---- the key ---- */

struct writer {
	unsigned char *p; /* NULL: only counts */
	size_t len;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
	if (w->p)
		memcpy(w->p + w->len, bytes, len);
	w->len += len;
}

static void put_number(struct writer *w, uint64_t v)
{
	put(w, &v, sizeof(v));
}

/* A text with its length, so that no two lists can look alike. */
static void put_text(struct writer *w, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);
	put(w, &len, sizeof(len));
	put(w, text, len);
}

static void put_texts(struct writer *w, const struct strs *list)
{
	put_number(w, list->n);
	for (size_t i = 0; i < list->n; i++)
		put_text(w, list->v[i]);
}

static void put_rule(struct writer *w, const struct spec_syscall *rule)
{
	put_texts(w, &rule->names);
	put_number(w, (uint64_t)rule->action);
	put_number(w, rule->errno_ret.has);
	put_number(w, rule->errno_ret.v);
	put_number(w, rule->args.n);
	for (size_t i = 0; i < rule->args.n; i++) {
		const struct spec_syscall_arg *a = &rule->args.v[i];
		put_number(w, a->index.v);
		put_number(w, (uint64_t)a->op);
		put_number(w, a->value.v);
		put_number(w, a->value_two.has);
		put_number(w, a->value_two.v);
	}
}

/* The kernel has no part in it: nothing is left out of a program because this kernel lacks it. */
static void put_key(struct writer *w, const struct spec_seccomp *s)
{
	const struct scmp_version *lib = seccomp_version();
	put_text(w, "kist " KIST_VERSION " " KIST_COMMIT);
	put_number(w, (uint64_t)lib->major << 32 | (uint64_t)lib->minor << 16 | lib->micro);
	put_number(w, seccomp_arch_native());
	put_number(w, (uint64_t)s->default_action);
	put_number(w, s->default_errno_ret.has);
	put_number(w, s->default_errno_ret.v);
	put_texts(w, &s->architectures);
	put_number(w, s->flags.has);
	put_number(w, s->flags.v);
	put_number(w, s->syscalls.n);
	for (size_t i = 0; i < s->syscalls.n; i++)
		put_rule(w, &s->syscalls.v[i]);
}

void seccomp_cache_key(const struct spec_seccomp *s, struct arena *a, struct seccomp_key *ret)
{
	struct writer w = { 0 };
	put_key(&w, s);
	w = (struct writer){ .p = arena_alloc(a, w.len) };
	put_key(&w, s);
	*ret = (struct seccomp_key){ .bytes = w.p, .len = w.len };
}

/* ---- files ---- */

/* FNV-1a by words of eight bytes, then by bytes: finds a name and tells a broken file; keys are compared in full. */
static uint64_t hash(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	for (; len >= sizeof(uint64_t); p += sizeof(uint64_t), len -= sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x100000001b3;
		h ^= h >> 29;
	}
	for (; len; p++, len--)
		h = (h ^ *p) * 0x100000001b3;
	return h;
}

#define HASH_START 0xcbf29ce484222325

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static uint64_t sum_of(const struct seccomp_key *key, const struct sock_filter *code, size_t count)
{
	return hash(hash(HASH_START, key->bytes, key->len), code, count * sizeof(*code));
}

static void name_of(const struct seccomp_key *key, char out[static NAME_ROOM])
{
	snprintf(out, NAME_ROOM, "%016llx", (unsigned long long)hash(HASH_START, key->bytes, key->len));
}

/* Others could have put it there, by a state root that they may write to: it must be ours, and ours alone. */
static bool is_own(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() && !(st->st_mode & 077);
}

bool seccomp_code_is_sound(const struct sock_filter *code, size_t count)
{
	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t room = count - i - 1;
		switch (code[i].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (code[i].k >= sizeof(struct seccomp_data) || code[i].k & 3)
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_RET | BPF_K:
			break;
		case BPF_JMP | BPF_JA:
			if (code[i].k >= room)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (code[i].jt >= room || code[i].jf >= room)
				return false;
			break;
		default:
			return false;
		}
	}
	return code[count - 1].code == (BPF_RET | BPF_K);
}

/* Whether the bytes of a file are a program of this key, whole and sound. */
static bool is_good(const unsigned char *bytes, size_t size, const struct seccomp_key *key)
{
	struct head h;
	memcpy(&h, bytes, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0 || h.key_len != key->len || h.count > BPF_MAXINSNS)
		return false;
	const unsigned char *found = bytes + sizeof(h);
	const struct sock_filter *code = (const void *)(found + padded(key->len));
	return size == sizeof(h) + padded(key->len) + h.count * sizeof(*code) &&
	       memcmp(found, key->bytes, key->len) == 0 && h.sum == sum_of(key, code, h.count) &&
	       seccomp_code_is_sound(code, h.count);
}

int seccomp_cache_find(int root, const struct seccomp_key *key, struct arena *a, struct seccomp_filter *ret)
{
	char name[NAME_ROOM], path[sizeof(CACHE_DIR "/") + NAME_ROOM];
	name_of(key, name);
	snprintf(path, sizeof(path), CACHE_DIR "/%s", name);
	fd_auto int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	size_t least = sizeof(struct head) + padded(key->len);
	size_t size = (size_t)st.st_size;
	if (!is_own(&st, S_IFREG) || size < least || size > least + BPF_MAXINSNS * sizeof(struct sock_filter))
		return -EBADMSG;
	unsigned char *bytes = arena_alloc(a, size);
	if (fd_read_all(fd, bytes, size) != (ssize_t)size || !is_good(bytes, size, key))
		return -EBADMSG;
	ret->code = (const void *)(bytes + least);
	ret->length = (unsigned short)((size - least) / sizeof(struct sock_filter));
	return 0;
}

/* Makes room for one more: the oldest goes, temporary names that a killed kist has left among them. */
static void evict(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		fd_close(copy);
		return;
	}
	char oldest[64] = "";
	struct timespec then = { 0 };
	size_t n = 0;
	for (struct dirent *de; (de = readdir(d));) {
		struct stat st;
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0 ||
		    strlen(de->d_name) >= sizeof(oldest) || fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bool is_older = !*oldest || st.st_mtim.tv_sec < then.tv_sec ||
				(st.st_mtim.tv_sec == then.tv_sec && st.st_mtim.tv_nsec < then.tv_nsec);
		if (is_older) {
			memcpy(oldest, de->d_name, strlen(de->d_name) + 1);
			then = st.st_mtim;
		}
		n++;
	}
	closedir(d);
	if (n >= FILES_MAX)
		unlinkat(dir, oldest, 0);
}

static int open_dir(int root)
{
	if (mkdirat(root, CACHE_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd_auto int dir = openat(root, CACHE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (dir < 0 || fstat(dir, &st) < 0)
		return -errno;
	return is_own(&st, S_IFDIR) ? fd_take(&dir) : -EPERM;
}

int seccomp_cache_keep(int root, const struct seccomp_key *key, const struct seccomp_filter *f)
{
	if (key->len > KEY_MAX)
		return -EFBIG;
	fd_auto int dir = open_dir(root);
	if (dir < 0)
		return dir;
	evict(dir);
	static const unsigned char pad[8];
	struct head h = { .key_len = (uint32_t)key->len, .count = f->length, .sum = sum_of(key, f->code, f->length) };
	memcpy(h.magic, magic, sizeof(magic));
	size_t code_len = f->length * sizeof(*f->code);
	const struct iovec io[] = {
		{ &h, sizeof(h) },
		{ (void *)(uintptr_t)key->bytes, key->len },
		{ (void *)(uintptr_t)pad, padded(key->len) - key->len },
		{ (void *)(uintptr_t)f->code, code_len },
	};
	char name[NAME_ROOM], tmp[NAME_ROOM + 16];
	name_of(key, name);
	/* Whoever has the same name for another file, in another pid namespace, keeps it. */
	snprintf(tmp, sizeof(tmp), ".%s.%d", name, (int)getpid());
	fd_auto int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ssize_t n = writev(fd, io, ARRAY_LEN(io));
	int r = n < 0 ? -errno : (size_t)n == sizeof(h) + padded(key->len) + code_len ? 0 : -EIO;
	if (r == 0 && renameat(dir, tmp, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, tmp, 0);
	return r;
}
