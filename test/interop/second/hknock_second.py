#!/usr/bin/env python3
"""A second implementation of the hknock challenge-response protocol, version 1.

Written from protocol-spec/wire.md and protocol-spec/vectors.md alone, with the standard library
only, so that the document and not the first implementation is what both sides agree on. It is
there for interoperability tests: pure Python is neither fast nor constant-time, so do not deploy it.

  hknock_second.py vectors DIR   run every test vector of DIR
  hknock_second.py initiate      JSON line on stdin, one handshake over UDP, JSON line on stdout; then a Lease
                                 for each line on stdin that says `renew` or `close`, and its outcome
  hknock_second.py respond       JSON line on stdin, answers until stdin closes or SIGTERM
"""

import hashlib
import hmac
import ipaddress
import json
import os
import re
import select
import signal
import socket
import struct
import sys
import time

LONGEST_DATAGRAM = 1200
CHALLENGE_LIFE_MS = 10_000
EPOCH_MS = 60_000
WAITS_MS = (250, 500, 1000, 2000, 4000)
REPLAY_CAPACITY = 65_536
MOST_CHALLENGES = 8
LEASE_KEPT_MS = 10_000
LEASES_PER_GRANT = 16
GRANT_LIFETIME_MS = 30_000

ADMISSIONS = (None, 'address', 'once', 'port', 'bound', 'gate')
REASONS = (
    None, 'service-refused', 'admission-refused', 'limit-reached', 'firewall-failed', 'busy',
    'prefix-refused',
)
BREADTHS = (None, 'prefix')
PROTOCOLS = (None, 'tcp', 'udp')
OPERATIONS = (None, 'renew', 'close')
STATUSES = ('done', 'over', 'refused', 'failed')


# Primitives: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, RFC 8439), HKDF (RFC 5869)

def _rounds(state):
    """The twenty rounds of ChaCha, without the final addition."""
    x = list(state)

    def quarter(a, b, c, d):
        for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xFFFFFFFF
            mixed = x[r] ^ x[p]
            x[r] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return x


_SIGMA = struct.unpack('<4I', b'expand 32-byte k')


def hchacha20(key, nonce16):
    x = _rounds(_SIGMA + struct.unpack('<8I', key) + struct.unpack('<4I', nonce16))
    return struct.pack('<8I', *x[:4], *x[12:])


def chacha20(key, counter, nonce12, data):
    head = _SIGMA + struct.unpack('<8I', key)
    out = bytearray()
    for at in range(0, len(data), 64):
        state = head + (counter + at // 64,) + struct.unpack('<3I', nonce12)
        block = struct.pack('<16I', *((a + b) & 0xFFFFFFFF for a, b in zip(state, _rounds(state))))
        out += bytes(a ^ b for a, b in zip(data[at:at + 64], block))
    return bytes(out)


def poly1305(key, message):
    r = int.from_bytes(key[:16], 'little') & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at:at + 16] + b'\1', 'little')) * r
        total %= (1 << 130) - 5
    return ((total + int.from_bytes(key[16:], 'little')) % (1 << 128)).to_bytes(16, 'little')


def _aead(key, nonce, ad):
    """The ChaCha20 key, its nonce, and the tag of a ciphertext as a function."""
    subkey, nonce12 = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    one_time = chacha20(subkey, 0, nonce12, bytes(32))

    def tag(ciphertext):
        padded = ad + bytes(-len(ad) % 16) + ciphertext + bytes(-len(ciphertext) % 16)
        return poly1305(one_time, padded + struct.pack('<QQ', len(ad), len(ciphertext)))

    return subkey, nonce12, tag


def seal(key, nonce, ad, plaintext):
    subkey, nonce12, tag = _aead(key, nonce, ad)
    ciphertext = chacha20(subkey, 1, nonce12, plaintext)
    return ciphertext + tag(ciphertext)


def open_sealed(key, nonce, ad, sealed):
    """The plaintext, or None when the seal is broken."""
    subkey, nonce12, tag = _aead(key, nonce, ad)
    if not hmac.compare_digest(tag(sealed[:-16]), sealed[-16:]):
        return None
    return chacha20(subkey, 1, nonce12, sealed[:-16])


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf_expand_32(prk, info):
    return hmac_sha256(prk, info + b'\1')


