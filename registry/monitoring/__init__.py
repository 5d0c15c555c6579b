"""Who is covered and what they emit: roster, plans, deposits, reports, verification (MRV)."""
