"""A client and a mailbox: sends messages until each is accepted, and counts what has arrived.

    mail.py send PREFIX COUNT FROM TO SOURCE    prints what was accepted; fails if a message was not
    mail.py resend MAILDIR NAME NEW SOURCE      sends a message of the box once more
    mail.py refused FROM TO SOURCE CODE         fails unless the answer begins with the code
    mail.py box MAILDIR PREFIX COUNT SIGNATURES AGENTS
                                                fails unless each message is there once and whole, with
                                                so many DKIM-Signature and User-Agent fields

FROM is an address, or the From field's and the envelope's with a slash between them.
"""

import mailbox
import smtplib
import sys
import threading
import time

WORKERS = 8
PATIENCE = 60


def message(prefix, number, sender, recipient):
    lines = "".join(f"line {line} of message {number}\r\n" for line in range(20))
    return (
        f"From: {sender}\r\nTo: {recipient}\r\nSubject: {prefix} {number}\r\n"
        f"Date: Sat, 21 Nov 2026 08:00:00 +0000\r\nMessage-ID: <{prefix}.{number}@example.org>\r\n"
        f"User-Agent: tests\r\nX-Test: {prefix}.{number}\r\n\r\n{lines}"
    ).encode()


class Sender:
    """Hands messages over one at a time; a refusal for now is tried again, as any mail server does."""

    def __init__(self, prefix, count, sender, recipient, source):
        self.prefix, self.recipient, self.source = prefix, recipient, source
        self.author, _, envelope = sender.partition("/")
        self.sender = envelope or self.author
        self.waiting = list(range(count))
        self.lock = threading.Lock()
        self.retries = 0
        self.failures = []

    def next(self):
        with self.lock:
            return self.waiting.pop() if self.waiting else None

    def work(self):
        while (number := self.next()) is not None:
            deadline = time.monotonic() + PATIENCE
            while (reason := self.attempt(number)) is not None:
                with self.lock:
                    self.retries += 1
                if not reason[0].startswith("4") or time.monotonic() > deadline:
                    self.failures.append((number, *reason))
                    break
                time.sleep(0.2)

    def attempt(self, number):
        """Returns nothing once the message is accepted, else the reply."""
        body = message(self.prefix, number, self.author, self.recipient)
        try:
            with smtplib.SMTP("127.0.0.1", 25, "client.example.org", 100, (self.source, 0)) as smtp:
                smtp.sendmail(self.sender, [self.recipient], body)
            return None
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return f"{code}", text.decode()
        except smtplib.SMTPResponseException as error:
            return f"{error.smtp_code}", error.smtp_error.decode(errors="replace")
        except (OSError, smtplib.SMTPException) as error:
            # Whether it was accepted is unknown: that must not happen.
            return "lost", repr(error)


def resend(path, name, new, source):
    box = mailbox.Maildir(path, create=False)
    for key, found in box.items():
        if found["X-Test"] == name:
            # X-Test is not signed; Delivered-To would look like a loop.
            body = box.get_bytes(key).replace(b"X-Test: " + name.encode(), b"X-Test: " + new.encode())
            body = body.replace(b"\nDelivered-To:", b"\nX-Was-Delivered-To:", 1)
            body = body.replace(b"\n", b"\r\n")
            with smtplib.SMTP("127.0.0.1", 25, "client.example.org", 100, (source, 0)) as smtp:
                smtp.sendmail("ann@example.org", ["bob@localhost"], body)
            return True
    return False


def refused(sender, recipient, source, code):
    work = Sender("refused", 1, sender, recipient, source)
    answer = work.attempt(0)
    if answer is None or not answer[0].startswith(code):
        print(f"  the answer was {answer}")
        return False
    return True


def send(prefix, count, sender, recipient, source):
    work = Sender(prefix, int(count), sender, recipient, source)
    start = time.monotonic()
    threads = [threading.Thread(target=work.work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - start
    accepted = int(count) - len(work.failures)
    print(f"{accepted} accepted in {seconds:.0f} s, {work.retries} tried again")
    for number, code, text in work.failures[:5]:
        print(f"  message {number}: {code} {text}")
    return not work.failures


def box(path, prefix, count, signatures, agents):
    seen = {}
    wrong = []
    for found in mailbox.Maildir(path, create=False):
        name = str(found["X-Test"])
        if not name.startswith(prefix + "."):
            continue
        seen[name] = seen.get(name, 0) + 1
        for field, wanted in (("DKIM-Signature", signatures), ("User-Agent", agents)):
            if (number := len(found.get_all(field, []))) != int(wanted):
                wrong.append(f"{name} has {number} fields {field}")
        if len(found.get_payload().splitlines()) != 20:
            wrong.append(f"{name} has another body")
    wanted = {f"{prefix}.{number}" for number in range(int(count))}
    wrong += [f"{name} is lost" for name in wanted - seen.keys()]
    wrong += [f"{name} is there {times} times" for name, times in seen.items() if times != 1]
    for line in wrong[:5]:
        print(f"  {line}")
    return not wrong


if __name__ == "__main__":
    command = {"send": send, "resend": resend, "refused": refused, "box": box}[sys.argv[1]]
    sys.exit(0 if command(*sys.argv[2:]) else 1)
