"""What a simulated season left behind: tables, stylised facts, targets and scores."""
