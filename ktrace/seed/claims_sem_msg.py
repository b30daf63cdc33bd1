"""What the seed claims of semaphores, their undo, and message queues."""

from __future__ import annotations

from ktrace.seed.judgement import Claim, Judgement, verdict
from ktrace.seed.record import Record


def _undo(record: Record) -> Judgement:
    before, after = record.result(8).out["array"], record.result(10).out["array"]
    return verdict(
        list(before) == [3, 2] and list(after) == [5, 2],
        f"B took 2 of semaphore 0 with SEM_UNDO, 1 of semaphore 1 without: values {list(before)}, after its exit "
        f"{list(after)}. The flag is SEM_UNDO, not SUM_UNDO",
    )


def _undo_kill(record: Record) -> Judgement:
    after = record.result(14).out["array"]
    return verdict(list(after) == [5, 2], f"C took 4 and was killed by SIGKILL: {list(after)}")


def _reverse_kept(record: Record) -> Judgement:
    undo = record.world(6).of_kind("undo")
    semadj = [value.semadj for value in undo.values()]
    return (
        "aged" if semadj == [(2, 0)] else "wrong",
        f"after two operations there is one sem_undo, semadj {list(semadj[0])}: not an operation each, but one sum for "
        "each semaphore of a set, and only of operations with SEM_UNDO",
    )


def _values(record: Record) -> Judgement:
    sems = record.only(3, "sem").sems
    return verdict([sem.semval for sem in sems] == [3, 3], f"sems[] holds semval {[sem.semval for sem in sems]}")


def _initialised(record: Record) -> Judgement:
    values = [[sem.semval for sem in record.only(line, "sem").sems] for line in (2, 3)]
    return verdict(values == [[0, 0], [3, 3]], f"semget() left {values[0]}, semctl(SETALL) made it {values[1]}")


def _own_list(record: Record) -> Judgement:
    before, after = record.world(6), record.world(16)
    lists = [{value.name: value.undo_list for value in world.of_kind("process").values()} for world in (before, after)]
    own = lists[0]["A"] is None and lists[0]["B"] is not None
    shared = lists[1]["A"] is not None and lists[1]["A"] == lists[1]["D"]
    return (
        ("aged", "B has one, its parent A none; but A and D, made by clone(CLONE_SYSVSEM), have the same one")
        if own and shared
        else ("right" if own else "wrong", f"undo_list by process: {lists[0]}, {lists[1]}")
    )


def _sleeper(record: Record) -> Judgement:
    array = record.only(18, "sem")
    queues = [*array.pending_alter, *array.pending_const]
    queues += [queue for sem in array.sems for queue in (*sem.pending_alter, *sem.pending_const)]
    return verdict(len(queues) == 1, f"E sleeps in semop(); {len(queues)} sem_queue is on the set's lists")


def _sixteen_queues(record: Record) -> Judgement:
    count = record.sysctl("msgmni")
    return verdict(
        count == 16, f"kernel.msgmni is {count} (include/uapi/linux/msg.h; MSGMNI was 16 in Linux 2.5)", "aged"
    )


def _queue_bytes(record: Record) -> Judgement:
    queue, longest = record.only(2, "msg").q_qbytes, record.sysctl("msgmax")
    return verdict(
        queue == 8192,
        f"a new queue has q_qbytes {queue} (kernel.msgmnb {record.sysctl('msgmnb')}); kernel.msgmax is {longest}, the "
        "most for one message",
    )


def _read_once(record: Record) -> Judgement:
    before, after = record.only(4, "msg"), record.only(5, "msg")
    return verdict(
        (before.q_qnum, after.q_qnum) == (2, 1),
        f"q_qnum {before.q_qnum} before msgrcv(), {after.q_qnum} after (MSG_COPY, if asked for, leaves the message)",
    )


def _linked_list(record: Record) -> Judgement:
    type_ = record.prog.type("struct msg_queue").member("q_messages").type.type_name()
    texts = [message.text for message in record.only(4, "msg").q_messages]
    return verdict(type_ == "struct list_head", f"q_messages is a {type_}: {texts}")


def _msgctl_initialises(record: Record) -> Judgement:
    queue = record.only(2, "msg")
    return verdict(
        not queue.q_qbytes,
        f"before any msgctl() the queue has q_qbytes {queue.q_qbytes} and mode {queue.q_perm.mode & 0o777:04o}, from "
        "newque(); msgctl(IPC_SET) changes them",
    )


CLAIMS = (
    Claim("semaphores", "semctl() initialises semaphores", _initialised),
    Claim("semaphores", "sems[] keeps the current values in semval", _values),
    Claim("semaphores", "a process that sleeps has a sem_queue", _sleeper),
    Claim("semaphores", "with SEM_UNDO the end of a process takes its operations back", _undo),
    Claim("semaphores", "... also an end by surprise", _undo_kill),
    Claim("semaphores", "every operation keeps a reverse struct sem_undo", _reverse_kept),
    Claim("semaphores", "each process has its own list of undos", _own_list),
    Claim("messages", "msgctl() initialises a queue", _msgctl_initialises),
    Claim("messages", "a message that was read is deleted", _read_once),
    Claim("messages", "a queue is a linked list", _linked_list),
    Claim("messages", "there are 16 message queues by default", _sixteen_queues),
    Claim("messages", "each is 8192 bytes large", _queue_bytes),
)
