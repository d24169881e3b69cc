// The floor of the benchmarks: what a message costs a program in C that does the least that can be done for it, with one
// thread, one epoll and OpenSSL. It is a measure, not a filter: it checks no limits but its own buffers' and decides nothing.

#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>

/// What is to be written to a peer, in one piece, when all that was read has been dealt with.
struct answer {
    size_t count;
    uint8_t octets[65536];
};

/// A protocol, as the server sees it.
struct protocol {
    /// Makes the state of a new connection.
    void *(*open)(void);
    /// Deals with what has come: returns how many octets it is done with, or -1 where the connection is to end.
    ptrdiff_t (*take)(void *state, const uint8_t *octets, size_t count, struct answer *answer);
    /// Frees the state.
    void (*close)(void *state);
};

/// Serves a protocol on a Unix socket for ever.
void serve(const char *path, const struct protocol *protocol);

/// What a filter does with a message beside parsing it.
enum work { work_null, work_null_header, work_sign, work_verify, work_scrub };

/// The milter protocol, version 6; `fields` are the names that `work_scrub` deletes, ended by NULL.
const struct protocol *milter_protocol(enum work work, char **fields);

/// Postfix's policy protocol: each question is answered with DUNNO.
extern const struct protocol policy_protocol;

enum { hash_length = 32 };

/// Reads a private key from a PEM file, once, and prepares signing and verifying with it.
void crypto_prepare(const char *path);
/// The name of the key's algorithm in a DKIM-Signature.
const char *crypto_algorithm(void);
/// A SHA-256 that goes on over several pieces; made at the first use.
void crypto_hash_begin(void **context);
void crypto_hash_update(void *context, const void *octets, size_t count);
void crypto_hash_end(void *context, uint8_t hash[hash_length]);
void crypto_hash_free(void *context);
/// Signs a hash; writes Base64 text, and returns its length.
size_t crypto_sign(const uint8_t hash[hash_length], uint8_t *text);
/// Verifies a signature that was made at the start.
int crypto_verify(void);
size_t crypto_base64(const uint8_t *octets, size_t count, uint8_t *text);

#endif
