"""The seed's chapters: what each lists, the call trees it draws, and the workload that shows them."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.seed.listings import PIPE, SOCKET, SYSV, UNDO, Listing


@dataclass(frozen=True, slots=True)
class Tree:
    """A call tree of the seed.

    :param title: where it stands; :param path: in the language of ``ktrace/verify/path_parser.py``
    """

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter.

    :param name: also that of its claims in ``ktrace/seed/claims.py``
    :param script: a workload in the language of ``docs/grammar.md``
    """

    name: str
    title: str
    script: str
    listings: tuple[Listing, ...]
    trees: tuple[Tree, ...]


PIPES = Chapter(
    "pipes",
    "Pipes (管道)",
    """\
## seed-pipes: what the notes say of pipes
A: pipe2([r, w], 0)
A: fcntl(w, F_GETPIPE_SZ)
A: write(w, "x" * 4096) * 16
A: fcntl(w, F_SETFL, O_WRONLY|O_NONBLOCK)
A: write(w, "one more")
A: fork() -> B
B: read(r, 65536)
A: fcntl(w, F_SETPIPE_SZ, 1048576)
B: write(w, "from the child")
A: read(r, 100)
B: close(w)
A: write(w, "to the child")
B: read(r, 100)
A: mkfifo("/tmp/seed", 0600)
A: open("/tmp/seed", O_RDWR) -> f
A: write(f, "through the name")
A: read(f, 100)
A: close(f)
A: pipe2([x, y], O_APPEND)
A: pipe2(BAD, 0)
A: pipe([x, y])
A: close(x)
A: close(y)
B: close(r)
A: close(r)
A: close(w)
""",
    PIPE,
    (
        Tree("sys_pipe() to do_pipe2()", "pipe: do_pipe2 > __do_pipe_flags"),
        Tree("sys_pipe2() to do_pipe2()", "pipe2: do_pipe2 > __do_pipe_flags"),
        Tree(
            "__do_pipe_flags(), its two branches", "pipe2: __do_pipe_flags > (create_pipe_files, get_unused_fd_flags)"
        ),
        Tree("create_pipe_files() to get_pipe_inode()", "pipe2: create_pipe_files > get_pipe_inode"),
        Tree("do_pipe2() as listed", "pipe2: do_pipe2 > (__do_pipe_flags, fd_install, fd_install)"),
        Tree(
            "... where the descriptors cannot be told",
            "pipe2 = EFAULT: do_pipe2 > (__do_pipe_flags, fput, fput, put_unused_fd, put_unused_fd)",
        ),
        Tree("pipe_write()", "write: vfs_write > pipe_write"),
        Tree("pipe_read()", "read: vfs_read > pipe_read"),
        Tree("pipe_release()", "A close: __fput > pipe_release > put_pipe_info > free_pipe_info"),
        Tree("a named pipe: pipe_write() and pipe_read(), too", "[17] write: vfs_write > pipe_write"),
    ),
)

SYSTEM_V = Chapter(
    "system-v",
    "System V IPC: the common part (System V IPC)",
    """\
## seed-system-v: what the notes say of identifiers, keys and namespaces
A: semget(0x5eed, 1, IPC_CREAT|0600) -> s
A: msgget(0x5eed, IPC_CREAT|0600) -> q
A: shmget(0x5eed, 4096, IPC_CREAT|0600) -> m
A: semget(0x5eed, 1, 0)
A: semget(0x5eee, 1, 0)
A: semget(IPC_PRIVATE, 32000, 0600) -> big
spawn B
A: exit(0)
B: semctl(s, 0, GETVAL)
B: msgsnd(q, {1, "kept"}, 4, 0)
B: shmat(m) -> p
B: shmdt(p)
spawn C
C: unshare(CLONE_NEWIPC)
C: semctl(s, 0, GETVAL)
B: semctl(0, 0, SEM_STAT)
B: msgctl(0, MSG_STAT)
B: shmctl(0, SHM_STAT)
B: semget(IPC_PRIVATE, -1, 0600)
B: semget(IPC_PRIVATE, 32001, 0600)
""",
    SYSV,
    (
        Tree(
            "semget() with a key: ipcget_public() to ipc_findkey()", "[5] semget: ipcget > ipcget_public > ipc_findkey"
        ),
        Tree("a key that is not there yet: getnew()", "[2] semget: ipcget_public > (ipc_findkey, newary)"),
        Tree("IPC_PRIVATE: ipcget_new()", "[7] semget: ipcget > ipcget_new > newary"),
        Tree("sem_obtain_object()", "[17] semctl: semctl_stat > sem_obtain_object > ipc_obtain_object_idr"),
        Tree("msq_obtain_object()", "[18] msgctl: msgctl_stat > msq_obtain_object > ipc_obtain_object_idr"),
        Tree("shm_obtain_object()", "[19] shmctl: shmctl_stat > shm_obtain_object > ipc_obtain_object_idr"),
        Tree(
            "... and as most calls do, by an id: seq is checked",
            "[10] semctl: semctl_main >> sem_obtain_object_check > ipc_obtain_object_check > ipc_obtain_object_idr",
        ),
    ),
)

