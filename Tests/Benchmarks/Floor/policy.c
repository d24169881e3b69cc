// Postfix's policy protocol: lines of name=value, ended by an empty one.

#include <string.h>

#include "floor.h"

/// The attributes that a question is about.
struct question {
    const uint8_t *address, *helo, *sender;
};

static void *open_question(void) { return NULL; }

static void close_question(void *state) { (void)state; }

static int is_named(const uint8_t *line, size_t length, const char *name) {
    size_t count = strlen(name);
    return length > count && line[count] == '=' && memcmp(line, name, count) == 0;
}

static ptrdiff_t take(void *state, const uint8_t *octets, size_t count, struct answer *answer) {
    (void)state;
    struct question question = {0};
    size_t done = 0, offset = 0;
    while (offset < count) {
        const uint8_t *line = octets + offset;
        const uint8_t *newline = memchr(line, '\n', count - offset);
        if (!newline) break;
        size_t length = (size_t)(newline - line);
        offset += length + 1;
        if (is_named(line, length, "client_address")) question.address = line;
        if (is_named(line, length, "helo_name")) question.helo = line;
        if (is_named(line, length, "sender")) question.sender = line;
        if (length > 0) continue;
        done = offset;
        if (!question.address || !question.helo || !question.sender) return -1;
        static const char text[] = "action=DUNNO\n\n";
        if (answer->count + sizeof text > sizeof answer->octets) return -1;
        memcpy(answer->octets + answer->count, text, sizeof text - 1);
        answer->count += sizeof text - 1;
    }
    return (ptrdiff_t)done;
}

const struct protocol policy_protocol = {open_question, take, close_question};
