## tcp-receive: one message's way up: a reader that waits, the queue it finds, the copy, the sk_buff's end
with functions
with probe "recvfrom: tcp_recvmsg_locked sk->sk_receive_queue.qlen; len"
with probe "recvfrom: sk_wait_data sk->sk_receive_queue.qlen; world"
with probe "recvfrom: __skb_datagram_iter skb->len; offset; len"
with probe "recvfrom: sock_rfree skb->len; skb->truesize; world"
with probe "sendto: sock_def_readable sk->sk_receive_queue.qlen; world"
with probe "sendto: sock_rfree skb->len; world"
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))         # 0
A: listen(l, 1)                             # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> s
B: connect(s, inet("127.0.0.1", 5000))      # 0
A: accept(l, NULL, NULL) -> c
## nothing is there: A sleeps on its socket's wait queue, its sock unlocked
A: recv(c, 100, 0)                          # blocked
## the packet comes up within B's call, and wakes A, which takes it off the queue when B is done
B: send(s, "woken", 0)                      # 5; A: 5 "woken"
## it is there already: no sleep; half of it stays in its sk_buff, and is told apart by copied_seq alone
B: send(s, "taken in two", 0)               # 12
A: recv(c, 6, 0)                            # 6 "taken "
A: recv(c, 100, MSG_PEEK)                   # 6 "in two"
A: recv(c, 100, 0)                          # 6 "in two"
## the end of the stream is a packet as well
B: shutdown(s, SHUT_WR)                     # 0
A: recv(c, 100, 0)                          # 0 ""
