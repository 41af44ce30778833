/* SPDX-License-Identifier: Apache-2.0 */
/* See run_words.h. */
#include "cli/run_words.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"

struct strs words_strs(const struct opt_list *list)
{
	return (struct strs){ .v = list->items, .n = list->count };
}

static struct opt_i64 number(const struct opt_num *n)
{
	return (struct opt_i64){ .has = n->is_set, .v = n->is_set ? n->value : 0 };
}

static struct opt_bool yes_no(enum opt_tri t)
{
	return (struct opt_bool){ .has = t != OPT_UNSET, .v = t == OPT_YES };
}

static enum pull_when pull_when(const char *word)
{
	static const char *const words[] = {
		[PULL_MISSING] = "missing", [PULL_ALWAYS] = "always", [PULL_NEWER] = "newer", [PULL_NEVER] = "never",
	};

	for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i], word))
			return (enum pull_when)i;
	return PULL_MISSING;
}

static struct strs rest_of(int argc, char **argv, int from, struct arena *a)
{
	struct strs list = { .v = arena_array(a, (size_t)argc + 1, sizeof(*list.v)) };

	for (int i = from; i < argc; i++)
		list.v[list.n++] = argv[i];
	return list;
}

static void set_options(const struct run_options *o, struct compose_options *c)
{
	c->entrypoint = o->entrypoint;
	c->hostname = o->hostname;
	c->workdir = o->workdir;
	c->user = o->user;
	c->network = o->network;
	c->userns = o->userns;
	c->uid_maps = words_strs(&o->uid_maps);
	c->gid_maps = words_strs(&o->gid_maps);
	c->volumes = words_strs(&o->volumes);
	c->tmpfs = words_strs(&o->tmpfs);
	c->devices = words_strs(&o->devices);
	c->cap_add = words_strs(&o->cap_add);
	c->cap_drop = words_strs(&o->cap_drop);
	c->security = words_strs(&o->security);
	c->ulimits = words_strs(&o->ulimits);
	c->sysctls = words_strs(&o->sysctls);
	c->annotations = words_strs(&o->annotations);
	c->groups = words_strs(&o->group_add);
	c->terminal = yes_no(o->tty);
	c->read_only = yes_no(o->read_only);
	c->cpuset_cpus = o->cpuset_cpus;
	c->cpuset_mems = o->cpuset_mems;
	c->shm_bytes = number(&o->shm_bytes);
	c->memory_bytes = number(&o->memory_bytes);
	c->memory_swap_bytes = number(&o->memory_swap_bytes);
	c->memory_reservation_bytes = number(&o->memory_reservation_bytes);
	c->nano_cpus = number(&o->nano_cpus);
	c->cpu_shares = number(&o->cpu_shares);
	c->pids_limit = number(&o->pids_limit);
	c->blkio_weight = number(&o->blkio_weight);
}

static void set_labels(const struct run_options *o, struct arena *a, struct pairs *ret)
{
	ret->v = arena_array(a, o->labels.count, sizeof(*ret->v));
	for (size_t i = 0; i < o->labels.count; i++) {
		const char *word = o->labels.items[i], *equals = strchr(word, '=');
		ret->v[ret->n++] = (struct pair){
			.key = equals ? arena_strn(a, word, (size_t)(equals - word)) : word,
			.value = equals ? equals + 1 : "",
		};
	}
}

/* The options that pull has too, in its words. */
static struct strs pull_words(const struct run_options *o, struct arena *a)
{
	const struct {
		const char *name, *value;
	} given[] = {
		{ "platform", o->platform }, { "policy", o->policy }, { "authfile", o->remote.authfile },
		{ "creds", o->remote.creds }, { "cert-dir", o->remote.cert_dir }, { "quiet", o->quiet ? "true" : NULL },
		{ "tls-verify",
		  o->remote.tls_verify == OPT_UNSET ? NULL : o->remote.tls_verify == OPT_YES ? "true" : "false" },
	};
	struct strs words = { .v = arena_array(a, ARRAY_LEN(given), sizeof(*words.v)) };

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].value)
			words.v[words.n++] = arena_fmt(a, "--%s=%s", given[i].name, given[i].value);
	return words;
}

