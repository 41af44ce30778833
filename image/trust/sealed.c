/* SPDX-License-Identifier: Apache-2.0 */
/* See sealed.h. Sources: EVP_PBE_scrypt(3); libsodium's "Secret-key authenticated encryption". */
#include "image/trust/sealed.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <string.h>

#include "util/base64.h"
#include "util/jx.h"

/* What cosign writes, and older readers insist on. */
enum { SCRYPT_N = 32768, SCRYPT_R = 8, SCRYPT_P = 1, SALT_LEN = 32, MEMORY_MAX = 256 << 20 };

struct params {
	struct opt_u32 n, r, p;
};

struct kdf {
	const char *name;
	struct params *params;
	const char *salt;
};

struct box {
	const char *name;
	const char *nonce;
};

struct sealed {
	struct kdf *kdf;
	struct box *cipher;
	const char *ciphertext;
};

/* clang-format off */
static const struct jx_field params_rows[] = {
	JX_U32(struct params, n, "N", .must = true),
	JX_U32(struct params, r, "r", .must = true),
	JX_U32(struct params, p, "p", .must = true),
	JX_END
};

static const struct jx_field kdf_rows[] = {
	JX_STR(struct kdf, name, "name", .must = true),
	JX_OBJ(struct kdf, params, "params", struct params, params_rows, .must = true),
	JX_STR(struct kdf, salt, "salt", .must = true),
	JX_END
};

static const struct jx_field box_rows[] = {
	JX_STR(struct box, name, "name", .must = true),
	JX_STR(struct box, nonce, "nonce", .must = true),
	JX_END
};

static const struct jx_field sealed_rows[] = {
	JX_OBJ(struct sealed, kdf, "kdf", struct kdf, kdf_rows, .must = true),
	JX_OBJ(struct sealed, cipher, "cipher", struct box, box_rows, .must = true),
	JX_STR(struct sealed, ciphertext, "ciphertext", .must = true),
	JX_END
};
/* clang-format on */

static int derive(const char *passphrase, const unsigned char *salt, size_t salt_len, const struct params *p,
		  unsigned char key[static crypto_secretbox_KEYBYTES], struct err *e)
{
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, salt_len, p->n.v, p->r.v, p->p.v, MEMORY_MAX, key,
			   crypto_secretbox_KEYBYTES) != 1)
		return err_new(e, EINVAL, "scrypt's parameters N=%u, r=%u, p=%u: not to be had", p->n.v, p->r.v,
			       p->p.v);
	return 0;
}

int sealed_open(const char *json, size_t len, const char *passphrase, unsigned char **ret_bytes, size_t *ret_len,
		struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto uint8_t *salt = NULL, *nonce = NULL, *box = NULL;
	size_t salt_len, nonce_len, box_len;
	unsigned char key[crypto_secretbox_KEYBYTES];
	struct sealed s = { .kdf = NULL };
	int r = jx_load(json, len, "key", sealed_rows, &s, &arena, NULL, e);
	if (r < 0)
		return r;
	if (strcmp(s.kdf->name, "scrypt") != 0 || strcmp(s.cipher->name, "nacl/secretbox") != 0)
		return err_new(e, EINVAL, "encrypted by %.40s and %.40s, not by scrypt and nacl/secretbox",
			       s.kdf->name, s.cipher->name);
	if (base64_decode(s.kdf->salt, strlen(s.kdf->salt), &salt, &salt_len) < 0 ||
	    base64_decode(s.cipher->nonce, strlen(s.cipher->nonce), &nonce, &nonce_len) < 0 ||
	    base64_decode(s.ciphertext, strlen(s.ciphertext), &box, &box_len) < 0 ||
	    nonce_len != crypto_secretbox_NONCEBYTES || box_len < crypto_secretbox_MACBYTES)
		return err_new(e, EINVAL, "salt, nonce or ciphertext: not base64 of the right length");
	if ((r = derive(passphrase, salt, salt_len, s.kdf->params, key, e)) < 0)
		return r;
	unsigned char *bytes = mem_alloc(box_len);
	if (crypto_secretbox_open_easy(bytes, box, box_len, nonce, key) != 0) {
		free(bytes);
		r = err_new(e, EACCES, "the passphrase is wrong");
	} else {
		*ret_bytes = bytes;
		*ret_len = box_len - crypto_secretbox_MACBYTES;
	}
	explicit_bzero(key, sizeof(key));
	return r;
}

int sealed_make(const unsigned char *bytes, size_t len, const char *passphrase, struct str *out, struct err *e)
{
	static const struct params params = { { true, SCRYPT_N }, { true, SCRYPT_R }, { true, SCRYPT_P } };
	unsigned char salt[SALT_LEN], nonce[crypto_secretbox_NONCEBYTES], key[crypto_secretbox_KEYBYTES];
	if (RAND_bytes(salt, sizeof(salt)) != 1 || RAND_bytes(nonce, sizeof(nonce)) != 1)
		return err_new(e, EIO, "no random bytes");
	int r = derive(passphrase, salt, sizeof(salt), &params, key, e);
	if (r < 0)
		return r;
	free_auto unsigned char *box = mem_alloc(len + crypto_secretbox_MACBYTES);
	crypto_secretbox_easy(box, bytes, len, nonce, key);
	explicit_bzero(key, sizeof(key));
	free_auto char *salt_text = base64_encode(salt, sizeof(salt)),
		       *nonce_text = base64_encode(nonce, sizeof(nonce));
	free_auto char *box_text = base64_encode(box, len + crypto_secretbox_MACBYTES);
	str_fmt(out,
		"{\"kdf\":{\"name\":\"scrypt\",\"params\":{\"N\":%d,\"r\":%d,\"p\":%d},\"salt\":\"%s\"},"
		"\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"%s\"},\"ciphertext\":\"%s\"}",
		SCRYPT_N, SCRYPT_R, SCRYPT_P, salt_text, nonce_text, box_text);
	return 0;
}
