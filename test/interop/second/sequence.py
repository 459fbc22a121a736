#!/usr/bin/env python3
"""The second implementation of sequence mode's TOTP scheme, sequence.md, section 4.

Written from this document alone, with the standard library only. For tests, not for use.

  sequence.py vectors DIR   run the test vectors of DIR for it
"""

import struct
import sys

from hknock_second import hkdf_expand_32, hmac_sha256, run_vectors

STEP_SECONDS = 30


def totp_digest(secret, unix_seconds):
    """What RFC 6238 truncates, with SHA-256."""
    return hmac_sha256(secret, struct.pack('>Q', unix_seconds // STEP_SECONDS))


def code(digest, digits):
    """RFC 4226, section 5.3."""
    at = digest[-1] & 15
    number = int.from_bytes(digest[at:at + 4], 'big') & 0x7FFFFFFF
    return '%0*d' % (digits, number % 10 ** digits)


def hkdf_expand(key, info, length):
    """RFC 5869, section 2.3."""
    out, block, number = b'', b'', 0
    while len(out) < length:
        number += 1
        block = hmac_sha256(key, block + info + bytes((number,)))
        out += block
    return out[:length]


def ports_of(key, service, first, last, count):
    drawn = struct.unpack('>%dI' % count, hkdf_expand(key, b'hknock/1 ports ' + service, 4 * count))
    width = (last - first + 1) // count
    return [first + i * width + number % width for i, number in enumerate(drawn)]


def check(vector):
    secret, service = bytes.fromhex(vector['secret']), vector['service'].encode()
    digest = totp_digest(secret, vector['unixSeconds'])
    key = hmac_sha256(b'hknock/1 sequence' + bytes.fromhex(vector['responderId']), digest)
    yield 'step', vector['unixSeconds'] // STEP_SECONDS, vector['step']
    yield 'digest', digest.hex(), vector['digest']
    yield 'code', code(digest, 8), vector['code8']
    yield 'key', key.hex(), vector['key']
    where = (vector[name] for name in ('first', 'last', 'count'))
    yield 'ports', ports_of(key, service, *where), vector['ports']
    session = hkdf_expand_32(key, b'hknock/1 sequence session ' + service)
    yield 'session', session.hex(), vector['sessionSecret']
    name = hmac_sha256(secret, b'hknock/1 credential id')[:8]
    yield 'credential id', name.hex(), vector['credentialId']


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] != 'vectors':
        sys.exit(__doc__)
    sys.exit(run_vectors(sys.argv[2], [('sequence', check)]))
