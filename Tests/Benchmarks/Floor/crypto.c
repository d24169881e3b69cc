// OpenSSL with everything prepared once: the key is parsed, the algorithms are fetched.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "floor.h"

static EVP_MD *sha256;
static EVP_PKEY *key;
static int is_rsa;
/// Signing and verifying with an RSA key.
static EVP_PKEY_CTX *signer, *verifier;
/// Those with an Ed25519 key, which OpenSSL has as one-shot operations only.
static EVP_MD_CTX *one_shot;
static uint8_t signature[1024];
static size_t signature_length;
static const uint8_t signed_hash[hash_length] = {7};

static void require(int result) {
    if (result != 1) exit(70);
}

static size_t sign(const uint8_t hash[hash_length], uint8_t *octets, size_t capacity) {
    size_t length = capacity;
    if (is_rsa) {
        require(EVP_PKEY_sign(signer, octets, &length, hash, hash_length));
    } else {
        require(EVP_DigestSignInit(one_shot, NULL, NULL, NULL, key));
        require(EVP_DigestSign(one_shot, octets, &length, hash, hash_length));
    }
    return length;
}

void crypto_prepare(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) exit(66);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!key) exit(65);
    is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    one_shot = EVP_MD_CTX_new();
    if (is_rsa) {
        signer = EVP_PKEY_CTX_new(key, NULL);
        verifier = EVP_PKEY_CTX_new(key, NULL);
        require(EVP_PKEY_sign_init(signer));
        require(EVP_PKEY_CTX_set_rsa_padding(signer, RSA_PKCS1_PADDING));
        require(EVP_PKEY_CTX_set_signature_md(signer, sha256));
        require(EVP_PKEY_verify_init(verifier));
        require(EVP_PKEY_CTX_set_rsa_padding(verifier, RSA_PKCS1_PADDING));
        require(EVP_PKEY_CTX_set_signature_md(verifier, sha256));
    }
    signature_length = sign(signed_hash, signature, sizeof signature);
}

const char *crypto_algorithm(void) { return is_rsa ? "rsa-sha256" : "ed25519-sha256"; }

void crypto_hash_begin(void **context) {
    if (!*context) *context = EVP_MD_CTX_new();
    require(EVP_DigestInit_ex2(*context, sha256, NULL));
}

void crypto_hash_update(void *context, const void *octets, size_t count) {
    require(EVP_DigestUpdate(context, octets, count));
}

void crypto_hash_end(void *context, uint8_t hash[hash_length]) {
    require(EVP_DigestFinal_ex(context, hash, NULL));
}

void crypto_hash_free(void *context) { EVP_MD_CTX_free(context); }

size_t crypto_sign(const uint8_t hash[hash_length], uint8_t *text) {
    uint8_t octets[1024];
    return crypto_base64(octets, sign(hash, octets, sizeof octets), text);
}

int crypto_verify(void) {
    if (is_rsa)
        return EVP_PKEY_verify(verifier, signature, signature_length, signed_hash, hash_length) == 1;
    require(EVP_DigestVerifyInit(one_shot, NULL, NULL, NULL, key));
    return EVP_DigestVerify(one_shot, signature, signature_length, signed_hash, hash_length) == 1;
}

size_t crypto_base64(const uint8_t *octets, size_t count, uint8_t *text) {
    return (size_t)EVP_EncodeBlock(text, octets, (int)count);
}
