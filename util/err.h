/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failure's account: one flat value that gains words on its way out.
 *
 * Floors: util returns 0 or -errno and stays silent; modules take `struct err *e` last and say what they did with
 * which object; cli prints the whole chain once. The value holds no pointers, so it crosses a fork in one write.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { ERR_TEXT_MAX = 1000 };

struct err {
	int num;                  /* errno of the cause, positive; 0: nothing failed */
	int exit;                 /* exit status that the cause asks for (126, 127); 0: the command's default */
	char text[ERR_TEXT_MAX];  /* "object: what was wrong", lower case, no full stop */
};

/* Starts a chain with a rule that was broken. Returns -num. */
int err_new(struct err *e, int num, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Starts a chain with errno and its words (strerror(3)): "format: Operation not permitted". Returns -errno. */
int err_sys(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As err_sys, for a callee that returned -errno: `r` is negative. Returns r. */
int err_ret(struct err *e, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts words before the chain: "format: <chain>". Returns r, which is what the callee returned. */
int err_at(struct err *e, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Empties the chain, for a caller that has dealt with the failure. */
void err_clear(struct err *e);
