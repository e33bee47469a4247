"""Training: schedules, batches, callbacks, engines, and the loop that combines them."""
