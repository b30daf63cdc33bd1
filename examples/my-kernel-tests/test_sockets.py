"""The two queues of a connection, and how one ends."""

import ktrace
from ktrace.constants import AF_INET, AF_UNIX, SHUT_WR, SO_RCVBUF, SOCK_STREAM, SOL_SOCKET


def test_what_one_end_sends_lies_in_the_queue_of_the_other(lab):
    a = lab.spawn()
    s, t = a.socketpair(AF_UNIX, SOCK_STREAM, 0)
    a.send(s, b"there", 0)
    a.send(t, b"back", 0)
    assert [buffer.data for buffer in lab.sock(a, t).sk_receive_queue] == [b"there"]
    assert [buffer.data for buffer in lab.sock(a, s).sk_receive_queue] == [b"back"]
    assert lab.sock(a, s).unix.peer == lab.socket(a, t).sk


def test_a_connection_waits_in_the_queue_of_its_listener(lab):
    server, client = lab.spawn("Server"), lab.spawn("Client")
    listener = server.socket(AF_INET, SOCK_STREAM, 0)
    server.bind(listener, ktrace.inet("127.0.0.1", 5000))
    server.listen(listener, 5)
    sock = client.socket(AF_INET, SOCK_STREAM, 0)
    client.connect(sock, ktrace.inet("127.0.0.1", 5000))
    assert lab.sock(client, sock).sk_state == "TCP_ESTABLISHED"
    assert lab.sock(server, listener).sk_ack_backlog == 1
    server.accept(listener)
    assert lab.sock(server, listener).sk_ack_backlog == 0


def test_shutdown_wakes_a_reader_with_the_end_of_file(lab):
    a = lab.spawn()
    s, t = a.socketpair(AF_UNIX, SOCK_STREAM, 0)
    b = a.fork()
    waiting = b.recv(t, 10, 0)
    assert "unix_stream_read_generic" in waiting.sleeps_in
    a.shutdown(s, SHUT_WR)
    assert waiting.value == 0 and "RCV_SHUTDOWN" in lab.sock(b, t).sk_shutdown


def test_the_kernel_doubles_what_is_asked_for(lab):
    a = lab.spawn()
    s = a.socket(AF_UNIX, SOCK_STREAM, 0)
    a.setsockopt(s, SOL_SOCKET, SO_RCVBUF, 5000)
    assert lab.sock(a, s).sk_rcvbuf == 10000
