"""The registry of voluntary reductions: projects, batches, cancellations and their proofs."""
