/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line said, as plain C: one struct per command, filled by cli/opt from the rows of
 * cli/words_*. A zeroed struct means that nothing was said. All strings are borrowed from argv and live as
 * long as the process.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number with its unit named by the member: bytes, ms, nano (1e-9), or a plain count. */
struct opt_num {
	int64_t value;
	bool is_set;
};

/* A yes or no that may also be absent, for what would change a value of the config. */
enum opt_tri { OPT_UNSET, OPT_NO, OPT_YES };

/* The values of an option that may be repeated, in order. The array is the process's for good. */
struct opt_list {
	const char **items;
	size_t count;
};

/* Before the command. */
struct global_options {
	const char *root;            /* state directory; never NULL once main has filled in the default */
	const char *store;           /* images and containers; never NULL either */
	const char *log;             /* --log FILE */
	const char *log_format;      /* NULL, "text" or "json" */
	const char *log_level;       /* NULL, "error", "warning", "info" or "debug" */
	const char *rootless;        /* NULL (as "auto"), "auto", "true" or "false" */
	const char *cgroup_manager;  /* NULL (as "cgroupfs"), "cgroupfs", "systemd" or "disabled" */
	bool debug;
	bool systemd_cgroup;         /* the same as cgroup_manager "systemd" */
	bool version;
	bool help;
};

/* For commands that have no options. */
struct no_options {
	char unused;
};

struct create_options {
	const char *bundle;          /* NULL: "." under the OCI face, an error under the other */
	const char *console_socket;
	const char *pidfd_socket;
	const char *pid_file;
	bool no_pivot;
	bool no_new_keyring;
	bool no_subreaper;           /* always so; accepted for callers */
	const char *config;          /* OCI face, and create: FILE instead of config.json of the bundle */
	struct opt_num preserve_fds; /* fds 3..3+N-1 go to the container */
};

/* How to reach a registry: of all verbs that do. */
struct remote_options {
	const char *authfile;
	const char *creds;           /* USER[:PASSWORD] */
	const char *cert_dir;
	enum opt_tri tls_verify;
	struct opt_num stall_ms;     /* silence after which a connection is given up */
};

/*
 * run, and plan: shape by `oci.bundle` or the OCI face (words: ID), `config` (words: COMMAND...), else an
 * image (words: IMAGE COMMAND...).
 */
struct run_options {
	struct create_options oci;
	const char *config;          /* --config FILE: merged over the image's config */
	const char *name;
	const char *pull;            /* NULL (as "missing"), "missing", "always", "newer" or "never" */
	struct remote_options remote; /* here and below: of the pull */
	const char *platform;        /* OS/ARCH[/VARIANT] */
	const char *policy;
	bool quiet;
	bool detach;
	bool rm;
	bool keep;                   /* OCI face: leave the state directory after exit */
	bool interactive;
	enum opt_tri tty;
	struct opt_list env;         /* K=V, or K: from kist's own environment */
	struct opt_list env_files;
	struct opt_list volumes;     /* [NAME|HOST:]DIR[:OPTIONS] */
	struct opt_list tmpfs;       /* DIR[:OPTIONS] */
	struct opt_list devices;     /* HOST[:DIR[:rwm]] */
	struct opt_list cap_add;
	struct opt_list cap_drop;
	struct opt_list security;    /* no-new-privileges[=BOOL], seccomp=FILE, seccomp=unconfined */
	struct opt_list ulimits;     /* NAME=SOFT[:HARD] */
	struct opt_list sysctls;     /* NAME=VALUE */
	struct opt_list labels;      /* K=V */
	struct opt_list annotations; /* K=V */
	struct opt_list group_add;   /* names or numbers */
	const char *workdir;
	const char *user;            /* NAME|UID[:GROUP|GID] */
	const char *hostname;
	const char *entrypoint;      /* one word; "" clears the image's */
	enum opt_tri read_only;
	const char *network;         /* NULL, "none" or "host" */
	const char *userns;          /* NULL, "host", "auto" or "auto:size=N" */
	struct opt_list uid_maps;    /* CONTAINER:HOST[:COUNT] */
	struct opt_list gid_maps;
	const char *stop_signal;
	struct opt_num stop_timeout_ms; /* -1: for ever */
	const char *cidfile;
	struct opt_num shm_bytes;
	struct opt_num memory_bytes;
	struct opt_num memory_swap_bytes;  /* memory and swap together, as Docker means it; -1: no limit */
	struct opt_num memory_reservation_bytes;
	struct opt_num nano_cpus;    /* --cpus 1.5 is 1500000000 */
	struct opt_num cpu_shares;
	const char *cpuset_cpus;
	const char *cpuset_mems;
	struct opt_num pids_limit;   /* -1: no limit */
	struct opt_num blkio_weight; /* 10..1000 */
	struct opt_num log_max_bytes;
	struct opt_num log_max_files;
};

