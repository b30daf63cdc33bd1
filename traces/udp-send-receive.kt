## udp-send-receive: a datagram's way: one packet a call, no acknowledgement, straight into the peer's receive queue
with functions
with probe "sendto: udp_send_skb skb->len; world"
with probe "sendto: loopback_xmit skb->len; dev->name"
with probe "sendto: __udp_enqueue_schedule_skb skb->len; skb->truesize; sk->sk_receive_queue.qlen"
with probe "sendto: sock_def_readable world"
with probe "recvfrom: __skb_wait_for_more_packets sk->sk_receive_queue.qlen"
with probe "recvfrom: skb_consume_udp skb->len; len; world"
A: socket(AF_INET, SOCK_DGRAM) -> r
A: bind(r, inet("127.0.0.1", 6000))         # 0
A: fork() -> B
B: socket(AF_INET, SOCK_DGRAM) -> s
## nothing is there: A sleeps
A: recv(r, 100, 0)                          # blocked
B: sendto(s, "woken", 0, inet("127.0.0.1", 6000))            # 5; A: 5 "woken"
## it is there already
B: sendto(s, "datagram", 0, inet("127.0.0.1", 6000))         # 8
A: recv(r, 100, 0)                          # 8 "datagram"
## held back: appended to one packet on the write queue
B: sendto(s, "in ", MSG_MORE, inet("127.0.0.1", 6000))       # 3
B: sendto(s, "one", 0, inet("127.0.0.1", 6000))              # 3
A: recv(r, 100, 0)                          # 6 "in one"
