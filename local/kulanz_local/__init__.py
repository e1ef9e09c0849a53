"""An AWS on this machine, for the demo, the pipeline tests and the benchmarks: start, deploy, drive, stop."""
