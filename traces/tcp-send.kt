## tcp-send: one message's way down: the write queue, the loopback, the peer's receive queue, and back its acknowledgement
with functions
with probe "sendto: tcp_push world"
with probe "sendto: ip_queue_xmit skb->len; world"
with probe "sendto: loopback_xmit skb->len; dev->name"
with probe "sendto: tcp_v4_rcv skb->len"
with probe "sendto: tcp_data_queue skb->len; sk->sk_receive_queue.qlen"
with probe "sendto: sock_def_readable sk->sk_receive_queue.qlen; world"
with probe "sendto: __release_sock sk->sk_backlog.len; world"
with probe "sendto: tcp_ack_tstamp skb->len"
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))         # 0
A: listen(l, 1)                             # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> s
B: connect(s, inet("127.0.0.1", 5000))      # 0
A: accept(l, NULL, NULL) -> c
## B's message: call, socket, sock, sk_buff; down to the loopback and, in the softirq there, up again
B: send(s, "over the loopback", 0)          # 17
## what B queued is gone, for it was acknowledged: by a packet that came while B held its own sock, to the backlog
B: ioctl(s, SIOCOUTQ)                       # 0 0
A: ioctl(c, FIONREAD)                       # 0 17
## held back: nothing leaves the write queue until the cork is drawn
B: setsockopt(s, SOL_TCP, TCP_CORK, 1)      # 0
B: send(s, "first, ", 0)                    # 7
B: send(s, "second", 0)                     # 6
A: ioctl(c, FIONREAD)                       # 0 17
B: setsockopt(s, SOL_TCP, TCP_CORK, 0)      # 0
A: recv(c, 100, 0)                          # 30 "over the loopbackfirst, second"
