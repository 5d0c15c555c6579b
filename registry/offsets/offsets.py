"""The door of this room: projects, batches, cancellations, proofs; one transaction a call."""

from __future__ import annotations

from registry import accounts
from registry.database import Database
from registry.errors import RefusalError
from registry.offsets import audit, cancelling, figures, proof, registering
from registry.offsets.cancelling import Cancellation, NewCancellation
from registry.offsets.figures import Figures, Standing, Step
from registry.offsets.proof import Facts, Proof
from registry.offsets.registering import Batch, NewBatch, NewProject, Paper, Project


class Offsets:
    """The registry of voluntary reductions (VM-01, VM-06, VM-10, RG-12).

    It works on the books of the voluntary market; on others it has nothing and what would write is
    refused (market_invalid). Accounts are trading indexes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Projects and batches: two people at once, one who asks and one who agrees

    def register_project(self, new: NewProject, paper: Paper) -> Project:
        """Enter a project; see ``registering.add_project``."""
        registering.refuse_other_market(self._database.profile)
        with self._database.write() as tx:
            return registering.add_project(tx, new, paper)

    def register_batch(self, new: NewBatch, paper: Paper) -> Batch:
        """Register a batch and issue it to the project's owner; see ``registering.add_batch``."""
        registering.refuse_other_market(self._database.profile)
        with self._database.write() as tx:
            return registering.add_batch(tx, new, paper)

    def project(self, code: str) -> Project:
        """Return one project; RefusalError unknown_project."""
        with self._database.read() as tx:
            return registering.find_project(tx, code)

    def projects(self) -> dict[str, Project]:
        """Return every project by code."""
        with self._database.read() as tx:
            return registering.all_projects(tx)

    def batch(self, code: str) -> Batch:
        """Return one batch; RefusalError unknown_batch."""
        with self._database.read() as tx:
            return registering.find_batch(tx, code)

    def batches(self, project: str | None = None) -> dict[str, Batch]:
        """Return the batches by code, of one project if told so."""
        with self._database.read() as tx:
            return registering.all_batches(tx, project)

    # Cancellations: one person applies, another decides

    def apply(self, new: NewCancellation, maker: int, at_ns: int, document: str) -> Cancellation:
        """Ask for a cancellation; see ``cancelling.apply``."""
        registering.refuse_other_market(self._database.profile)
        with self._database.write() as tx:
            return cancelling.apply(tx, new, maker, at_ns, document)

    def approve(self, number: int, checker: int, sha256: str, at_ns: int) -> Cancellation:
        """Cancel for ever and issue the proof; see ``cancelling.approve``."""
        with self._database.write() as tx:
            return cancelling.approve(tx, number, checker, sha256, at_ns)

    def reject(self, number: int, checker: int, note: str, at_ns: int) -> Cancellation:
        """Give the tonnes back; see ``cancelling.reject``."""
        with self._database.write() as tx:
            return cancelling.reject(tx, number, checker, note, at_ns)

    def withdraw(self, number: int, maker: int, note: str, at_ns: int) -> Cancellation:
        """Take one's own application back; see ``cancelling.withdraw``."""
        with self._database.write() as tx:
            return cancelling.withdraw(tx, number, maker, note, at_ns)

    def cancellation(self, number: int) -> Cancellation:
        """Return one application; RefusalError unknown_cancellation."""
        with self._database.read() as tx:
            return cancelling.find(tx, number)

    def cancellations(
        self, account: int | None = None, kind: str | None = None, status: str | None = None
    ) -> list[Cancellation]:
        """Return the applications in order, of one account, kind or status if told so."""
        with self._database.read() as tx:
            return cancelling.listed(tx, account, kind, status)

    # Proofs

    def proof(self, number: str) -> Proof:
        """Return the record of a proof; RefusalError unknown_proof."""
        with self._database.read() as tx:
            return cancelling.proof_of(tx, number)

    def confirm(self, shown: Proof) -> Facts:
        """Return what a record proves if this registry has issued exactly it (RG-12).

        RefusalError: those of ``proof.check``, unknown_proof, proof_differs.
        """
        facts = proof.check(shown)
        if self.proof(shown.number) != shown:
            raise RefusalError(
                "proof_differs", f"Proof {shown.number} was issued with another content (RG-12)."
            )
        return facts

    # Figures

    def holdings(self, account: int) -> dict[str, dict[str, int]]:
        """Return what an account has of every batch, by bucket, in tonnes (RG-06)."""
        with self._database.read() as tx:
            return figures.holdings(tx, accounts.id_of(tx, account))

    def standings(self, project: str | None = None) -> list[Standing]:
        """Return where the tonnes of every batch are."""
        with self._database.read() as tx:
            return figures.standings(tx, project)

    def history(self, batch: str) -> list[Step]:
        """Return every entry of a batch in order; RefusalError unknown_batch."""
        with self._database.read() as tx:
            return figures.history(tx, batch)

    def summary(self) -> Figures:
        """Return the page of figures: registered, held, in the market, cancelled, traded."""
        with self._database.read() as tx:
            return figures.summary(tx)

    def violations(self) -> list[str]:
        """Return one sentence for every broken invariant; none = sound."""
        with self._database.read() as tx:
            return audit.violations(tx)
