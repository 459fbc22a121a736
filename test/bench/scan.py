# Sends a SYN to each port of a range from several sources in turn, at a rate, through a raw socket. Needs root.
# scan.py TARGET FIRST_SOURCE SOURCES PACKETS_PER_SECOND FIRST_PORT LAST_PORT
import socket, struct, sys, time

target, first_source, sources, rate, first, last = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
head, end = first_source.rsplit('.', 1)
ip = [
    struct.pack('!BBHHHBBH4s4s', 0x45, 0, 44, 0, 0x4000, 64, 6, 0,
                socket.inet_aton(f'{head}.{int(end) + n}'), socket.inet_aton(target))
    for n in range(sources)
]
tail = struct.pack('!IIBBHHHI', 1, 0, 0x60, 0x02, 1024, 0, 0, 0x020405B4)
start = time.monotonic()
sent = 0
for port in range(first, last + 1):
    packet_end = struct.pack('!HH', 40000, port) + tail
    for each in ip:
        sock.sendto(each + packet_end, (target, 0))
    sent += sources
    ahead = sent / rate - (time.monotonic() - start)
    if ahead > 0.0005:
        time.sleep(ahead)
