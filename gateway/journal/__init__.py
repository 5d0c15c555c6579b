"""What is durable: numbering, append and sync, snapshots, replay, and what is never believed."""
