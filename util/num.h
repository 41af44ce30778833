/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal numbers in texts of the kernel and of databases. In the place of sscanf(3), which
 * takes signs and blanks that nobody asked for, and whose overflow is undefined.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the digits at *p and moves past them. false, and nothing moved: no digit, or more than 64 bits. */
bool num_take(const char **p, uint64_t *ret);

/* Reads "7" or "0-3" at *p, of a list such as "0-3,7", and moves past it and its comma. false, and nothing moved: neither. */
bool num_range(const char **p, uint64_t *ret_first, uint64_t *ret_last);

/* Reads up to `count` numbers, each behind any of the characters of `between`. Returns how many there were. */
size_t num_list(const char *text, const char *between, uint64_t *ret, size_t count);