SHARED_MEMORY = Chapter(
    "shared-memory",
    "Shared memory (创建共享内存, 共享内存的映射)",
    """\
## seed-shared-memory: what the notes say of segments
A: shmget(IPC_PRIVATE, 8192, 0600) -> m
A: shmat(m) -> p
A: store(p, "shared")
A: fork() -> B
B: load(p, 6)
A: shmget(0x5eed, 4096, IPC_CREAT|0600)
""",
    (),
    (
        Tree("shmget() to ipcget()", "shmget: ksys_shmget > ipcget"),
        Tree("ipcget() to ipcget_new() to newseg()", "[2] shmget: ipcget > ipcget_new > newseg"),
        Tree("ipcget() to ipcget_public() to newseg()", "[7] shmget: ipcget > ipcget_public > (ipc_findkey, newseg)"),
        Tree("shmat() to do_shmat()", "shmat: __x64_sys_shmat >> do_shmat"),
    ),
)

SEMAPHORES = Chapter(
    "semaphores",
    "Semaphores and SEM_UNDO (信号量)",
    """\
## seed-semaphores: what the notes say of semaphores
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semctl(s, 0, SETALL, [3, 3])
A: semctl(s, 0, SETVAL, 5)
A: fork() -> B
B: semop(s, [{0, -2, SEM_UNDO}])
B: semop(s, [{1, -1, 0}])
A: semctl(s, 0, GETALL, 2)
B: exit(0)
A: semctl(s, 0, GETALL, 2)
A: fork() -> C
C: semop(s, [{0, -4, SEM_UNDO}])
kill(C, SIGKILL)
A: semctl(s, 0, GETALL, 2)
A: fork(CLONE_SYSVSEM) -> D
D: semop(s, [{0, -1, SEM_UNDO}])
A: fork() -> E
E: semop(s, [{1, -100, 0}])
""",
    UNDO,
    (
        Tree("semget() to ipcget() to newary()", "semget: ksys_semget > ipcget > ipcget_new > newary"),
        Tree("semctl() to semctl_main()", "[3] semctl: ksys_semctl > semctl_main"),
        Tree("semctl() to semctl_setval()", "[4] semctl: ksys_semctl > semctl_setval"),
        Tree("semop() to do_semtimedop()", "semop: do_semtimedop > __do_semtimedop >> perform_atomic_semop"),
        Tree("SEM_UNDO: the reverse is kept", "[6] semop: __do_semtimedop > find_alloc_undo"),
        Tree("exit to exit_sem()", "B exit: do_exit > exit_sem"),
    ),
)

MESSAGES = Chapter(
    "messages",
    "Message queues (消息队列)",
    """\
## seed-messages: what the notes say of message queues
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {1, "first"}, 5, 0)
A: msgsnd(q, {2, "second"}, 6, 0)
A: msgrcv(q, 100, 0)
A: msgctl(q, IPC_STAT)
""",
    (),
    (
        Tree("msgget() to ipcget() to newque()", "msgget: ksys_msgget > ipcget > ipcget_new > newque"),
        Tree("msgsnd() to ksys_msgsnd()", "msgsnd: ksys_msgsnd > do_msgsnd > load_msg"),
        Tree("msgrcv() to ksys_msgrcv()", "msgrcv: ksys_msgrcv > do_msgrcv >> do_msg_fill > store_msg"),
        Tree("msgctl() to ksys_msgctl()", "msgctl: ksys_msgctl > msgctl_stat"),
    ),
)

