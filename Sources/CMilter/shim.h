// libmilter's header uses bool without including it.
#include <stdbool.h>
#include <libmilter/mfapi.h>
