"""An agent for one entity of a season: a rule with four numbers, improved by cross-entropy search.

    python season_agent.py --season 2024 --share 0.05 --rounds 4

The rule waits until so many trading days are left, then every day takes what is offered within a
limit, and lists at its own price where nothing is. The search draws numbers for the rule, keeps the
best quarter, and draws again around those. It is judged on seasons (seeds) that it never saw.
"""

import argparse
import sys

import gymnasium
import numpy as np

import sim.environment
from sim.environment.acting import What

NAMES = ("days before the end", "take up to, % above last", "list at, % above last", "share, %")
LOWEST = np.array([1.0, -10.0, -10.0, 10.0])
HIGHEST = np.array([110.0, 10.0, 10.0, 100.0])
FIRST = np.array([5.0, 0.0, 0.0, 50.0])  # waits until the last week, then at the last price
STEPS_OF_PRICE, STEPS_OF_SHARE = 10, 10
AVAILABLE, LAST = 0, 0  # columns of "holdings" and "prices"
NEED, SURPLUS = 0, 1  # of "own"
DAYS_LEFT = 2  # of "calendar"


def action(rule: np.ndarray, seen: dict[str, np.ndarray]) -> np.ndarray:
    """Return what the rule does: see docs/how-to/train-an-agent.md for the numbers."""
    need = seen["own"][NEED]
    if need <= 0 or seen["calendar"][DAYS_LEFT] > rule[0]:
        return np.array([What.HOLD, 0, 0, 0])
    last = seen["prices"][:, LAST]
    asks = np.where(seen["asks"][:, 0, 1] > 0, seen["asks"][:, 0, 0], np.inf)
    vintage = int(asks.argmin())
    share = int(np.clip(round(rule[3] / 100 * STEPS_OF_SHARE) - 1, 0, STEPS_OF_SHARE - 1))
    if asks[vintage] <= last[vintage] * (1 + rule[1] / 100):
        return np.array([What.TAKE_BUY, vintage, STEPS_OF_PRICE + round(rule[1]), share])
    vintage = int(np.flatnonzero(last)[-1])  # the newest on the market
    return np.array([What.LIST_BUY, vintage, STEPS_OF_PRICE + round(rule[2]), share])


def episode(env: gymnasium.Env, rule: np.ndarray | None, seed: int) -> float:
    """Return the sum of rewards of one season, million yuan; without a rule: nothing is done."""
    seen, _ = env.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        chosen = np.zeros(4, np.int64) if rule is None else action(rule, seen)
        seen, reward, done, _, _ = env.step(chosen)
        total += float(reward)
    return total


def mean_return(env: gymnasium.Env, rule: np.ndarray | None, seeds: range) -> float:
    return float(np.mean([episode(env, rule, seed) for seed in seeds]))


def search(env: gymnasium.Env, rounds: int, tries: int, seeds: range) -> np.ndarray:
    """Return the best rule found: cross-entropy over four independent normal distributions."""
    random = np.random.default_rng(1)
    middle, width = FIRST, (HIGHEST - LOWEST) / 3
    best, best_return = FIRST, mean_return(env, FIRST, seeds)
    for number in range(1, rounds + 1):
        drawn = np.clip(random.normal(middle, width, (tries, len(FIRST))), LOWEST, HIGHEST)
        returns = np.array([mean_return(env, rule, seeds) for rule in drawn])
        order = np.argsort(-returns)
        if returns[order[0]] > best_return:
            best, best_return = drawn[order[0]], float(returns[order[0]])
        elite = np.vstack([drawn[order[: max(2, tries // 4)]], best])
        middle, width = elite.mean(axis=0), np.maximum(elite.std(axis=0), 1.0)
        print(f"round {number}: best so far {best_return:9.3f} million yuan", flush=True)
    return best


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Improve a rule for one entity of a season.")
    parser.add_argument("--season", default="2024")
    parser.add_argument("--share", type=float, default=0.05, help="part of the population")
    parser.add_argument("--size", type=float, default=0.5, help="0 smallest … 1 largest entity")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--tries", type=int, default=12, help="rules a round")
    parser.add_argument("--seeds", type=int, default=3, help="seasons each rule is tried on")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    env = gymnasium.make(
        sim.environment.ENV_ID,
        scenario=asked.season,
        share=asked.share,
        size=asked.size,
        disable_env_checker=True,
    )
    unseen = range(1000, 1000 + max(asked.seeds, 2))
    nothing, first = (mean_return(env, rule, unseen) for rule in (None, FIRST))
    best = search(env, asked.rounds, asked.tries, range(asked.seeds))
    found = mean_return(env, best, unseen)
    for name, value in zip(NAMES, best, strict=True):
        print(f"  {name:26s} {value:7.1f}")
    print("On seasons that the search never saw, million yuan:")
    print(
        f"  nothing done {nothing:9.3f}\n  first rule   {first:9.3f}\n  found rule   {found:9.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
