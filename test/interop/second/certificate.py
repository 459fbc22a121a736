#!/usr/bin/env python3
"""The second implementation's certificate challenge.

Written from protocol-spec/certificate.md and pki.md alone, with Debian's python3-cryptography for P-256 and X.509. What
the mode shares with the pre-shared secret, the commands too, comes from hknock_second.py. For tests, not for use.
"""

import hashlib
import re
import struct
import sys
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat, load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from hknock_second import (
    CHALLENGE_LIFE_MS, Drop, Initiator, Keys, Responder, check_step, decode_endpoint, draws,
    hkdf_expand_32, hmac_sha256, main, open_sealed, read_wish, seal, wish_of,
)

LONGEST_CERTIFICATE = 700
CURVE = ec.SECP256R1()
ECDSA = ec.ECDSA(hashes.SHA256())
AUTHORISATION = ObjectIdentifier('1.3.6.1.4.1.19518')
UNDERSTOOD = (
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
)
UTF8_STRING = 12


def point_of(key):
    """A public key as 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def scalar(number):
    return ec.derive_private_key(number, CURVE)


# Section 2: keys

def lobby(responder_point):
    prk = hmac_sha256(b'hknock/1 certificate', responder_point)

    def derive(label, length):
        return hkdf_expand_32(prk, b'hknock/1 certificate ' + label)[:length]

    return Keys(derive(b'tag', 8), derive(b'lobby', 32), derive(b'responder id', 16))


class Envelope:
    """The keys of one Response, sections 2.2 and 2.3."""

    def __init__(self, lobby_keys, statement, cookie, ephemeral, shared):
        self.tag, self.ephemeral = lobby_keys.tag, ephemeral
        self.challenge_transcript = lobby_keys.transcript(statement, cookie)
        prk = hmac_sha256(self.challenge_transcript + ephemeral, shared)
        for name in ('envelope', 'grant', 'session'):
            setattr(self, name, hkdf_expand_32(prk, b'hknock/1 certificate ' + name.encode()))

    def transcript(self, wish, certificate):
        head = b'hknock/1 certificate transcript' + self.challenge_transcript
        return hashlib.sha256(head + self.ephemeral + wish + certificate).digest()

    def session_secret(self, transcript):
        return hkdf_expand_32(self.session, b'hknock/1 session secret' + transcript)


def signed_message(transcript):
    return b'hknock/1 certificate proof' + transcript


def sign(key, transcript):
    r, s = utils.decode_dss_signature(key.sign(signed_message(transcript), ECDSA))
    return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')


def is_signed(key, transcript, signature):
    r, s = (int.from_bytes(half, 'big') for half in (signature[:32], signature[32:]))
    try:
        key.verify(utils.encode_dss_signature(r, s), signed_message(transcript), ECDSA)
    except InvalidSignature:
        return False
    return True


# pki.md: certificates

class Fault(Exception):
    """What is wrong with a certificate."""


def need(condition, fault):
    if not condition:
        raise Fault('certificate-' + fault)


class Authority:
    def __init__(self, der):
        self.certificate = x509.load_der_x509_certificate(der)

    def judge(self, der, unix_ms):
        """The certificate's key, and the ports it authorises; or a Fault. There is no list of revoked ones here."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            extensions = {each.oid: each for each in certificate.extensions}
            serial, version = certificate.serial_number, certificate.version
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
            raise Fault('certificate-malformed') from None
        need(self._has_signed(certificate), 'untrusted')
        need(version is x509.Version.v3 and 0 < serial < 1 << 159, 'malformed')
        issuer, authority = certificate.issuer, self.certificate.subject
        need(issuer.public_bytes() == authority.public_bytes(), 'untrusted')
        key = public_key_of(certificate)
        check_usage(extensions)
        ports = authorisation(extensions)
        begin, end = (
            pick(seconds(getattr(each, name)) for each in (certificate, self.certificate))
            for pick, name in ((max, 'not_valid_before'), (min, 'not_valid_after'))
        )
        need(begin <= unix_ms // 1000, 'not-yet-valid')
        need(unix_ms // 1000 <= end, 'expired')
        return key, ports

    def _has_signed(self, certificate):
        signature, signed = certificate.signature, certificate.tbs_certificate_bytes
        try:
            self.certificate.public_key().verify(signature, signed, ECDSA)
        except InvalidSignature:
            return False
        return True


def seconds(moment):
    return (moment - type(moment)(1970, 1, 1)).total_seconds()


def public_key_of(certificate):
    try:
        key = certificate.public_key()
    except ValueError:
        raise Fault('certificate-wrong-key') from None
    need(isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVE.name, 'wrong-key')
    return key


def check_usage(extensions):
    need(all(each.oid in UNDERSTOOD for each in extensions.values() if each.critical), 'wrong-usage')
    constraints = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    need(constraints is None or not constraints.value.ca, 'wrong-usage')
    usage = extensions.get(ExtensionOID.KEY_USAGE)
    need(usage and usage.value.digital_signature and usage.value.key_agreement, 'wrong-usage')
    purposes = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    need(purposes and ExtendedKeyUsageOID.CLIENT_AUTH in purposes.value, 'wrong-usage')


def authorisation(extensions):
    names = extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    others = names.value.get_values_for_type(x509.OtherName) if names else []
    values = [other.value for other in others if other.type_id == AUTHORISATION]
    need(values, 'no-authorisation')
    need(len(values) == 1, 'bad-authorisation')
    tag, length, text = values[0][0], values[0][1], values[0][2:]
    if length > 127:  # the long form of a DER length
        more = length - 128
        length, text = int.from_bytes(text[:more], 'big'), text[more:]
    need(tag == UTF8_STRING and len(text) == length, 'bad-authorisation')
    ports = text.split(b',')
    need(len(set(ports)) == len(ports) <= 256, 'bad-authorisation')
    need(all(re.fullmatch(rb'[01]\.[1-9]\d{0,4}', port) for port in ports), 'bad-authorisation')
    pairs = [port.decode().split('.') for port in ports]
    need(all(int(number) < 65536 for _, number in pairs), 'bad-authorisation')
    return ['%s/%s' % (('udp', 'tcp')[int(protocol)], number) for protocol, number in pairs]


# Section 3.3: the content of the envelope

def encode_content(wish, signature, certificate):
    return wish + signature + struct.pack('>H', len(certificate)) + certificate.ljust(700, b'\0')


def decode_content(content):
    wish, signature, length, room = struct.unpack('>52s64sH700s', content)
    says = read_wish(wish)
    if wish[51] or not 1 <= length <= LONGEST_CERTIFICATE or any(room[length:]):
        raise Drop('malformed')
    return says, wish, signature, room[:length]


# Section 4: the responder

class CertificateResponder(Responder):
    """Public-key work is done at once, so nothing waits in line: there is no drop `overload`."""

    RESPONSE_LENGTH = 1037

    def __init__(self, key, authority, unix_ms, examined_at=lambda now: now, **others):
        self.key, self.authority, self.unix_ms = key, authority, unix_ms
        self.lobby, self.examined_at = lobby(point_of(key.public_key())), examined_at
        super().__init__([self.lobby], **others)

    def _read_request(self, body):
        if any(body):
            raise Drop('malformed')

    def _response(self, keys, body, source, now):
        if body[90] != 4:
            raise Drop('malformed')
        statement, cookie = body[:74] + bytes(52), body[74:90]
        issued_at = self._recognise(keys, statement, cookie, source, now)
        response_id = hashlib.sha256(body).digest()
        grant = self._recorded(response_id)
        if grant is not None:
            return 'reply', grant
        keys, (says, wish, signature, der) = self._open_envelope(statement, cookie, body)
        key, ports = self._check_certificate(der)
        transcript = keys.transcript(wish, der)
        if not is_signed(key, transcript, signature):
            raise Drop('proof')
        if self.examined_at(now) - issued_at > CHALLENGE_LIFE_MS:
            raise Drop('expired')
        return self._admit({
            'keys': keys,
            'record': response_id,
            'issuedAt': issued_at,
            'transcript': transcript,
            'source': source,
            'at': now,
            'certificate': der,
            'says': {
                **says,
                'observed': decode_endpoint(source),
                'authorised': ports,
                'sessionSecret': keys.session_secret(transcript).hex(),
            },
        }, now)

    def _open_envelope(self, statement, cookie, body):
        ephemeral, sealed = body[90:155], body[155:]
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, ephemeral)
        except ValueError:
            raise Drop('envelope') from None
        shared = self.key.exchange(ec.ECDH(), point)
        keys = Envelope(self.lobby, statement, cookie, ephemeral, shared)
        content = open_sealed(keys.envelope, bytes(24), b'', sealed)
        if content is None:
            raise Drop('envelope')
        return keys, decode_content(content)

    def _check_certificate(self, der):
        try:
            return self.authority.judge(der, self.unix_ms())
        except Fault as fault:
            self.fault = {'fault': str(fault)}
            raise Drop('certificate') from None

    def check_renewal(self, knock):
        try:
            self.authority.judge(knock['certificate'], self.unix_ms())
        except Fault:
            raise Drop('certificate') from None

    def limited(self, knock):
        return x509.load_der_x509_certificate(knock['certificate']).serial_number


# Section 5: the initiator

class CertificateInitiator(Initiator):
    def __init__(self, responder_point, key, certificate, wish, nonce=None, ephemeral=None):
        if len(certificate) > LONGEST_CERTIFICATE:
            raise ValueError('a certificate has at most 700 bytes')
        super().__init__(lobby(responder_point), nonce=nonce, **wish)
        self.wish, self.request_body = self.request_body, bytes(52)
        self.responder, self.key, self.certificate = responder_point, key, certificate
        self.draw_ephemeral = ephemeral or (lambda: ec.generate_private_key(CURVE))

    def _respond(self, statement, cookie):
        ephemeral = self.draw_ephemeral()
        responder = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, self.responder)
        shared, point = ephemeral.exchange(ec.ECDH(), responder), point_of(ephemeral.public_key())
        keys = Envelope(self.keys, statement, cookie, point, shared)
        transcript = keys.transcript(self.wish, self.certificate)
        content = encode_content(self.wish, sign(self.key, transcript), self.certificate)
        self.answered.append((keys.grant, transcript, keys.session_secret(transcript)))
        envelope = seal(keys.envelope, bytes(24), b'', content)
        self._add_response(statement[:74] + cookie + point + envelope)


