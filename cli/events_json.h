/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a container as JSON, one object per line, with runc's keys: engines parse them. Caller: cmd_events. */
#pragma once
#include "runtime/events.h"
#include "util/mem.h"

/* Appends an event as one line. */
void events_json(struct str *out, const struct event *ev);
