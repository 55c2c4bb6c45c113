"""The cases of Kubernetes' own controller (pkg/controller/podautoscaler/horizontal_test.go)."""

import pytest

from deploy.autoscaling.hpa import Autoscaler, Behavior, Policy, Rules, wanted

NOW = 10_000.0
EVENTS = ((NOW - 100, 1), (NOW - 60, 5), (NOW - 20, 9))
"""Three within 120 s, one each 40 s."""


def rule(pods: int, pods_s: int, percent: int, percent_s: int, window: int) -> Behavior:
    """Return a behavior as the controller's tests write it; 0 is no policy."""
    policies = [Policy("Pods", pods, pods_s)] if pods else []
    policies += [Policy("Percent", percent, percent_s)] if percent else []
    return Behavior(window, tuple(policies))


@pytest.mark.parametrize(
    ("current", "desired", "rules", "expected"),
    [
        (5, 7, Rules(3, 8), 7),
        (3, 1, Rules(2, 8), 2),
        (1, 0, Rules(0, 10), 0),
        (20, 1000, Rules(1, 10), 10),
        (100, 1000, Rules(100, 150), 150),
        (3, 1000, Rules(1, 2000, up=rule(0, 0, 1, 60, 0)), 4),
        (1000, 3, Rules(3, 2000, down=rule(20, 60, 0, 0, 0)), 980),
        (10, 50, Rules(1, 1000), 20),
        (10, 500, Rules(1, 1000, up=rule(100, 60, 100, 60, 0)), 110),
        (10, 500, Rules(1, 1000, up=rule(2, 60, 100, 60, 0)), 20),
        (10, 50, Rules(1, 1000, up=rule(100, 60, 0, 0, 0)), 50),
        (10, 50, Rules(1, 1000, up=rule(30, 60, 0, 0, 0)), 40),
        (10, 50, Rules(1, 1000, up=rule(0, 0, 200, 60, 0)), 30),
        (100, 2, Rules(1, 1000, down=rule(20, 60, 1, 60, 300)), 80),
        (100, 2, Rules(1, 1000, down=rule(2, 60, 1, 60, 300)), 98),
        (10, 0, Rules(1, 1000, down=rule(100, 60, 0, 0, 300)), 1),
        (10, 2, Rules(5, 1000, down=rule(0, 0, 100, 60, 300)), 5),
        (10, 2, Rules(1, 1000, down=rule(5, 60, 0, 0, 300)), 5),
        (10, 5, Rules(1, 1000, down=rule(0, 0, 50, 60, 300)), 5),
    ],
)
def test_limits_and_policies_are_those_of_the_controller(
    current: int, desired: int, rules: Rules, expected: int
) -> None:
    """Of several policies the one that lets more happen holds."""
    assert Autoscaler(rules)(NOW, current, desired) == expected


@pytest.mark.parametrize(
    ("current", "desired", "most", "up", "expected"),
    [
        (100, 500, 200, rule(300, 60, 0, 0, 0), 200),
        (100, 500, 200, rule(0, 0, 10000, 60, 0), 200),
        (100, 500, 1000, rule(5, 120, 0, 0, 0), 100),
        (100, 500, 1000, rule(150, 120, 0, 0, 0), 235),
        (100, 500, 1000, rule(0, 0, 200, 120, 0), 255),
    ],
)
def test_a_period_counts_from_what_there_was_at_its_beginning(
    current: int, desired: int, most: int, up: Behavior, expected: int
) -> None:
    """What came within it is taken off again."""
    scaler = Autoscaler(Rules(1, most, up), added=list(EVENTS))
    assert scaler(NOW, current, desired) == expected


def test_both_directions_count_in_a_period() -> None:
    """Six now, four came and two went: four at the beginning, 300 percent more are sixteen."""
    rules = Rules(1, 1000, rule(0, 0, 300, 300, 0))
    scaler = Autoscaler(rules, added=[(NOW - 60, 4)], removed=[(NOW - 60, 2)])
    assert scaler(NOW, 6, 24) == 16


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        ([], 3),
        ([(120, 4), (60, 5)], 5),
        ([(120, 1), (60, 2)], 3),
        ([(600, 10), (540, 9)], 3),
        ([(600, 10), (60, 4), (120, 5), (540, 9)], 5),
    ],
)
def test_it_goes_down_only_as_far_as_it_has_wished_within_the_window(
    wished: list[tuple[int, int]], expected: int
) -> None:
    """Five minutes, unless the manifest says otherwise."""
    scaler = Autoscaler(Rules(1, 100), wished=[(NOW - ago, count) for ago, count in wished])
    assert scaler(NOW, 10, 3) == expected


def test_a_direction_can_be_disabled() -> None:
    """Nothing goes, whatever is wished."""
    never = Behavior(0, (Policy("Pods", 4, 15),), "Disabled")
    assert Autoscaler(Rules(1, 100, down=never))(NOW, 10, 3) == 10


@pytest.mark.parametrize(
    ("current", "usage", "expected"),
    [(3, 60.0, 4), (3, 48.0, 3), (3, 42.0, 3), (3, 20.0, 2), (0, 1.0, 1)],
)
def test_usage_within_the_tolerance_changes_nothing(
    current: int, usage: float, expected: int
) -> None:
    """A tenth in either direction, with a target of 15 a pod."""
    assert wanted(current, usage, 15.0) == expected