/* exec ID COMMAND..., or exec --process FILE ID. */
struct exec_options {
	const char *process;         /* FILE with a process object of the runtime-spec */
	const char *console_socket;
	const char *pidfd_socket;
	const char *pid_file;
	bool detach;
	bool interactive;
	enum opt_tri tty;
	struct opt_list env;
	struct opt_list env_files;
	const char *cwd;
	const char *user;            /* UID[:GID]; names too for containers of an image */
	struct opt_list additional_gids;
	struct opt_list caps;
	enum opt_tri no_new_privs;
	const char *process_label;
	const char *apparmor;
	struct opt_num preserve_fds;
	const char *cgroup;          /* below the container's own */
	bool ignore_paused;
};

struct start_options {
	bool attach;
};

/* kill ID [SIGNAL], or kill -s SIGNAL ID... */
struct kill_options {
	const char *signal;          /* -s: then every word is an ID */
	bool all;                    /* every process of the cgroup */
	bool regex;                  /* the ID is an extended regular expression */
};

struct delete_options {
	bool force;
	bool regex;                  /* the ID is an extended regular expression */
};

struct list_options {
	const char *format;          /* NULL, "table", "json" or a template: for out_rows() */
	bool quiet;
};

/* ps: the engine's containers; ps ID [PS-OPTIONS...]: the processes of one. */
struct ps_options {
	bool all;
	bool quiet;
	const char *format;
};

struct spec_options {
	const char *bundle;          /* where config.json is written; NULL: "." */
	const char *check;           /* FILE to check instead */
	bool rootless;
};

struct update_options {
	const char *resources;       /* FILE with a resources object; "-": standard input. Then nothing else is given */
	struct opt_num memory_bytes; /* -1 here and below: no limit */
	struct opt_num memory_swap_bytes;
	struct opt_num memory_reservation_bytes;
	struct opt_num kernel_bytes;
	struct opt_num kernel_tcp_bytes;
	struct opt_num nano_cpus;
	struct opt_num cpu_shares;
	struct opt_num cpu_quota;
	struct opt_num cpu_period;
	struct opt_num cpu_burst;
	struct opt_num cpu_idle;
	struct opt_num cpu_rt_runtime;
	struct opt_num cpu_rt_period;
	const char *cpuset_cpus;
	const char *cpuset_mems;
	struct opt_num pids_limit;
	struct opt_num blkio_weight;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
};

struct events_options {
	bool stats;                  /* once */
	struct opt_num interval_ms;
};

struct stop_options {
	struct opt_num timeout_ms;   /* grace before KILL; -1: for ever */
	const char *signal;
};

/* What checkpoint and restore have in common. */
struct freeze_options {
	const char *image_path;      /* NULL: "checkpoint" */
	const char *work_path;       /* NULL: the image path */
	const char *cgroups;         /* NULL (as "soft"), "none", "props", "soft", "full", "strict" or "ignore" */
	const char *network_lock;    /* NULL, "iptables" or "nftables" */
	const char *empty_ns;        /* NULL or "network" */
	bool tcp_established;
	bool ext_unix_sk;
	bool shell_job;
	bool file_locks;
	bool auto_dedup;
	bool lazy_pages;
};

struct checkpoint_options {
	struct freeze_options image;
	const char *parent_path;
	const char *page_server;     /* ADDRESS:PORT */
	struct opt_num status_fd;
	bool leave_running;
	bool pre_dump;
	bool tcp_skip_in_flight;
	bool link_remap;
};

/* restore [-b DIR] ID, or restore NAME of a container with a record. */
struct restore_options {
	struct freeze_options image;
	const char *bundle;          /* NULL: a container's own record, else "." */
	const char *console_socket;
	const char *pid_file;
	const char *lsm_profile;
	const char *lsm_mount_context;
	bool detach;
	bool no_subreaper;           /* always so; accepted for callers */
	bool no_pivot;               /* refused: criu enters the root */
	bool tcp_close;
};

struct logs_options {
	bool follow;
	bool timestamps;
	struct opt_num tail;         /* lines; unset or -1: all */
	const char *since;           /* RFC 3339, or a duration such as 10m before now */
};

struct wait_options {
	bool exit;                   /* exit with the container's status too */
};

struct inspect_options {
	const char *format;          /* NULL, "json" or a template */
};

struct rm_options {
	bool force;
};

struct doctor_options {
	const char *format;          /* NULL, "table" or "json" */
};

/* image load [-i] PATH... */
struct image_load_options {
	const char *input;           /* -i FILE, as docker load */
	const char *name;            /* --name: instead of the name that the archive gives */
	const char *policy;          /* NULL: that of the user or of the host, if there is one */
	struct opt_num max_bytes;    /* --max-size of an unpacked layer */
	struct opt_num max_entries;
	bool quiet;
	bool verbose;                /* progress also where standard error is no terminal */
};

/* image import SOURCE [NAME] */
struct image_import_options {
	struct opt_list changes;     /* --change: lines of a Dockerfile */
	const char *message;
	const char *policy;
	struct opt_num max_bytes;
	struct opt_num max_entries;
	bool quiet;
	bool verbose;
};

