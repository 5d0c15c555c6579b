"""How the registry says no: a refusal changes nothing, a stop ends the evening.

``RefusalError`` answers a request that the rules do not allow. ``StopError`` means that two
records which must agree do not (or that the database cannot be trusted): nobody may go on before
a person has looked. ``UnavailableError`` means the database did not answer; nothing changed, the
same call may be repeated. Every one carries a stable ``code`` and a sentence.
"""

from __future__ import annotations


class RegistryError(Exception):
    """Base of everything the registry raises on purpose: ``code`` for programs, text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.sentence} [{self.code}]"


class RefusalError(RegistryError):
    """The request is not allowed; nothing has changed."""


class StopError(RegistryError):
    """Records that must agree differ, or the database is unsafe; settlement stops (F32, ST-17)."""


class UnavailableError(RegistryError):
    """The database did not answer; nothing has changed and the call may be repeated (F30)."""