# Section 3: keys

class Keys:
    def __init__(self, tag, secret, responder_id):
        if (len(tag), len(secret), len(responder_id)) != (8, 32, 16):
            raise ValueError('a tag has 8 bytes, a secret 32, a responder id 16')
        self.tag, self.responder_id = tag, responder_id
        self.prk = hmac_sha256(b'hknock/1 psk' + responder_id + tag, secret)
        for name in ('request', 'challenge', 'response', 'grant', 'proof', 'session'):
            setattr(self, name, hkdf_expand_32(self.prk, b'hknock/1 ' + name.encode()))

    def transcript(self, statement, cookie):
        head = b'hknock/1 transcript' + self.responder_id + self.tag
        return hashlib.sha256(head + statement + cookie).digest()

    def prove(self, transcript):
        return hmac_sha256(self.proof, transcript)

    def session_secret(self, transcript):
        return hkdf_expand_32(self.session, b'hknock/1 session secret' + transcript)


class LeaseKeys:
    def __init__(self, tag, session):
        self.id = hkdf_expand_32(session, b'hknock/1 lease id')[:8]
        self.lease = hkdf_expand_32(session, b'hknock/1 lease')
        self.answer = hkdf_expand_32(session, b'hknock/1 lease answer')
        self.name = tag + self.id

    def ask(self, nonce, sequence, operation):
        body = struct.pack('>QB7x', sequence, OPERATIONS.index(operation))
        return self.name + nonce + seal(self.lease, nonce, self.name, body)

    def tell(self, nonce, sequence, outcome):
        body = struct.pack('>B3xI', STATUSES.index(outcome['status']), outcome['lifetimeMs'])
        return nonce + seal(self.answer, nonce, self.name + struct.pack('>Q', sequence), body)

    def hear(self, sequence, data):
        """The outcome in an Answer, or None for what is to be ignored."""
        if len(data) != 48:
            return None
        body = open_sealed(self.answer, data[:24], self.name + struct.pack('>Q', sequence), data[24:])
        if body is None:
            return None
        status, zero, lifetime = struct.unpack('>B3sI', body)
        if status >= len(STATUSES) or any(zero) or (status and lifetime):
            return None
        return {'status': STATUSES[status], 'lifetimeMs': lifetime}


def initial_sequence(session):
    derived = hkdf_expand_32(session, b'hknock/1 initial sequence number')
    return int.from_bytes(derived[:4], 'big') or 1


def keys_of(config):
    return Keys(*(bytes.fromhex(config[name]) for name in ('tag', 'secret', 'responderId')))


# Section 2: encodings

def encode_endpoint(endpoint):
    if endpoint is None:
        return bytes(18)
    address = ipaddress.ip_address(endpoint['address'].split('%')[0])
    packed = address.packed if address.version == 6 else bytes(10) + b'\xff\xff' + address.packed
    return packed + struct.pack('>H', endpoint['port'])


def decode_endpoint(data):
    address = ipaddress.IPv6Address(data[:16])
    text = str(address.ipv4_mapped or address)
    return {'address': text, 'port': int.from_bytes(data[16:], 'big')}


def read_wish(body):
    try:
        return decode_request_body(body)
    except ValueError:
        raise Drop('malformed') from None


def encode_request_body(claimed, service, admission, breadth=None):
    body = encode_endpoint(claimed) + service.encode().ljust(32, b'\0')
    body += bytes((ADMISSIONS.index(admission), BREADTHS.index(breadth)))
    decode_request_body(body)
    return body


def decode_request_body(body):
    claimed, name, admission, breadth = struct.unpack('18s32sBB', body)
    service = name.rstrip(b'\0')
    if not re.fullmatch(rb'[a-z0-9][a-z0-9-]{0,31}', service):
        raise ValueError('service name')
    if admission >= len(ADMISSIONS) or breadth >= len(BREADTHS):
        raise ValueError('admission or breadth')
    return {
        'service': service.decode(),
        'admission': ADMISSIONS[admission],
        **broad(breadth),
        'claimed': decode_endpoint(claimed) if any(claimed) else None,
    }


def broad(breadth):
    return {'breadth': BREADTHS[breadth]} if breadth else {}


