"""What the seed lists: structures member by member, with the types it gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the seed lists it.

    :param type: as it is written there, ``""`` where it is not
    :param option: the CONFIG option around it, ``""`` for none
    """

    name: str
    type: str
    option: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One structure as the seed lists it.

    :param whole: all of it is listed; else the seed leaves the rest out (``......``)
    """

    name: str
    members: tuple[Member, ...]
    whole: bool = True


def _listing(name: str, text: str, whole: bool = True) -> Listing:
    members = []
    for line in text.strip().splitlines():
        declaration, _, option = (part.strip() for part in line.partition("#"))
        type_, _, member = declaration.rpartition(" ")
        members.append(Member(member, type_, option))
    return Listing(name, tuple(members), whole)


PIPE = (
    _listing(
        "pipe_inode_info",
        """
        struct mutex mutex
        wait_queue_head_t rd_wait
        wait_queue_head_t wr_wait
        unsigned int head
        unsigned int tail
        unsigned int max_usage
        unsigned int ring_size
        bool note_loss  # CONFIG_WATCH_QUEUE
        unsigned int nr_accounted
        unsigned int readers
        unsigned int writers
        unsigned int files
        unsigned int r_counter
        unsigned int w_counter
        unsigned int poll_usage
        struct page * tmp_page
        struct fasync_struct * fasync_readers
        struct fasync_struct * fasync_writers
        struct pipe_buffer * bufs
        struct user_struct * user
        struct watch_queue * watch_queue  # CONFIG_WATCH_QUEUE
        """,
    ),
    _listing(
        "pipe_buffer",
        """
        struct page * page
        unsigned int offset
        unsigned int len
        const struct pipe_buf_operations * ops
        unsigned int flags
        unsigned long private
        """,
    ),
    _listing("file_system_type", " name\n init_fs_context\n kill_sb", whole=False),
)

SYSV = (
    _listing("ipc_namespace", "struct ipc_ids [3] ids", whole=False),
    _listing(
        "ipc_ids",
        """
        int in_use
        unsigned short seq
        struct rw_semaphore rwsem
        struct idr ipcs_idr
        int max_idx
        int last_idx
        int next_id  # CONFIG_CHECKPOINT_RESTORE
        struct rhashtable key_ht
        """,
    ),
    _listing("idr", "struct radix_tree_root idr_rt\nunsigned int idr_base\nunsigned int idr_next"),
    _listing(
        "kern_ipc_perm",
        """
        spinlock_t lock
        bool deleted
        int id
        key_t key
        kuid_t uid
        kgid_t gid
        kuid_t cuid
        kgid_t cgid
        umode_t mode
        unsigned long seq
        void * security
        struct rhash_head khtnode
        struct callback_head rcu
        refcount_t refcount
        """,
    ),
    _listing("ipc_ops", " getnew\n associate\n more_checks"),
    _listing("ipc_params", " key\n flg\n u"),
    _listing("sem_array", "struct kern_ipc_perm sem_perm", whole=False),
    _listing("msg_queue", "struct kern_ipc_perm q_perm", whole=False),
    _listing("shmid_kernel", "struct kern_ipc_perm shm_perm", whole=False),
)

UNDO = (
    _listing("task_struct", "struct sysv_sem sysvsem\nstruct sysv_shm sysvshm", whole=False),
    _listing("sysv_sem", "struct sem_undo_list * undo_list"),
    _listing(
        "sem_queue",
        """
        struct list_head list
        struct task_struct * sleeper
        struct sem_undo * undo
        struct pid * pid
        int status
        struct sembuf * sops
        struct sembuf * blocking
        int nsops
        bool alter
        bool dupsop
        """,
    ),
    _listing(
        "sem_undo",
        """
        struct list_head list_proc
        struct callback_head rcu
        struct sem_undo_list * ulp
        struct list_head list_id
        int semid
        short * semadj
        """,
    ),
    _listing("sem_undo_list", "refcount_t refcnt\nspinlock_t lock\nstruct list_head list_proc"),
)

SOCKET = (
    _listing(
        "socket",
        """
        socket_state state
        short type
        unsigned long flags
        struct file * file
        struct sock * sk
        const struct proto_ops * ops
        struct socket_wq wq
        """,
    ),
    _listing("socket_alloc", "struct socket socket\nstruct inode vfs_inode"),
    _listing("net_proto_family", " family\n create\n owner"),
    _listing("inet_protosw", " type\n protocol\n prot\n ops\n flags", whole=False),
)
