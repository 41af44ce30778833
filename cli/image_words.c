/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of `kist image`. kist only finds the row and executes kist-image, which parses by the same rows.
 */
#include "cli/words.h"

/* clang-format off */
#define POLICY_HELP "a policy of containers-policy.json(5), instead of the user's or the host's"

#define L struct image_load_options
static const struct opt load_opts[] = {
	{ OPT_STR_AT(L, input), .name = "input", .letter = 'i', .arg = "FILE",
	  .help = "archive to read, instead of a word" },
	{ OPT_STR_AT(L, name), .name = "name", .arg = "NAME",
	  .help = "name of the image, instead of the archive's" },
	{ OPT_STR_AT(L, policy), .name = "policy", .arg = "FILE", .help = POLICY_HELP },
	{ OPT_SIZE_AT(L, max_bytes), .name = "max-size", .arg = "SIZE",
	  .help = "refuse a layer that unpacks to more (default 16g)" },
	{ OPT_COUNT_AT(L, max_entries), .name = "max-entries", .arg = "NUMBER",
	  .help = "refuse a layer of more files and directories (default 4000000)" },
	{ OPT_FLAG_AT(L, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
	{ OPT_FLAG_AT(L, verbose), .name = "verbose", .letter = 'v',
	  .help = "show progress where standard error is no terminal, too" },
};

static const struct command_example load_examples[] = {
	{ "kist image load debian.tar", "an archive of docker save, skopeo or buildah" },
	{ "kist load -i debian.tar", "the same in short" },
	{ "kist image load --name app:1 ./layout", "an OCI layout directory" },
};

static const struct command_text load_text = {
	.usage = "[OPTIONS] PATH[:TAG]...",
	.about =
		"Reads images from an OCI layout directory, an OCI archive or an archive of docker save "
		"into the store, verifies each digest, and unpacks each layer once. Files that a layer in the "
		"store has already, equal to the last byte, become names of the same file. Prints the name of "
		"each image. Without a path, or with \"-\", reads an archive from standard input.",
	WORDS_EXAMPLES(load_examples),
};

#define M struct image_import_options
static const struct opt import_opts[] = {
	{ OPT_LIST_AT(M, changes), .name = "change", .letter = 'c', .arg = "LINE",
	  .help = "a line of a Dockerfile for the image's config: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, "
		  "VOLUME or WORKDIR" },
	{ OPT_STR_AT(M, policy), .name = "policy", .arg = "FILE", .help = POLICY_HELP },
	{ OPT_STR_AT(M, message), .name = "message", .letter = 'm', .arg = "TEXT",
	  .help = "comment of this step in the image's history" },
	{ OPT_SIZE_AT(M, max_bytes), .name = "max-size", .arg = "SIZE",
	  .help = "refuse an archive that unpacks to more (default 16g)" },
	{ OPT_COUNT_AT(M, max_entries), .name = "max-entries", .arg = "NUMBER",
	  .help = "refuse an archive of more files and directories (default 4000000)" },
	{ OPT_FLAG_AT(M, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
	{ OPT_FLAG_AT(M, verbose), .name = "verbose", .letter = 'v',
	  .help = "show progress where standard error is no terminal, too" },
};

static const struct command_example import_examples[] = {
	{ "kist image import rootfs.tar base:1", "one tar archive of a root file system becomes an image" },
	{ "kist import -c 'CMD [\"sh\"]' rootfs.tar base:1", "the same, with a program to run" },
};

static const struct command_text import_text = {
	.usage = "[OPTIONS] FILE|DIR|- [NAME]",
	.about =
		"Makes an image of one layer from a tar archive (\"-\": on standard input) or a directory that "
		"holds a root file system. The layer is packed by gzip, but for an archive that is packed already, by gzip "
		"or zstd, which stays as it is. Prints the digest of the image; without a name it has none.",
	WORDS_EXAMPLES(import_examples),
};

#define S struct image_ls_options
static const struct opt ls_opts[] = {
	{ OPT_STR_AT(S, format), .name = "format", .arg = "FORMAT",
	  .help = "table (default), json (one array), or a template such as '{{.Repository}}:{{.Tag}}'" },
	{ OPT_FLAG_AT(S, all), .name = "all", .letter = 'a',
	  .help = "list signatures, and what other tools keep in the index, too" },
	{ OPT_LIST_AT(S, filters), .name = "filter", .letter = 'f', .arg = "KEY=VALUE",
	  .help = "only images that fit: reference=PATTERN, dangling=true|false, label=KEY[=VALUE], before=IMAGE, "
		  "since=IMAGE, until=TIME" },
	{ OPT_FLAG_AT(S, digests), .name = "digests", .help = "show digests" },
	{ OPT_FLAG_AT(S, no_trunc), .name = "no-trunc", .help = "print IDs in full" },
	{ OPT_FLAG_AT(S, no_heading), .name = "noheading", .letter = 'n', .help = "a table without its first line" },
	{ OPT_WORD_AT(S, sort), .name = "sort", .arg = "created|id|repository|size|tag",
	  .help = "what to sort by (default created: the newest first)" },
	{ OPT_FLAG_AT(S, quiet), .name = "quiet", .letter = 'q', .help = "print IDs only" },
};

static const struct command_example ls_examples[] = {
	{ "kist images", "the images in the store" },
	{ "kist images --filter label=app --filter since=debian:12", "those with a label, made after another" },
	{ "kist rmi $(kist images -qf dangling=true)", "remove those that have no name" },
};

static const struct command_text ls_text = {
	.usage = "[OPTIONS] [PATTERN]",
	.about =
		"Lists the images in the store, or those whose names fit a pattern. Values of one filter are "
		"alternatives, apart from labels; different filters all have to fit.",
	WORDS_EXAMPLES(ls_examples),
};

static const struct command_example exists_examples[] = {
	{ "kist image exists app:1 || kist load -i app.tar", "load it if it is not there" },
};

static const struct command_text exists_text = {
	.usage = "IMAGE",
	.about = "Ends with 0 if the image is in the store, and with 1 if it is not. Prints nothing.",
	WORDS_EXAMPLES(exists_examples),
};

#define I struct image_inspect_options
static const struct opt inspect_opts[] = {
	{ OPT_STR_AT(I, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "json (default), or a template such as '{{.Architecture}}'" },
};

static const struct command_example inspect_examples[] = {
	{ "kist image inspect debian", "name, digests, layers and configuration, as JSON" },
};

static const struct command_text inspect_text = {
	.usage = "[OPTIONS] IMAGE...",
	.about =
		"Prints images as one JSON array, or a template's fields, one line per image.",
	WORDS_EXAMPLES(inspect_examples),
};

#define R struct image_rm_options
static const struct opt rm_opts[] = {
	{ OPT_FLAG_AT(R, force), .name = "force", .letter = 'f',
	  .help = "take the name though a container is made from it, and by an ID all names; no such image is success" },
	{ OPT_FLAG_AT(R, all), .name = "all", .letter = 'a', .help = "remove all images" },
	{ OPT_FLAG_AT(R, ignore), .name = "ignore", .letter = 'i', .help = "no such image is success" },
};

static const struct command_example rm_examples[] = {
	{ "kist rmi debian:12", "remove a name, and what only it needed" },
};

static const struct command_text rm_text = {
	.usage = "[OPTIONS] IMAGE...",
	.about =
		"Removes the names of images, then blobs and layers that nothing needs any more. With its last name an "
		"image goes. One that a container is made from is refused; with -f it goes, and its layers stay as "
		"long as the container does. An ID, or a part of one, means all names of the image, which needs -f if "
		"there are several.",
	WORDS_EXAMPLES(rm_examples),
};

#define P struct image_prune_options
static const struct opt prune_opts[] = {
	{ OPT_FLAG_AT(P, all), .name = "all", .letter = 'a',
	  .help = "images that have names too, if no container is made from them" },
	{ OPT_FLAG_AT(P, force), .name = "force", .letter = 'f', .help = "do not ask at a terminal" },
	{ OPT_LIST_AT(P, filters), .name = "filter", .arg = "KEY=VALUE",
	  .help = "only images that fit: until=TIME (or 24h: so long ago), label=KEY[=VALUE], label!=KEY[=VALUE]" },
};

static const struct command_example prune_examples[] = {
	{ "kist image prune", "remove what lost its name to a newer image" },
};

static const struct command_text prune_text = {
	.usage = "[OPTIONS]",
	.about =
		"Removes images without names, then all blobs and layers that neither an image nor a "
		"container needs. Prints the name or digest of each image that went, and what the disk got back.",
	WORDS_EXAMPLES(prune_examples),
};

static const struct command_example unpack_examples[] = {
	{ "kist image unpack app:1", "after umoci has written app:1 into the store" },
};

#define U struct image_unpack_options
static const struct opt unpack_opts[] = {
	{ OPT_STR_AT(U, policy), .name = "policy", .arg = "FILE", .help = POLICY_HELP },
};

static const struct command_text unpack_text = {
	.usage = "[OPTIONS] IMAGE",
	.about =
		"Unpacks the layers of an image that another tool wrote into the store, which is an OCI "
		"layout. load, import and run do this by themselves.",
	WORDS_EXAMPLES(unpack_examples),
};

static const struct command_example tag_examples[] = {
	{ "kist tag app:1 registry.test/team/app:1 app:latest", "two more names for one image" },
};

static const struct command_text tag_text = {
	.usage = "IMAGE NAME...",
	.about =
		"Gives an image more names. A name that another image had is taken from it.",
	WORDS_EXAMPLES(tag_examples),
};

static const struct command_example untag_examples[] = {
	{ "kist untag app:1 app:latest", "take one name away from app:1" },
	{ "kist untag app:1", "take all names away; the image stays until prune" },
};

static const struct command_text untag_text = {
	.usage = "IMAGE [NAME...]",
	.about =
		"Takes names away from an image, or all that it has. The image itself stays, without a name "
		"when that was its last.",
	WORDS_EXAMPLES(untag_examples),
};

#define H struct image_history_options
static const struct opt history_opts[] = {
	{ OPT_STR_AT(H, format), .name = "format", .arg = "FORMAT",
	  .help = "table (default), json (one array), or a template such as '{{.Size}} {{.CreatedBy}}'" },
	{ OPT_FLAG_AT(H, quiet), .name = "quiet", .letter = 'q', .help = "print IDs only" },
	{ OPT_FLAG_AT(H, no_trunc), .name = "no-trunc", .help = "print IDs and commands in full" },
	{ OPT_TRI_AT(H, human), .name = "human", .letter = 'H',
	  .help = "ages and rounded sizes (default); --human=false: times and bytes" },
};

static const struct command_example history_examples[] = {
	{ "kist history --no-trunc debian", "how each layer was made, in full" },
};

static const struct command_text history_text = {
	.usage = "[OPTIONS] IMAGE",
	.about =
		"Lists the steps that made an image, the last one first: when, by what, how large its layer "
		"is unpacked (0B: the step made none), and its comment. Only the last step has the image's ID.",
	WORDS_EXAMPLES(history_examples),
};

#define V struct image_save_options
static const struct opt save_opts[] = {
	{ OPT_STR_AT(V, output), .name = "output", .letter = 'o', .arg = "FILE",
	  .help = "file or directory to write (default: standard output); it is there whole or not at all" },
	{ OPT_WORD_AT(V, format), .name = "format", .arg = "docker-archive|oci-archive|oci-dir|docker-dir",
	  .help = "docker-archive (default): as docker save writes it; oci-archive: a tar of an OCI layout; oci-dir: the "
		  "layout as a directory; docker-dir: one image as plain files" },
	{ OPT_FLAG_AT(V, multi), .name = "multi-image-archive", .letter = 'm',
	  .help = "the words are several images, as podman wants to be told; they may be without it" },
	{ OPT_FLAG_AT(V, remove_signatures), .name = "remove-signatures",
	  .help = "leave out the signatures that lie beside an image, which the OCI's formats take along" },
	{ OPT_FLAG_AT(V, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
};

static const struct command_example save_examples[] = {
	{ "kist save -o app.tar app:1", "an archive for docker load and podman load" },
	{ "kist save --format oci-archive -o app.tar app:1", "all blobs as they are, so digests stay" },
	{ "kist save app:1 app:2 | ssh host kist load", "two images, with common layers once" },
};

static const struct command_text save_text = {
	.usage = "[OPTIONS] IMAGE...",
	.about =
		"Writes images with their names into one archive or directory. Formats of OCI keep every byte, "
		"so that the image has the same digest wherever it is loaded; those of docker save have plain "
		"layers, and keep the digest of the config alone. Equal images give equal bytes. An image that "
		"is named by its digest is saved without a name.",
	WORDS_EXAMPLES(save_examples),
};

#define K struct image_check_options
static const struct opt check_opts[] = {
	{ OPT_FLAG_AT(K, repair), .name = "repair",
	  .help = "unpack broken layers again, remove broken blobs so that they can be loaded or pulled again" },
	{ OPT_FLAG_AT(K, quick), .name = "quick", .help = "look at sizes and places, not at what is inside" },
	{ OPT_FLAG_AT(K, quiet), .name = "quiet", .letter = 'q', .help = "print findings only, no sum at the end" },
};

static const struct command_example check_examples[] = {
	{ "kist image check", "compare the whole store with its digests" },
	{ "kist image check --repair debian:12", "one image, and mend it" },
};

static const struct command_text check_text = {
	.usage = "[OPTIONS] [IMAGE...]",
	.about =
		"Checks the store, or the images given: that every document of index.json is there and well-formed, "
		"every blob has its digest, and every unpacked layer holds what its blob says and nothing else "
		"(files, kinds, modes, owners, times, xattrs, data). Prints one line for each thing that is wrong; "
		"then the exit status is 1.\n\n"
		"With --repair, a broken layer is unpacked again and swapped in whole, unless a container runs on it; "
		"a broken blob is removed, and an image whose manifest or config is gone loses its name. The exit "
		"status is 1 as long as something is wrong.",
	WORDS_EXAMPLES(check_examples),
};

#define E struct image_tree_options
static const struct opt tree_opts[] = {
	{ OPT_STR_AT(E, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "table (default) or json" },
};

static const struct command_example tree_examples[] = {
	{ "kist image tree", "all images and containers, and what they share" },
	{ "kist image tree debian:12", "what lies upon the layers of one image" },
};

static const struct command_text tree_text = {
	.usage = "[OPTIONS] [IMAGE...]",
	.about =
		"Draws the layers of the store, or of the images given, each below the one that it lies upon: its size on "
		"the disk, how many images and containers have it, and the images and containers that end there. The "
		"last line says what sharing saves: layers that several images have, and files that several layers have.",
	WORDS_EXAMPLES(tree_examples),
};

/* ---- registries ---- */

#define REMOTE_ROWS(T) \
	{ OPT_STR_AT(T, remote.authfile), .name = "authfile", .arg = "FILE", \
	  .help = "file with credentials (default $REGISTRY_AUTH_FILE, then those of login)" }, \
	{ OPT_STR_AT(T, remote.creds), .name = "creds", .arg = "USER[:PASSWORD]", \
	  .help = "credentials, instead of those of login; a password that is left out is asked for on the terminal" }, \
	{ OPT_STR_AT(T, remote.cert_dir), .name = "cert-dir", .arg = "DIR", \
	  .help = "directory with the registry's CA (*.crt) and our certificate (*.cert, *.key)" }, \
	{ OPT_TRI_AT(T, remote.tls_verify), .name = "tls-verify", \
	  .help = "false: take any certificate, and plain HTTP where there is no TLS (default true, or as " \
		  "registries.conf says)" }, \
	{ OPT_DURATION_AT(T, remote.stall_ms), .name = "stall-timeout", .arg = "DURATION", \
	  .help = "give up a connection, and begin another, after so much silence (default 60s)" }

#define PU struct image_pull_options
static const struct opt pull_opts[] = {
	{ OPT_FLAG_AT(PU, all_tags), .name = "all-tags", .letter = 'a', .help = "pull every tag of the repository" },
	{ OPT_STR_AT(PU, platform), .name = "platform", .arg = "OS/ARCH[/VARIANT]",
	  .help = "image for another platform than this machine's" },
	{ OPT_STR_AT(PU, arch), .name = "arch", .arg = "ARCH", .help = "the same in parts: the architecture" },
	{ OPT_STR_AT(PU, os), .name = "os", .arg = "OS", .help = "the operating system (default linux)" },
	{ OPT_STR_AT(PU, variant), .name = "variant", .arg = "VARIANT", .help = "the variant of the architecture" },
	{ OPT_STR_AT(PU, policy), .name = "policy", .arg = "FILE", .help = POLICY_HELP },
	{ OPT_FLAG_AT(PU, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
	{ OPT_SIZE_AT(PU, max_bytes), .name = "max-size", .arg = "SIZE",
	  .help = "refuse a layer that unpacks to more (default 16g)" },
	{ OPT_COUNT_AT(PU, max_entries), .name = "max-entries", .arg = "NUMBER",
	  .help = "refuse a layer of more files and directories (default 4000000)" },
	REMOTE_ROWS(PU),
};

static const struct command_example pull_examples[] = {
	{ "kist pull debian:12", "from docker.io, or where registries.conf looks for short names" },
	{ "kist pull --platform linux/arm64 quay.io/fedora/fedora", "for another machine" },
	{ "kist pull --tls-verify=false localhost:5000/app:1", "from a registry without TLS" },
};

static const struct command_text pull_text = {
	.usage = "[OPTIONS] NAME[:TAG|@DIGEST]...",
	.about =
		"Gets images from registries into the store. Of an image for several platforms, the one for "
		"this machine comes. What the store has is not fetched again; layers are verified and unpacked "
		"while they arrive, several at a time; a download that breaks goes on where it broke. A tag that "
		"is in the store moves to the new image. Prints the digest of each image.",
	WORDS_EXAMPLES(pull_examples),
};

#define PS struct image_push_options
static const struct opt push_opts[] = {
	{ OPT_STR_AT(PS, digestfile), .name = "digestfile", .arg = "FILE",
	  .help = "write the digest of the image to FILE" },
	{ OPT_FLAG_AT(PS, remove_signatures), .name = "remove-signatures",
	  .help = "do not send the signatures that are stored beside the image" },
	{ OPT_FLAG_AT(PS, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
	REMOTE_ROWS(PS),
};

static const struct command_example push_examples[] = {
	{ "kist push app:1 registry.example.com/team/app:1", "under another name" },
	{ "kist push quay.io/team/app:1", "to the registry that the name says" },
};

static const struct command_text push_text = {
	.usage = "[OPTIONS] IMAGE [DESTINATION]",
	.about =
		"Sends an image of the store to a registry, byte for byte, so that it keeps its digest. What the "
		"registry has is not sent again; what another repository of the same registry has, as far as "
		"names in the store tell, is mounted from there. Without a destination, the image's name says "
		"where to; a name without a host belongs to docker.io. Prints the digest of the image.",
	WORDS_EXAMPLES(push_examples),
};

#define G struct image_sign_options
static const struct opt sign_opts[] = {
	{ OPT_STR_AT(G, key), .name = "key", .arg = "FILE",
	  .help = "private key: PKCS#8 in PEM, or as cosign encrypts it" },
	{ OPT_STR_AT(G, passphrase_file), .name = "passphrase-file", .arg = "FILE",
	  .help = "passphrase of the key (default $COSIGN_PASSWORD, else it is asked for)" },
	{ OPT_STR_AT(G, identity), .name = "identity", .arg = "NAME",
	  .help = "sign it under this name, not that of the image" },
	{ OPT_LIST_AT(G, annotations), .name = "annotation", .letter = 'a', .arg = "KEY=VALUE",
	  .help = "sign this too" },
	{ OPT_STR_AT(G, generate_key), .name = "generate-key", .arg = "PREFIX",
	  .help = "make a key: PREFIX.key, encrypted, and PREFIX.pub" },
};

static const struct command_example sign_examples[] = {
	{ "kist image sign --generate-key cosign", "make cosign.key and cosign.pub" },
	{ "kist image sign --key cosign.key registry.example.com/app:1", "sign an image in the store" },
};

static const struct command_text sign_text = {
	.usage = "[OPTIONS] IMAGE...",
	.about =
		"Signs the digest and the name of an image, as cosign, skopeo and podman do it with a key. The "
		"signature is stored beside the image, is pushed with it, and goes with it. Prints what was "
		"signed. The key may be of ECDSA, Ed25519 or RSA; one that is made here is of ECDSA on P-256 and "
		"encrypted with a passphrase, which may be empty.",
	WORDS_EXAMPLES(sign_examples),
};

#define VF struct image_verify_options
static const struct opt verify_opts[] = {
	{ OPT_STR_AT(VF, key), .name = "key", .arg = "FILE", .help = "public key in PEM" },
	{ OPT_STR_AT(VF, policy), .name = "policy", .arg = "FILE",
	  .help = "a policy of containers-policy.json(5), asked as if the image came from its registry" },
	{ OPT_STR_AT(VF, identity), .name = "identity", .arg = "NAME",
	  .help = "NAME:TAG that must have been signed, or NAME with any tag (default: the image's name with any tag)" },
	{ OPT_LIST_AT(VF, annotations), .name = "annotation", .letter = 'a', .arg = "KEY=VALUE",
	  .help = "this must have been signed" },
};

static const struct command_example verify_examples[] = {
	{ "kist image verify --key cosign.pub registry.example.com/app:1", "is it signed by this key?" },
	{ "kist image verify --policy policy.json app:1", "would this policy let it in?" },
};

static const struct command_text verify_text = {
	.usage = "--key FILE|--policy FILE [OPTIONS] IMAGE",
	.about =
		"Verifies the signatures that are stored beside an image. With a key, prints what was signed, as "
		"one JSON array of all good signatures; there must be one. With a policy, prints the image's "
		"digest.",
	WORDS_EXAMPLES(verify_examples),
};

#define C struct image_convert_options
static const struct opt convert_opts[] = {
	{ OPT_FLAG_AT(C, drop_layers), .name = "drop-layers",
	  .help = "remove the unpacked layers that nothing else needs: the file stands for them" },
	{ OPT_FLAG_AT(C, quiet), .name = "quiet", .letter = 'q', .help = "print the digest only" },
};

static const struct command_example convert_examples[] = {
	{ "kist image convert debian:12", "from now on, run mounts debian:12 from one file" },
	{ "kist image convert --drop-layers app:1", "the same, and the space of its layers comes back" },
};

static const struct command_text convert_text = {
	.usage = "[OPTIONS] IMAGE [NEW-NAME]",
	.about =
		"Writes one read-only EROFS file of an image into the store, which run mounts in the place of "
		"the unpacked layers. The image stays the same, with its digest, and may get one more name. "
		"Mounting a file needs Linux 6.12 and root; elsewhere, or with KIST_EROFS=never, the unpacked "
		"layers serve as before, and run unpacks them again if they were dropped. Prints the digest "
		"of the image.",
	WORDS_EXAMPLES(convert_examples),
};

#define O struct image_pack_options
static const struct opt pack_opts[] = {
	{ OPT_STR_AT(O, output), .name = "output", .letter = 'o', .arg = "FILE",
	  .help = "the file to write; one that is there is replaced" },
	{ OPT_STR_AT(O, compress), .name = "compress", .arg = "METHOD",
	  .help = "none (default: the file can be mounted as it is) or zstd (it is unpacked on first use)" },
	{ OPT_LIST_AT(O, changes), .name = "change", .letter = 'c', .arg = "LINE",
	  .help = "a line of a Dockerfile for the image's config, as with import" },
	{ OPT_FLAG_AT(O, quiet), .name = "quiet", .letter = 'q', .help = "print no digest" },
};

static const struct command_example pack_examples[] = {
	{ "kist pack app:1 -o app.kist", "the image app:1 as one file" },
	{ "kist run --rm ./app.kist", "run it, on any host that has kist" },
	{ "kist pack -c 'CMD [\"serve\"]' --compress zstd app:1 -o app.kist", "smaller, and with another program" },
};

static const struct command_text pack_text = {
	.usage = "[OPTIONS] -o FILE IMAGE",
	.about =
		"Writes an image and its configuration into one file. run takes such a file in the place of an "
		"image: a word that begins with \"/\", \"./\" or \"../\", or ends in \".kist\". The file is "
		"verified on its first use. Where the kernel can (Linux 6.12) and the file can be written by root "
		"only, it is mounted as it is; elsewhere it is unpacked into the store once. It can be executed "
		"itself, too. Equal images give equal files. Prints the digest of the image in the file, which has "
		"one layer.",
	WORDS_EXAMPLES(pack_examples),
};

#define MO struct image_mount_options
static const struct opt mount_opts[] = {
	{ OPT_STR_AT(MO, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "of the list: json (one array), or a template such as '{{.ID}} {{.Mountpoint}}'" },
};

static const struct command_example mount_examples[] = {
	{ "kist image mount debian:12", "print the directory where its files are" },
	{ "kist image mount debian:12 /mnt", "mount it there" },
	{ "kist image mount", "what is mounted, and where" },
};

static const struct command_text mount_text = {
	.usage = "[OPTIONS] [IMAGE [DIR]]",
	.about =
		"Mounts an image read-only, on a directory of the store or on DIR, and prints where. The mount outlives "
		"the command; the image cannot be removed until it is unmounted as often as it was mounted. Without an "
		"image, lists what is mounted. For root: a user's mount would end with the command.",
	WORDS_EXAMPLES(mount_examples),
};

#define UM struct image_unmount_options
static const struct opt unmount_opts[] = {
	{ OPT_FLAG_AT(UM, all), .name = "all", .letter = 'a', .help = "unmount all images" },
	{ OPT_FLAG_AT(UM, force), .name = "force", .letter = 'f',
	  .help = "however often it was mounted, and though it is in use" },
};

static const struct command_example unmount_examples[] = {
	{ "kist image unmount debian:12", "take the mount away" },
};

static const struct command_text unmount_text = {
	.usage = "[OPTIONS] IMAGE...",
	.about = "Unmounts images. One that was mounted several times stays until the last of them is taken back.",
	WORDS_EXAMPLES(unmount_examples),
};

static const struct command commands[] = {
	{ "pull", "pull", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, .is_forwarded = true, .is_remote = true,
	  WORDS_OPTS(pull_opts), .summary = "get images from a registry", .text = &pull_text },
	{ "push", "push", FACE_KIST, STATUS_PLAIN, 1, 2, .is_forwarded = true, .is_remote = true,
	  WORDS_OPTS(push_opts), .summary = "send an image to a registry", .text = &push_text },
	{ "load", "load", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(load_opts),
	  .summary = "read images from a directory or archive", .text = &load_text },
	{ "import", "import", FACE_KIST, STATUS_PLAIN, 1, 2, .is_forwarded = true, WORDS_OPTS(import_opts),
	  .summary = "make an image from a root file system", .text = &import_text },
	{ "ls", "images", FACE_KIST, STATUS_PLAIN, 0, 1, .is_forwarded = true, WORDS_OPTS(ls_opts),
	  .summary = "list the images in the store", .text = &ls_text },
	{ "list", "", FACE_KIST, STATUS_PLAIN, 0, 1, .is_forwarded = true, WORDS_OPTS(ls_opts),
	  .summary = "the same as ls", .text = &ls_text },
	{ "exists", "", FACE_KIST, STATUS_PLAIN, 1, 1, .is_forwarded = true,
	  .summary = "say by the exit status whether an image is in the store", .text = &exists_text },
	{ "inspect", "", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, .is_forwarded = true,
	  WORDS_OPTS(inspect_opts),
	  .summary = "print what the store knows of images", .text = &inspect_text },
	{ "rm", "rmi", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(rm_opts),
	  .summary = "remove images", .text = &rm_text },
	{ "prune", "", FACE_KIST, STATUS_PLAIN, 0, 0, .is_forwarded = true, WORDS_OPTS(prune_opts),
	  .summary = "remove what nothing needs", .text = &prune_text },
	{ "unpack", "", FACE_KIST, STATUS_PLAIN, 1, 1, .is_forwarded = true, WORDS_OPTS(unpack_opts),
	  .summary = "unpack an image that another tool wrote into the store", .text = &unpack_text },
	{ "sign", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(sign_opts),
	  .summary = "sign images with a key, or make a key", .text = &sign_text },
	{ "verify", "", FACE_KIST, STATUS_PLAIN, 1, 1, .is_forwarded = true, WORDS_OPTS(verify_opts),
	  .summary = "verify an image's signatures", .text = &verify_text },
	{ "tag", "tag", FACE_KIST, STATUS_PLAIN, 2, WORDS_ANY, .is_forwarded = true,
	  .summary = "give an image more names", .text = &tag_text },
	{ "untag", "untag", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, .is_forwarded = true,
	  .summary = "take names away from an image", .text = &untag_text },
	{ "save", "save", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(save_opts),
	  .summary = "write images into an archive or directory", .text = &save_text },
	{ "convert", "", FACE_KIST, STATUS_PLAIN, 1, 2, .is_forwarded = true, WORDS_OPTS(convert_opts),
	  .summary = "make a mountable file of an image's layers", .text = &convert_text },
	{ "pack", "pack", FACE_KIST, STATUS_PLAIN, 1, 1, .is_forwarded = true, WORDS_OPTS(pack_opts),
	  .summary = "write an image into one file that can be run", .text = &pack_text },
	{ "history", "history", FACE_KIST, STATUS_PLAIN, 1, 1, .is_forwarded = true, WORDS_OPTS(history_opts),
	  .summary = "list the steps that made an image", .text = &history_text },
	{ "check", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(check_opts),
	  .summary = "verify blobs and unpacked layers", .text = &check_text },
	{ "tree", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(tree_opts),
	  .summary = "draw which images and containers share which layers", .text = &tree_text },
	{ "mount", "", FACE_KIST, STATUS_PLAIN, 0, 2, .is_forwarded = true, WORDS_OPTS(mount_opts),
	  .summary = "mount an image read-only, or list what is mounted", .text = &mount_text },
	{ "unmount", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(unmount_opts),
	  .summary = "unmount images", .text = &unmount_text },
	{ "umount", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .is_forwarded = true, WORDS_OPTS(unmount_opts),
	  .summary = "the same as unmount", .text = &unmount_text },
};
/* clang-format on */

const struct page words_image = {
	.name = "image", .group = "image", .title = "Images",
	.commands = commands, .count = ARRAY_LEN(commands),
};