SOCKETS = Chapter(
    "sockets",
    "Sockets (套接字)",
    """\
## seed-sockets: what the notes say of sockets
A: socket(AF_INET, SOCK_STREAM, 0) -> t
A: socket(AF_INET, SOCK_DGRAM, 0) -> u
A: socket(AF_UNIX, SOCK_STREAM, 0) -> x
A: bind(t, inet("127.0.0.1", 5000))
A: listen(t, 1)
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM, 0) -> c
B: connect(c, inet("127.0.0.1", 5000))
A: accept(t) -> d
B: send(c, "over the loopback", 0)
A: recv(d, 100, 0)
A: socket(-1, SOCK_STREAM, 0)
A: socket(AF_INET, 11, 0)
A: socket(AF_INET, SOCK_STREAM|0x10, 0)
A: socket(AF_INET, SOCK_RAW, IPPROTO_RAW) -> raw
spawn U uid=1000 gid=1000
U: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
A: socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)
A: recv(d, 100, 0)
B: send(c, "to one who waits", 0)
A: socket(AF_PACKET, SOCK_RAW, 0) -> k
""",
    SOCKET,
    (
        Tree(
            "socket() to sock_create() and sock_map_fd()",
            "socket: __sys_socket > (__sys_socket_create > sock_create, sock_map_fd)",
        ),
        Tree("sock_create() to __sock_create()", "socket: sock_create > __sock_create"),
        Tree("__sock_create() to sock_alloc() and create()", "[2] socket: __sock_create > (sock_alloc, inet_create)"),
        Tree("AF_UNIX: create() is unix_create()", "[4] socket: __sock_create > (sock_alloc, unix_create)"),
        Tree("sock_alloc() to new_inode_pseudo() and SOCKET_I()", "socket: sock_alloc > new_inode_pseudo"),
        Tree("SOCKET_I()", "socket: sock_alloc > SOCKET_I"),
        Tree("inet_create(): TCP", "[2] socket: inet_create > (sk_alloc, sock_init_data, tcp_v4_init_sock)"),
        Tree("inet_create(): UDP", "[3] socket: inet_create > (sk_alloc, sock_init_data, udp_init_sock)"),
        Tree("inet_create(): raw", "[16] socket: inet_create > (sk_alloc, sock_init_data, raw_*)"),
        Tree("... of a user goes no further", "[18] socket = EPERM: __sock_create > (sock_alloc, inet_create)"),
        Tree(
            "sending (the seed: TO DO): from the call to the sock",
            "sendto: __sys_sendto >> inet_sendmsg > tcp_sendmsg > (lock_sock_nested, tcp_sendmsg_locked, release_sock)",
        ),
        Tree(
            "... the segment is made, and kept until it is acknowledged",
            "sendto: tcp_sendmsg_locked > (tcp_stream_alloc_skb, tcp_skb_entail, tcp_push >> tcp_write_xmit > "
            "(__tcp_transmit_skb, tcp_event_new_data_sent))",
        ),
        Tree(
            "... IP, and the device",
            "sendto: ip_queue_xmit >> ip_local_out > ip_output >> ip_finish_output2 >> __dev_queue_xmit > "
            "dev_hard_start_xmit > loopback_xmit",
        ),
        Tree(
            "receiving (the seed: empty): the softirq, up to the sock's queue",
            "sendto: net_rx_action >> process_backlog >> ip_rcv >> ip_local_deliver >> tcp_v4_rcv > tcp_v4_do_rcv > "
            "tcp_rcv_established > tcp_data_queue > tcp_queue_rcv",
        ),
        Tree(
            "... who waits is woken",
            "[21] sendto: tcp_data_queue >> sock_def_readable >> woken_wake_function >> try_to_wake_up",
        ),
        Tree(
            "... the call, that finds it and copies it",
            "[12] recvfrom: __sys_recvfrom > sock_recvmsg > inet_recvmsg > tcp_recvmsg > tcp_recvmsg_locked > "
            "skb_copy_datagram_iter",
        ),
        Tree("... or that sleeps until then", "recvfrom = blocked: tcp_recvmsg_locked > sk_wait_data >> schedule"),
        Tree(
            "... and goes on then",
            "recvfrom woken: tcp_recvmsg_locked > (sk_wait_data, skb_copy_datagram_iter, tcp_rcv_space_adjust)",
        ),
    ),
)  # fmt: skip

CHAPTERS = (PIPES, SYSTEM_V, SHARED_MEMORY, SEMAPHORES, MESSAGES, SOCKETS)
