"""How a network learns: schedules, batches, callbacks, engines, and the loop that ties them together."""
