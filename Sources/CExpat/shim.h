#include <expat.h>

// The line that the parser is at. Newer versions of Expat have another function for it and deprecate this
// one, which all versions have.
static inline unsigned long long signet_expat_line(XML_Parser parser) {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    return XML_GetCurrentLineNumber(parser);
#pragma clang diagnostic pop
}
