#!/usr/bin/env python3
"""The second implementation of what a knock's secret is good for when a connection comes: gate.md and silent.md.

Written from these documents alone, with the standard library only. For tests, not for use.

  connections.py vectors DIR   run the test vectors of DIR for them
"""

import hashlib
import hmac
import struct
import sys
from math import floor, sin

from hknock_second import encode_endpoint, hkdf_expand_32, hmac_sha256, initial_sequence, run_vectors

LONGEST_HELLO = 1019
HANDSHAKE, CLIENT_HELLO, PRE_SHARED_KEY = 22, 1, 41
LONGEST_FRAME = 65_509
STEP_SECONDS = 30


# gate.md, section 2

def gate_identity(session):
    return hkdf_expand_32(session, b'hknock/1 gate identity')[:16].hex()


def gate_key(session):
    return hkdf_expand_32(session, b'hknock/1 gate key')


# gate.md, section 3: what a client says first

class Short(Exception):
    """A length does not fit."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Short
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), 'big')

    def vector(self, length):
        return self.take(self.number(length))

    def end(self):
        if self.at != len(self.data):
            raise Short


def judge_hello(said, keys):
    """The check at which it ends; `keys` are those of live grants, by identity."""
    if len(said) < 5:
        return 'more'
    kind, major, _, length = struct.unpack('>BBBH', said[:5])
    if kind != HANDSHAKE or major != 3 or length > LONGEST_HELLO or len(said) > 5 + length:
        return 'record'
    if len(said) < 5 + length:
        return 'more'
    hello = said[5:]
    try:
        identity, binder, truncated = read_offer(hello)
    except Short:
        return 'hello'
    key = keys.get(identity)
    if key is None:
        return 'identity'
    return 'proven' if hmac.compare_digest(binder_of(key, truncated), binder) else 'binder'


def read_offer(hello):
    """Identity and binder of its one offer, and all that is before the binders (RFC 8446, section 4.2.11.2)."""
    message = Reader(hello)
    if message.number(1) != CLIENT_HELLO:
        raise Short
    body = Reader(message.vector(3))
    message.end()
    body.take(2 + 32)
    for length in (1, 2, 1):  # session id, cipher suites, compression methods
        body.vector(length)
    extensions = Reader(body.vector(2))
    body.end()
    kind, content = None, b''
    while extensions.at < len(extensions.data):
        kind, content = extensions.number(2), extensions.vector(2)
    if kind != PRE_SHARED_KEY:
        raise Short
    offer = Reader(content)
    identities = Reader(offer.vector(2))
    binders = Reader(offer.vector(2))
    offer.end()
    identity, _ = identities.vector(2), identities.take(4)
    identities.end()
    binder = binders.vector(1)
    binders.end()
    if (len(identity), len(binder)) != (32, 32):
        raise Short
    return identity.decode('latin-1'), binder, hello[:-(2 + 1 + 32)]


def binder_of(key, truncated):
    early = hmac_sha256(bytes(32), key)
    nothing = hashlib.sha256(b'').digest()
    finished = expand_label(expand_label(early, b'ext binder', nothing), b'finished', b'')
    return hmac_sha256(finished, hashlib.sha256(truncated).digest())


def expand_label(secret, label, context):
    label = b'tls13 ' + label
    info = struct.pack('>HB', 32, len(label)) + label + struct.pack('B', len(context)) + context
    return hkdf_expand_32(secret, info)


# gate.md, section 4.3: datagrams

def read_frames(said):
    """The datagrams, and whether more may come, the end was said, or it is broken."""
    datagrams, at = [], 0
    while at + 2 <= len(said):
        length = int.from_bytes(said[at:at + 2], 'big')
        if length == 0:
            return datagrams, 'end' if at + 2 == len(said) else 'broken'
        if length == 1 or length > LONGEST_FRAME:
            return datagrams, 'broken'
        if at + 2 + length > len(said):
            break
        frame = said[at + 2:at + 2 + length]
        datagrams.append({'flow': int.from_bytes(frame[:2], 'big'), 'datagram': frame[2:].hex()})
        at += 2 + length
    return datagrams, 'more'


# silent.md, section 3

def silent_secret(secret, responder_id, message):
    key = hmac_sha256(b'hknock/1 silent' + responder_id, secret)
    return key, hmac_sha256(key, message)


def silent_message(destination, step, slot, service):
    return encode_endpoint(destination) + struct.pack('>QB', step, slot) + service.encode()


# silent.md, section 7: TCP Stealth

MD5_TURNS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))


def md5_compress(state, block):
    """RFC 1321, section 3.4, on four words."""
    words = struct.unpack('<16I', block)
    a, b, c, d = state
    for i in range(64):
        if i < 16:
            mixed, which = (b & c) | (~b & d), i
        elif i < 32:
            mixed, which = (b & d) | (c & ~d), (5 * i + 1) % 16
        elif i < 48:
            mixed, which = b ^ c ^ d, (3 * i + 5) % 16
        else:
            mixed, which = c ^ (b | ~d), 7 * i % 16
        total = (a + mixed + floor(abs(sin(i + 1)) * 2 ** 32) + words[which]) & 0xFFFFFFFF
        turn = MD5_TURNS[i // 16][i % 4]
        turned = (total << turn | total >> (32 - turn)) & 0xFFFFFFFF
        a, b, c, d = d, (b + turned) & 0xFFFFFFFF, b, c
    return [(before + after) & 0xFFFFFFFF for before, after in zip(state, (a, b, c, d))]


def stealth_number(secret, destination, timestamp, integrity):
    address = encode_endpoint(destination)[:16]
    if '.' in destination['address']:
        address = address[12:] + bytes(12)
    seen = struct.pack('>4xH2xIH2x', integrity or 0, timestamp, destination['port'])
    start = struct.unpack('<4I', bytes(a ^ b for a, b in zip(address, seen)))
    a, b, c, d = md5_compress(start, secret[:64].ljust(64, b'\0'))
    number = a ^ b ^ c ^ d
    return number if integrity is None else number & 0xFFFF0000 | integrity


# Vectors

def check_gate(vector):
    session = bytes.fromhex(vector['sessionSecret'])
    identity, key = gate_identity(session), gate_key(session)
    yield 'identity', identity, vector['identity']
    yield 'key', key.hex(), vector['key']
    yield 'said', judge_hello(bytes.fromhex(vector['said']), {identity: key}), vector['expect']


def check_frames(vector):
    datagrams, then = read_frames(bytes.fromhex(vector['said']))
    yield 'datagrams', datagrams, vector['datagrams']
    yield 'then', then, vector['then']


def check_silent(vector):
    step = vector['unixSeconds'] // STEP_SECONDS
    message = silent_message(vector['destination'], step, vector['slot'], vector['service'])
    credential = (bytes.fromhex(vector[name]) for name in ('secret', 'responderId'))
    key, session = silent_secret(*credential, message)
    yield 'step', step, vector['step']
    yield 'message', message.hex(), vector['message']
    yield 'key', key.hex(), vector['key']
    yield 'secret', session.hex(), vector['turnSecret']
    yield 'number', initial_sequence(session), vector['initialSequence']
    gate = {'identity': gate_identity(session), 'key': gate_key(session).hex()}
    yield 'gate', gate, vector['gate']


def check_stealth(vector):
    secret, integrity = bytes.fromhex(vector['secret']), vector['integrity']
    number = stealth_number(secret, vector['destination'], vector['timestamp'], integrity)
    yield 'number', number, vector['initialSequence']


CHECKS = (
    ('gate', check_gate), ('datagram-frames', check_frames), ('silent', check_silent),
    ('tcp-stealth', check_stealth),
)


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] != 'vectors':
        sys.exit(__doc__)
    sys.exit(run_vectors(sys.argv[2], CHECKS))