GRANT = struct.Struct('>BBBBI8s18sHBB48s')


def encode_grant(outcome, observed):
    if outcome['kind'] == 'granted':
        ports = b''.join(
            struct.pack('>BH', PROTOCOLS.index(p['protocol']), p['port']) for p in outcome['ports']
        )
        fields = (0, 0, ADMISSIONS.index(outcome['admission']), 0, outcome['lifetimeMs'],
                  bytes.fromhex(outcome['grant']), observed, outcome['admissionPort'] or 0,
                  len(outcome['ports']), BREADTHS.index(outcome.get('breadth')), ports)
    else:
        acceptable = sum(1 << (ADMISSIONS.index(name) - 1) for name in outcome['acceptable'])
        fields = (1, REASONS.index(outcome['reason']), 0, acceptable, 0,
                  bytes(8), observed, 0, 0, 0, b'')
    return GRANT.pack(*fields)


def decode_grant(body):
    """The outcome and the observed endpoint; ValueError when it is not well formed."""
    (status, reason, admission, acceptable, lifetime, grant, observed,
     admission_port, count, breadth, ports) = GRANT.unpack(body)

    def need(condition):
        if not condition:
            raise ValueError('malformed Grant')

    need(breadth < len(BREADTHS) and not any(ports[3 * count:]))
    if status == 0:
        need(not reason and not acceptable)
        need(1 <= admission <= 5 and lifetime and 1 <= count <= 16)
        need((ADMISSIONS[admission] in ('port', 'gate')) == (admission_port > 0))
        pairs = [struct.unpack_from('>BH', ports, 3 * i) for i in range(count)]
        need(all(protocol in (1, 2) and port for protocol, port in pairs))
        outcome = {
            'kind': 'granted',
            'grant': grant.hex(),
            'admission': ADMISSIONS[admission],
            'lifetimeMs': lifetime,
            'admissionPort': admission_port or None,
            'ports': [{'protocol': PROTOCOLS[a], 'port': b} for a, b in pairs],
            **broad(breadth),
        }
    else:
        need(status == 1 and 1 <= reason < len(REASONS))
        need(not (admission or lifetime or any(grant) or admission_port or count or breadth))
        need(acceptable < 32 and (not acceptable or REASONS[reason] == 'admission-refused'))
        outcome = {
            'kind': 'refused',
            'reason': REASONS[reason],
            'acceptable': [name for n, name in enumerate(ADMISSIONS[1:]) if acceptable >> n & 1],
        }
    return outcome, decode_endpoint(observed)


# Section 5: the responder

def refusal(reason, *acceptable):
    return {'kind': 'refused', 'reason': reason, 'acceptable': list(acceptable)}


class Drop(Exception):
    """The reason for which a datagram is dropped."""


