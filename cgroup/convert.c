/* SPDX-License-Identifier: Apache-2.0 */
/* See convert.h. */
#include "cgroup/convert.h"

#include <errno.h>

enum { SHARES_MIN = 2, SHARES_MAX = 262144, WEIGHT_MAX = 10000, FRACTION_BITS = 48 };

/* Binary logarithm, bit by bit: squaring a number in [1,2) doubles its logarithm. */
static double log2_of(uint64_t n)
{
	int whole = 63 - __builtin_clzll(n);
	double x = (double)n / (double)(1ULL << whole), sum = whole, bit = 0.5;
	for (int i = 0; i < FRACTION_BITS; i++, bit /= 2) {
		x *= x;
		if (x >= 2) {
			x /= 2;
			sum += bit;
		}
	}
	return sum;
}

uint64_t convert_shares(uint64_t shares)
{
	const double log2_10 = 3.321928094887362, close = 1e-12;
	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	double l = log2_of(shares);
	double wanted = ((l * l + 125 * l) / 612 - 7.0 / 34) * log2_10;
	/* The smallest weight whose logarithm reaches the one wanted. */
	uint64_t low = 1, high = WEIGHT_MAX;
	while (low < high) {
		uint64_t mid = (low + high) / 2;
		if (log2_of(mid) + close >= wanted)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

uint64_t convert_io_weight(uint32_t weight)
{
	return 1 + ((uint64_t)weight - 10) * 9999 / 990;
}

int convert_swap(int64_t limit, int64_t swap, int64_t *ret_swap)
{
	if (swap == -1 || (limit == -1 && swap == 0))
		*ret_swap = -1;
	else if (swap == 0)
		*ret_swap = 0;
	else if (limit <= 0)
		return -EDOM;
	else if (swap < limit)
		return -EINVAL;
	else
		*ret_swap = swap - limit;
	return 0;
}
