"""From allocation to surrender: issue, obligations, offset, carry-over, penalties, disclosure."""
