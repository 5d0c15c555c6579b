"""The Optuna study of a calibration: where it is kept, what it is about, how it draws."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from sim.ensemble.refining import RefiningSampler

SAMPLERS = ("tpe", "refine", "random")
LOCK_SECONDS = 60.0  # how long a process waits for another one that writes
ABOUT = "about"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class CalibrationError(Exception):
    """A calibration cannot be done as asked: why, and what would be possible."""


def open_study(
    storage: str | Path | None, name: str, sampler: str, seed: int, prune: bool
) -> optuna.Study:
    """Open or begin a study; ``storage``: SQLite file, a database URL, or None (memory only).

    Raises:
        CalibrationError: the sampler is unknown or the storage is no database.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = (
        optuna.pruners.MedianPruner(n_startup_trials=10) if prune else optuna.pruners.NopPruner()
    )
    try:
        study = optuna.create_study(
            storage=_store(storage), study_name=name, load_if_exists=True, pruner=pruner
        )
        study.sampler = _sampler(sampler, seed + len(finished(study)))
    except (SQLAlchemyError, OSError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise CalibrationError(f"{storage}: a database of studies was expected ({why})") from None
    return study


def _store(storage: str | Path | None) -> RDBStorage | None:
    if storage is None:
        return None
    text = str(storage)
    if "://" in text:
        return RDBStorage(text)
    Path(text).parent.mkdir(parents=True, exist_ok=True)
    patience = {"connect_args": {"timeout": LOCK_SECONDS}}
    return RDBStorage(f"sqlite:///{text}", engine_kwargs=patience)


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    if name == "refine":
        return RefiningSampler(seed)
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name != "tpe":
        raise CalibrationError(f"sampler {name!r}: one of {', '.join(SAMPLERS)} was expected")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=True, n_startup_trials=20, constant_liar=True
        )


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that came to a result, pruned ones too."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def agree(study: optuna.Study, about: dict[str, Any]) -> None:
    """Note what a new study is about; refuse to go on with one about something else.

    Raises:
        CalibrationError: losses found before could not be compared with new ones.
    """
    before = study.user_attrs.get(ABOUT)
    if before is None:
        study.set_user_attr(ABOUT, about)
        return
    other = sorted(key for key in about if before.get(key) != about[key])
    if other:
        raise CalibrationError(
            f"study {study.study_name!r} has {len(finished(study))} trials with other"
            f" {', '.join(other)}; their losses cannot be compared: choose another study name"
        )
