/* SPDX-License-Identifier: Apache-2.0 */
/* See change.h. Source: Docker's "docker import --change", Dockerfile reference. */
#include "image/change.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"

/* The object or array under a key, made when it is not there. */
static json_t *member(json_t *process, const char *key, json_t *(*make)(void))
{
	json_t *m = json_object_get(process, key);
	if (!m) {
		m = make();
		json_object_set_new(process, key, m);
	}
	return m;
}

/* CMD and ENTRYPOINT: a JSON list is the argument vector, other text is for a shell. */
static int set_argv(json_t *process, const char *key, const char *text, struct err *e)
{
	json_t *argv;
	if (*text == '[') {
		argv = json_loads(text, 0, NULL);
		size_t i;
		json_t *word;
		json_array_foreach(argv, i, word) if (!json_is_string(word))
		{
			json_decref(argv);
			argv = NULL;
			break;
		}
		if (!argv)
			return err_new(e, EINVAL, "not a JSON list of strings: %.200s", text);
	} else {
		argv = json_pack("[s, s, s]", "/bin/sh", "-c", text);
	}
	json_object_set_new(process, key, argv);
	return 0;
}

/* "K=V" or, as Dockerfiles once had it, "K V". */
static int split_pair(const char *text, char **ret_key, const char **ret_value, struct err *e)
{
	size_t len = strcspn(text, "= ");
	if (len == 0 || !text[len])
		return err_new(e, EINVAL, "not KEY=VALUE: %.200s", text);
	*ret_key = mem_fmt("%.*s", (int)len, text);
	*ret_value = text + len + 1;
	return 0;
}

static int add_env(json_t *process, const char *key, const char *text, struct err *e)
{
	free_auto char *name = NULL;
	const char *value = NULL;
	int r = split_pair(text, &name, &value, e);
	if (r < 0 || !name)
		return r;
	json_t *env = member(process, key, json_array);
	size_t len = strlen(name);
	for (size_t i = json_array_size(env); i-- > 0;) {
		const char *has = json_string_value(json_array_get(env, i));
		if (has && strncmp(has, name, len) == 0 && has[len] == '=')
			json_array_remove(env, i);
	}
	free_auto char *pair = mem_fmt("%s=%s", name, value);
	json_array_append_new(env, json_string(pair));
	return 0;
}

static int add_label(json_t *process, const char *key, const char *text, struct err *e)
{
	free_auto char *name = NULL;
	const char *value = NULL;
	int r = split_pair(text, &name, &value, e);
	if (r == 0)
		json_object_set_new(member(process, key, json_object), name, json_string(value));
	return r;
}

static int set_text(json_t *process, const char *key, const char *text, struct err *e)
{
	(void)e;
	json_object_set_new(process, key, json_string(text));
	return 0;
}

static int add_key(json_t *process, const char *key, const char *text, struct err *e)
{
	(void)e;
	json_object_set_new(member(process, key, json_object), text, json_object());
	return 0;
}

static int add_port(json_t *process, const char *key, const char *text, struct err *e)
{
	free_auto char *port = strchr(text, '/') ? mem_str(text) : mem_fmt("%s/tcp", text);
	return add_key(process, key, port, e);
}

static const struct {
	const char *word;
	const char *key;
	int (*apply)(json_t *process, const char *key, const char *text, struct err *e);
} words[] = {
	{ "CMD", "Cmd", set_argv },
	{ "ENTRYPOINT", "Entrypoint", set_argv },
	{ "ENV", "Env", add_env },
	{ "EXPOSE", "ExposedPorts", add_port },
	{ "LABEL", "Labels", add_label },
	{ "STOPSIGNAL", "StopSignal", set_text },
	{ "USER", "User", set_text },
	{ "VOLUME", "Volumes", add_key },
	{ "WORKDIR", "WorkingDir", set_text },
};

int change_apply(json_t *process, const char *line, struct err *e)
{
	size_t len = strcspn(line, " \t");
	const char *text = line + len + strspn(line + len, " \t");
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].word) != len || strncasecmp(words[i].word, line, len) != 0)
			continue;
		if (!*text)
			return err_new(e, EINVAL, "change \"%.200s\": has no value", line);
		int r = words[i].apply(process, words[i].key, text, e);
		return r < 0 ? err_at(e, r, "change %s", words[i].word) : 0;
	}
	return err_new(e, EINVAL,
		       "change \"%.200s\": not one of CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME "
		       "WORKDIR",
		       line);
}
