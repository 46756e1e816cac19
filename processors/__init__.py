"""Pure rules: what a signal, a trajectory and a policy mean. No clock, no input or output."""
