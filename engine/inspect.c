/* SPDX-License-Identifier: Apache-2.0 */
/* engine_inspect of list.h: Docker's keys where Docker has one, so that its templates work. */
#include <errno.h>

#include "engine/list.h"
#include "engine/look.h"
#include "image/store.h"
#include "util/fd.h"
#include "util/mem.h"

enum { CONFIG_MAX = 16 << 20 };

static void put_str(json_t *o, const char *key, const char *value)
{
	json_t *text = json_string(value ? value : "");

	json_object_set_new(o, key, text ? text : json_string(""));
}

static void put_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

static void put_int(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

static json_t *list_of(const struct strs *list, size_t from)
{
	json_t *array = json_array();

	for (size_t i = from; i < list->n; i++)
		json_array_append_new(array, json_string(list->v[i]));
	return array;
}

static json_t *labels_of(const struct pairs *labels)
{
	json_t *o = json_object();

	for (size_t i = 0; i < labels->n; i++)
		put_str(o, labels->v[i].key, labels->v[i].value);
	return o;
}

static json_t *state_of(const struct look *l)
{
	json_t *o = json_object();
	bool is_running = l->state == LOOK_RUNNING || l->state == LOOK_PAUSED;

	put_str(o, "Status", look_word(l->state));
	put_bool(o, "Running", is_running);
	put_bool(o, "Paused", l->state == LOOK_PAUSED);
	put_bool(o, "OOMKilled", l->ending.is_oom.v);
	put_bool(o, "Dead", l->state == LOOK_DEAD);
	put_int(o, "Pid", is_running ? l->pid : 0);
	put_int(o, "ExitCode", l->ending.exit_code.v);
	put_int(o, "Signal", l->ending.signal.v);
	put_str(o, "Error", l->ending.error);
	put_str(o, "StartedAt", l->ending.started);
	put_str(o, "FinishedAt", l->ending.finished);
	put_int(o, "LogDropped", (int64_t)l->ending.log_dropped.v);
	return o;
}

static json_t *config_of(const struct record *r, json_t *spec)
{
	json_t *o = json_object(), *process = json_object_get(spec, "process");
	json_t *hostname = json_object_get(spec, "hostname");

	json_object_set(o, "Env", json_object_get(process, "env"));
	json_object_set(o, "WorkingDir", json_object_get(process, "cwd"));
	if (hostname)
		json_object_set(o, "Hostname", hostname);
	json_object_set_new(o, "Cmd", list_of(&r->command, 0));
	put_str(o, "Image", r->image);
	put_bool(o, "Tty", r->is_terminal.v);
	put_bool(o, "OpenStdin", r->is_input.v);
	put_str(o, "StopSignal", r->stop_signal ? r->stop_signal : "SIGTERM");
	json_object_set_new(o, "Labels", labels_of(&r->labels));
	return o;
}

/* The configuration as it is kept; a container whose maker was killed may have none. */
static json_t *load_spec(const struct record_dir *d)
{
	free_auto char *text = NULL;
	size_t len;

	if (file_read(d->fd, "config.json", CONFIG_MAX, false, &text, &len) < 0)
		return json_object();
	json_t *spec = json_loadb(text, len, 0, NULL);
	return spec ? spec : json_object();
}

int engine_inspect(const struct engine *g, const char *name, json_t **ret_object, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct look l look_auto = { 0 };
	int r = store_open(g->store, false, &s, e);

	if (r == 0)
		r = record_open(&s, name, &d, e);
	if (r < 0)
		return r;
	fd_auto int root = state_open_root(g->state_root, true, e);
	if (root < 0)
		return root;
	look_at(root, &d, &l);
	json_t *spec = load_spec(&d), *o = json_object();
	free_auto char *log = mem_fmt("%s/containers/%s/log", s.path, name);
	put_str(o, "Id", name);
	put_str(o, "Name", name);
	put_str(o, "Created", l.record.created);
	put_str(o, "Image", l.record.image);
	put_str(o, "ImageDigest", l.record.digest);
	put_str(o, "Bundle", l.record.bundle);
	put_str(o, "Path", l.record.command.n ? l.record.command.v[0] : NULL);
	json_object_set_new(o, "Args", list_of(&l.record.command, 1));
	json_object_set_new(o, "State", state_of(&l));
	json_object_set_new(o, "Config", config_of(&l.record, spec));
	put_bool(o, "AutoRemove", l.record.is_rm.v);
	put_str(o, "LogPath", l.record.is_detached.v ? log : NULL);
	json_object_set(o, "Mounts", json_object_get(spec, "mounts"));
	json_object_set_new(o, "Spec", spec);
	*ret_object = o;
	return 0;
}
