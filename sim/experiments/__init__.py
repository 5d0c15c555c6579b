"""Named what-ifs: paired experiments over many seeds, and the baselines a model has to beat."""
