/* SPDX-License-Identifier: Apache-2.0 */
/* See unit.h. */
#include "cgroup/systemd/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/systemd/props.h"
#include "util/clock.h"
#include "util/mem.h"

#define DESTINATION "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

/* What a job may take: a slice that is started may wait for others. */
enum { JOB_S = 60 };

/* ---- the bus ---- */

/* systemd's own socket, which is there without a bus too. */
static int connect_private(sd_bus **ret, bool is_user)
{
	const char *dir = is_user ? getenv("XDG_RUNTIME_DIR") : "/run";
	sd_bus *bus = NULL;
	if (!dir || *dir != '/')
		return -ENOENT;
	free_auto char *address = mem_fmt("unix:path=%s/systemd/private", dir);
	int r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		sd_bus_unref(bus);
	else
		*ret = bus;
	return r;
}

int unit_connect(struct unit *u, bool is_user, struct err *e)
{
	int r = is_user ? sd_bus_open_user(&u->bus) : sd_bus_open_system(&u->bus);
	if (r < 0 && connect_private(&u->bus, is_user) >= 0)
		return 0;
	if (r >= 0)
		return 0;
	if (is_user)
		return err_new(e, -r, "the user's bus (DBUS_SESSION_BUS_ADDRESS, or bus in XDG_RUNTIME_DIR): %s; is there a "
			       "systemd user session?", strerror(-r));
	return err_new(e, -r, "the system's bus (/run/dbus/system_bus_socket): %s; is this host run by systemd?", strerror(-r));
}

static int explain(int r, const char *what, const sd_bus_error *error, struct err *e)
{
	return error->message ? err_new(e, r == -EEXIST ? EEXIST : -r, "%s: %s", what, error->message)
			      : err_ret(e, r, "%s", what);
}

/* ---- jobs ---- */

struct job {
	char path[128];
	char result[32];       /* "" until it has ended */
	bool has_ended;
};

static int on_job_removed(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct job *j = ctx;
	const char *path, *unit, *result;
	uint32_t id;
	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0 || strcmp(path, j->path) != 0)
		return 0;
	snprintf(j->result, sizeof(j->result), "%s", result);
	j->has_ended = true;
	return 0;
}

/* Asks for the signals. Before the call, so that none is missed. */
static int watch_jobs(struct unit *u, struct job *j, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_match_signal(u->bus, NULL, NULL, PATH, MANAGER, "JobRemoved", on_job_removed, j);
	if (r < 0)
		return err_ret(e, r, "JobRemoved");
	/* On systemd's own socket all signals come anyway. */
	sd_bus_call_method(u->bus, DESTINATION, PATH, MANAGER, "Subscribe", &error, NULL, NULL);
	sd_bus_error_free(&error);
	return 0;
}

static int wait_job(struct unit *u, struct job *j, sd_bus_message *reply, struct err *e)
{
	const char *path;
	int r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return err_ret(e, r, "answer of systemd");
	snprintf(j->path, sizeof(j->path), "%s", path);
	/* By the clock: others' jobs wake us too. */
	for (int64_t end_ms = clock_ms() + JOB_S * 1000; !j->has_ended;) {
		int64_t left_ms = end_ms - clock_ms();
		r = sd_bus_process(u->bus, NULL);
		if (r == 0 && left_ms <= 0)
			return err_new(e, ETIMEDOUT, "systemd's job has not ended after %d s", JOB_S);
		if (r == 0)
			r = sd_bus_wait(u->bus, (uint64_t)left_ms * 1000);
		if (r < 0 && r != -EINTR)
			return err_ret(e, r, "wait for systemd's job");
	}
	return strcmp(j->result, "done") == 0 ? 0 : err_new(e, EIO, "systemd's job ended with \"%s\"", j->result);
}

/* ---- start ---- */

static int append_own(sd_bus_message *m, const struct unit *u, const char *slice, uint32_t pid)
{
	static const char *const accounts[] = { "CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting" };
	int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s", u->mark, "Slice", "s", slice, "Delegate",
				      "b", 1, "PIDs", "au", 1, pid);
	if (r >= 0 && !props_have(u->words, u->count, "DefaultDependencies"))
		r = sd_bus_message_append(m, "(sv)", "DefaultDependencies", "b", 0);
	if (r >= 0 && !props_have(u->words, u->count, "CollectMode"))
		r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]) && r >= 0; i++)
		if (!props_have(u->words, u->count, accounts[i]))
			r = sd_bus_message_append(m, "(sv)", accounts[i], "b", 1);
	return r;
}

