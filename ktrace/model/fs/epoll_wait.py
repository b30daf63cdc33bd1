"""What an epoll set tells who waits for it (``fs/eventpoll.c``: epoll_wait)."""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.fs.epoll import EPOLL_OPS, PRIVATE_BITS, EventPoll, ep_done_scan, hear_of_the_unknown
from ktrace.model.fs.file import fdget
from ktrace.model.fs.poll import UserSigmask
from ktrace.model.mm.iov import out_is_bad
from ktrace.model.task import Errno, Task
from ktrace.model.timer import schedule_until, start
from ktrace.model.wait import Sleeps, WaitEntry
from ktrace.state.call import Pointer, Result
from ktrace.uapi.eventpoll import EPOLLET, EPOLLONESHOT

EP_MAX_EVENTS = 0x7FFFFFFF // 12


@syscall("epoll_pwait")
def epoll_pwait(task: Task, epfd: int, maxevents: int, timeout: int, sigmask: int | Pointer | None) -> Sleeps[Result]:
    """Wait with another signal mask (``do_epoll_pwait()``)."""
    with UserSigmask(task, sigmask) as mask:
        try:
            answer = yield from epoll_wait(task, epfd, maxevents, timeout)
        except Errno as error:
            if error.name != "EINTR":
                mask.restore()
            raise
        mask.restore()
        return answer


@syscall("epoll_wait")
def epoll_wait(task: Task, epfd: int, maxevents: int, timeout: int) -> Sleeps[Result]:
    """Wait for something to be ready, or only look where *timeout* is 0 (``do_epoll_wait()``, ``ep_poll()``)."""
    if not 0 < maxevents <= EP_MAX_EVENTS and not task.kernel.changes.epoll_wait_fd_first:
        raise Errno("EINVAL")
    with fdget(task, epfd) as file:
        if not 0 < maxevents <= EP_MAX_EVENTS:
            raise Errno("EINVAL")  # ep_check_params()
        if file.ops is not EPOLL_OPS:
            raise Errno("EINVAL")
        ep: EventPoll = file.private
        hear_of_the_unknown(task.kernel)
        available = bool(ep.ready)
        timed_out = timeout == 0
        timer = start(task.kernel, None if timeout < 0 else timeout / 1000)
        while True:
            if available:
                if task.fatal_signal_pending():
                    raise Errno("EINTR")
                found = ep_send_events(task, ep, maxevents)
                if found:
                    break
            if timed_out:
                break
            if task.signal_pending():
                raise Errno("EINTR")
            available = True
            if not ep.ready:
                entry = _waiter(task, ep)
                ep.wq.entries.insert(0, entry)  # __add_wait_queue_exclusive(): at the head
                timed_out = yield from schedule_until(task, timer)
                # One that was woken after its time was up is off the queue and looks once more.
                available = not (timed_out and entry in ep.wq.entries)
                ep.wq.remove(entry)
    events = found if available else ()
    return Result(len(events), None, {} if out_is_bad(task, "events") else {"events": events})


def _waiter(task: Task, ep: EventPoll) -> WaitEntry:
    entry = WaitEntry(task, True, kind="ep_autoremove_wake_function")

    def ep_autoremove_wake_function(key: int) -> bool:
        woke = task.kernel.wake_up_process(task)
        ep.wq.remove(entry)
        return woke

    entry.func = ep_autoremove_wake_function
    return entry


def ep_send_events(task: Task, ep: EventPoll, maxevents: int) -> tuple[dict[str, int], ...]:
    """Hand over what is still ready (``ep_send_events()``)."""
    kernel = task.kernel
    left, ep.ready = ep.ready, []
    found: list[dict[str, int]] = []
    bad = out_is_bad(task, "events")
    while left and len(found) < maxevents:
        item = left.pop(0)
        revents = item.poll(task)
        if not revents:
            continue
        if bad:
            left.insert(0, item)
            ep_done_scan(kernel, ep, left)
            raise Errno("EFAULT")
        found.append({"events": revents, "data": item.data})
        if item.events & EPOLLONESHOT:
            item.events &= PRIVATE_BITS
        elif not item.events & EPOLLET:
            ep.ready.append(item)
    ep_done_scan(kernel, ep, left)
    return tuple(found)
