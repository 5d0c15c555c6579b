"""``python -m sim.environment.speed``: how fast the environment is played on this machine.

Each row plays whole episodes with random actions (seeded) and states the median of several:
resets a second are those of one process, steps include observation, reward and info.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time

from sim.environment.single import SeasonEnv

ROWS = (("2021", 0.05, "day"), ("2024", 0.05, "day"), ("2024", 0.05, "slot"), ("2024", 1.0, "day"))


def measure(season: str, share: float, step: str, episodes: int) -> dict[str, float]:
    """Return steps an episode, and median seconds of a reset and of an episode's steps."""
    env = SeasonEnv(season, share, step=step)
    env.action_space.seed(1)
    resets, plays, steps = [], [], 0
    for seed in range(episodes + 1):
        started = time.perf_counter()
        env.reset(seed=seed)
        begun = time.perf_counter()
        done, steps = False, 0
        while not done:
            done = env.step(env.action_space.sample())[2]
            steps += 1
        if seed:  # the first one compiles
            resets.append(begun - started)
            plays.append(time.perf_counter() - begun)
    seconds = statistics.median(plays)
    return {
        "entities": env.table.season.people.count,
        "steps": steps,
        "reset_s": statistics.median(resets),
        "episode_s": seconds,
        "steps_per_second": steps / seconds,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure the season environment.")
    parser.add_argument("--episodes", type=int, default=3, help="measured episodes of each row")
    parser.add_argument("--rows", type=int, default=len(ROWS), help="only the first rows")
    asked = parser.parse_args(arguments)
    if asked.episodes < 1 or not 1 <= asked.rows <= len(ROWS):
        parser.error(f"episodes from 1, rows from 1 to {len(ROWS)}")
    write = sys.stdout.write
    write(f"Python {platform.python_version()}, {os.cpu_count()} cores, one process\n")
    write("season  entities  step  steps  reset_s  episode_s  steps_per_second\n")
    for season, share, step in ROWS[: asked.rows]:
        row = measure(season, share, step, asked.episodes)
        write(
            f"{season:6s}  {row['entities']:8.0f}  {step:4s}  {row['steps']:5.0f}  "
            f"{row['reset_s']:7.3f}  {row['episode_s']:9.2f}  {row['steps_per_second']:16.0f}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
