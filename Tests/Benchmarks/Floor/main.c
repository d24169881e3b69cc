//     Floor null SOCKET              parses a milter's conversation, with the events of signet-dkim
//     Floor null-header SOCKET       the same with the events of signet-scrub
//     Floor sign SOCKET KEY          hashes header and body, signs, inserts a DKIM-Signature
//     Floor verify SOCKET KEY        hashes them, verifies a signature, inserts an Authentication-Results
//     Floor scrub SOCKET FIELD…      deletes the fields of these names
//     Floor policy SOCKET            a policy server that answers DUNNO

#include <stdio.h>
#include <string.h>

#include "floor.h"

int main(int count, char **arguments) {
    if (count < 3) return 64;
    const char *mode = arguments[1], *socket = arguments[2];
    const char *modes[] = {"null", "null-header", "sign", "verify", "scrub"};
    if (strcmp(mode, "policy") == 0) {
        serve(socket, &policy_protocol);
    }
    for (int work = work_null; work <= work_scrub; work++) {
        if (strcmp(mode, modes[work]) != 0) continue;
        if (work == work_sign || work == work_verify) {
            if (count < 4) return 64;
            crypto_prepare(arguments[3]);
        }
        serve(socket, milter_protocol(work, arguments + 3));
    }
    fprintf(stderr, "no mode %s\n", mode);
    return 64;
}