# Files

def read_pem(path):
    with open(path, 'rb') as file:
        return file.read()


def initiator_of(config):
    responder = x509.load_pem_x509_certificate(read_pem(config['responder'])).public_key()
    key = load_pem_private_key(read_pem(config['key']), None)
    certificate = x509.load_pem_x509_certificate(read_pem(config['certificate']))
    der = certificate.public_bytes(Encoding.DER)
    return CertificateInitiator(point_of(responder), key, der, wish_of(config))


def responder_of(config):
    authority = x509.load_pem_x509_certificate(read_pem(config['authority']))
    key = load_pem_private_key(read_pem(config['key']), None)
    return CertificateResponder(
        key, Authority(authority.public_bytes(Encoding.DER)), lambda: time.time_ns() // 1_000_000,
    )


# Vectors

def check(vector):
    """What our responder makes of the datagrams, and what our initiator sends to bring the first of them about."""
    moment = {}
    responder = CertificateResponder(
        scalar(int(vector['responderKey'], 16)), Authority(bytes.fromhex(vector['authority'])),
        lambda: moment.get('unixMs', vector['unixMs']),
        lambda now: moment.get('examinedAtMs', now),
        nonce=draws(vector['draws']['nonces']),
        cookie_secret=draws(vector['draws']['cookieSecrets']),
    )
    for number, step in enumerate(vector['steps']):
        moment = step
        yield from check_step(responder, number, step)
    if 'initiator' in vector:
        yield from check_initiator(vector)


