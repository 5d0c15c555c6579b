"""Who is covered and what they emit: roster, quality plans, deposits, reports, verification (MRV)."""
