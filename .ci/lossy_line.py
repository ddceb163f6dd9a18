"""A line between two network namespaces, A and B: what TCP sees of it is real, the rest is this program.

lossy_line.py A B DELAY_MS LOSS MBIT    Needs root and /dev/net/tun. Ends when its input does.

Each namespace gets a TUN device, 10.9.0.1 and 10.9.0.2. Every packet arrives DELAY_MS later on the
other side, as fast as MBIT megabits a second let it, but for the share LOSS of them, which is lost. The
kernels that this project is tested on have no netem.
"""
import ctypes, fcntl, heapq, os, random, select, struct, subprocess, sys, time

CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454CA, 0x0001, 0x1000
QUEUE_S = 0.1  # what a router would hold before it drops
libc = ctypes.CDLL(None, use_errno=True)


def enter(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def tun(namespace, address):
    """The device belongs to the namespace in which it is made."""
    home, there = (os.open(p, os.O_RDONLY) for p in ("/proc/self/ns/net", f"/run/netns/{namespace}"))
    enter(there)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"line", IFF_TUN | IFF_NO_PI))
    enter(home)
    for step in (f"addr add {address}/24 dev line", "link set line up", "link set lo up"):
        subprocess.run(["ip", "-n", namespace, *step.split()], check=True)
    return device


def main(a, b, delay_ms, loss, mbit):
    one, two = tun(a, "10.9.0.1"), tun(b, "10.9.0.2")
    ends = {one: two, two: one}
    delay, rate, chance = delay_ms / 1000, mbit * 1e6 / 8, random.Random(1)
    free = {end: 0.0 for end in ends}
    under_way = []
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        wait = max(0, under_way[0][0] - now) if under_way else 1
        ready, _, _ = select.select([*ends, sys.stdin], [], [], wait)
        if sys.stdin in ready:
            return
        now = time.monotonic()
        for end in ready:
            packet = os.read(end, 2048)
            begins = max(now, free[end])
            if chance.random() < loss or begins - now > QUEUE_S:
                continue
            free[end] = begins + len(packet) / rate
            heapq.heappush(under_way, (free[end] + delay, time.monotonic_ns(), ends[end], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(under_way)
            try:
                os.write(end, packet)
            except OSError:
                pass  # its queue is full: lost


if __name__ == "__main__":
    main(*sys.argv[1:3], *(float(word) for word in sys.argv[3:]))
