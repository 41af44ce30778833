/* SPDX-License-Identifier: Apache-2.0 */
/* See pubkey.h. Sources: PEM_read_bio_PUBKEY(3), EVP_DigestVerify(3), EVP_PKEY_get_group_name(3). */
#include "image/trust/pubkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "util/base64.h"
#include "util/fd.h"

void pubkeys_done(struct pubkeys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		EVP_PKEY_free(keys->v[i].key);
	keys->n = 0;
}

static bool is_good_kind(const EVP_PKEY *key)
{
	static const char *const groups[] = { "prime256v1", "secp384r1", "secp521r1" };
	char group[40];
	size_t len;
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return true;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) >= 2048;
	case EVP_PKEY_EC:
		for (size_t i = 0; i < ARRAY_LEN(groups); i++)
			if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
			    strcmp(group, groups[i]) == 0)
				return true;
		break;
	default:
		break;
	}
	return false;
}

int pubkeys_add(struct pubkeys *keys, const char *pem, size_t len, const char *what, struct err *e)
{
	if (keys->n == PUBKEYS_MAX)
		return err_new(e, E2BIG, "%s: more than %d keys", what, PUBKEYS_MAX);
	if (len > PUBKEY_FILE_MAX)
		return err_new(e, EFBIG, "%s: more than %d bytes", what, PUBKEY_FILE_MAX);
	BIO *in = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
	BIO_free(in);
	if (!key)
		return err_new(e, EINVAL, "%s: not a public key in PEM (BEGIN PUBLIC KEY)", what);
	if (!is_good_kind(key)) {
		EVP_PKEY_free(key);
		return err_new(e, EINVAL,
			       "%s: not a key of ECDSA (P-256, P-384, P-521), Ed25519 or RSA (2048 bits and more)",
			       what);
	}
	keys->v[keys->n++].key = key;
	return 0;
}

int pubkeys_add_file(struct pubkeys *keys, const char *path, struct err *e)
{
	free_auto char *pem = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, PUBKEY_FILE_MAX, true, &pem, &len);
	return r < 0 ? err_ret(e, r, "%s", path) : pubkeys_add(keys, pem, len, path, e);
}

static int add_data(struct pubkeys *keys, const char *data, const char *what, struct err *e)
{
	free_auto uint8_t *pem = NULL;
	size_t len;
	if (base64_decode(data, strlen(data), &pem, &len) < 0)
		return err_new(e, EINVAL, "%s: not base64", what);
	return pubkeys_add(keys, (const char *)pem, len, what, e);
}

int pubkeys_of(const struct requirement *q, struct pubkeys *ret_keys, struct err *e)
{
	pubkeys_auto struct pubkeys keys = { .n = 0 };
	int r = q->key_path ? pubkeys_add_file(&keys, q->key_path, e) : 0;
	if (r == 0 && q->key_data)
		r = add_data(&keys, q->key_data, "keyData", e);
	for (size_t i = 0; r == 0 && i < q->key_paths.n; i++)
		r = pubkeys_add_file(&keys, q->key_paths.v[i], e);
	for (size_t i = 0; r == 0 && i < q->key_datas.n; i++)
		r = add_data(&keys, q->key_datas.v[i], "keyDatas", e);
	if (r < 0)
		return r;
	*ret_keys = keys;
	keys.n = 0;
	return 0;
}

static bool verify(EVP_PKEY *key, const void *bytes, size_t len, const void *signature, size_t signature_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	bool is_good = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		       EVP_DigestVerify(ctx, signature, signature_len, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	return is_good;
}

bool pubkeys_verify(const struct pubkeys *keys, const void *bytes, size_t len, const void *signature,
		    size_t signature_len)
{
	for (size_t i = 0; i < keys->n; i++)
		if (verify(keys->v[i].key, bytes, len, signature, signature_len))
			return true;
	return false;
}
