"""The measurement of contact health, in its short form: the plant's contacts, the firmware's estimate, the verdicts."""

from random import Random

from click.testing import CliRunner

from inletctl.measure import contact_health as measured

SEED = 7


def dice(name):
    print("seed", SEED, name)
    return Random(f"{SEED} {name}")


def test_healthy_inlet_is_not_reported_and_its_estimates_keep_to_their_uncertainty():
    car = measured.healthy(dice("healthy"), 50)
    assert car["reports"] == 0
    assert car["known"] >= 20, "or nothing has been judged"
    assert car["within"] >= 0.9 * car["known"]
    assert car["coldest"] < car["warmest"] - 10


def test_contact_that_doubles_is_reported_and_not_before_it_wears():
    car = measured.Car(dice("wearing"))
    for _ in range(22):
        measured.live(car, 1.0, 0, False)
    assert car.health.verdict(0) == measured.HEALTHY
    for n in range(50):
        car.wear[0] = 1 + n / 50
        measured.live(car, 1.0, 0, False)
        if car.health.verdict(0) in (measured.WATCH, measured.WORN):
            break
    assert 1.2 < car.wear[0] < 1.9
    assert car.health.verdict(1) == measured.HEALTHY


def test_plug_of_one_visit_is_not_taken_for_the_inlet():
    assert measured.plug(dice("visit"), "visit", False) in ("plug", "unsure", "nothing")


def test_same_seed_gives_the_same_figures():
    first, second = (measured.healthy(Random("twice"), 6) for _ in range(2))
    assert first == second


def test_shortfall_is_told():
    """Or a PASS would say nothing."""
    case = {
        "rise_k": 5.0,
        "rated_a": 32.0,
        "reported": 90,
        "derated": 80,
        "early": 0,
        "known_by_report": 1,
        "margin_k": -1.0,
    }
    wrong = measured.shortfalls(
        {"healthy": [{"reports": 2}], "wearing": [case], "visit told": ["inlet", "plug"]}
    )
    assert len(wrong) == 3
    assert (
        measured.shortfalls(
            {
                "healthy": [{"reports": 0}],
                "wearing": [{**case, "reported": 70}],
                "visit told": ["plug"],
            }
        )
        == []
    )


def test_command_prints_its_seed_and_its_figures():
    result = CliRunner().invoke(
        measured.main,
        ["--seed", "5", "--cars", "1", "--sessions", "3", "--wears", "0", "--plugs", "0"],
    )
    assert result.exit_code == 0, result.output
    assert result.output.startswith("seed 5\n")
    assert "healthy: 3 sessions" in result.output
    assert "PASS" in result.output
