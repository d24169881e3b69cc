#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

/* Makes an RSA public key of two numbers, least significant octet first. The parameters must keep
 * the addresses of their names, which string constants of Swift do not have. */
static inline EVP_PKEY *signet_rsa_public_key(unsigned char *modulus, size_t modulus_size,
                                              unsigned char *exponent, size_t exponent_size) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM numbers[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, modulus, modulus_size),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, exponent, exponent_size),
        OSSL_PARAM_END,
    };
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1) {
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, numbers);
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* BIO_get_mem_data is a macro with a cast. */
static inline long signet_bio_data(BIO *bio, char **start) {
    return BIO_get_mem_data(bio, start);
}
