/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sysctls a container may set: those that belong to a namespace it names (see check.h). That a joined
 * namespace is not the host's own can be seen only at run time. Sources: runtime-spec config-linux.md
 * "Sysctl", ipc_namespaces(7), uts_namespaces(7), sysctl.d(5) for the two spellings.
 */
#include <limits.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "spec/verdict.h"
#include "spec/words.h"

static const struct rule {
	const char *key;    /* with '/'; ends in '/': all below */
	int kind;
} rules[] = {
	{ "fs/mqueue/", CLONE_NEWIPC },
	{ "kernel/auto_msgmni", CLONE_NEWIPC },
	{ "kernel/domainname", CLONE_NEWUTS },
	{ "kernel/msg_next_id", CLONE_NEWIPC },
	{ "kernel/msgmax", CLONE_NEWIPC },
	{ "kernel/msgmnb", CLONE_NEWIPC },
	{ "kernel/msgmni", CLONE_NEWIPC },
	{ "kernel/sem", CLONE_NEWIPC },
	{ "kernel/sem_next_id", CLONE_NEWIPC },
	{ "kernel/shm_next_id", CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel/shmall", CLONE_NEWIPC },
	{ "kernel/shmmax", CLONE_NEWIPC },
	{ "kernel/shmmni", CLONE_NEWIPC },
	{ "net/", CLONE_NEWNET },
	{ "user/", CLONE_NEWUSER },
};

/*
 * The key as a path: the first separator decides which of '.' and '/' separates; with '.', a '/' stands for
 * a dot in a name (net.ipv4.conf.eth0/100.forwarding).
 */
static void to_path(const char *key, char *path, size_t size)
{
	const char *first = strpbrk(key, "./");
	snprintf(path, size, "%s", key);
	if (!first || *first == '/')
		return;
	for (char *p = path; *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static bool is_clean(const char *path)
{
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && !strncmp(p, "..", 2)))
			return false;
		p += len;
		if (!*p)
			return true;
	}
}

static const struct rule *find_rule(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t len = strlen(rules[i].key);
		bool is_below = rules[i].key[len - 1] == '/';
		if (is_below ? !strncmp(path, rules[i].key, len) : !strcmp(path, rules[i].key))
			return &rules[i];
	}
	return NULL;
}

static void check_one(struct verdict *v, const struct spec *s, const struct pair *sysctl)
{
	char path[PATH_MAX];
	struct quoted q;
	const char *key = quote(&q, sysctl->key);
	to_path(sysctl->key, path, sizeof(path));
	const struct rule *rule = find_rule(path);
	if (!is_clean(path))
		breach(v, "linux.sysctl[%s]: expected a name such as net.ipv4.ip_forward", key);
	else if (!strcmp(path, "kernel/hostname"))
		breach(v, "linux.sysctl[%s]: the key hostname sets this", key);
	else if (!strcmp(path, "kernel/domainname") && s->domainname)
		breach(v, "linux.sysctl[%s]: domainname sets this too", key);
	else if (!rule)
		breach(v, "linux.sysctl[%s]: belongs to no namespace, so it would change the host", key);
	else if (!spec_namespace_find(s, rule->kind))
		breach(v, "linux.sysctl[%s]: needs a namespace of type %s", key,
		       jx_word_name(spec_namespace_words, rule->kind));
	if (strpbrk(sysctl->value, "\n\r"))
		breach(v, "linux.sysctl[%s]: the value has more than one line", key);
}

void check_sysctl(struct verdict *v, const struct spec *s)
{
	for (size_t i = 0; i < s->linux_->sysctl.n; i++)
		check_one(v, s, &s->linux_->sysctl.v[i]);
}