def check_initiator(vector):
    """ECDSA's nonce is random here, so what it signed is compared by its transcript, and the rest byte for byte."""
    side, values, steps = vector['initiator'], vector['intermediate'], vector['steps']
    certificate = bytes.fromhex(side['certificate'])
    ephemeral = scalar(int(side['ephemeralKey'], 16))
    key = x509.load_der_x509_certificate(certificate).public_key()
    initiator = CertificateInitiator(
        bytes.fromhex(side['responderPoint']), Signer(key, bytes.fromhex(values['signature'])),
        certificate, side['wish'], nonce=draws(side['nonces']), ephemeral=lambda: ephemeral,
    )
    yield 'tag', initiator.keys.tag.hex(), values['lobby']['tag']
    yield 'responder id', initiator.keys.responder_id.hex(), values['lobby']['responderId']
    yield 'Request', [each.hex() for each in initiator.start(0)], [steps[0]['datagram']]
    initiator.receive(bytes.fromhex(steps[0]['expect']['reply']))
    yield 'Response', [each.hex() for each in initiator.proceed(40)], [steps[1]['datagram']]
    yield 'transcript', initiator.answered[0][1].hex(), values['transcript']
    initiator.receive(bytes.fromhex(steps[1]['conclude']['grant']))
    yield 'outcome', initiator.result['outcome'], steps[1]['conclude']['outcome']
    secret = steps[1]['expect']['knock']['sessionSecret']
    yield 'session secret', initiator.result['sessionSecret'], secret


class Signer:
    """Signs what the vector has the signature of."""

    def __init__(self, public_key, signature):
        self.public_key, self.signature = public_key, signature

    def sign(self, message, algorithm):
        halves = (int.from_bytes(half, 'big') for half in (self.signature[:32], self.signature[32:]))
        der = utils.encode_dss_signature(*halves)
        self.public_key.verify(der, message, algorithm)  # it is for this very message
        return der


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:], [('certificate', check)], initiator_of, responder_of))
