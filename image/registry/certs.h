/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The own certificates for a host, as podman and Docker keep them: in DIR/HOST[:PORT]/ *.crt are CAs besides the
 * system's, NAME.cert with NAME.key is what we show. Part of kist-registry only. Source: containers-certs.d(5).
 */
#pragma once
#include "util/err.h"
#include "util/mem.h"

struct certs {
	struct str authorities; /* PEM; empty: the system's only */
	char *client;		/* file; NULL: none */
	char *key;
};

/*
 * Reads `dir` (--cert-dir, which must be there), or without it the first that is there of
 * ~/.config/containers/certs.d/HOST, /etc/containers/certs.d/HOST and /etc/docker/certs.d/HOST. The caller ends it by
 * certs_done.
 */
int certs_open(const char *dir, const char *host, struct certs *ret_certs, struct err *e);
void certs_done(struct certs *c);