struct image_unpack_options {
	const char *policy;
};

/* image pull NAME... */
struct image_pull_options {
	struct remote_options remote;
	const char *platform;        /* OS/ARCH[/VARIANT] */
	const char *arch, *os, *variant; /* the same in three */
	const char *policy;
	struct opt_num max_bytes;
	struct opt_num max_entries;
	bool all_tags;
	bool quiet;
};

/* image push IMAGE [DESTINATION] */
struct image_push_options {
	struct remote_options remote;
	const char *digestfile;
	bool remove_signatures;
	bool quiet;
};

/* image convert IMAGE [NEW-NAME] */
struct image_convert_options {
	bool drop_layers;
	bool quiet;
};

/* pack IMAGE -o FILE */
struct image_pack_options {
	const char *output;
	const char *compress;        /* NULL (as "none"), "none" or "zstd" */
	struct opt_list changes;     /* --change: lines of a Dockerfile */
	bool quiet;
};

struct image_ls_options {
	const char *format;
	struct opt_list filters;     /* --filter KEY=VALUE */
	const char *sort;            /* NULL (as "created"), or the name of a field: see image_ls.c */
	bool no_heading;
	bool all;                    /* what other tools keep in the index, too */
	bool digests;
	bool no_trunc;
	bool quiet;
};

struct image_inspect_options {
	const char *format;
};

struct image_rm_options {
	bool force;
	bool all;
	bool ignore;                 /* no such image is success */
};

struct image_prune_options {
	bool all;                    /* images with names too, if no container is made from them */
	bool force;                  /* does not ask */
	struct opt_list filters;     /* --filter KEY=VALUE */
};

/* prune, of containers */
struct prune_options {
	bool force;                  /* does not ask */
};

struct system_prune_options {
	bool all;                    /* images with names too, if no container is made from them */
	bool force;                  /* does not ask */
	bool volumes;
};

/* What kist hands to kist-image for system prune, when containers are gone. */
struct prune_rest_options {
	bool all;
	bool volumes;
	struct opt_num freed;        /* bytes that the disk has got back already */
};

struct image_history_options {
	const char *format;
	bool quiet;
	bool no_trunc;
	enum opt_tri human;          /* unset is yes */
};

/* image save [-o FILE] IMAGE... */
struct image_save_options {
	const char *output;          /* NULL: standard output */
	const char *format;          /* NULL: docker-archive */
	bool multi;                  /* several images, which they may be without it */
	bool remove_signatures;
	bool quiet;
};

struct image_tree_options {
	const char *format;          /* table or json */
};

struct image_check_options {
	bool repair;
	bool quick;                  /* --quick: sizes and places only */
	bool quiet;                  /* -q: no summary */
};

struct system_df_options {
	const char *format;
	bool verbose;
};

/* commit ID [NAME] */
struct commit_options {
	const char *author;
	const char *message;
	struct opt_list changes;     /* --change: lines of a Dockerfile */
	enum opt_tri pause;          /* unset is yes, where it can be done */
	const char *iidfile;
	bool quiet;
};

struct diff_options {
	const char *format;          /* NULL, "lines" or "json" */
};

struct export_options {
	const char *output;          /* NULL: standard output */
};

/* What kist hands to kist-image for commit, diff and export: descriptors, and what it knows of the container. */
struct files_options {
	struct opt_num upper;        /* the container's upper directory */
	struct opt_num lower;        /* its image's tree; unset: none */
	struct opt_num view;         /* its whole tree */
	struct opt_list mounts;      /* destinations */
	bool live;                   /* processes may change it meanwhile */
	const char *digest;          /* of its image's manifest */
	const char *created_by;
	const char *author;
	const char *message;
	struct opt_list changes;
	const char *iidfile;
	bool quiet;
	const char *format;
	const char *output;
};

/* image sign --key FILE IMAGE..., or --generate-key PREFIX */
struct image_sign_options {
	const char *key;
	const char *passphrase_file;
	const char *identity;        /* NULL: the image's name */
	struct opt_list annotations; /* KEY=VALUE, signed too */
	const char *generate_key;    /* prefix of the two files */
};

/* image verify --key FILE|--policy FILE IMAGE */
struct image_verify_options {
	const char *key;
	const char *policy;
	const char *identity;
	struct opt_list annotations; /* must have been signed */
};

/* login [REGISTRY] */
struct login_options {
	const char *user;
	const char *password;
	bool password_stdin;
	bool get_login;              /* print the user and do nothing else */
	const char *authfile;
	const char *cert_dir;
	enum opt_tri tls_verify;
};

/* logout [REGISTRY] */
struct logout_options {
	const char *authfile;
	bool all;
};

/* image mount [IMAGE [DIR]] */
struct image_mount_options {
	const char *format;          /* of the list */
};

struct image_unmount_options {
	bool all;
	bool force;                  /* whatever the count, and though it is in use */
};
