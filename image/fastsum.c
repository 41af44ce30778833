/* SPDX-License-Identifier: Apache-2.0 */
/* See fastsum.h. Inlined from xxHash's header, so that no library is loaded for two functions. */
#include "image/fastsum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t fastsum64(const void *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

void fastsum128(const void *bytes, size_t len, uint64_t ret_sum[static 2])
{
	XXH128_hash_t sum = XXH3_128bits(bytes, len);
	ret_sum[0] = sum.high64;
	ret_sum[1] = sum.low64;
}