/* What only an image's container has cannot be asked of a bundle: its config.json says it. */
static int check_bundle(const struct run_options *o, int argc, bool is_oci, struct err *e)
{
	const struct {
		const char *name;
		bool is_given;
	} others[] = {
		{ "--config", o->config }, { "--pull", o->pull },
		{ "--platform", o->platform }, { "--quiet", o->quiet }, { "--policy", o->policy },
		{ "--authfile", o->remote.authfile }, { "--creds", o->remote.creds },
		{ "--cert-dir", o->remote.cert_dir }, { "--tls-verify", o->remote.tls_verify != OPT_UNSET },
		{ "--tty", o->tty != OPT_UNSET }, { "--env", o->env.count },
		{ "--env-file", o->env_files.count }, { "--workdir", o->workdir }, { "--user", o->user },
		{ "--group-add", o->group_add.count }, { "--entrypoint", o->entrypoint },
		{ "--volume", o->volumes.count }, { "--tmpfs", o->tmpfs.count }, { "--shm-size", o->shm_bytes.is_set },
		{ "--read-only", o->read_only != OPT_UNSET }, { "--hostname", o->hostname },
		{ "--network", o->network }, { "--userns", o->userns }, { "--uidmap", o->uid_maps.count },
		{ "--gidmap", o->gid_maps.count }, { "--annotation", o->annotations.count },
		{ "--memory", o->memory_bytes.is_set }, { "--memory-swap", o->memory_swap_bytes.is_set },
		{ "--memory-reservation", o->memory_reservation_bytes.is_set }, { "--cpus", o->nano_cpus.is_set },
		{ "--cpu-shares", o->cpu_shares.is_set }, { "--cpuset-cpus", o->cpuset_cpus },
		{ "--cpuset-mems", o->cpuset_mems }, { "--pids-limit", o->pids_limit.is_set },
		{ "--blkio-weight", o->blkio_weight.is_set }, { "--ulimit", o->ulimits.count },
		{ "--cap-add", o->cap_add.count }, { "--cap-drop", o->cap_drop.count },
		{ "--security-opt", o->security.count }, { "--device", o->devices.count },
		{ "--sysctl", o->sysctls.count },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i].is_given)
			return cmd_usage(e, "%s does not go with a bundle: its config.json says it", others[i].name);
	if (argc > 1 || (argc == 1 && o->name))
		return cmd_usage(e, "expected one ID, got more words");
	if (argc == 0 && !o->name)
		return cmd_usage(e, "expected an ID");
	if (!o->detach && !is_oci && (o->labels.count || o->cidfile))
		return cmd_usage(e, "--label and --cidfile go with a bundle only together with --detach");
	return 0;
}

static int check_container(const struct run_options *o, int argc, struct err *e)
{
	if (!o->config && argc == 0)
		return cmd_usage(e, "expected an image, --config FILE or --bundle DIR");
	if (o->keep)
		return cmd_usage(e, "--keep goes with --bundle only");
	if (o->oci.console_socket && !o->detach)
		return cmd_usage(e, "--console-socket goes with --bundle, or with --detach");
	return 0;
}

int run_words(const struct cli *cli, const struct run_options *o, int argc, char **argv, struct arena *a,
	      struct run_request *ret, struct err *e)
{
	bool is_oci = cli->face == FACE_OCI, is_bundle = is_oci || o->oci.bundle;
	const struct strs env = words_strs(&o->env), files = words_strs(&o->env_files);
	int r = is_bundle ? check_bundle(o, argc, is_oci, e) : check_container(o, argc, e);

	if (r < 0)
		return r;
	struct create_service service;
	r = cmd_service(&service, e);
	if (r < 0)
		return r;
	*ret = (struct run_request){
		.state_root = cli->global->root, .store = cli->global->store, .name = o->name,
		.config_file = o->config, .is_detached = o->detach, .is_rm = o->rm, .is_keep = o->keep,
		.is_oci = is_oci, .is_input = o->interactive || (is_bundle && !o->detach),
		.console_socket = o->oci.console_socket, .pidfd_socket = o->oci.pidfd_socket,
		.pid_file = o->oci.pid_file, .cidfile = o->cidfile,
		.preserve_fds = (unsigned)o->oci.preserve_fds.value, .is_no_pivot = o->oci.no_pivot,
		.is_no_keyring = o->oci.no_new_keyring, .cgroup_manager = cmd_cgroup_manager(cli),
		.service = service, .stop_signal = o->stop_signal, .stop_timeout_ms = number(&o->stop_timeout_ms),
		.log_max_bytes = number(&o->log_max_bytes), .log_max_files = number(&o->log_max_files),
	};
	if (is_bundle) {
		ret->bundle = o->oci.bundle ? o->oci.bundle : ".";
		ret->bundle_config = o->oci.config;
		ret->name = o->name ? o->name : argv[0];
		if (o->labels.count)
			set_labels(o, a, &ret->labels);
		return 0;
	}
	ret->image = o->config ? NULL : argv[0];
	ret->pull = pull_when(o->pull);
	ret->pull_words = pull_words(o, a);
	ret->platform = o->platform;
	ret->options.command = rest_of(argc, argv, o->config ? 0 : 1, a);
	set_options(o, &ret->options);
	set_labels(o, a, &ret->labels);
	return compose_env(&env, &files, a, &ret->options.env, e);
}
