/* SPDX-License-Identifier: Apache-2.0 */
/* See privkey.h. Sources: PEM_read_bio(3), d2i_PKCS8PrivateKey_bio(3), EVP_DigestSign(3). */
#include "image/trust/privkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#include "image/trust/passphrase.h"
#include "image/trust/sealed.h"
#include "util/base64.h"
#include "util/fd.h"

enum { KEY_FILE_MAX = 64 << 10 };

/* The older name of the form, which all versions of cosign, skopeo and podman read. */
static const char sealed_type[] = "ENCRYPTED COSIGN PRIVATE KEY";

void privkey_done(struct privkey *k)
{
	EVP_PKEY_free(k->key);
	k->key = NULL;
}

/* ---- reading ---- */

static int open_sealed(const unsigned char *json, size_t len, const char *passphrase_file, struct privkey *ret_key,
		       struct err *e)
{
	passphrase_auto struct passphrase phrase;
	unsigned char *der;
	size_t der_len;
	int r = passphrase_get(passphrase_file, false, &phrase, e);
	if (r < 0 || (r = sealed_open((const char *)json, len, phrase.text, &der, &der_len, e)) < 0)
		return r;
	const unsigned char *p = der;
	ret_key->key = d2i_AutoPrivateKey(NULL, &p, (long)der_len);
	explicit_bzero(der, der_len);
	free(der);
	return ret_key->key ? 0 : err_new(e, EINVAL, "not a private key inside");
}

/* PKCS#8, and what else libcrypto reads: an encrypted key asks for the passphrase. */
struct asking {
	const char *file;
	int result;
	struct err *e;
};

static int give_phrase(char *buf, int size, int is_writing, void *ctx)
{
	struct asking *a = ctx;
	passphrase_auto struct passphrase phrase;
	(void)is_writing;
	a->result = passphrase_get(a->file, false, &phrase, a->e);
	size_t len = a->result < 0 ? 0 : strlen(phrase.text);
	if (a->result < 0 || len > (size_t)size)
		return -1;
	memcpy(buf, phrase.text, len);
	return (int)len;
}

static int open_plain(const char *pem, size_t len, const char *passphrase_file, struct privkey *ret_key,
		      struct err *e)
{
	struct asking asking = { .file = passphrase_file, .result = 1, .e = e };
	BIO *in = BIO_new_mem_buf(pem, (int)len);
	ret_key->key = in ? PEM_read_bio_PrivateKey(in, NULL, give_phrase, &asking) : NULL;
	BIO_free(in);
	if (ret_key->key)
		return 0;
	if (asking.result < 0)
		return asking.result;
	return asking.result == 0 ? err_new(e, EACCES, "the passphrase is wrong")
				  : err_new(e, EINVAL, "not a private key in PEM");
}

static int open_pem(const char *pem, size_t len, const char *passphrase_file, struct privkey *ret_key, struct err *e)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long data_len = 0;
	BIO *in = BIO_new_mem_buf(pem, (int)len);
	bool is_pem = in && PEM_read_bio(in, &name, &header, &data, &data_len) == 1;
	bool is_sealed =
		is_pem && (strcmp(name, sealed_type) == 0 || strcmp(name, "ENCRYPTED SIGSTORE PRIVATE KEY") == 0);
	BIO_free(in);
	int r = is_sealed ? open_sealed(data, (size_t)data_len, passphrase_file, ret_key, e)
			  : open_plain(pem, len, passphrase_file, ret_key, e);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)data_len);
	return r;
}

int privkey_open(const char *path, const char *passphrase_file, struct privkey *ret_key, struct err *e)
{
	char *pem;
	size_t len;
	int r = file_read_given(path, KEY_FILE_MAX, &pem, &len);
	if (r < 0)
		return err_ret(e, r, "key %s", path);
	r = open_pem(pem, len, passphrase_file, ret_key, e);
	explicit_bzero(pem, len);
	free(pem);
	return r < 0 ? err_at(e, r, "key %s", path) : 0;
}

/* ---- making ---- */

/* The key's PKCS#8, sealed, as PEM. */
static int seal(EVP_PKEY *key, const char *passphrase, BIO *out, struct err *e)
{
	str_auto struct str json = STR_MAX(KEY_FILE_MAX);
	unsigned char *der = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	PKCS8_PRIV_KEY_INFO_free(info);
	int r = len > 0 ? sealed_make(der, (size_t)len, passphrase, &json, e) : err_new(e, EIO, "make a key");
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	if (r == 0 && PEM_write_bio(out, sealed_type, "", (const unsigned char *)json.p, (long)json.len) <= 0)
		r = err_new(e, EIO, "make a key");
	return r;
}

static int write_new(const char *path, mode_t mode, BIO *pem, struct err *e)
{
	char *bytes;
	long len = BIO_get_mem_data(pem, &bytes);
	fd_auto int fd = openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "%s", path);
	int r = fd_write_all(fd, bytes, (size_t)len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(AT_FDCWD, path, 0);
	return r < 0 ? err_ret(e, r, "%s", path) : 0;
}

int privkey_generate(const char *prefix, const char *passphrase_file, struct err *e)
{
	passphrase_auto struct passphrase phrase;
	free_auto char *secret_path = mem_fmt("%s.key", prefix), *public_path = mem_fmt("%s.pub", prefix);
	/* A passphrase is not asked for in vain. */
	if (faccessat(AT_FDCWD, secret_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_new(e, EEXIST, "%s: is there already", secret_path);
	if (faccessat(AT_FDCWD, public_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_new(e, EEXIST, "%s: is there already", public_path);
	int r = passphrase_get(passphrase_file, true, &phrase, e);
	if (r < 0)
		return r;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *secret = BIO_new(BIO_s_secmem()), *public = BIO_new(BIO_s_mem());
	if (!key || !secret || !public || PEM_write_bio_PUBKEY(public, key) != 1)
		r = err_new(e, EIO, "make a key");
	if (r == 0 && (r = seal(key, phrase.text, secret, e)) == 0)
		r = write_new(secret_path, 0600, secret, e);
	if (r == 0 && (r = write_new(public_path, 0644, public, e)) < 0)
		unlinkat(AT_FDCWD, secret_path, 0);
	EVP_PKEY_free(key);
	BIO_free(secret);
	BIO_free(public);
	return r;
}

/* ---- signing ---- */

int privkey_sign(const struct privkey *k, const void *bytes, size_t len, char **ret_signature, struct err *e)
{
	const EVP_MD *md = EVP_PKEY_get_base_id(k->key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	size_t n = 0;
	bool is_good = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, k->key) == 1 &&
		       EVP_DigestSign(ctx, NULL, &n, bytes, len) == 1;
	if (is_good) {
		signature = mem_alloc(n);
		is_good = EVP_DigestSign(ctx, signature, &n, bytes, len) == 1;
	}
	EVP_MD_CTX_free(ctx);
	if (is_good)
		*ret_signature = base64_encode(signature, n);
	free(signature);
	return is_good ? 0 : err_new(e, EINVAL, "this kind of key cannot sign");
}
