## ipc-next-id: ids on demand, as checkpoint and restore need them, and where the cycle goes on
A: semget(IPC_PRIVATE, 1, 0600)                          # 0
sysctl("kernel/sem_next_id", "163850")
A: semget(IPC_PRIVATE, 1, 0600)                          # 163850
A: semget(IPC_PRIVATE, 1, 0600)                          # 1
## taken: the next free index above it
sysctl("kernel/sem_next_id", "163850")
A: semget(IPC_PRIVATE, 1, 0600)                          # 163851
sysctl("kernel/msg_next_id", "5")
A: msgget(0x21, IPC_CREAT|0600)                          # 5
A: msgget(0x22, IPC_CREAT|0600)                          # 0
sysctl("kernel/shm_next_id", "2147483647")
A: shmget(IPC_PRIVATE, 1, 0600)                          # 2147483647
A: shmctl(2147483647, IPC_RMID)                          # 0
A: shmget(IPC_PRIVATE, 1, 0600)                          # 0
## the highest index falls back to what is left
A: semctl(163851, 0, IPC_RMID)                           # 0
A: semctl(163850, 0, IPC_RMID)                           # 0
A: semctl(0, 0, SEM_INFO)                                # 1
A: semctl(1, 0, IPC_RMID)                                # 0
A: semctl(0, 0, IPC_RMID)                                # 0
A: semctl(0, 0, SEM_INFO)                                # 0
