## unix-send-receive: bytes between two AF_UNIX streams: the sender puts its sk_buff on the peer's receive queue itself
with functions
with probe "write: skb_queue_tail list->qlen; newsk->len; newsk->truesize; world"
with probe "write: sock_def_readable sk->sk_receive_queue.qlen; world"
with probe "read: unix_stream_read_generic state->socket->sk->sk_receive_queue.qlen"
with probe "read: unix_stream_read_actor skb->len; chunk; world"
with probe "read: sock_wfree skb->len; skb->truesize; world"
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])       # 0
A: fork() -> B
B: close(a)                                 # 0
A: close(b)                                 # 0
## nothing is there: B sleeps
B: read(b, 100)                             # blocked
## no device, no softirq: A's own call queues the buffer at B, charged to A, and wakes B
A: write(a, "woken")                        # 5; B: 5 "woken"
A: write(a, "taken in two")                 # 12
B: read(b, 6)                               # 6 "taken "
## the last byte frees the buffer, and gives A its charge back
B: read(b, 6)                               # 6 "in two"
## descriptors on their way are in the sk_buff as well
A: sendmsg(a, {msg_iov=["one"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a]}]}, 0)     # 3
B: recvmsg(b, {msg_iov=[10], msg_controllen=32}, 0)  # 3 "one"
