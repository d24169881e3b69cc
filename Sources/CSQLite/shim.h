#include <sqlite3.h>

// Binds text of which SQLite keeps a copy; the constant that asks for it is a cast that Swift cannot import.
// A null pointer with length 0 is the empty text, which is not NULL.
static inline int signet_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int length)
{
    return sqlite3_bind_text(statement, index, text ? text : "", length, SQLITE_TRANSIENT);
}
