"""Semaphores, queues and segments: who owes what to whom, and how long a key lives."""

from ktrace.constants import IPC_CREAT, IPC_NOWAIT, IPC_PRIVATE, IPC_RMID, SEM_UNDO, SIGKILL


def test_undo_is_on_two_lists(lab):
    a, b = lab.spawn(), lab.spawn()
    one, two = (a.semget(IPC_PRIVATE, 2, 0o600) for _ in range(2))
    for actor, semid in ((a, one), (a, two), (b, one)):
        actor.semop(semid, [(1, 2, SEM_UNDO)])
    # From the process: one for each array; from the array: one for each process.
    assert {lab.at(ref).semid for ref in lab.undo(a).list_proc} == {int(one), int(two)}
    assert [lab.at(ref).semadj for ref in lab.sem(one).list_id] == [(0, -2), (0, -2)]
    assert set(lab.undo(b).list_proc) < set(lab.sem(one).list_id)


def test_who_is_killed_gives_back_what_it_owes(lab):
    a, b = lab.spawn(), lab.spawn()
    semid = a.semget(IPC_PRIVATE, 1, 0o600)
    a.semop(semid, [(0, 1, 0)])
    b.semop(semid, [(0, -1, SEM_UNDO)])
    waiting = a.semop(semid, [(0, -1, 0)])
    assert lab.sem(semid).sems[0].pending_alter[0].pid == "A"
    lab.kill(b, SIGKILL)
    assert waiting.value == 0 and lab.sem(semid).list_id == ()


def test_a_key_is_free_before_its_segment_is_gone(lab):
    a = lab.spawn()
    shmid = a.shmget(0x1234, 4096, IPC_CREAT | 0o600)
    address = a.shmat(shmid, None, 0)
    a.shmctl(shmid, IPC_RMID)
    removed = lab.shm(shmid)
    assert removed.shm_perm.key == IPC_PRIVATE and removed.shm_nattch == 1
    assert a.shmget(0x1234, 4096, 0).errno == "ENOENT"
    a.shmdt(address)
    assert not lab.world.of_kind("shm")


def test_no_lock_is_held_while_somebody_sleeps(lab):
    a = lab.spawn()
    r, _ = a.pipe2(0)
    semid, msqid = a.semget(IPC_PRIVATE, 1, 0o600), a.msgget(IPC_PRIVATE, 0o600)
    sleepers = [a.fork() for _ in range(3)]
    sleepers[0].read(r, 1)
    sleepers[1].semop(semid, [(0, -1, 0)])
    sleepers[2].msgrcv(msqid, 10, 0, 0)
    assert all(actor.waiting.blocked for actor in sleepers)
    assert not lab.pipe(r).locked
    assert lab.sem(semid).sem_perm.lock == lab.msg(msqid).q_perm.lock == "free"


def test_a_message_goes_to_who_waits_and_never_lies_in_the_queue(lab):
    a, b = lab.spawn(), lab.spawn()
    msqid = a.msgget(IPC_PRIVATE, 0o666)
    waiting = b.msgrcv(msqid, 10, 7, 0)
    a.msgsnd(msqid, (1, b"other"), IPC_NOWAIT)
    assert waiting.blocked and lab.msg(msqid).q_qnum == 1
    a.msgsnd(msqid, (7, b"mine"), IPC_NOWAIT)
    assert waiting.value == 4 and [message.m_type for message in lab.msg(msqid).q_messages] == [1]
