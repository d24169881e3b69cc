#include <jansson.h>

// Gives a value up; the function is an inline one with a condition that Swift imports, but under a name that may be a macro.
static inline void signet_json_free(json_t *value)
{
    json_decref(value);
}
