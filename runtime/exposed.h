/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers for which the launcher is not enough (launcher.h): somebody in them can look at a process that is still
 * kist's, and could write to kist's file later (CVE-2019-5736). For these kist runs from a read-only mount.
 */
#pragma once
#include <stdbool.h>

#include "spec/spec.h"
#include "util/err.h"

/*
 * Whether processes of a container could write to kist's own file, had they a way to it. Not, when it is another's
 * whose id their user namespace does not have.
 */
bool exposed_is_writable(const struct spec *spec);

/*
 * Whether such a process sees one of kist's: the pid namespace has others in it, startContainer hooks run beside the
 * one that waits for them, or kist executes the program without the launcher; and could write to the file.
 */
bool exposed_is(const struct spec *spec);

/* Where exposed_is() says so, executes kist again from a read-only mount: launcher_seal_self() with all that it asks.
 */
int exposed_seal(const struct spec *spec, struct err *e);