class Responder:
    """Decides about datagrams; the caller owns the socket, the clock, the limits and the policy."""

    RESPONSE_LENGTH = 222

    def __init__(
        self, peers, capacity=REPLAY_CAPACITY, nonce=None, cookie_secret=None, may_knock=None,
    ):
        self.peers = {keys.tag: keys for keys in peers}
        self.capacity = capacity
        self.may_knock = may_knock or (lambda tag, address: True)
        self.nonce = nonce or (lambda: os.urandom(24))
        self.draw_cookie_secret = cookie_secret or (lambda: os.urandom(32))
        self.cookie_secrets = {}  # by epoch
        self.replays = {}  # by cookie, or response id: (issued at, Grant, or None while pending)
        self.leases = {}  # by lease id, in the order they began
        self.fault = {}  # what a drop says besides its reason

    def receive(self, data, source, now):
        """('drop', reason), ('reply', datagram), ('knock', knock) or ('lease', wish)."""
        epoch, self.fault = now // EPOCH_MS, {}
        for old in [e for e in self.cookie_secrets if e < epoch - 1]:
            del self.cookie_secrets[old]
        try:
            return self._judge(data, source, now)
        except Drop as drop:
            return 'drop', str(drop)

    def _judge(self, data, source, now):
        if len(data) not in (100, self.RESPONSE_LENGTH, 72):
            raise Drop('length')
        keys = self.peers.get(data[:8])
        if keys is None:
            raise Drop('tag')
        if len(data) == 72:
            return self._lease(keys, data, source, now)
        is_request = len(data) == 100
        key = keys.request if is_request else keys.response
        body = open_sealed(key, data[8:32], keys.tag, data[32:])
        if body is None:
            raise Drop('mac')
        if is_request:
            self._read_request(body)
            return 'reply', self._challenge(keys, data[8:32], body, source, now)
        return self._response(keys, body, source, now)

    def _read_request(self, body):
        read_wish(body)

    def _cookie(self, keys, statement, epoch):
        return hmac_sha256(self.cookie_secrets[epoch], keys.tag + statement)[:16]

    def _challenge(self, keys, initiator_nonce, request_body, source, now):
        epoch = now // EPOCH_MS
        if epoch not in self.cookie_secrets:
            self.cookie_secrets[epoch] = self.draw_cookie_secret()
        nonce, seen = self.nonce(), source + struct.pack('>Q', now)
        cookie = self._cookie(keys, initiator_nonce + nonce + seen + request_body, epoch)
        body = seen + request_body[:18] + cookie
        return nonce + seal(keys.challenge, nonce, keys.tag + initiator_nonce, body)

    def _response(self, keys, body, source, now):
        wish = read_wish(body[74:126])
        statement, cookie, proof = body[:126], body[126:142], body[142:]
        issued_at = self._recognise(keys, statement, cookie, source, now)
        grant = self._recorded(cookie)
        if grant is not None:
            return 'reply', grant
        transcript = keys.transcript(statement, cookie)
        if not hmac.compare_digest(keys.prove(transcript), proof):
            raise Drop('proof')
        return self._admit({
            'keys': keys,
            'record': cookie,
            'issuedAt': issued_at,
            'transcript': transcript,
            'source': source,
            'at': now,
            'says': {
                **wish,
                'observed': decode_endpoint(source),
                'sessionSecret': keys.session_secret(transcript).hex(),
            },
        }, now)

    def _recognise(self, keys, statement, cookie, source, now):
        """Steps 5 to 7: when the Challenge that comes back here was issued."""
        issued_at = int.from_bytes(statement[66:74], 'big')
        epoch, current = issued_at // EPOCH_MS, now // EPOCH_MS
        if epoch not in self.cookie_secrets or epoch not in (current, current - 1):
            raise Drop('cookie')
        if not hmac.compare_digest(self._cookie(keys, statement, epoch), cookie):
            raise Drop('cookie')
        if statement[48:64] != source[:16]:
            raise Drop('source')
        if not 0 <= now - issued_at <= CHALLENGE_LIFE_MS:
            raise Drop('expired')
        return issued_at

    def _recorded(self, record):
        """Step 8: the Grant that this Response had, or None when it is new."""
        if record not in self.replays:
            return None
        grant = self.replays[record][1]
        if grant is None:
            raise Drop('pending')
        return grant

    def _admit(self, knock, now):
        """Steps 10 and 11."""
        self._forget(now)
        if len(self.replays) >= self.capacity:
            return 'reply', self._grant(knock, refusal('busy'))
        if not self.may_knock(self.limited(knock), knock['source'][:16]):
            return 'reply', self._grant(knock, refusal('limit-reached'))
        self.replays[knock['record']] = (knock['issuedAt'], None)
        return 'knock', knock

    def limited(self, knock):
        """Whose limits a knock counts for."""
        return knock['keys'].tag

    def conclude(self, knock, outcome):
        """What policy and firewall made of a knock, as the Grant to send."""
        grant = self._grant(knock, outcome)
        if knock['record'] in self.replays:
            self.replays[knock['record']] = (knock['issuedAt'], grant)
        if outcome['kind'] == 'granted':
            self._begin_lease(knock, outcome)
        return grant

    def _begin_lease(self, knock, outcome):
        holders = [i for i, each in self.leases.items() if each['grant'] == outcome['grant']]
        if len(holders) == LEASES_PER_GRANT:
            del self.leases[holders[0]]
        lease_keys = LeaseKeys(knock['keys'].tag, bytes.fromhex(knock['says']['sessionSecret']))
        self.leases[lease_keys.id] = {
            'keys': lease_keys,
            'grant': outcome['grant'],
            'source': knock['source'][:16],
            'ends': knock['at'] + outcome['lifetimeMs'],
            'sequence': 0,
            'answer': None,
            'knock': knock,
        }

    def _lease(self, keys, data, source, now):
        for old in [i for i, each in self.leases.items() if now > each['ends'] + LEASE_KEPT_MS]:
            del self.leases[old]
        lease = self.leases.get(data[8:16])
        if lease is None or lease['keys'].name != data[:16]:
            raise Drop('lease')
        body = open_sealed(lease['keys'].lease, data[16:40], data[:16], data[40:])
        if body is None:
            raise Drop('mac')
        sequence, operation, zero = struct.unpack('>QB7s', body)
        if not 1 <= sequence < 1 << 53 or operation not in (1, 2) or any(zero):
            raise Drop('malformed')
        if source[:16] != lease['source']:
            raise Drop('source')
        if sequence < lease['sequence']:
            raise Drop('stale')
        if sequence == lease['sequence']:
            if lease['answer'] is None:
                raise Drop('pending')
            return 'reply', lease['answer']
        if operation == 1:
            self.check_renewal(lease['knock'])
            if not self.may_knock(self.limited(lease['knock']), source[:16]):
                raise Drop('limit')
        lease['sequence'], lease['answer'] = sequence, None
        others = [each for each in self.leases.values() if each is not lease and each['ends'] > now]
        return 'lease', {
            'lease': lease,
            'sequence': sequence,
            'at': now,
            'says': {
                'operation': OPERATIONS[operation],
                'grant': lease['grant'],
                'isLast': all(each['grant'] != lease['grant'] for each in others),
            },
        }

    def check_renewal(self, knock):
        """What must hold besides the limits for a renewal: nothing, with a pre-shared secret."""

    def conclude_lease(self, wish, outcome):
        """What became of a Lease, as the Answer to send."""
        lease = wish['lease']
        answer = lease['keys'].tell(self.nonce(), wish['sequence'], outcome)
        if wish['sequence'] == lease['sequence']:
            lease['answer'] = answer
            if outcome['status'] in ('done', 'over'):
                # 0 after a close, and where the grant is over
                lease['ends'] = wish['at'] + outcome['lifetimeMs']
        return answer

    def _grant(self, knock, outcome):
        nonce, body = self.nonce(), encode_grant(outcome, knock['source'])
        return nonce + seal(knock['keys'].grant, nonce, knock['transcript'], body)

    def _forget(self, now):
        for record, (issued_at, _) in list(self.replays.items()):
            if now - issued_at > CHALLENGE_LIFE_MS:
                del self.replays[record]


