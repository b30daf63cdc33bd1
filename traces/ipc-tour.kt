## ipc-tour: pipes, semaphores, messages, shared memory and sockets, one scene each
with functions
## a pipe, and a child that inherits it
A: pipe2([r, w], 0)                                 # 0
A: fork() -> B
A: write(w, "through the pipe")                     # 16
A: write(w, "x" * 4096)                             # 4096
B: read(r, 7)                                       # 7 "through"
B: read(r, 5000)                                    # 4105
## nothing is left: the reader sleeps until somebody writes
B: read(r, 100)                                     # blocked
A: write(w, "wake up")                              # 7; B: 7 "wake up"
## sixteen pages take all slots; then the writer sleeps until somebody reads
A: write(w, "y" * 4096) * 16                        # 4096
A: write(w, "z" * 5000)                             # blocked
B: read(r, 4096)                                    # 4096
B: read(r, 65536)                                   # _; A: 5000
## a semaphore set; two wait, one for a value and one for zero
A: semget(IPC_PRIVATE, 3, 0600) -> s
A: fork() -> C
A: semctl(s, 0, SETALL, [0, 2, 1])                  # 0
B: semop(s, [{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}]) # blocked
C: semop(s, [{2, 0, 0}])                            # blocked
A: semop(s, [{0, 1, 0}])                            # 0; B: 0
A: semop(s, [{2, -1, 0}])                           # 0; C: 0
## who ends, gives back
A: semctl(s, 0, GETALL, 3)                          # 0 [0, 1, 0]
kill(B, SIGKILL)                                    # B: killed SIGKILL
A: semctl(s, 0, GETALL, 3)                          # 0 [1, 2, 0]
## a queue: messages wait for a receiver, then a receiver waits for a message
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {1, "the first"})                      # 0
A: msgsnd(q, {7, "the seventh kind"})               # 0
C: msgrcv(q, 100, 7)                                # 16 7 "the seventh kind"
C: msgrcv(q, 100, 3)                                # blocked
A: msgsnd(q, {3, "what it waits for"})              # 0; C: 17 3 "what it waits for"
## a segment, in two address spaces, at two addresses; it goes with its last user
A: shmget(IPC_PRIVATE, 8192, 0600) -> m
A: shmat(m, 0x20000000)                             # 0x20000000
C: shmat(m, 0x30000000)                             # 0x30000000
A: store(0x20001000, "written here")
C: load(0x30001000, 12)                             # _ "written here"
A: shmctl(m, IPC_RMID)                              # 0
A: shmdt(0x20000000)                                # 0
C: shmdt(0x30000000)                                # 0
## a pair of sockets; a descriptor travels as a message
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])      # 0
A: fork() -> D
A: sendmsg(x, {msg_iov=["here is a pipe"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [w]}]}, 0)      # 14
D: recvmsg(y, {msg_iov=[100], msg_controllen=64}, 0)  # 14
D: recv(y, 100, 0)                                  # blocked
A: send(x, "and a word", 0)                         # 10; D: 10 "and a word"
## TCP over the loopback
A: socket(AF_INET, SOCK_STREAM, 0) -> l
A: bind(l, inet("127.0.0.1", 5000))                 # 0
A: listen(l, 1)                                     # 0
A: accept(l) -> a                                   # blocked
D: socket(AF_INET, SOCK_STREAM, 0) -> c
D: connect(c, inet("127.0.0.1", 5000))              # 0; A: a
D: send(c, "over the loopback", 0)                  # 17
A: recv(a, 4, 0)                                    # 4 "over"
D: shutdown(c, SHUT_WR)                             # 0
A: recv(a, 100, 0)                                  # 13 " the loopback"
A: recv(a, 100, 0)                                  # 0 ""
## and everything goes when its last user does
D: exit(0)                                          # exited 0
A: semctl(s, 0, IPC_RMID)                           # 0
A: msgctl(q, IPC_RMID)                              # 0
A: exit(0)                                          # exited 0
