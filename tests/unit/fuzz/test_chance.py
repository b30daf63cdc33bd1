"""Chance with a seed."""

from __future__ import annotations

from ktrace.fuzz.chance import CORE, Chance, pattern, swarm


def draws(seed: int | str) -> list[object]:
    choose = Chance(seed)
    return [
        choose.integer(0, 1000),
        choose.chance(0.5),
        choose.one("abcdef"),
        choose.some(range(10), 2, 5),
        choose.around(4096, 65536, low=0),
        choose.weighted([(1, "x"), (2, "y"), (3, "z")]),
        choose.flags(0.5, 1, 2, 4, 8),
    ]


def test_the_same_seed_makes_the_same_choices() -> None:
    assert draws("7/3") == draws("7/3")
    assert len({str(draws(seed)) for seed in range(20)}) == 20


def test_choices_stay_inside_their_bounds() -> None:
    choose = Chance(1)
    assert {choose.integer(3, 5) for _ in range(200)} == {3, 4, 5}
    assert {choose.around(0, 10, low=0, high=10) for _ in range(500)} == {0, 1, 9, 10}
    assert all(2 <= len(choose.some(range(4), 2)) <= 4 for _ in range(100))
    assert choose.some([], 1) == []
    assert choose.some([7], 2, 3) == [7]
    assert {choose.weighted([(0, "never"), (1, "always")]) for _ in range(100)} == {"always"}


def test_a_pattern_tells_steps_pages_and_places_apart() -> None:
    data = pattern(5, 3 * 4096)
    assert len({data[start : start + 4096] for start in range(0, len(data), 4096)}) == 3
    assert pattern(5, 100) != pattern(6, 100)
    assert data[1:14] != data[:13]
    assert pattern(1, 0) == b""


def test_a_swarm_leaves_features_out_but_never_the_core() -> None:
    table = [(CORE, "core"), *((1.0, number) for number in range(10))]
    mixes = [swarm(Chance(seed), table) for seed in range(50)]
    assert all({item: weight for weight, item in mix}["core"] >= CORE for mix in mixes)
    assert any(weight == 0 for mix in mixes for weight, _ in mix)
    assert len({str(mix) for mix in mixes}) > 40