# Section 6: the initiator

class Initiator:
    """One handshake. Every event gives the datagrams to send, in order."""

    def __init__(self, keys, claimed, service, admission, breadth=None, nonce=None, expect=None):
        self.keys, self.admission, self.breadth = keys, admission, breadth
        self.expect, self.unexpected = expect, None  # addresses it can have, or any
        self.nonce = nonce or (lambda: os.urandom(24))
        self.request_body = encode_request_body(claimed, service, admission, breadth)
        self.state, self.result, self.due = 'idle', {}, None
        self.challenges = {}  # by observed address, in the order they came: (statement, cookie)
        self.answered = []  # for each Response: what opens its Grant, and the session secret then

    def _enter(self, state, result=None):
        self.state, self.result, self.due = state, result or {}, None
        self.datagrams, self.sent = [], 0
        return []

    def _send(self, now):
        self.due = now + WAITS_MS[self.sent]
        self.sent += 1
        return list(self.datagrams)

    def start(self, now):
        self._enter('requesting')
        self.own_nonce, keys = self.nonce(), self.keys
        sealed = seal(keys.request, self.own_nonce, keys.tag, self.request_body)
        self.datagrams.append(keys.tag + self.own_nonce + sealed)
        return self._send(now)

    def timer(self, now):
        if self.due is None or now < self.due:
            return []
        if self.state == 'requesting' and self.unexpected and self.sent >= 2:
            result = {'reason': 'unexpected-address', 'observed': self.unexpected}
            return self._enter('failed', result)
        if self.sent == len(WAITS_MS):
            reason = 'no-challenge' if self.state == 'requesting' else 'no-grant'
            return self._enter('failed', {'reason': reason})
        if self.state == 'responding':
            self._answer(MOST_CHALLENGES)
        return self._send(now)

    def receive(self, data):
        if len(data) == 100 and self.state in ('requesting', 'challenged', 'responding'):
            self._receive_challenge(data)
        elif len(data) == 126 and self.state == 'responding':
            self._receive_grant(data)
        return []

    def _receive_challenge(self, data):
        keys, nonce = self.keys, data[:24]
        body = open_sealed(keys.challenge, nonce, keys.tag + self.own_nonce, data[24:])
        if body is None or body[26:44] != self.request_body[:18]:
            return
        observed = decode_endpoint(body[:18])
        if self.expect is not None and observed['address'] not in self.expect:
            self.unexpected = observed
            return
        if body[:16] in self.challenges or len(self.challenges) == MOST_CHALLENGES:
            return
        statement = self.own_nonce + nonce + body[:26] + self.request_body
        self.challenges[body[:16]] = statement, body[44:]
        if self.state == 'requesting':
            self._enter('challenged', {'observed': observed})

    def proceed(self, now):
        if self.state != 'challenged':
            return []
        self._enter('responding')
        self._answer(1)
        return self._send(now)

    def _answer(self, most):
        unanswered = list(self.challenges.values())[len(self.answered):]
        for statement, cookie in unanswered[:most]:
            self._respond(statement, cookie)

    def _respond(self, statement, cookie):
        keys = self.keys
        transcript = keys.transcript(statement, cookie)
        body = statement + cookie + keys.prove(transcript)
        self.answered.append((keys.grant, transcript, keys.session_secret(transcript)))
        self._add_response(body)

    def _add_response(self, body):
        keys, nonce = self.keys, self.nonce()
        self.datagrams.append(keys.tag + nonce + seal(keys.response, nonce, keys.tag, body))

    def _receive_grant(self, data):
        for key, transcript, session in self.answered:
            body = open_sealed(key, data[:24], transcript, data[24:])
            if body is not None:
                break
        else:
            return
        try:
            outcome, observed = decode_grant(body)
        except ValueError:
            return
        if outcome['kind'] == 'granted':
            if self.admission not in (None, outcome['admission']):
                return
            if outcome.get('breadth') != self.breadth:
                return
        self._enter('concluded', {
            'outcome': outcome,
            'observed': observed,
            'sessionSecret': session.hex(),
        })


