"""Training: the update step, the EM loop, schedules and configuration."""
