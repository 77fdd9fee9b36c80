"""How fast the plant is: `python -m inletctl.plant.bench` prints the microseconds of one 10 ms pass."""

from time import perf_counter

from inletctl.house import use_firmware
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World

PASS_US = 10_000


def us_per_pass(passes: int = 20_000, rounds: int = 5) -> float:
    """Return the best round's mean over `passes` passes of charging at 32 A, where nothing else changes."""
    use_firmware()
    from signals import Commands, Readings

    readings, commands = Readings(), Commands()
    world = World(PlantConfig(), 1)

    def run(count: int) -> None:
        for _n in range(count):
            world.advance(world.t_us + PASS_US)
            world.sample(readings)
            world.apply(commands)

    world.do("plug")
    run(200)
    commands.s2_close = True
    commands.charger_ma = 31_980
    run(1000)
    best = float("inf")
    for _round in range(rounds):
        started = perf_counter()
        run(passes)
        best = min(best, perf_counter() - started)
    return best / passes * 1e6


if __name__ == "__main__":
    print(f"{us_per_pass():.1f} us per pass of 10 ms")  # noqa: T201