# Command: vectors

def draws(values):
    rest = iter(values)
    return lambda: bytes.fromhex(next(rest))


def check_keys(vector):
    keys = keys_of(vector['credential'])
    yield 'pseudoRandomKey', keys.prk.hex(), vector['pseudoRandomKey']
    for name, value in vector['keys'].items():
        yield name, getattr(keys, name).hex(), value


def check_responder(vector):
    keys, drawn = keys_of(vector['credential']), vector['draws']
    allowed = iter(range(vector.get('knocksPerPeer', REPLAY_CAPACITY)))
    responder = Responder(
        [keys], vector['replayCapacity'], draws(drawn['nonces']), draws(drawn['cookieSecrets']),
        lambda *_: next(allowed, None) is not None,
    )
    for number, step in enumerate(vector['steps']):
        kind, what = yield from check_step(responder, number, step)
        if 'intermediate' in vector and kind == 'knock':
            body = open_response(keys, bytes.fromhex(step['datagram']))
            statement, transcript = body[:126], what['transcript']
            epoch = int.from_bytes(statement[66:74], 'big') // EPOCH_MS
            found = {
                'requestBody': statement[74:],
                'statement': statement,
                'cookie': responder._cookie(keys, statement, epoch),
                'transcript': transcript,
                'proof': keys.prove(transcript),
                'responseBody': body,
            }
            for name, value in vector['intermediate'].items():
                yield name, found[name].hex(), value


def open_response(keys, data):
    return open_sealed(keys.response, data[8:32], keys.tag, data[32:])