static int call_start(struct unit *u, const char *slice, uint32_t pid, sd_bus_error *error, sd_bus_message **ret_reply,
		      struct err *e)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(u->bus, &m, DESTINATION, PATH, MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", u->name, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = append_own(m, u, slice, pid);
	int told = r < 0 ? err_ret(e, r, "message") : props_append(m, u->words, u->count, e);
	if (told == 0) {
		r = sd_bus_message_close_container(m);
		if (r >= 0)
			r = sd_bus_message_append(m, "a(sa(sv))", 0);
		if (r >= 0)
			r = sd_bus_call(u->bus, m, 0, error, ret_reply);
		told = r < 0 ? explain(r, "StartTransientUnit", error, e) : 0;
	}
	sd_bus_message_unref(m);
	return told;
}

static void reset_failed(struct unit *u)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_call_method(u->bus, DESTINATION, PATH, MANAGER, "ResetFailedUnit", &error, NULL, "s", u->name);
	sd_bus_error_free(&error);
}

static int get_text(struct unit *u, const char *interface, const char *property, char *ret, size_t size, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *path = NULL, *value = NULL;
	int r = sd_bus_path_encode(PATH "/unit", u->name, &path);
	if (r >= 0)
		r = sd_bus_get_property_string(u->bus, DESTINATION, path, interface, property, &error, &value);
	int told = r < 0 ? explain(r, property, &error, e) : 0;
	if (told == 0)
		snprintf(ret, size, "%s", value);
	free(path);
	free(value);
	sd_bus_error_free(&error);
	return told;
}

int unit_start(struct unit *u, const char *slice, uint32_t pid, char ret_group[static PATH_MAX], struct err *e)
{
	struct job job = { 0 };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = watch_jobs(u, &job, e);
	if (r == 0)
		r = call_start(u, slice, pid, &error, &reply, e);
	/* A scope of that name that has failed stays in systemd's memory, though nothing runs in it. */
	if (r == -EEXIST) {
		sd_bus_error_free(&error);
		reset_failed(u);
		r = call_start(u, slice, pid, &error, &reply, e);
	}
	if (r == 0)
		r = wait_job(u, &job, reply, e);
	if (r == 0)
		r = get_text(u, DESTINATION ".Scope", "ControlGroup", ret_group, PATH_MAX, e);
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return r;
}

/* ---- stop ---- */

/* Units that systemd does not know have empty properties: they are made up when they are asked for. */
static int is_ours(struct unit *u, struct err *e)
{
	char state[64], description[512];
	int r = get_text(u, DESTINATION ".Unit", "LoadState", state, sizeof(state), e);
	if (r == 0 && strcmp(state, "not-found") == 0)
		return 0;
	if (r == 0)
		r = get_text(u, DESTINATION ".Unit", "Description", description, sizeof(description), e);
	return r < 0 ? r : strcmp(description, u->mark) == 0;
}

int unit_stop(struct unit *u, struct err *e)
{
	struct job job = { 0 };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = is_ours(u, e);
	if (r <= 0)
		return r;
	r = watch_jobs(u, &job, e);
	if (r < 0)
		return r;
	int called = sd_bus_call_method(u->bus, DESTINATION, PATH, MANAGER, "StopUnit", &error, &reply, "ss", u->name,
					"replace");
	/* It has ended by itself meanwhile. */
	if (called < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		r = 0;
	else if (called < 0)
		r = explain(called, "StopUnit", &error, e);
	else
		r = wait_job(u, &job, reply, e);
	reset_failed(u);
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return r;
}

/* ---- set ---- */

int unit_set(struct unit *u, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(u->bus, &m, DESTINATION, PATH, MANAGER, "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", u->name, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	int told = r < 0 ? err_ret(e, r, "message") : props_append(m, u->words, u->count, e);
	if (told == 0) {
		r = sd_bus_message_close_container(m);
		if (r >= 0)
			r = sd_bus_call(u->bus, m, 0, &error, NULL);
		told = r < 0 ? explain(r, "SetUnitProperties", &error, e) : 0;
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	return told;
}
