/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the top level, mounts and hooks. Source: runtime-spec config.md. */
#include "spec/fields.h"

#include "spec/spec.h"

const struct jx_field spec_id_map_fields[] = {
	JX_U32(struct spec_id_map, container_id, "containerID", .must = true),
	JX_U32(struct spec_id_map, host_id, "hostID", .must = true),
	JX_U32(struct spec_id_map, size, "size", .must = true),
	JX_END,
};

static const struct jx_field root_fields[] = {
	JX_STR(struct spec_root, path, "path", .must = true),
	JX_BOOL(struct spec_root, readonly, "readonly"),
	JX_END,
};

static const struct jx_field mount_fields[] = {
	JX_STR(struct spec_mount, destination, "destination", .must = true),
	JX_STR(struct spec_mount, type, "type", .blank = true),
	JX_STR(struct spec_mount, source, "source", .blank = true),
	JX_STRS(struct spec_mount, options, "options"),
	JX_LIST(struct spec_mount, uid_mappings, "uidMappings", struct spec_id_map, spec_id_map_fields),
	JX_LIST(struct spec_mount, gid_mappings, "gidMappings", struct spec_id_map, spec_id_map_fields),
	JX_END,
};

static const struct jx_field hook_fields[] = {
	JX_STR(struct spec_hook, path, "path", .must = true),
	JX_STRS(struct spec_hook, args, "args"),
	JX_STRS(struct spec_hook, env, "env"),
	JX_I64(struct spec_hook, timeout, "timeout"),
	JX_END,
};

static const struct jx_field hooks_fields[] = {
	JX_LIST(struct spec_hooks, prestart, "prestart", struct spec_hook, hook_fields),
	JX_LIST(struct spec_hooks, create_runtime, "createRuntime", struct spec_hook, hook_fields),
	JX_LIST(struct spec_hooks, create_container, "createContainer", struct spec_hook, hook_fields),
	JX_LIST(struct spec_hooks, start_container, "startContainer", struct spec_hook, hook_fields),
	JX_LIST(struct spec_hooks, poststart, "poststart", struct spec_hook, hook_fields),
	JX_LIST(struct spec_hooks, poststop, "poststop", struct spec_hook, hook_fields),
	JX_END,
};

const struct jx_field spec_mounts_fields[] = {
	JX_LIST(struct spec, mounts, "mounts", struct spec_mount, mount_fields),
	JX_END,
};

const struct jx_field spec_fields[] = {
	JX_STR(struct spec, oci_version, "ociVersion", .must = true),
	JX_OBJ(struct spec, root, "root", struct spec_root, root_fields, .must = true),
	JX_LIST(struct spec, mounts, "mounts", struct spec_mount, mount_fields),
	JX_OBJ(struct spec, process, "process", struct spec_process, spec_process_fields),
	JX_STR(struct spec, hostname, "hostname", .blank = true),
	JX_STR(struct spec, domainname, "domainname", .blank = true),
	JX_OBJ(struct spec, hooks, "hooks", struct spec_hooks, hooks_fields),
	JX_PAIRS(struct spec, annotations, "annotations"),
	JX_OBJ(struct spec, linux_, "linux", struct spec_linux, spec_linux_fields),
	/* Other platforms' objects: allowed in any config (config.md "Platform-specific configuration"). */
	JX_SKIP("freebsd"),
	JX_SKIP("solaris"),
	JX_SKIP("vm"),
	JX_SKIP("windows"),
	JX_SKIP("zos"),
	JX_END,
};
