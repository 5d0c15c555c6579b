"""Small deliberate defects: each must turn a named test red, or that test is asleep."""
