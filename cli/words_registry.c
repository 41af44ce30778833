/* SPDX-License-Identifier: Apache-2.0 */
/* The words of kist-registry that are no group's: login and logout. Those of pull and push are in image_words.c. */
#include "cli/words.h"

/* clang-format off */
#define L struct login_options
static const struct opt login_opts[] = {
	{ OPT_STR_AT(L, user), .name = "username", .letter = 'u', .arg = "USER",
	  .help = "whom to log in (default: asked for on the terminal)" },
	{ OPT_STR_AT(L, password), .name = "password", .letter = 'p', .arg = "PASSWORD",
	  .help = "the password; others can see it in the list of processes" },
	{ OPT_FLAG_AT(L, password_stdin), .name = "password-stdin",
	  .help = "read the password from standard input" },
	{ OPT_FLAG_AT(L, get_login), .name = "get-login",
	  .help = "print the user who is logged in, and do nothing else" },
	{ OPT_STR_AT(L, authfile), .name = "authfile", .arg = "FILE",
	  .help = "keep the credentials in FILE (default $REGISTRY_AUTH_FILE, else $XDG_RUNTIME_DIR/containers/auth.json, "
		  "or /run/containers/UID/auth.json)" },
	{ OPT_STR_AT(L, cert_dir), .name = "cert-dir", .arg = "DIR",
	  .help = "directory with the registry's CA (*.crt) and our certificate (*.cert, *.key)" },
	{ OPT_TRI_AT(L, tls_verify), .name = "tls-verify",
	  .help = "false: take any certificate, and plain HTTP where there is no TLS (default true, or as "
		  "registries.conf says)" },
};

static const struct command_example login_examples[] = {
	{ "kist login registry.example.com", "asks for user and password on the terminal" },
	{ "kist login -u ann --password-stdin quay.io <password", "for scripts" },
};

static const struct command_text login_text = {
	.usage = "[OPTIONS] [REGISTRY]",
	.about =
		"Tries a user and a password at a registry, HOST[:PORT], or for one part of it, HOST[:PORT]/PATH, and keeps "
		"them if it takes them: in the file that podman, skopeo and buildah read too, or with the credential "
		"helper that this file names. Without a registry, the first that short names are looked for at, else docker.io. "
		"Without -u and -p, credentials that are kept already are tried first.",
	WORDS_EXAMPLES(login_examples),
};

#define O struct logout_options
static const struct opt logout_opts[] = {
	{ OPT_FLAG_AT(O, all), .name = "all", .letter = 'a', .help = "forget all credentials in the file" },
	{ OPT_STR_AT(O, authfile), .name = "authfile", .arg = "FILE",
	  .help = "the file with the credentials (default: as that of login)" },
};

static const struct command_example logout_examples[] = {
	{ "kist logout registry.example.com", "forget what login has kept" },
};

static const struct command_text logout_text = {
	.usage = "[OPTIONS] [REGISTRY]",
	.about =
		"Removes the credentials of a registry from the file that login writes, or from the credential helper that "
		"this file names. Credentials in other files, such as Docker's, stay.",
	WORDS_EXAMPLES(logout_examples),
};

static const struct command commands[] = {
	{ "login", "", FACE_KIST, STATUS_PLAIN, 0, 1, .is_forwarded = true, .is_remote = true, WORDS_OPTS(login_opts),
	  .summary = "keep credentials for a registry", .text = &login_text },
	{ "logout", "", FACE_KIST, STATUS_PLAIN, 0, 1, .is_forwarded = true, .is_remote = true, WORDS_OPTS(logout_opts),
	  .summary = "forget credentials for a registry", .text = &logout_text },
};
/* clang-format on */

const struct page words_registry = {
	.name = "registry", .group = "", .title = "Registries",
	.commands = commands, .count = ARRAY_LEN(commands),
};