def check_step(responder, number, step):
    """Lets a responder receive a datagram and conclude; returns what it made of it."""
    where, data = 'step %d' % number, bytes.fromhex(step['datagram'])
    kind, what = responder.receive(data, encode_endpoint(step['source']), step['atMs'])
    says = {'drop': lambda: {kind: what, **responder.fault}, 'reply': lambda: {kind: what.hex()}}
    yield where, says.get(kind, lambda: {kind: what['says']})(), step['expect']
    conclude = step.get('conclude')
    if conclude and kind == 'lease':
        answer = responder.conclude_lease(what, conclude['outcome'])
        yield where + ' answer', answer.hex(), conclude['answer']
    if conclude and kind == 'knock':
        grant = responder.conclude(what, conclude['outcome'])
        yield where + ' grant', grant.hex(), conclude['grant']
        again = open_sealed(what['keys'].grant, grant[:24], what['transcript'], grant[24:])
        yield where + ' grant read', decode_grant(again)[0], conclude['outcome']
    return kind, what


def check_initiator(vector):
    initiator = Initiator(
        keys_of(vector['credential']), **vector['wish'], nonce=draws(vector['draws']['nonces']),
        expect=vector.get('expectAddresses'),
    )
    for number, step in enumerate(vector['steps']):
        if step['event'] == 'datagram':
            sent = initiator.receive(bytes.fromhex(step['datagram']))
        else:
            sent = getattr(initiator, step['event'])(step['atMs'])
        found = {'state': initiator.state, 'send': [datagram.hex() for datagram in sent]}
        found.update(initiator.result)
        yield 'step %d' % number, found, step['expect']


def check_initial_sequence(vector):
    number = initial_sequence(bytes.fromhex(vector['sessionSecret']))
    yield 'number', number, vector['initialSequence']


def check_lease(vector):
    lease = LeaseKeys(*(bytes.fromhex(vector[name]) for name in ('tag', 'sessionSecret')))
    found = {name: getattr(lease, name).hex() for name in ('id', 'lease', 'answer')}
    yield 'keys', found, vector['keys']
    asked = lease.ask(bytes.fromhex(vector['nonce']), vector['sequence'], vector['operation'])
    yield 'datagram', asked.hex(), vector['datagram']
    heard = lease.hear(vector['sequence'], bytes.fromhex(vector['answer']))
    yield 'answer', heard, vector['expect']


CHECKS = (
    ('keys', check_keys), ('responder', check_responder), ('initiator', check_initiator),
    ('lease', check_lease), ('initial-sequences', check_initial_sequence),
)


def run_vectors(directory, checks):
    count, failures = 0, 0
    for name, check in checks:
        with open(os.path.join(directory, name + '.json'), encoding='utf-8') as file:
            vectors = json.load(file)['vectors']
        if not vectors:
            raise SystemExit('%s.json holds no vectors' % name)
        for vector in vectors:
            count += 1
            try:
                wrong = [w for w in check(vector) if w[1] != w[2]]
            except Exception as error:  # a vector must not stop the others
                wrong = [('raised', repr(error), 'no exception')]
            failures += bool(wrong)
            for where, found, expected in wrong[:1]:
                print('FAILED %s %s: %s instead of %s' % (vector['name'], where, found, expected))
    print('%d vectors, %d failed' % (count, failures))
    return 1 if failures else 0


# Commands: initiate and respond

def now_ms():
    return time.monotonic_ns() // 1_000_000


def udp_socket(host, port, join):
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    getattr(sock, join)(address)
    return sock


def tell(value):
    print(json.dumps(value), flush=True)


def wish_of(config):
    claim = config.get('claim')
    if claim:
        address, port = claim.rsplit(':', 1)
        claim = {'address': address.strip('[]'), 'port': int(port)}
    return {'claimed': claim, 'service': config['service'], 'admission': config.get('admission')}


def initiate(initiator, config):
    """One handshake, and then the Leases that standard input asks for."""
    sock = udp_socket(config['host'], config['port'], 'connect')
    send = sender_of(sock)
    send(initiator.start(now_ms()))
    while initiator.state in ('requesting', 'responding'):
        sock.settimeout(max(initiator.due - now_ms(), 1) / 1000)
        try:
            initiator.receive(sock.recv(LONGEST_DATAGRAM + 1))
        except OSError:
            pass
        if initiator.state == 'challenged':
            send(initiator.proceed(now_ms()))
        send(initiator.timer(now_ms()))
    tell(initiator.result)
    if initiator.state != 'concluded':
        return 1
    lease = LeaseKeys(initiator.keys.tag, bytes.fromhex(initiator.result['sessionSecret']))
    for number, line in enumerate(sys.stdin, 1):
        tell(ask_lease(sock, lease, number, line.strip()))
    return 0


