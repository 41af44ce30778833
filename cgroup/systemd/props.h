/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of a unit, from words "NAME=TYPE:VALUE" (cgroup/scope.h) into a message of D-Bus. */
#pragma once
#include <systemd/sd-bus.h>

#include "util/err.h"

/* Appends the words as "(sv)" members of the array that is open in the message. -EINVAL with the property's name. */
int props_append(sd_bus_message *m, char *const *words, size_t n, struct err *e);

/* Whether the words name a property. */
bool props_have(char *const *words, size_t n, const char *name);
