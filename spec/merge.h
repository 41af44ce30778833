/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources changed in part: what an update says goes over what was there. Pure. Caller: runtime/update. */
#pragma once
#include "spec/spec.h"
#include "util/arena.h"

/*
 * Joins two resources objects by the rows of spec/fields.h. A key that `over` has wins; objects and maps are joined key
 * by key; lists of devices and of page sizes by what an entry is about; the list of device rules, whose order means
 * something, is taken whole. Both may be NULL. Parts of the result are shared with its sources.
 */
void spec_merge_resources(const struct spec_resources *base, const struct spec_resources *over, struct arena *a,
			  struct spec_resources *ret);
