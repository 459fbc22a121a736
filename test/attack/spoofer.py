"""Somebody off the path, who sends from any address and sees no answer that is not for his own (run by spoofer.test.ts).

Reads orders, one JSON object a line:
  from, fromPort   source address, and port: 0 for another at random in each packet
  to, ports        where to; a packet to each of the ports
  times            how often all that, if not once
  udp              [HEX, LENGTH]: datagrams that begin with HEX and go on at random
  tcp              the flags of segments without data, which have random sequence numbers
After each prints how many packets that he could see have come in until then.
"""

import json
import os
import random
import socket
import struct
import sys

from forger import checksum

VERSION_AND_LENGTH, TTL = 0x45, 64
NO_CHECKSUM = 0  # UDP over IPv4 may have none


def ip(source, destination, protocol, payload):
    """A packet; the kernel fills in its length, number and checksum."""
    header = struct.pack('!BBHHHBBH', VERSION_AND_LENGTH, 0, 0, 0, 0, TTL, protocol, 0)
    return header + source + destination + payload


def datagram(ports, beginning, length):
    payload = beginning + os.urandom(length - len(beginning))
    return struct.pack('!HHHH', *ports, 8 + length, NO_CHECKSUM) + payload


def segment(ports, flags, addresses):
    sequence, acknowledged = random.getrandbits(32), random.getrandbits(32)
    words = struct.pack('!HHIIBBH', *ports, sequence, acknowledged, 5 << 4, flags, 0xFFFF)
    pseudo = addresses + struct.pack('!HH', socket.IPPROTO_TCP, len(words) + 4)
    return words + struct.pack('!HH', checksum(pseudo + words + bytes(4)), 0)


def packets(order):
    source, destination = socket.inet_aton(order['from']), socket.inet_aton(order['to'])
    for _ in range(order.get('times', 1)):
        for port in order['ports']:
            ports = (order['fromPort'] or random.randrange(1024, 65536), port)
            if 'udp' in order:
                beginning, length = order['udp']
                payload = datagram(ports, bytes.fromhex(beginning), length)
                yield ip(source, destination, socket.IPPROTO_UDP, payload)
            else:
                payload = segment(ports, order['tcp'], source + destination)
                yield ip(source, destination, socket.IPPROTO_TCP, payload)


def heard(ear):
    count = 0
    while True:
        try:
            _, (_, _, kind, *_) = ear.recvfrom(65536)
        except BlockingIOError:
            return count
        count += kind != socket.PACKET_OUTGOING


def main():
    mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    ear.setblocking(False)
    seen = 0
    for line in sys.stdin:
        order = json.loads(line)
        for packet in packets(order):
            mouth.sendto(packet, (order['to'], 0))
        seen += heard(ear)
        print(seen, flush=True)


main()
