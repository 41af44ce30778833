/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of cgroup v1, as config.json has them, to those of v2. Pure. Used by cgroup/limits.
 */
#pragma once
#include <stdint.h>

/*
 * cpu.shares (2 to 262144) to cpu.weight (1 to 10000) by the quadratic curve that maps 2, 1024 and 262144 to 1, 100 and
 * 10000: ceil(10^((l*l + 125*l) / 612 - 7/34)), l = log2(shares). Values outside are taken as the nearest end.
 * Computed without libm: that library is not worth its pages for one power.
 */
uint64_t convert_shares(uint64_t shares);

/* blkio.weight (10 to 1000) to io.weight (1 to 10000), linearly. */
uint64_t convert_io_weight(uint32_t weight);

/*
 * memory.swap of v1 counts memory and swap together, memory.swap.max only swap. `limit` is 0 when no memory limit is
 * given, -1 when it is "unlimited". Returns 0; -EINVAL: swap below limit; -EDOM: a swap limit needs a memory limit.
 */
int convert_swap(int64_t limit, int64_t swap, int64_t *ret_swap);
