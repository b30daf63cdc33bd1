"""What types and members were called in sessions that older versions of ktrace recorded."""

from __future__ import annotations

from collections.abc import Mapping

TYPES: Mapping[str, str] = {
    "pipe.Waiter": "wait.Waiter",
    "process.Descriptor": "file.Descriptor",
    "process.DescriptorTable": "file.DescriptorTable",
    "process.File": "file.File",
    "process.ShmMapping": "shm.ShmMapping",
    "socket.Buffer": "skbuff.Buffer",
    "socket.Credentials": "process.Credentials",
    "socket.InetSock": "inet.InetSock",
    "socket.Ipv6Sock": "inet.Ipv6Sock",
    "socket.NetlinkSock": "netlink.NetlinkSock",
    "socket.NetlinkTable": "netlink.NetlinkTable",
    "socket.PacketSock": "packet.PacketSock",
    "socket.ProtocolSwitch": "facts.ProtocolSwitch",
    "socket.RawSock": "inet.RawSock",
    "socket.Sock": "sock.Sock",
    "socket.SocketFacts": "facts.SocketFacts",
    "socket.TcpSock": "inet.TcpSock",
    "socket.UdpSock": "inet.UdpSock",
    "socket.UnixBuffer": "skbuff.UnixBuffer",
    "socket.UnixSock": "unix.UnixSock",
    "socket.Waiter": "wait.Waiter",
    "sysv_ipc.IdsFacts": "namespace.IdsFacts",
    "sysv_ipc.IpcFacts": "namespace.IpcFacts",
    "sysv_ipc.IpcIds": "namespace.IpcIds",
    "sysv_ipc.IpcNamespace": "namespace.IpcNamespace",
    "sysv_ipc.KernIpcPerm": "namespace.KernIpcPerm",
    "sysv_msg.MsgMsg": "msg.MsgMsg",
    "sysv_msg.MsgQueue": "msg.MsgQueue",
    "sysv_msg.MsgReceiver": "msg.MsgReceiver",
    "sysv_msg.MsgSender": "msg.MsgSender",
    "sysv_sem.Sem": "sem.Sem",
    "sysv_sem.SemArray": "sem.SemArray",
    "sysv_sem.SemBuf": "sem.SemBuf",
    "sysv_sem.SemQueue": "sem.SemQueue",
    "sysv_sem.SemUndo": "sem.SemUndo",
    "sysv_sem.SemUndoList": "sem.SemUndoList",
    "sysv_shm.ShmFile": "shm.ShmFile",
    "sysv_shm.ShmidKernel": "shm.ShmidKernel",
}
"""Today's name of a type by the one in an older session."""

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "socket.Waiter": {"task": "process"},
}
"""Today's names of members, by the older name of their type."""

GONE: Mapping[str, frozenset[str]] = {
    # What these said, a change says: pipe_size_unsigned_int, pipe_prealloc.
    "pipe.PipeFacts": frozenset({"size_mask", "prefills"}),
}
"""Members that are no more, by the older name of their type: what they said is told otherwise, in the same session."""
