#include <zlib.h>

// Begins a gzip member (RFC 1952) with the best compression; the function is a macro that Swift cannot import.
static inline int signet_deflate_gzip(z_stream *stream)
{
    return deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
