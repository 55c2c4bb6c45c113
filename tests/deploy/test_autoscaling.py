from pathlib import Path

import pytest

from deploy.autoscaling.chart import autoscaler
from deploy.autoscaling.load import Load, Scaler, fixed
from deploy.autoscaling.manifests import Hpa, Keda, Targets, scaler
from deploy.autoscaling.schedule import DAY, HOUR, Schedule
from deploy.autoscaling.simulate import Replica, simulate
from deploy.autoscaling.traffic import MADE_UP, recorded

REPLICA = Replica(lanes=2, seconds=0.02, start=20.0, limit=100)
"""A hundred requests a second."""
OFFICE = {"start": "0 7 * * 1-5", "end": "30 19 * * 1-5", "desiredReplicas": "3"}


@pytest.fixture
def hpa() -> Scaler:
    """Return the chart's HPA."""
    return scaler(autoscaler("hpa"))


@pytest.fixture
def keda() -> Scaler:
    """Return the chart's ScaledObject, asleep."""
    return scaler(autoscaler("keda"))


def load(now: float, replicas: int, in_flight: float = 0.0, arrivals: float = 0.0) -> Load:
    """Return a look at a service that has all its replicas ready."""
    return Load(now, replicas, replicas, in_flight, arrivals, 0.0)


def test_the_chart_scales_by_requests_in_flight_and_cores(hpa: Scaler) -> None:
    """What its values say is what is replayed."""
    assert isinstance(hpa, Hpa)
    assert hpa.targets == Targets(in_flight=8.0, busy=0.75)
    assert (hpa.autoscaler.rules.least, hpa.autoscaler.rules.most) == (2, 6)
    assert hpa.autoscaler.rules.down.stabilization == 300


def test_keda_wakes_for_a_request_and_sleeps_after_its_cooldown(keda: Scaler) -> None:
    """Between 0 and 1 it decides by whether anything is active."""
    assert isinstance(keda, Keda)
    night = 3 * HOUR
    assert keda(load(night, 0)) == 0
    assert keda(load(night + 15, 0, arrivals=0.1)) == 1
    assert keda(load(night + 15 + keda.cooldown, 1)) == 1
    assert keda(load(night + 16 + keda.cooldown, 1)) == 0


def test_keda_keeps_the_replicas_of_its_schedule(keda: Scaler) -> None:
    """At the beginning of the office hours, whether anybody asks or not."""
    assert keda(load(7 * HOUR, 0)) == 1
    assert keda(load(7 * HOUR + 15, 1)) > 1


def test_schedule_holds_between_two_times_on_its_days() -> None:
    """Monday to Friday, the end not included."""
    office = Schedule.of(OFFICE)

    asked = [office.replicas(day * DAY + hour * HOUR) for day in (0, 5) for hour in (6, 7, 19, 20)]

    assert asked == [0, 3, 3, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "said", ["*/5 7 * * *", "0 7 1 * *", "0 7 * * MON", "30 19 * * 1-5", "0 7 * * 1-4"]
)
def test_schedule_that_is_not_replayed_is_refused(said: str) -> None:
    """Another part of cron, days that differ, an end before the start."""
    with pytest.raises(ValueError, match=r"replayed|no span"):
        Schedule.of(OFFICE | {"start": said})


def test_manifest_that_is_not_replayed_is_refused() -> None:
    """Rather than replayed as something else."""
    spec = {"maxReplicas": 3, "metrics": [{"type": "Object"}]}
    with pytest.raises(ValueError, match="Object are not replayed"):
        scaler({"kind": "HorizontalPodAutoscaler", "spec": spec})
    with pytest.raises(ValueError, match="Job scales nothing"):
        scaler({"kind": "Job", "spec": {}})


def test_a_request_that_finds_a_free_lane_takes_one_service_time() -> None:
    """Nothing is refused, and what is paid for is what stands there."""
    found = simulate([1.0] * 600, REPLICA, fixed(2), 2)

    assert found.latency(0.5) == pytest.approx(REPLICA.seconds)
    assert (found.refused, found.unserved) == (0, 0)
    assert found.hours == pytest.approx(2 * 600 / 3600)


def test_more_than_can_be_answered_is_refused_and_the_rest_waits_for_the_queue() -> None:
    """A full queue takes a second."""
    found = simulate([200.0] * 120, REPLICA, fixed(1), 1)

    answered = len(found.answered) / 120
    assert answered == pytest.approx(100, rel=0.05)
    assert found.latency(0.99) == pytest.approx(REPLICA.limit / 100, rel=0.05)
    assert found.refused / 120 == pytest.approx(100, rel=0.1)


def test_who_asks_a_sleeping_service_finds_nobody_until_one_is_ready() -> None:
    """A decision, and the seconds of its start."""
    found = simulate([1.0] * 300, REPLICA, lambda at: 1 if at.arrivals else 0, 0)

    assert found.unserved == pytest.approx(15 + REPLICA.start, abs=15)
    assert found.replicas[-1] == 1


def test_a_service_that_nobody_asks_any_more_goes_to_sleep(keda: Scaler) -> None:
    """At night; who asked last was answered."""
    assert isinstance(keda, Keda)
    found = simulate([1.0] * 60 + [0.0] * 1200, REPLICA, keda, 1)

    assert found.replicas[-1] == 0
    assert len(found.answered) > 30


def test_a_replica_that_goes_answers_what_it_has() -> None:
    """Every request has one outcome."""
    rates = [80.0] * 300
    going = simulate(rates, REPLICA, lambda at: 3 if at.now < 150 else 1, 3)
    staying = simulate(rates, REPLICA, fixed(3), 3)

    assert len(going.answered) + going.refused == len(staying.answered)
    assert going.replicas[-1] == 1


def test_the_charts_hpa_follows_a_burst_and_comes_back(hpa: Scaler) -> None:
    """Up within minutes, down one by one."""
    found = simulate([20.0] * 300 + [300.0] * 1200 + [20.0] * 1800, REPLICA, hpa, 2)

    assert max(found.replicas) >= 4
    assert found.replicas[-1] == 2
    assert found.replicas[600] >= 4


def test_made_up_traffic_reaches_its_peak() -> None:
    """Each is a list of rates, a second each."""
    for make in MADE_UP.values():
        rates = make(100.0)
        assert 0 < max(rates) <= 102
        assert min(rates) >= 0


def test_recorded_traffic_holds_each_rate_until_the_next(tmp_path: Path) -> None:
    """As Prometheus samples it."""
    (tmp_path / "day.csv").write_text("0,5\n15,7.5\n20,0\n")
    assert recorded(tmp_path / "day.csv") == [5.0] * 15 + [7.5] * 5


@pytest.mark.parametrize("line", ["10", "ten,1", "0,1", "20,-1", "20,nan"])
def test_recorded_traffic_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    """With the line that is wrong."""
    (tmp_path / "day.csv").write_text(f"10,1\n{line}\n")
    with pytest.raises(ValueError, match="line 2"):
        recorded(tmp_path / "day.csv")
