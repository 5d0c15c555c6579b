"""Many runs: sweeps over what-ifs and seeds, calibration, sensitivity, identifiability."""
