"""A regression of Linux 7.3: FIONREAD counts an out-of-band byte that was passed over. ``./bisect`` finds when."""

from ktrace.constants import AF_UNIX, FIONREAD, MSG_DONTWAIT, MSG_OOB, SOCK_STREAM


def test_fionread_counts_what_can_be_read(lab):
    a = lab.spawn()
    s, t = a.socketpair(AF_UNIX, SOCK_STREAM, 0)
    a.send(s, b"q", MSG_OOB)
    assert a.recv(t, 10, MSG_DONTWAIT).errno == "EAGAIN"
    assert a.ioctl(t, FIONREAD).arg == 0