def sender_of(sock):
    def send(datagrams):
        for datagram in datagrams:
            try:
                sock.send(datagram)
            except OSError:
                pass  # an ICMP error proves nothing; the timers decide

    return send


def ask_lease(sock, lease, number, operation):
    """Sends a Lease until its Answer comes; None when none does."""
    datagram = lease.ask(os.urandom(24), number, operation)
    for wait in WAITS_MS:
        sender_of(sock)([datagram])
        until = now_ms() + wait
        while now_ms() < until:
            sock.settimeout(max(until - now_ms(), 1) / 1000)
            try:
                answer = lease.hear(number, sock.recv(LONGEST_DATAGRAM + 1))
            except OSError:
                continue
            if answer is not None:
                return answer
    return None


def decide(services, lifetime, wish):
    """The policy of `respond`: known services, with the admission `once`, or `address` for who asks for it."""
    if wish['service'] not in services:
        return refusal('service-refused')
    if 'breadth' in wish:
        return refusal('prefix-refused')
    if wish['admission'] not in (None, 'address', 'once'):
        return refusal('admission-refused', 'address', 'once')
    ports = [text.split('/') for text in services[wish['service']]]
    return {
        'kind': 'granted',
        'grant': os.urandom(8).hex(),
        'admission': wish['admission'] or 'once',
        'lifetimeMs': lifetime,
        'admissionPort': None,
        'ports': [{'protocol': protocol, 'port': int(port)} for protocol, port in ports],
    }


def decide_lease(granted, lifetime, wish):
    """The policy for leases: `address` is renewed; what is closed is over."""
    admission = granted.get(wish['grant'])
    if wish['operation'] == 'close':
        if wish['isLast']:
            granted.pop(wish['grant'], None)
        return {'status': 'done', 'lifetimeMs': 0}
    if admission == 'address':
        return {'status': 'done', 'lifetimeMs': lifetime}
    return {'status': 'refused' if admission else 'over', 'lifetimeMs': 0}


def respond(responder, config):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    granted = {}  # admissions, by grant
    lifetime = config.get('lifetimeMs', GRANT_LIFETIME_MS)
    sock = udp_socket(config['host'], config['port'], 'bind')
    tell({'listening': sock.getsockname()[1]})
    while True:
        readable, _, _ = select.select([sock, 0], [], [])
        if 0 in readable and not os.read(0, 4096):
            return 0
        if sock not in readable:
            continue
        data, sender = sock.recvfrom(LONGEST_DATAGRAM + 1)
        source = encode_endpoint({'address': sender[0], 'port': sender[1]})
        kind, what = responder.receive(data, source, now_ms())
        if kind == 'knock':
            outcome = decide(config['services'], lifetime, what['says'])
            if outcome['kind'] == 'granted':
                granted[outcome['grant']] = outcome['admission']
            sock.sendto(responder.conclude(what, outcome), sender)
            tell({**what['says'], 'outcome': outcome})
        elif kind == 'lease':
            outcome = decide_lease(granted, lifetime, what['says'])
            sock.sendto(responder.conclude_lease(what, outcome), sender)
            tell({**what['says'], 'outcome': outcome})
        elif kind == 'reply':
            sock.sendto(what, sender)


def initiator_of(config):
    return Initiator(keys_of(config), **wish_of(config))


def responder_of(config):
    return Responder([keys_of(config)])


def main(arguments, checks, make_initiator, make_responder):
    if len(arguments) == 2 and arguments[0] == 'vectors':
        return run_vectors(arguments[1], checks)
    if arguments == ['initiate']:
        config = json.loads(sys.stdin.readline())
        return initiate(make_initiator(config), config)
    if arguments == ['respond']:
        config = json.loads(sys.stdin.buffer.readline())
        return respond(make_responder(config), config)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:], CHECKS, initiator_of, responder_of))
