/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob of a registry as a layer job's feed: a thread gets it (registry_get_blob, which takes a broken transfer up
 * again) and writes it into a pipe, whose room is what waits between the network and the unpacker.
 */
#pragma once
#include <pthread.h>
#include "image/layerjob.h"
#include "image/registry/registry.h"

struct download {
	struct feed feed;
	struct flow flow;
	struct registry *registry;
	char digest[DIGEST_TEXT_MAX];
	uint64_t size_bytes;
	uint64_t passed; /* bytes that the job has taken */
	pthread_t thread;
	bool is_running;
	int reader, writer; /* the pipe's ends */
	uint8_t *buf;
	int result; /* of the thread: 0 or -errno with `err` */
	struct err err;
};

/* Prepares; nothing is got before the job opens the feed. `registry` is borrowed. */
void download_init(struct download *d, struct registry *registry, const char *digest, uint64_t size_bytes);
