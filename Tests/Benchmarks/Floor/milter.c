// The milter protocol as Postfix speaks it. A frame is a length of four octets, a command letter and data.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "floor.h"

// Protocol steps (SMFIP) and actions (SMFIF).
enum {
    no_helo = 0x2, no_recipient = 0x8, no_body = 0x10, no_end_of_header = 0x40,
    no_unknown = 0x100, no_data = 0x200, skip = 0x400, leading_space = 0x100000,
    no_replies = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000 | 0x40000 | 0x80000,
    add_headers = 0x1, change_headers = 0x10,
};

enum { most_fields = 256, largest_frame = 1 << 20 };

/// A field of the message, in the arena: the name and the value, each ended by NUL.
struct field {
    size_t name, name_length, value, value_length;
};

/// The state of a connection.
struct session {
    char queue_id[32];
    /// The header section of the message.
    uint8_t *arena;
    size_t used, capacity;
    struct field fields[most_fields];
    size_t field_count;
    void *body_hash, *header_hash;
};

static enum work work;
static char **unwanted;

static uint32_t number(const uint8_t *octets) {
    return (uint32_t)octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
}

static void put_number(uint8_t *octets, uint32_t value) {
    for (int index = 0; index < 4; index++) octets[index] = (uint8_t)(value >> (24 - 8 * index));
}

/// Appends a frame, and returns where its data begin.
static uint8_t *put_frame(struct answer *answer, char command, size_t count) {
    if (answer->count + 5 + count > sizeof answer->octets) exit(70);
    uint8_t *frame = answer->octets + answer->count;
    put_number(frame, (uint32_t)count + 1);
    frame[4] = (uint8_t)command;
    answer->count += 5 + count;
    return frame + 5;
}

static void negotiate(struct answer *answer) {
    uint32_t steps = no_helo | no_recipient | no_unknown | no_data | skip | leading_space | no_replies;
    if (work == work_scrub || work == work_null_header) steps |= no_body | no_end_of_header;
    uint8_t *data = put_frame(answer, 'O', 12);
    put_number(data, 6);
    put_number(data + 4, add_headers | change_headers);
    put_number(data + 8, steps);
}

/// A header edit: 'i' with index 0 inserts, 'm' with occurrence 1 and an empty value deletes.
static void put_edit(struct answer *answer, char command, uint32_t index, const char *name, const char *value) {
    size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    uint8_t *data = put_frame(answer, command, 4 + name_size + value_size);
    put_number(data, index);
    memcpy(data + 4, name, name_size);
    memcpy(data + 4 + name_size, value, value_size);
}

/// Takes macros: pairs of strings.
static void take_macros(struct session *session, const uint8_t *data, size_t count) {
    size_t offset = 1;
    while (offset < count) {
        const char *name = (const char *)data + offset;
        size_t name_length = strnlen(name, count - offset);
        offset += name_length + 1;
        if (offset >= count) return;
        const char *value = (const char *)data + offset;
        size_t value_length = strnlen(value, count - offset);
        offset += value_length + 1;
        if (name_length == 1 && *name == 'i' && value_length < sizeof session->queue_id) {
            memcpy(session->queue_id, value, value_length);
            session->queue_id[value_length] = 0;
        }
    }
}

static void begin_message(struct session *session) {
    session->used = 0;
    session->field_count = 0;
    if (work == work_sign || work == work_verify) crypto_hash_begin(&session->body_hash);
}

static void take_field(struct session *session, const uint8_t *data, size_t count) {
    size_t name_length = strnlen((const char *)data, count);
    if (name_length + 1 >= count || session->field_count == most_fields) return;
    if (session->used + count > session->capacity) {
        session->capacity = 2 * (session->used + count);
        session->arena = realloc(session->arena, session->capacity);
        if (!session->arena) exit(71);
    }
    memcpy(session->arena + session->used, data, count);
    session->fields[session->field_count++] = (struct field){
        session->used, name_length, session->used + name_length + 1, count - name_length - 2};
    session->used += count;
}

