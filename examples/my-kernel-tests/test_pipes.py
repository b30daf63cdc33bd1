"""What lies in a pipe's ring, and who sleeps before it."""

import pytest

from ktrace.constants import F_SETPIPE_SZ, O_NONBLOCK, PAGE_SIZE, SPLICE_F_NONBLOCK


def pipe_of_two(lab):
    a = lab.spawn()
    r, w = a.pipe2(0)
    return a, a.fork(), r, w


def test_splice_moves_the_page_itself(lab):
    a = lab.spawn()
    r1, w1 = a.pipe2(0)
    _, w2 = a.pipe2(0)
    a.write(w1, b"x" * 100)
    page = lab.pipe(w1).bufs[0].page
    assert a.splice(r1, None, w2, None, 100, SPLICE_F_NONBLOCK).value == 100
    moved = lab.pipe(w2).bufs[0]
    assert (moved.page, moved.len, moved.data) == (page, 100, b"x" * 100)
    assert lab.pipe(w1).tail == 1 and lab.pipe(w1).bufs[0].ops is None


def test_tee_shares_the_page(lab):
    a = lab.spawn()
    r1, w1 = a.pipe2(0)
    _, w2 = a.pipe2(0)
    a.write(w1, b"x")
    a.tee(r1, w2, 1)
    one, two = lab.pipe(w1).bufs[0], lab.pipe(w2).bufs[0]
    assert one.page == two.page and one.page_count == 2
    assert "CAN_MERGE" in one.flags and "CAN_MERGE" not in two.flags


@pytest.mark.ktrace(prepare=pipe_of_two)
@pytest.mark.parametrize("size", [1, PAGE_SIZE, PAGE_SIZE + 1])
def test_a_write_takes_as_many_slots_as_pages(prepared_lab, size):
    a, _, _, w = prepared_lab.prepared
    a.write(w, b"x" * size)
    assert prepared_lab.pipe(w).head == -(-size // PAGE_SIZE)


@pytest.mark.ktrace(prepare=pipe_of_two)
def test_a_writer_sleeps_before_a_full_ring_until_a_slot_is_free(prepared_lab):
    a, b, r, w = prepared_lab.prepared
    a.fcntl(w, F_SETPIPE_SZ, PAGE_SIZE)
    a.write(w, b"x" * PAGE_SIZE)
    waiting = a.write(w, b"y")
    assert waiting.blocked and "pipe_write" in waiting.sleeps_in
    b.read(r, PAGE_SIZE - 1)
    assert waiting.blocked, "a part of a page is no slot"
    b.read(r, 1)
    assert waiting.value == 1


def test_a_packet_pipe_keeps_bytes_apart(lab):
    a = lab.spawn()
    r, w = a.pipe2(0o40000 | O_NONBLOCK)  # O_DIRECT
    a.write(w, b"one")
    a.write(w, b"two")
    assert [lab.pipe(w).bufs[slot].data for slot in (0, 1)] == [b"one", b"two"]
    assert a.read(r, 2).buf == b"on" and a.read(r, 10).buf == b"two"
