/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fast digests (XXH3 of xxHash) by which files are found. They protect nothing: whoever makes two contents of
 * one sum can do it, so what is found by them is compared. Pure.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t fastsum64(const void *bytes, size_t len);
void fastsum128(const void *bytes, size_t len, uint64_t ret_sum[static 2]);