/// Hashes the header section in the relaxed form of RFC 6376, section 3.4.2.
static void hash_header(struct session *session, uint8_t hash[hash_length]) {
    static uint8_t text[2 * largest_frame];
    size_t length = 0;
    for (size_t index = 0; index < session->field_count; index++) {
        struct field *field = &session->fields[index];
        if (length + field->name_length + field->value_length + 3 > sizeof text) break;
        const uint8_t *name = session->arena + field->name, *value = session->arena + field->value;
        for (size_t at = 0; at < field->name_length; at++)
            text[length++] = name[at] >= 'A' && name[at] <= 'Z' ? name[at] | 0x20 : name[at];
        text[length++] = ':';
        int space = 0;
        size_t start = length;
        for (size_t at = 0; at < field->value_length; at++) {
            uint8_t octet = value[at];
            if (octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n') {
                space = 1;
                continue;
            }
            if (space && length > start) text[length++] = ' ';
            space = 0;
            text[length++] = octet;
        }
        text[length++] = '\r';
        text[length++] = '\n';
    }
    crypto_hash_begin(&session->header_hash);
    crypto_hash_update(session->header_hash, text, length);
    crypto_hash_end(session->header_hash, hash);
}

static void sign(struct session *session, struct answer *answer) {
    uint8_t hash[hash_length], body[64], signature[2048];
    crypto_hash_end(session->body_hash, hash);
    crypto_base64(hash, hash_length, body);
    hash_header(session, hash);
    crypto_sign(hash, signature);
    char value[4096];
    snprintf(
        value, sizeof value,
        " v=1; a=%s; c=relaxed/simple; d=example.org; s=floor;\n\th=From:To:Subject;\n\tbh=%s;\n\tb=%s",
        crypto_algorithm(), (char *)body, (char *)signature);
    put_edit(answer, 'i', 0, "DKIM-Signature", value);
}

static void verify(struct session *session, struct answer *answer) {
    uint8_t hash[hash_length];
    crypto_hash_end(session->body_hash, hash);
    hash_header(session, hash);
    if (!crypto_verify()) return;
    put_edit(
        answer, 'i', 0, "Authentication-Results",
        " mx.example.org;\n\tdkim=pass header.d=example.org header.s=floor");
}

static void scrub(struct session *session, struct answer *answer) {
    for (size_t index = 0; index < session->field_count; index++) {
        struct field *field = &session->fields[index];
        const char *name = (const char *)session->arena + field->name;
        for (char **other = unwanted; *other; other++)
            if (strcasecmp(name, *other) == 0) put_edit(answer, 'm', 1, name, "");
    }
}

static void end_message(struct session *session, struct answer *answer) {
    if (work == work_sign) sign(session, answer);
    if (work == work_verify) verify(session, answer);
    if (work == work_scrub) scrub(session, answer);
    put_frame(answer, 'c', 0);
}

static ptrdiff_t take(void *state, const uint8_t *octets, size_t count, struct answer *answer) {
    struct session *session = state;
    size_t offset = 0;
    while (count - offset >= 5) {
        size_t length = number(octets + offset);
        if (length < 1 || length > largest_frame) return -1;
        if (count - offset < 4 + length) break;
        const uint8_t *data = octets + offset + 5;
        size_t size = length - 1;
        switch (octets[offset + 4]) {
        case 'O': negotiate(answer); break;
        case 'D': take_macros(session, data, size); break;
        case 'M': begin_message(session); break;
        case 'L': take_field(session, data, size); break;
        case 'B':
            if (session->body_hash) crypto_hash_update(session->body_hash, data, size);
            break;
        case 'E': end_message(session, answer); break;
        case 'Q': return -1;
        default: break;
        }
        offset += 4 + length;
    }
    return (ptrdiff_t)offset;
}

static void *open_session(void) {
    // The table of fields is large and is not touched before it is needed.
    struct session *session = malloc(sizeof *session);
    if (!session) exit(71);
    session->arena = NULL;
    session->used = session->capacity = session->field_count = 0;
    session->body_hash = session->header_hash = NULL;
    return session;
}

static void close_session(void *state) {
    struct session *session = state;
    free(session->arena);
    crypto_hash_free(session->body_hash);
    crypto_hash_free(session->header_hash);
    free(session);
}

const struct protocol *milter_protocol(enum work wanted, char **fields) {
    static const struct protocol protocol = {open_session, take, close_session};
    work = wanted;
    unwanted = fields;
    return &protocol;
}
