/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts of names and servers. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/*
 * Copies what a server said for a message to people: in one line, without control characters that a terminal would
 * obey, cut to the room with "..." at its end.
 */
void text_clean(const char *text, char *out, size_t room);

/* Whether HOST or HOST:PORT is this machine: localhost, 127.x.y.z, [::1]. */
bool text_is_loopback(const char *host, size_t len);

/* Whether `text` begins with `prefix`, case and all; returns what follows, or NULL. */
const char *text_after(const char *text, const char *prefix);
