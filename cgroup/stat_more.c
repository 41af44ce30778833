/* SPDX-License-Identifier: Apache-2.0 */
/* See stat_more.h. */
#include "cgroup/stat_more.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/attr.h"
#include "util/fd.h"
#include "util/mem.h"

enum { TEXT_MAX = 16384, SIZES_MAX = 16 };

/* ---- pressure ---- */

static bool parse_line(const char *line, struct stat_pressure_line *ret)
{
	static const struct {
		const char *key;
		size_t at;
	} averages[] = {
		{ " avg10=", offsetof(struct stat_pressure_line, avg10) },
		{ " avg60=", offsetof(struct stat_pressure_line, avg60) },
		{ " avg300=", offsetof(struct stat_pressure_line, avg300) },
	};
	for (size_t i = 0; i < ARRAY_LEN(averages); i++) {
		const char *p = strstr(line, averages[i].key);
		if (!p)
			return false;
		*(double *)(void *)((char *)ret + averages[i].at) = strtod(p + strlen(averages[i].key), NULL);
	}
	const char *total = strstr(line, " total=");
	if (total)
		ret->total = strtoull(total + 7, NULL, 10);
	return total != NULL;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", then a line "full", which cpu.pressure did not always have. */
bool stat_pressure_parse(const char *text, struct stat_pressure *ret)
{
	struct stat_pressure p = { 0 };
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "some ", 5) == 0)
			p.has = parse_line(line, &p.some);
		else if (strncmp(line, "full ", 5) == 0)
			parse_line(line, &p.full);
	}
	*ret = p;
	return p.has;
}

static void read_pressure(int group_fd, const char *file, struct stat_pressure *ret)
{
	char text[512];
	if (attr_read(group_fd, file, text, sizeof(text)) >= 0)
		stat_pressure_parse(text, ret);
}

/* ---- huge pages ---- */

static void read_size(int group_fd, const char *size, struct arena *a, struct stat_hugetlb *ret)
{
	char file[96], text[256];
	*ret = (struct stat_hugetlb){ .size = arena_str(a, size) };
	/* What is reserved counts, where the kernel limits that (Linux 5.7); else what is in use. */
	snprintf(file, sizeof(file), "hugetlb.%s.rsvd.current", size);
	if (attr_u64(group_fd, file, &ret->usage) < 0) {
		snprintf(file, sizeof(file), "hugetlb.%s.current", size);
		attr_u64(group_fd, file, &ret->usage);
	}
	snprintf(file, sizeof(file), "hugetlb.%s.events", size);
	if (attr_read(group_fd, file, text, sizeof(text)) >= 0)
		attr_key(text, "max", &ret->failcnt);
}

/* The sizes are those of the files "hugetlb.SIZE.current". */
static void read_hugetlb(int group_fd, struct arena *a, struct cgroup_stat_more *m)
{
	int fd = openat(group_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		fd_close(fd);
		return;
	}
	m->hugetlb = arena_array(a, SIZES_MAX, sizeof(*m->hugetlb));
	for (struct dirent *de; m->hugetlb_count < SIZES_MAX && (de = readdir(d));) {
		const char *dot = strchr(de->d_name, '.');
		if (strncmp(de->d_name, "hugetlb.", 8) != 0)
			continue;
		char size[32];
		snprintf(size, sizeof(size), "%.*s", (int)strcspn(dot + 1, "."), dot + 1);
		if (strcmp(dot + 1 + strlen(size), ".current") == 0)
			read_size(group_fd, size, a, &m->hugetlb[m->hugetlb_count++]);
	}
	closedir(d);
}

/* ---- lists ---- */

static void read_raw(int group_fd, struct arena *a, struct cgroup_stat_more *m)
{
	char text[TEXT_MAX];
	size_t lines = 1;
	if (attr_read(group_fd, "memory.stat", text, sizeof(text)) < 0)
		return;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	m->raw = arena_array(a, lines, sizeof(*m->raw));
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');
		if (!blank)
			continue;
		m->raw[m->raw_count++] = (struct stat_pair){
			.key = arena_strn(a, line, (size_t)(blank - line)), .v = strtoull(blank + 1, NULL, 10),
		};
	}
}

static const char *read_list(int group_fd, const char *file, struct arena *a)
{
	char text[ATTR_MAX];
	return attr_read(group_fd, file, text, sizeof(text)) < 0 ? NULL : arena_str(a, text);
}

void cgroup_stat_more(int group_fd, struct arena *a, struct cgroup_stat_more *ret)
{
	struct cgroup_stat_more m = { 0 };
	read_pressure(group_fd, "cpu.pressure", &m.cpu);
	read_pressure(group_fd, "memory.pressure", &m.memory);
	read_pressure(group_fd, "io.pressure", &m.io);
	read_hugetlb(group_fd, a, &m);
	read_raw(group_fd, a, &m);
	m.cpus = read_list(group_fd, "cpuset.cpus.effective", a);
	m.mems = read_list(group_fd, "cpuset.mems.effective", a);
	*ret = m;
}
