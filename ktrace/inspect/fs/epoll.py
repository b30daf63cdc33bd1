"""Read epoll sets: ``struct eventpoll``, ``struct epitem``."""

from __future__ import annotations

from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import Met, for_each_list_node
from ktrace.inspect.members import offset_of
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.fs.epoll import Epoll, EpollItem, event_names
from ktrace.state.ref import Ref

LIMIT = 1 << 16


class EpollReader:
    """Read epoll sets as files.

    :param files: reads the files that they watch
    """

    f_ops = frozenset({"eventpoll_fops"})
    kind = "epoll"
    by_inode = False

    def __init__(self, kernel: LiveKernel, files: FileReader) -> None:
        prog = kernel.prog
        self.files = files
        self.queues = WaitQueues(kernel)
        self._wq = offset_of(prog, "struct eventpoll", "wq.head")
        self._poll_wait = offset_of(prog, "struct eventpoll", "poll_wait.head")
        self._rdllist = offset_of(prog, "struct eventpoll", "rdllist")
        self._root = layout_of(prog, "struct eventpoll", root="rbr.rb_root.rb_node")
        self.item = layout_of(
            prog, "struct epitem", left="rbn.rb_left", right="rbn.rb_right", file="ffd.file", fd="ffd.fd",
            events="event.events", data="event.data",
        )  # fmt: skip
        self._rbn = offset_of(prog, "struct epitem", "rbn")
        self._rdllink = offset_of(prog, "struct epitem", "rdllink")

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the set behind a file and return its reference.

        :raises CorruptStructure: a tree or list that cannot be followed
        """
        ref = Ref("epoll", private_data)
        if ref in observation.objects:
            return ref
        memory = observation.memory
        root = self._root.read(memory, private_data)
        found: list[tuple[int, Ref, EpollItem]] = []
        # The reference is taken first: a set may be watched by another one that it watches in turn.
        observation.objects[ref] = Epoll(items={}, ready=(), wq=(), poll_wait=())
        stack, met = [root.root] if root.root else [], Met("eventpoll.rbr", LIMIT)
        while stack:
            met.add(stack[-1])
            item = self.item.read(memory, stack.pop() - self._rbn)
            stack += [node for node in (item.left, item.right) if node]
            watched = self.files.observe(observation, item.file)
            entry = EpollItem(fd=item.fd, events=event_names(item.events), data=item.data)
            found.append((item.fd, watched, entry))
        items: dict[Ref, tuple[EpollItem, ...]] = {}
        for _, watched, entry in sorted(found, key=lambda entry: entry[0]):
            items[watched] = (*items.get(watched, ()), entry)
        head = private_data + self._rdllist
        ready = [
            self.item.read(memory, node - self._rdllink).fd
            for node in for_each_list_node(memory, head, "eventpoll.rdllist", LIMIT)
        ]
        observation.objects[ref] = Epoll(
            items=items,
            ready=tuple(ready),
            wq=self.queues.waiters(observation, private_data + self._wq, "eventpoll.wq"),
            poll_wait=self.queues.waiters(observation, private_data + self._poll_wait, "eventpoll.poll_wait"),
        )
        return ref
