"""Somebody on the way who sees a connection and forges what comes next in it (run by takeover.test.ts and spoofer.test.ts).

forger.py INTERFACE PORT: takes the first connection to PORT that begins on INTERFACE, and reads orders, one a line:
  say TEXT   a segment with TEXT, where the client's next byte is expected
  repeat     the same with what the client said last
  end        the same with nothing but FIN
  reset N    RST, N bytes behind where the client's next byte is expected; it does not count as the first order
Prints `ready`, each `reset`, and what the server says after any other order, as one JSON string a segment.
"""

import json
import select
import socket
import struct
import sys

ETHERNET = 14
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Segment:
    def __init__(self, frame):
        self.frame = frame
        self.tcp_at = ETHERNET + (frame[ETHERNET] & 15) * 4
        self.source, self.destination, self.sequence = struct.unpack_from('!HHI', frame, self.tcp_at)
        self.data_at = self.tcp_at + (frame[self.tcp_at + 12] >> 4) * 4
        self.flags = frame[self.tcp_at + 13]
        end = ETHERNET + struct.unpack_from('!H', frame, ETHERNET + 2)[0]
        self.data = frame[self.data_at:end]

    def next(self, flags, data, behind=0):
        """The segment that would follow this one from the same side, or so many bytes behind it."""
        frame = bytearray(self.frame[:self.data_at] + data)
        sequence = self.sequence + len(self.data) + bool(self.flags & SYN) + behind
        struct.pack_into('!I', frame, self.tcp_at + 4, sequence & 0xFFFFFFFF)
        frame[self.tcp_at + 13] = flags
        struct.pack_into('!H', frame, ETHERNET + 2, len(frame) - ETHERNET)
        struct.pack_into('!H', frame, ETHERNET + 10, 0)
        struct.pack_into('!H', frame, ETHERNET + 10, checksum(frame[ETHERNET:self.tcp_at]))
        tcp = frame[self.tcp_at:]
        struct.pack_into('!H', tcp, 16, 0)
        pseudo = frame[ETHERNET + 12:ETHERNET + 20] + struct.pack('!HH', socket.IPPROTO_TCP, len(tcp))
        struct.pack_into('!H', frame, self.tcp_at + 16, checksum(pseudo + tcp))
        return bytes(frame)


def checksum(data):
    words = data + b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(words) // 2}H', words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def is_tcp(frame):
    return frame[12:14] == b'\x08\x00' and frame[ETHERNET + 9] == socket.IPPROTO_TCP


def main(interface, port):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    print('ready', flush=True)
    client = newest = None
    said, forged = b'', False
    while True:
        # one at a time, the wire first: an order is about the newest segment
        for source in select.select([wire, sys.stdin], [], [])[0][:1]:
            if source is sys.stdin:
                order, _, text = sys.stdin.readline().strip().partition(' ')
                if order == '':
                    return
                if order == 'reset':
                    wire.send(newest.next(RST, b'', int(text)))
                    print(order, text, flush=True)
                    continue
                data = {'say': text.encode() + b'\n', 'repeat': said, 'end': b''}[order]
                wire.send(newest.next(FIN | ACK if order == 'end' else PSH | ACK, data))
                forged = True
                continue
            frame = wire.recv(65536)
            if not is_tcp(frame):
                continue
            segment = Segment(frame)
            if client is None and segment.destination == port and segment.flags & SYN:
                client = segment.source
            if (segment.source, segment.destination) == (client, port) and not forged:
                newest = segment
                said = segment.data or said
            if (segment.source, segment.destination) == (port, client) and forged and segment.data:
                print(json.dumps(segment.data.decode('latin-1')), flush=True)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
