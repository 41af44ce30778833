/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images out of an archive of `docker save`, as skopeo, podman and buildah write it too. The config's bytes
 * and the layer files stay as they are; an OCI manifest is made for them. Part of kist-image only.
 */
#pragma once
#include "image/oci.h"

bool docker_is(const struct source *src);
int docker_load(const struct source *src, struct ingest *in, const struct load_request *request,
		struct err *e);
