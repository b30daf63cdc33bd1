"""Function trees on the terminal."""

from __future__ import annotations

from ktrace.report.function_tree import SHORT_LINES, call_path_lines, function_lines
from ktrace.state.trace.functions import FunctionTrace, Span

SPANS = (
    Span(0, "__x64_sys_read", 0, 5_000_000, True),
    Span(1, "vfs_read", 0, None),
    Span(2, "put_pid", 0, 1000),
    Span(2, "put_pid", 0, 2500),
    Span(2, "_raw_spin_lock", 0, 10),
)


def lines(trace: FunctionTrace, whole: bool) -> list[str]:
    return [f"{actor}|{text}|{remark}" for actor, text, remark in function_lines(trace, whole)]


def test_all_of_it_with_what_is_inlined() -> None:
    trace = FunctionTrace({"A": SPANS}, 0, {"vfs_read": (("SOCKET_I", "net/socket.c:635"),)})
    assert lines(trace, True) == [
        "A|__x64_sys_read|goes on, 5 ms",
        "A|  vfs_read|does not return",
        "A|    SOCKET_I|inlined in vfs_read, net/socket.c:635",
        "A|    put_pid x 2|1 us",
        "A|    _raw_spin_lock|0.01 us",
    ]


def test_in_short_details_are_left_out_and_depth_is_counted() -> None:
    deep = tuple(Span(depth, f"f{depth}", 0, 1000) for depth in range(8))
    assert lines(FunctionTrace({"A": deep}), False)[-1] == "A|        f4|1 us, 3 below"
    assert lines(FunctionTrace({"A": SPANS}), False)[-1] == "A|    put_pid x 2|1 us"


def test_in_short_there_are_only_so_many_lines() -> None:
    many = tuple(Span(0, f"f{index}", 0, 1) for index in range(40))
    short = lines(FunctionTrace({"A": many}), False)
    assert len(short) == SHORT_LINES + 1
    assert short[-1] == "A|...|40 functions in all"


def test_lost_events_are_told() -> None:
    assert lines(FunctionTrace({"A": SPANS[:1]}, 12), False)[-1] == "|12 events lost|the trace buffer was too small"


def test_a_way_has_what_it_names_below_the_nearest_caller() -> None:
    spans = tuple(Span(depth, name, 0, 1000) for depth, name in enumerate(("f", "g", "tcp_push", "h", "loopback_xmit")))
    trace = FunctionTrace({"B": spans, "A": spans[:2]}, 0, {"f": (("sock_sendmsg", "net/socket.c:1"), ("x", "y:1"))})
    way = {"": ("f", "sock_sendmsg", "tcp_*", "loopback_xmit"), "A": ("g",)}
    assert [f"{actor}|{text}|{remark}" for actor, text, remark in call_path_lines(trace, way)] == [
        "B|f|1 us",
        "B|  sock_sendmsg|inlined in f, net/socket.c:1",
        "B|  tcp_push|1 us",
        "B|    loopback_xmit|1 us",
        "B|...|5 functions in all",
        "A|g|1 us",
        "A|...|2 functions in all",
    ]
