"""Knocks at a daemon's socket, one connection after the other, until a file appears.

    knock.py SOCKET milter|policy FILE

Each connection must be taken and its first request answered. Prints how many were, how long the
longest wait was, and what went wrong; fails if anything did.
"""

import os
import socket
import struct
import sys
import time

PATIENCE = 30
REQUESTS = {
    # The offer of Postfix 3.7: version 6, all actions, all events.
    "milter": struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF),
    "policy": b"request=smtpd_access_policy\nprotocol_state=CONNECT\n\n",
}


def knock(path, request):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(path)
        client.sendall(request)
        answer = client.recv(1000)
    if not answer:
        raise ConnectionError("closed without an answer")


def main(path, kind, stop):
    answered, longest, refused, faults = 0, 0.0, 0, []
    while not os.path.exists(stop):
        start = time.monotonic()
        try:
            knock(path, REQUESTS[kind])
            answered += 1
        except OSError as error:
            refused += 1
            faults = (faults + [repr(error)])[:5]
        longest = max(longest, time.monotonic() - start)
    print(f"{answered} answered, the longest wait {longest:.2f} s, {refused} refused")
    for fault in faults:
        print(f"  {fault}")
    return not faults and answered > 0


sys.exit(0 if main(*sys.argv[1:]) else 1)
